package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Catalog;
import dev.gatepost.gateway.catalog.ConsulKeys;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.config.ConfigReader;
import dev.gatepost.gateway.config.ConfigReading;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.route.FabioCommands;
import dev.gatepost.gateway.route.Finding;
import dev.gatepost.gateway.route.PeerComparison;
import dev.gatepost.gateway.route.RouteSettings;
import dev.gatepost.gateway.tls.ClientTls;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/// `gatepost lint`: reads a catalog once and prints what fabio, Traefik and Gatepost make of each declaration in it, and
/// why they differ. Changes nothing and serves nothing.
final class Lint {
    /// fabio's default.
    private static final String FABIO_PATH = "fabio/config";
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final List<String> HEADINGS = List.of("SERVICE", "INSTANCES", "DECLARED", "FABIO", "TRAEFIK", "GATEPOST");

    /// Where the catalog is, beside the configuration and the environment.
    ///
    /// @param consul the agent's URL
    /// @param file   a file catalog
    record Subject(Optional<Path> config, Optional<String> consul, Optional<Path> file) {}

    private Lint() {}

    static int run(Subject subject, Map<String, String> environment) throws InterruptedException {
        return switch (ConfigReader.read(subject.config(), variables(subject, environment))) {
            case ConfigReading.Invalid invalid -> {
                invalid.problems().forEach(System.err::println);
                yield Main.PROBLEM;
            }
            case ConfigReading.Valid valid -> {
                try {
                    Snapshot snapshot = snapshot(valid.config());
                    List<FabioCommands.Line> commands = commands(valid.config());
                    RouteSettings settings = RouteSettings.of(valid.config().routes());
                    boolean obeyed = valid.config().fragments().fabioPath().isPresent();
                    List<Finding> findings = PeerComparison.of(
                            snapshot, obeyed ? settings.withCommands(FabioCommands.of(commands)) : settings, commands);
                    System.out.print(text(findings));
                    yield findings.stream().anyMatch(Finding::rejected) ? Main.PROBLEM : Main.DONE;
                } catch (IOException e) {
                    System.err.println("gatepost: " + e.getMessage());
                    yield Main.PROBLEM;
                }
            }
        };
    }

    /// As if it stood in the environment, which has the last word; without anything, the agent on this machine.
    private static Map<String, String> variables(Subject subject, Map<String, String> environment) {
        Map<String, String> variables = new HashMap<>(environment);
        subject.consul().ifPresent(address -> variables.put("GATEPOST_CONSUL_ADDRESS", address));
        subject.file().ifPresent(file -> variables.put("GATEPOST_CATALOG_FILE", file.toAbsolutePath().toString()));
        if (subject.config().isEmpty()) {
            variables.putIfAbsent("GATEPOST_HTTP_ADDRESS", "127.0.0.1:0"); // a configuration needs a listener; none is opened
            if (!variables.containsKey("GATEPOST_CATALOG_FILE") && !variables.containsKey("CONSUL_HTTP_ADDR")) {
                variables.putIfAbsent("GATEPOST_CONSUL_ADDRESS", "http://127.0.0.1:8500");
            }
        }
        return variables;
    }

    /// @throws IOException in words for a person
    private static Snapshot snapshot(GatewayConfig config) throws IOException, InterruptedException {
        CompletableFuture<Snapshot> first = new CompletableFuture<>();
        // The copy on disk belongs to the gateway that runs.
        GatewayConfig live = config.withoutLastGood();
        Optional<ClientTls> tls = live.consul().isPresent() ? ClientTls.of(live.consul().get()) : Optional.empty();
        try (Catalog catalog = Catalog.of(live, tls, () -> 0, InstantSource.system())) {
            catalog.start(first::complete);
            try {
                return first.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (TimeoutException _) {
                String sources = catalog.status().stream()
                        .map(status -> status.address() + status.lastError().map(error -> ": " + error).orElse(""))
                        .collect(Collectors.joining("; "));
                throw new IOException("no complete catalog within %d s (%s)".formatted(PATIENCE.toSeconds(), sources));
            } catch (ExecutionException e) {
                throw new IllegalStateException(e);
            }
        } finally {
            tls.ifPresent(ClientTls::close);
        }
    }

    private static List<FabioCommands.Line> withoutCommands(String path, String reason) {
        System.err.println("gatepost: fabio's commands under %s are left out: %s".formatted(path, reason));
        return List.of();
    }

    /// What stands in the KV store where fabio looks. A token that may read the catalog alone is enough to compare that.
    private static List<FabioCommands.Line> commands(GatewayConfig config) throws IOException, InterruptedException {
        if (config.consul().isEmpty()) {
            return List.of();
        }
        String path = config.fragments().fabioPath().orElse(FABIO_PATH);
        CompletableFuture<SortedMap<String, String>> first = new CompletableFuture<>();
        Optional<ClientTls> tls = ClientTls.of(config.consul().get());
        ConsulKeys.Listener listener = new ConsulKeys.Listener() {
            @Override
            public void heard(SortedMap<String, String> values) {
                first.complete(values);
            }

            @Override
            public void failed(String reason) {
                first.completeExceptionally(new IOException(reason));
            }
        };
        try (ConsulKeys keys = new ConsulKeys(config.consul().get(), path, tls, RandomGenerator.getDefault(), listener)) {
            keys.start();
            List<FabioCommands.Line> lines = new ArrayList<>();
            first.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).forEach((key, text) -> {
                if (key.equals(path) || key.startsWith(path + "/")) {
                    lines.addAll(FabioCommands.lines("kv", key, text));
                }
            });
            return lines;
        } catch (ExecutionException e) {
            return withoutCommands(path, String.valueOf(e.getCause() == null ? e : e.getCause().getMessage()));
        } catch (TimeoutException _) {
            return withoutCommands(path, "no answer within %d s".formatted(PATIENCE.toSeconds()));
        } finally {
            tls.ifPresent(ClientTls::close);
        }
    }

    /// A table, the reasons under each row, and a line that sums it up.
    static String text(List<Finding> findings) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        findings.forEach(each -> rows.add(List.of(
                each.service().isEmpty() ? "-" : each.service(), each.instances() == 0 ? "-" : String.valueOf(each.instances()), each.declared(), each.fabio(), each.traefik(), each.gatepost())));
        int[] widths = new int[HEADINGS.size()];
        rows.forEach(row -> {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        });
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < rows.size(); i++) {
            List<String> row = rows.get(i);
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                line.append(row.get(column)).append(" ".repeat(widths[column] - row.get(column).length() + 2));
            }
            text.append(line.toString().stripTrailing()).append('\n');
            if (i > 0) {
                findings.get(i - 1).why().forEach(why -> text.append("    ").append(why).append('\n'));
            }
        }
        long rejected = findings.stream().filter(Finding::rejected).count();
        long differ = findings.stream().filter(each -> !each.why().isEmpty()).count();
        return text.append("%d declarations, %d not alike everywhere, %d rejected by Gatepost%n".formatted(findings.size(), differ, rejected)).toString();
    }
}
