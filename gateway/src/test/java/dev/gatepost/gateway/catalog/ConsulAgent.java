package dev.gatepost.gateway.catalog;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/// A real Consul agent of the test's own: `consul agent -dev` on free loopback ports with its own data folder, empty at
/// the start, stopped by its pid; or several servers that form a cluster. Where no consul can be had the test is aborted
/// with one line; in CI it fails.
///
/// ```java
/// try (ConsulAgent consul = ConsulAgent.start()) {
///     consul.service("web").id("web-1").port(9001).tag("gatepost.route=shop.example.com/").check(Health.PASSING).register();
///     consul.checkStatus("service:web-1", Health.CRITICAL);
/// }
/// ```
public final class ConsulAgent implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

    /// Below the ephemeral range, so that no outgoing connection holds a port between an agent's death and its restart.
    private static final int LOWEST_PORT = 20_000;
    private static final int HIGHEST_PORT = 32_000;

    /// The ports an agent binds: its option for each.
    private enum Port {
        HTTP("-http-port="),
        DNS("-dns-port="),
        GRPC("-grpc-port="),
        SERF_LAN("-serf-lan-port="),
        SERF_WAN("-serf-wan-port="),
        SERVER("-server-port=");

        private final String option;

        Port(String option) {
            this.option = option;
        }
    }

    private final String binary;
    private final Path home;
    private final Map<Port, Integer> ports;
    private final List<String> options;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();
    private final Thread reaper = Thread.ofPlatform().unstarted(this::kill);
    private Optional<Process> process = Optional.empty();
    private String token = "";

    private ConsulAgent(String binary, Path home, Map<Port, Integer> ports, List<String> options) {
        this.binary = binary;
        this.home = home;
        this.ports = ports;
        this.options = options;
    }

    /// Starts an agent and waits until it leads.
    ///
    /// @param options further options of `consul agent`, e.g. `-hcl=acl { enabled = true }`
    public static ConsulAgent start(String... options) {
        List<String> all = new ArrayList<>(List.of("-dev"));
        all.addAll(Arrays.asList(options));
        ConsulAgent agent = prepared(freePorts(), all);
        agent.launch();
        return agent;
    }

    /// Starts servers that elect a leader among them, and waits until each knows it. They keep their data when restarted.
    public static List<ConsulAgent> cluster(int servers) {
        List<Map<Port, Integer>> ports = new ArrayList<>();
        List<String> options = new ArrayList<>(List.of(
                "-server", "-bootstrap-expect=" + servers, "-data-dir=data", "-hcl=performance { raft_multiplier = 1 }"));
        for (int i = 0; i < servers; i++) {
            ports.add(freePorts());
            options.add("-retry-join=127.0.0.1:" + ports.getLast().get(Port.SERF_LAN));
        }
        List<ConsulAgent> agents = ports.stream().map(own -> prepared(own, options)).toList();
        agents.forEach(ConsulAgent::spawn);
        agents.forEach(ConsulAgent::awaitLeader);
        return agents;
    }

    private static ConsulAgent prepared(Map<Port, Integer> ports, List<String> options) {
        String binary = Binary.path();
        try {
            ConsulAgent agent = new ConsulAgent(binary, Files.createTempDirectory("gatepost-consul-"), ports, List.copyOf(options));
            Runtime.getRuntime().addShutdownHook(agent.reaper);
            return agent;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// `http://127.0.0.1:PORT`
    public String address() {
        return "http://127.0.0.1:" + port(Port.HTTP);
    }

    public int httpPort() {
        return port(Port.HTTP);
    }

    /// Where Consul's own DNS answers, for comparisons.
    public InetSocketAddress dns() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port(Port.DNS));
    }

    public long pid() {
        return running().pid();
    }

    /// The name under which this agent's own services are registered.
    public String nodeName() {
        return "test-" + port(Port.HTTP);
    }

    /// The token this fixture's own calls carry from now on.
    public void useToken(String newToken) {
        token = newToken;
    }

    // ---- services and checks ------------------------------------------------------------------------------------

    /// Begins the registration of an instance through the agent's API.
    public Registration service(String name) {
        return new Registration(this, name);
    }

    /// One instance with a TTL check of its own (`service:ID`), passing.
    public void register(String id, String name, int port, String... tags) {
        service(name).id(id).port(port).tag(tags).check(Health.PASSING).register();
    }

    public void deregister(String serviceId) {
        put("/v1/agent/service/deregister/" + encode(serviceId), "");
    }

    /// Registers a TTL check by itself, apart from the service it is for.
    public void registerCheck(String checkId, String serviceId, Health status) {
        ObjectNode check = NODES.objectNode();
        check.put("ID", checkId).put("Name", checkId).put("ServiceID", serviceId).put("TTL", "1h").put("Status", word(status));
        put("/v1/agent/check/register", check.toString());
    }

    /// Sets the state of a TTL check; the check of `service(...).check(...)` has the id `service:ID`.
    public void checkStatus(String checkId, Health status) {
        put("/v1/agent/check/update/" + encode(checkId), NODES.objectNode().put("Status", word(status)).toString());
    }

    public void maintenance(String serviceId, boolean enable) {
        put("/v1/agent/service/maintenance/" + encode(serviceId) + "?enable=" + enable, "");
    }

    public void nodeMaintenance(boolean enable) {
        put("/v1/agent/maintenance?enable=" + enable, "");
    }

    /// Puts an instance straight into the catalog, on a node that is not this agent's own.
    public void registerOnNode(String node, String nodeAddress, String service, String id, int port, Health status) {
        ObjectNode root = NODES.objectNode();
        root.put("Node", node).put("Address", nodeAddress);
        root.putObject("Service").put("ID", id).put("Service", service).put("Port", port);
        root.putArray("Checks").addObject()
                .put("Node", node).put("CheckID", "service:" + id).put("Name", "check of " + id).put("ServiceID", id).put("Status", word(status));
        put("/v1/catalog/register", root.toString());
    }

    /// Removes a node that [#registerOnNode] made, with all it carries.
    public void deregisterNode(String node) {
        put("/v1/catalog/deregister", NODES.objectNode().put("Node", node).toString());
    }

    // ---- key-value store ----------------------------------------------------------------------------------------

    public void kvPut(String key, String value) {
        put("/v1/kv/" + key, value);
    }

    public void kvDelete(String key) {
        call("DELETE", "/v1/kv/" + key, "");
    }

    // ---- raw access ---------------------------------------------------------------------------------------------

    public JsonNode get(String pathAndQuery) {
        try {
            return JSON.readTree(call("GET", pathAndQuery, ""));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String put(String pathAndQuery, String body) {
        return call("PUT", pathAndQuery, body);
    }

    /// Runs the `consul` command against this agent and gives its output; fails when the command does.
    public String cli(String... args) {
        List<String> command = new ArrayList<>(List.of(binary));
        command.addAll(Arrays.asList(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("CONSUL_HTTP_ADDR", address());
        if (!token.isEmpty()) {
            builder.environment().put("CONSUL_HTTP_TOKEN", token);
        }
        try {
            Process cli = builder.start();
            cli.getOutputStream().close();
            String output = new String(cli.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int exit = cli.waitFor();
            if (exit != 0) {
                throw new AssertionError(String.join(" ", command) + " exited with " + exit + ": " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    // ---- life and death -----------------------------------------------------------------------------------------

    /// SIGKILL: connections break, nothing is deregistered.
    public void kill() {
        process.ifPresent(running -> {
            running.destroyForcibly();
            awaitExit(running);
        });
        process = Optional.empty();
    }

    /// SIGTERM: the agent leaves in order.
    public void stop() {
        process.ifPresent(running -> {
            running.destroy();
            awaitExit(running);
        });
        process = Optional.empty();
    }

    /// Starts again on the same ports: a dev agent with an empty catalog and lower indexes, a cluster's server with its data.
    public void restart() {
        kill();
        launch();
    }

    /// Whether it is the leader of its cluster, as it says itself.
    public boolean isLeader() {
        return get("/v1/status/leader").asText().endsWith(":" + port(Port.SERVER));
    }

    /// SIGSTOP: for the others it is as gone as behind a cut cable, connections and all.
    public void suspend() {
        signal("STOP");
    }

    public void resume() {
        signal("CONT");
    }

    private void signal(String name) {
        try {
            int exit = new ProcessBuilder("kill", "-" + name, Long.toString(pid())).inheritIO().start().waitFor();
            Assertions.assertEquals(0, exit, "kill -" + name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        kill();
        http.close();
        Runtime.getRuntime().removeShutdownHook(reaper);
        try (Stream<Path> files = Files.walk(home)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void launch() {
        spawn();
        awaitLeader();
    }

    private void spawn() {
        List<String> command = new ArrayList<>(List.of(
                binary, "agent", "-bind=127.0.0.1", "-client=127.0.0.1", "-log-level=warn", "-node=" + nodeName(),
                "-disable-host-node-id", "-hcl=disable_update_check = true"));
        for (Port port : Port.values()) {
            command.add(port.option + port(port));
        }
        command.addAll(options);
        try {
            process = Optional.of(new ProcessBuilder(command).directory(home.toFile())
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile())).start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitLeader() {
        Process started = running();
        Await.until("consul agent knows a leader", START_TIMEOUT, () -> {
            if (!started.isAlive()) {
                throw new AssertionError("consul agent ended with " + started.exitValue() + ": " + read(log()));
            }
            return leads();
        });
    }

    private Path log() {
        return home.resolve("log");
    }

    private boolean leads() {
        try {
            HttpResponse<String> leader = http.send(request("GET", "/v1/status/leader", ""), HttpResponse.BodyHandlers.ofString());
            // A leader exists a moment before its own node is in the catalog; with ACLs on, only the former can be seen.
            if (leader.statusCode() != 200 || leader.body().length() <= 2) {
                return false;
            }
            HttpResponse<String> nodes = http.send(request("GET", "/v1/catalog/nodes", ""), HttpResponse.BodyHandlers.ofString());
            return nodes.body().contains(nodeName()) || options.stream().anyMatch(option -> option.contains("acl"));
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private String call(String method, String pathAndQuery, String body) {
        try {
            HttpResponse<String> response = http.send(request(method, pathAndQuery, body), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new AssertionError(method + " " + pathAndQuery + ": " + response.statusCode() + " " + response.body());
            }
            return response.body();
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + pathAndQuery, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private HttpRequest request(String method, String pathAndQuery, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address() + pathAndQuery))
                .timeout(Duration.ofSeconds(20))
                .method(method, body.isEmpty() ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (!token.isEmpty()) {
            request.header("X-Consul-Token", token);
        }
        return request.build();
    }

    private Process running() {
        return process.orElseThrow(() -> new IllegalStateException("the agent is stopped"));
    }

    private int port(Port port) {
        return Objects.requireNonNull(ports.get(port));
    }

    static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static String word(Health status) {
        return switch (status) {
            case PASSING -> "passing";
            case WARNING -> "warning";
            case CRITICAL -> "critical";
            case PANICKING -> throw new IllegalArgumentException("panicking is no check status: it is our own word");
            case MAINTENANCE -> throw new IllegalArgumentException("maintenance is no check status: use maintenance(...)");
        };
    }

    private static void awaitExit(Process process) {
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static Map<Port, Integer> freePorts() {
        Map<Port, Integer> ports = new EnumMap<>(Port.class);
        for (Port port : Port.values()) {
            int candidate;
            do {
                candidate = ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT);
            } while (ports.containsValue(candidate) || taken(candidate));
            ports.put(port, candidate);
        }
        return ports;
    }

    /// A port that nobody listens on, for a listener that isn't usually there.
    public static int freePort() {
        int candidate;
        do {
            candidate = ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT);
        } while (taken(candidate));
        return candidate;
    }

    /// Established connections to a loopback port, as the kernel counts them: its side of each.
    public static int connections(int port) {
        String local = "0100007F:" + "%04X".formatted(port);
        try (Stream<String> lines = Files.lines(Path.of("/proc/net/tcp"))) {
            return (int) lines.map(String::strip).map(line -> line.split("\\s+")).filter(f -> f.length > 3 && f[1].equals(local) && f[3].equals("01")).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean taken(int port) {
        try (ServerSocket tcp = new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
                DatagramSocket udp = new DatagramSocket(port, InetAddress.getLoopbackAddress())) {
            return tcp.getLocalPort() != port || udp.getLocalPort() != port;
        } catch (IOException e) {
            return true;
        }
    }

    /// One instance on its way into the agent: `service("web").id("web-1").port(80).register()`. Registering the same
    /// id again replaces what was there.
    public static final class Registration {
        private final ConsulAgent agent;
        private final ObjectNode body = NODES.objectNode();
        private final ArrayNode tags = body.putArray("Tags");
        private final ObjectNode meta = body.putObject("Meta");
        private Optional<Health> check = Optional.empty();

        private Registration(ConsulAgent agent, String name) {
            this.agent = agent;
            body.put("Name", name).put("ID", name);
        }

        public Registration id(String id) {
            body.put("ID", id);
            return this;
        }

        public Registration address(String address) {
            body.put("Address", address);
            return this;
        }

        public Registration port(int port) {
            body.put("Port", port);
            return this;
        }

        public Registration tag(String... more) {
            for (String tag : more) {
                tags.add(tag);
            }
            return this;
        }

        public Registration meta(String key, String value) {
            meta.put(key, value);
            return this;
        }

        public Registration weights(int passing, int warning) {
            body.putObject("Weights").put("Passing", passing).put("Warning", warning);
            return this;
        }

        /// A TTL check inside the registration, with the id `service:ID`.
        public Registration check(Health status) {
            check = Optional.of(status);
            return this;
        }

        public void register() {
            check.ifPresent(status -> body.putObject("Check")
                    .put("CheckID", "service:" + body.path("ID").asText()).put("TTL", "1h").put("Status", word(status)));
            agent.put("/v1/agent/service/register", body.toString());
        }
    }

    /// Where the consul program is, asked of `src/test/bin/obtain-consul` once.
    private static final class Binary {
        private static final Optional<String> PATH;
        private static final String REASON;

        static {
            String output;
            int exit;
            try {
                Path script = Stream.of("src/test/bin/obtain-consul", "gateway/src/test/bin/obtain-consul")
                        .map(Path::of).filter(Files::exists).findFirst().orElseThrow(() -> new IOException("no src/test/bin/obtain-consul here"));
                Process process = new ProcessBuilder("sh", script.toString()).redirectErrorStream(true).start();
                process.getOutputStream().close();
                output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
                exit = process.waitFor();
            } catch (IOException e) {
                output = e.toString();
                exit = -1;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                output = e.toString();
                exit = -1;
            }
            PATH = exit == 0 ? Optional.of(output) : Optional.empty();
            REASON = output;
        }

        static String path() {
            if (PATH.isEmpty() && "true".equals(System.getenv("CI"))) {
                Assertions.fail(REASON);
            }
            Assumptions.assumeTrue(PATH.isPresent(), REASON);
            return PATH.orElseThrow();
        }
    }
}
