package dev.gatepost.gateway;

import dev.gatepost.gateway.DnsReply.Aspect;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;

/// A real Consul 1.8 and Gatepost over the same catalog, asked the same questions. What they answer differently is a
/// [Divergence] that says why, or an error.
class ConsulDifferenceTest {
    private static final List<Integer> TYPES = List.of(
            Type.A, Type.AAAA, Type.SRV, Type.ANY, Type.TXT, Type.MX, Type.NS, Type.SOA, Type.PTR, Type.CNAME, Type.HTTPS, Type.DS, 65280);
    private static final List<Way> WAYS = List.of(new Way("UDP 512", false, 0), new Way("UDP 1232", false, 1232), new Way("UDP 4096", false, 4096), new Way("TCP", true, 0));

    private static final int MOST_SHOWN = 400;

    @TempDir
    static Path home;

    private static ConsulAgent consul;
    private static RunningGateway strict;
    private static RunningGateway mimicking;
    private static DnsClient toConsul;
    private static DnsClient toStrict;
    private static DnsClient toMimicking;

    /// @param edns the size that the client offers; 0 for no EDNS
    record Way(String name, boolean stream, int edns) {}

    /// One question to both.
    record Question(String name, int type, Way way, DnsReply consul, DnsReply gatepost) {
        @Override
        public String toString() {
            return name + " " + Type.string(type) + " (" + way.name + ")\n    consul   " + consul + "\n    gatepost " + gatepost;
        }
    }

    @BeforeAll
    static void start() throws Exception {
        consul = ConsulAgent.start();
        ComparedCatalog.register(consul);
        String source = "consul: { address: \"" + consul.address() + "\" }";
        String warning = "routes: { health: warning }";
        strict = RunningGateway.start(Files.createDirectory(home.resolve("strict")), source, warning);
        mimicking = RunningGateway.start(Files.createDirectory(home.resolve("consul-1.8")), "dns: { address: 127.0.0.1:0, profile: consul-1.8 }", source, warning);
        for (RunningGateway each : List.of(strict, mimicking)) {
            Await.until("the catalog is complete", Duration.ofSeconds(20), () -> each.admin("/api/v1/dns/explain?name=other.service.consul&type=A").path("outcome").asText().equals("answer")
                    && each.admin("/api/v1/state").path("counts").path("instances").asInt() > 2 * ComparedCatalog.MANY + 40);
        }
        toConsul = new DnsClient(consul.dns());
        toStrict = client(strict);
        toMimicking = client(mimicking);
    }

    private static DnsClient client(RunningGateway gateway) {
        return new DnsClient(new InetSocketAddress(InetAddress.getLoopbackAddress(), gateway.dnsPort()));
    }

    @AfterAll
    static void stop() {
        for (AutoCloseable each : new AutoCloseable[] {toConsul, toStrict, toMimicking, strict, mimicking, consul}) {
            try {
                if (each != null) {
                    each.close();
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void mimicsConsul() {
        assertEquals("", unexplained(toMimicking, Divergence.OF_THE_MIMIC));
    }

    /// Asks everything and gives what no divergence explains.
    private static String unexplained(DnsClient gatepost, List<Divergence> divergences) {
        Map<String, String> unexplained = new LinkedHashMap<>(); // one for each name and type
        Map<String, Integer> met = new TreeMap<>();
        int asked = 0;
        for (boolean many : new boolean[] {false, true}) {
            for (String relative : many ? ComparedCatalog.manyNames() : ComparedCatalog.names()) {
                for (int type : TYPES) {
                    for (Way way : WAYS) {
                        for (boolean mixedCase : new boolean[] {false, true}) {
                            byte[] query = query(relative, type, way, mixedCase, asked++);
                            boolean silent = relative.startsWith("long.");
                            DnsReply theirs = DnsReply.of(toConsul.ask(query, way.stream, silent));
                            DnsReply ours = DnsReply.of(gatepost.ask(query, way.stream, false));
                            var question = new Question(relative, type, way, theirs, ours);
                            judge(question, many && !way.stream, divergences, met).ifPresent(what -> unexplained.putIfAbsent(question.name + question.type, what));
                        }
                    }
                }
            }
        }
        divergences.stream().filter(each -> !met.containsKey(each.consul())).forEach(each -> unexplained.put(each.consul(), "never met: " + each));
        return unexplained.values().stream().limit(MOST_SHOWN).collect(Collectors.joining("\n"));
    }

    private static Optional<String> judge(Question question, boolean sample, List<Divergence> divergences, Map<String, Integer> met) {
        Set<Aspect> differences = question.consul.differencesTo(question.gatepost, sample);
        if (differences.isEmpty()) {
            return Optional.empty();
        }
        for (Divergence each : divergences) {
            if (each.applies().test(question)) {
                met.merge(each.consul(), 1, Integer::sum);
                differences.removeAll(each.aspects());
            }
        }
        return differences.isEmpty() ? Optional.empty() : Optional.of(differences + " " + question);
    }

    private static byte[] query(String relative, int type, Way way, boolean mixedCase, int id) {
        try {
            String text = relative.endsWith(".") ? relative : relative.isEmpty() ? "consul." : relative + ".consul.";
            var message = new Message(id & 0xffff);
            message.getHeader().setFlag(org.xbill.DNS.Flags.RD);
            message.addRecord(Record.newRecord(Name.fromString(mixedCase ? mixed(text) : text), type, DClass.IN), Section.QUESTION);
            if (way.edns > 0) {
                message.addRecord(new OPTRecord(way.edns, 0, 0), Section.ADDITIONAL);
            }
            return message.toWire();
        } catch (IOException e) {
            throw new AssertionError(relative, e);
        }
    }

    /// Every second letter as a capital.
    private static String mixed(String name) {
        var text = new StringBuilder(name);
        for (int i = 0; i < name.length(); i += 2) {
            text.setCharAt(i, name.substring(i, i + 1).toUpperCase(Locale.ROOT).charAt(0));
        }
        return text.toString();
    }
}
