package dev.gatepost.gateway;

import dev.gatepost.gateway.config.ConfigReader;
import dev.gatepost.gateway.config.ConfigReading;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.TlsProvider;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `gatepost run`: the gateway in the foreground, from the reading of its configuration to its last drained exchange.
final class Run {
    private static final Logger LOG = LoggerFactory.getLogger(Run.class);

    private Run() {}

    static int run(Optional<Path> file, Map<String, String> environment) throws InterruptedException {
        // Loading the native libraries is a third of a cold start, and nothing in the configuration bears on it.
        Thread.ofPlatform().daemon().name("natives").start(Run::loadNatives);
        return switch (ConfigReader.read(file, environment)) {
            case ConfigReading.Invalid invalid -> {
                invalid.problems().forEach(System.err::println);
                yield Main.PROBLEM;
            }
            case ConfigReading.Valid valid -> {
                CompletableFuture<Gateway> serving = new CompletableFuture<>();
                Signals.on("HUP", () -> reload(serving.join(), file, environment));
                yield serve(valid.config(), serving::complete);
            }
        };
    }

    private static void loadNatives() {
        LOG.debug("transport {}, TLS by {}", Version.transport(), TlsProvider.current().describe());
    }

    /// Starts, tells `started`, and serves until a signal or the admin API says to stop.
    static int serve(GatewayConfig config, Started started) throws InterruptedException {
        CompletableFuture<Gateway> serving = new CompletableFuture<>();
        stopOnSignal(serving);
        try (Gateway gateway = Gateway.start(config)) {
            serving.complete(gateway);
            started.accept(gateway);
            gateway.awaitStopped();
            return Main.DONE;
        } catch (StartFailure e) {
            System.err.println("gatepost: " + e.getMessage());
            return Main.PROBLEM;
        }
    }

    interface Started {
        void accept(Gateway gateway);
    }

    /// The first signal drains; whoever sends a second one doesn't want to wait. A signal has a thread of its own, and one
    /// that comes during the start waits there until there is something to stop.
    private static void stopOnSignal(CompletableFuture<Gateway> serving) {
        AtomicBoolean stopping = new AtomicBoolean(); // one signal's thread against another's
        Runnable stop = () -> {
            Gateway gateway = serving.join();
            if (stopping.compareAndSet(false, true)) {
                gateway.stop();
            } else {
                LOG.warn("told to stop twice, not waiting for what is in flight");
                gateway.close();
            }
        };
        Signals.on("TERM", stop);
        Signals.on("INT", stop);
    }

    private static void reload(Gateway gateway, Optional<Path> file, Map<String, String> environment) {
        switch (ConfigReader.read(file, environment)) {
            case ConfigReading.Valid valid -> gateway.reload(valid.config());
            case ConfigReading.Invalid invalid -> {
                invalid.problems().forEach(problem -> LOG.error("{}", problem));
                LOG.error("configuration not reread because of the above, going on with the one in use");
            }
        }
    }
}
