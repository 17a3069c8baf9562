package dev.gatepost.gateway;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What the start says of a post that answers strangers.
class DnsExposureTest {
    @Test
    void theStartWarnsWhereStrangersAreAnsweredWithoutALimit(@TempDir Path open, @TempDir Path limited, @TempDir Path usual) throws Exception {
        List<String> warnings = warnings(open, "dns: { address: 127.0.0.1:0, allow: [ 0.0.0.0/0, \"::/0\" ] }");
        assertEquals(1, warnings.size(), warnings::toString);
        assertTrue(warnings.getFirst().contains("dns.allow") && warnings.getFirst().contains("dns.rate-limit"), warnings::toString);
        assertEquals(List.of(), warnings(limited, "dns: { address: 127.0.0.1:0, allow: [ 0.0.0.0/0, \"::/0\" ], rate-limit: 20 }"));
        assertEquals(List.of(), warnings(usual, "dns: { address: 127.0.0.1:0 }"));
    }

    private static List<String> warnings(Path home, String dns) throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger(Gateway.class);
        ListAppender<ILoggingEvent> said = new ListAppender<>();
        said.start();
        logger.addAppender(said);
        Files.writeString(home.resolve("services.yaml"), "services: []\n");
        try (RunningGateway _ = RunningGateway.start(home, dns, "catalog: { file: services.yaml }")) {
            List<ILoggingEvent> events;
            synchronized (said) { // as threads that still log do
                events = List.copyOf(said.list);
            }
            return events.stream()
                    .filter(event -> event.getLevel().equals(Level.WARN) && event.getFormattedMessage().startsWith("dns:"))
                    .map(ILoggingEvent::getFormattedMessage)
                    .toList();
        } finally {
            logger.detachAppender(said);
        }
    }
}
