package dev.gatepost.gateway;

import com.sun.net.httpserver.HttpServer;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.tls.SelfSigned;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// The commands and their exit codes, most of them as processes.
final class CommandLineTest {
    @TempDir Path folder;

    /// One run of the program to its end.
    private record Ended(int exit, String out, String err) {}

    private Ended gatepost(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out.txt");
        Path err = folder.resolve("err.txt");
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("GATEPOST_") || name.startsWith("CONSUL_"));
        Process process = builder.start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "ended");
            return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            process.destroyForcibly();
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        "                  | gatepost: Missing required subcommand | Try 'gatepost --help'.",
        "frobnicate        | gatepost: frobnicate (expected: one of the commands check, demo, explain, help, lint, run, version) | Try 'gatepost --help'.",
        "check             | gatepost: Missing required option: '--config=FILE' | Try 'gatepost check --help'.",
        "run --confg=x     | gatepost: Unknown option: '--confg=x' | Try 'gatepost run --help'.",
        "demo --port-offset=x | gatepost: Invalid value for option '--port-offset': 'x' is not an int | Try 'gatepost demo --help'.",
        "explain           | gatepost: Missing required parameter: 'URL-or-NAME' | Try 'gatepost explain --help'.",
    })
    void wrongUsageIsToldInALineAndEndsWith2(String arguments, String message, String hint) {
        StringWriter err = new StringWriter();
        CommandLine line = Main.commandLine().setErr(new PrintWriter(err, true));
        assertEquals(2, arguments == null ? line.execute() : line.execute(arguments.split(" ")));
        List<String> lines = err.toString().lines().toList();
        assertEquals(message, lines.getFirst());
        assertEquals(hint, lines.getLast());
    }

    @Test
    void aBugShowsItsTraceAndEndsWith70() throws Exception {
        StringWriter err = new StringWriter();
        CommandLine line = Main.commandLine().setErr(new PrintWriter(err, true));
        assertEquals(70, line.getExecutionExceptionHandler().handleExecutionException(new IllegalStateException("for the test"), line, line.parseArgs()));
        assertTrue(err.toString().contains("for the test") && err.toString().contains("\tat "), err::toString);
    }

    @Test
    void versionNamesBuildJdkTransportAndTls() throws Exception {
        Ended version = gatepost("version");
        assertEquals(0, version.exit(), version::err);
        List<String> lines = version.out().lines().toList();
        assertTrue(lines.get(0).matches("gatepost \\d+\\.\\d+\\.\\d+\\S* \\(commit [0-9a-z-]+\\)"), lines.get(0));
        assertTrue(lines.get(1).startsWith("java " + Runtime.version().feature()), lines.get(1));
        assertTrue(lines.get(2).startsWith("transport "), lines.get(2));
        assertTrue(lines.get(3).startsWith("tls "), lines.get(3));
    }

    @Test
    void wrongUsageOfTheProcessEndsWith2() throws Exception {
        Ended ended = gatepost("frobnicate");
        assertEquals(2, ended.exit());
        assertEquals("", ended.out());
    }

    @Test
    void checkPrintsEveryProblemAndEndsWith1() throws Exception {
        Files.writeString(folder.resolve("empty.pem"), "nothing\n");
        Files.writeString(folder.resolve("gatepost.yaml"), """
                http:  { adress: 127.0.0.1:8080 }
                https:
                  address: 127.0.0.1:8443
                  certificates: [ { certificate: edge.pem }, { certificate: empty.pem, key: empty.pem } ]
                dns: { address: 127.0.0.1:8053, ttl: 2 }
                catalog: { file: services.yaml }
                """);
        Files.writeString(folder.resolve("services.yaml"), "services:\n  - name: web\n    instanses: []\n");
        Ended check = gatepost("check", "--config", "gatepost.yaml");
        Path absolute = folder.toRealPath();
        List<String> lines = check.err().lines().toList();
        assertEquals(1, check.exit());
        assertEquals("gatepost.yaml:1:10: http.adress: unknown key (nearest known: http.address)", lines.get(0));
        assertEquals("gatepost.yaml:4:34: https.certificates[0].certificate: edge.pem (expected: a readable PEM file, or a folder of them; there is no "
                + absolute + "/edge.pem)", lines.get(1));
        assertEquals("gatepost.yaml:5:38: dns.ttl: 2 (expected: whole seconds such as 0s, 2s or 5m, up to 3650d)", lines.get(2));
        assertTrue(lines.get(3).startsWith(absolute + "/empty.pem: "), lines.get(3));
        assertTrue(lines.get(4).startsWith(absolute + "/services.yaml:3:5: "), lines.get(4));
        assertTrue(lines.get(4).contains("instanses"), lines.get(4));
        assertEquals(5, lines.size(), check::err);
    }

    @Test
    void checkOfAGoodConfigurationSaysSoAndEndsWith0() throws Exception {
        SelfSigned.write(folder, "edge", List.of("shop.test"));
        Files.writeString(folder.resolve("gatepost.yaml"), """
                https: { address: 127.0.0.1:8443, certificates: [ { certificate: edge.pem, key: edge.key } ] }
                consul:
                """);
        Ended check = gatepost("check", "--config", "gatepost.yaml");
        assertEquals("gatepost.yaml: no problem found\n", check.out(), check::err);
        assertEquals(0, check.exit());
    }

    @Test
    void explainPrintsTheAnswerOfTheAdminApi() throws Exception {
        HttpServer admin = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        admin.createContext("/api/v1/explain", exchange -> {
            try (exchange) {
                byte[] body = "{\"outcome\":\"no-route\",\"asked\":\"%s\"}".formatted(exchange.getRequestURI().getQuery()).getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            }
        });
        admin.start();
        try {
            String address = "127.0.0.1:" + admin.getAddress().getPort();
            Ended named = gatepost("explain", "https://shop.test/a", "--admin", address);
            assertEquals("outcome: no-route\nasked: url=https://shop.test/a&method=GET\n", named.out(), named::err);
            assertEquals(0, named.exit());
            Ended unanswered = gatepost("explain", "web.service.consul", "--admin", address);
            assertEquals(1, unanswered.exit());
            assertTrue(unanswered.err().startsWith("gatepost: http://" + address + "/api/v1/dns/explain?name=web.service.consul&type=A answered 404"), unanswered::err);
        } finally {
            admin.stop(0);
        }
    }

    @Test
    void lintPrintsATableOfWhatEachWouldDoAndEndsWith1WhereSomethingIsRejected() throws Exception {
        Files.writeString(folder.resolve("services.yaml"), """
                services:
                  - name: web
                    tags: [ "urlprefix-shop.example.com/", "urlprefix-:1234 proto=tcp" ]
                    instances: [ { id: web-1, address: 127.0.0.1, port: 9001 }, { id: web-2, address: 127.0.0.1, port: 9002 } ]
                """);
        Ended lint = gatepost("lint", "--file", "services.yaml");
        assertEquals("""
                SERVICE  INSTANCES  DECLARED                     FABIO              TRAEFIK  GATEPOST
                web      2          urlprefix-:1234 proto=tcp    TCP on :1234       -        rejected
                    Gatepost rejects it: proto=tcp (expected: http, https, grpc or grpcs, the protocols to upstreams that this version supports)
                web      2          urlprefix-shop.example.com/  shop.example.com/  -        shop.example.com/
                2 declarations, 1 not alike everywhere, 1 rejected by Gatepost
                """, lint.out(), lint::err);
        assertEquals(1, lint.exit());
        Ended missing = gatepost("lint", "--file", "nowhere.yaml");
        assertEquals(1, missing.exit());
        assertTrue(missing.err().contains("nowhere.yaml"), missing::err);
    }

    @Test
    void lintReadsALiveConsul() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start()) {
            consul.service("web").id("web-1").port(9001).tag("gatepost.route=shop.test/").check(Health.PASSING).register();
            Ended lint = gatepost("lint", "--consul", consul.address());
            assertEquals("""
                    SERVICE  INSTANCES  DECLARED                   FABIO  TRAEFIK  GATEPOST
                    web      1          gatepost.route=shop.test/  -      -        shop.test/
                    1 declarations, 0 not alike everywhere, 0 rejected by Gatepost
                    """, lint.out(), lint::err);
            assertEquals(0, lint.exit());
            consul.kvPut("fabio/config", "route del web old.test/\n");
            Ended commands = gatepost("lint", "--consul", consul.address());
            assertEquals("""
                    SERVICE  INSTANCES  DECLARED                   FABIO     TRAEFIK  GATEPOST
                    web      1          gatepost.route=shop.test/  -         -        shop.test/
                    web      -          route del web old.test/    obeys it  -        not read
                        Gatepost reads fabio/config with fragments.fabio-path
                    2 declarations, 1 not alike everywhere, 0 rejected by Gatepost
                    """, commands.out(), commands::err);
        }
    }

    @Test
    void lintComparesTheCatalogWithoutTheRightToReadKeys() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start("-hcl=acl { enabled = true default_policy = \"allow\" enable_key_list_policy = true tokens { master = \"root\" } }")) {
            consul.useToken("root");
            Await.until("ACLs are up", Duration.ofSeconds(30), () -> consul.get("/v1/catalog/services").has("consul"));
            consul.service("web").id("web-1").port(9001).tag("gatepost.route=shop.test/").check(Health.PASSING).register();
            consul.cli("acl", "policy", "create", "-name", "nokeys", "-rules", "key_prefix \"\" { policy = \"deny\" }");
            consul.cli("acl", "token", "update", "-id", "00000000-0000-0000-0000-000000000002", "-policy-name", "nokeys");
            Ended lint = gatepost("lint", "--consul", consul.address());
            assertTrue(lint.out().contains("\nweb      1          gatepost.route=shop.test/  -      -        shop.test/\n"), lint::out);
            assertTrue(lint.err().contains("gatepost: fabio's commands under fabio/config are left out: "), lint::err);
            assertTrue(lint.err().contains("key_prefix \"fabio/config\""), lint::err);
            assertEquals(0, lint.exit());
        }
    }

    @Test
    void explainSaysInOneLineThatNobodyAnswers() throws Exception {
        Files.writeString(folder.resolve("gatepost.yaml"), "http: { address: 127.0.0.1:2 }\nadmin: { address: '[::]:1' }\nconsul:\n");
        Ended ended = gatepost("explain", "https://shop.test/", "--config", "gatepost.yaml");
        assertEquals(1, ended.exit());
        assertEquals(1, ended.err().lines().count(), ended::err);
        assertTrue(ended.err().startsWith("gatepost: no gateway answers at 127.0.0.1:1: "), ended::err);
    }
}
