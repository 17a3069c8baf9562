package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatepost.gateway.catalog.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/// DNS over HTTPS (RFC 8484) on the HTTPS listener, beside routes that would take everything, asked by curl and kdig.
@Timeout(90)
final class DnsOverHttpsTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    static Path home;

    private static DatagramSocket upstream;
    private static RunningGateway gateway;

    @BeforeAll
    static void start() throws Exception {
        Files.writeString(home.resolve("services.yaml"), """
                services:
                  - name: web
                    tags: [ "gatepost.route=/" ]
                    instances: [ { id: web-1, address: 127.0.0.1, port: 1 } ]
                """);
        upstream = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofVirtual().start(DnsOverHttpsTest::denyAll);
        gateway = RunningGateway.start(
                home,
                "dns: { address: 127.0.0.1:0, over-https: localhost/dns-query, ttl: 7s, negative-ttl: 3s, forward: [ { zone: elsewhere.test, to: [127.0.0.1:"
                        + upstream.getLocalPort() + "] } ] }",
                "catalog: { file: services.yaml }");
        Await.until("the route is there", SOON, () -> gateway.status("web.test/") != 404 && gateway.status("web.test/") != 503);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
    }

    /// Says NXDOMAIN to everything, for 60 s.
    private static void denyAll() {
        try {
            while (true) {
                var packet = new DatagramPacket(new byte[4096], 4096);
                upstream.receive(packet);
                Message answer = new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
                answer.getHeader().setFlag(Flags.QR);
                answer.getHeader().setRcode(Rcode.NXDOMAIN);
                answer.removeAllRecords(Section.ADDITIONAL);
                answer.addRecord(Record.fromString(Name.fromString("elsewhere.test."), Type.SOA, DClass.IN, 60, "ns. admin. 1 60 60 60 60", Name.root), Section.AUTHORITY);
                byte[] bytes = answer.toWire();
                upstream.send(new DatagramPacket(bytes, bytes.length, packet.getSocketAddress()));
            }
        } catch (IOException _) {
            // Closed.
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void answersGetAndPost(String version) throws Exception {
        for (boolean post : new boolean[] {false, true}) {
            Answered answered = ask(query("web.service.consul.", Type.A), post, version);
            assertEquals("200 " + (version.equals("--http2") ? "2" : "1.1"), answered.status);
            assertTrue(answered.head.contains("content-type: application/dns-message"), answered.head);
            assertTrue(answered.head.contains("cache-control: max-age=7"), answered.head);
            assertEquals(1, new Message(answered.body).getSection(Section.ANSWER).size());
        }
    }

    @Test
    void lastsAsLongAsItsAnswer() throws Exception {
        assertTrue(ask(query("nothing.service.consul.", Type.A), false).head.contains("cache-control: max-age=3"));
        assertTrue(ask(query("www.example.com.", Type.A), true).head.contains("cache-control: no-store"), "REFUSED has no TTL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void waitsForWhatItHasToAskFor(String version) throws Exception {
        for (boolean post : new boolean[] {false, true}) {
            Answered answered = ask(query(version.substring(2, 6) + post + ".elsewhere.test.", Type.A), post, version);
            assertTrue(answered.status.startsWith("200 "), answered.status);
            assertEquals(Rcode.NXDOMAIN, new Message(answered.body).getRcode());
            assertTrue(answered.head.contains("cache-control: max-age="), answered.head);
        }
    }

    @Test
    void answersSeveralOnOneConnection() throws Exception {
        String url = url("?dns=" + base64(query("web.service.consul.", Type.A)));
        Command curl = Command.run(curl("-w", "%{http_code} %{num_connects}\n", "-o", "/dev/null", url, "-w", "%{http_code} %{num_connects}\n", "-o", "/dev/null", url));
        assertEquals("200 1\n200 0\n", curl.output());
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
        // What is wrong, its status, and the cause in the log.
        "GET, ?dns=!!!, -, -, 400",
        "GET, ?name=web, -, -, 400",
        "GET, '', -, -, 400",
        "GET, ?dns=AAAA, -, -, 400",
        "POST, '', text/plain, AAAA, 415",
        "POST, '', application/dns-message, AAAA, 400",
        "PUT, '', application/dns-message, AAAA, 405"
    })
    void saysWhatIsWrongWithARequest(String method, String query, String type, String body, int status) throws Exception {
        List<String> options = new ArrayList<>(List.of("-o", "/dev/null", "-w", "%{http_code}", "-X", method));
        if (type != null) {
            options.addAll(List.of("-H", "Content-Type: " + type, "--data-binary", body));
        }
        options.add(url(query));
        assertEquals(String.valueOf(status), Command.run(curl(options.toArray(String[]::new))).output());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void takesNoLongMessages(String version) throws Exception {
        Path large = Files.write(home.resolve("large"), new byte[5000]);
        assertEquals("413", Command.run(curl(
                version, "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/dns-message", "--data-binary", "@" + large, url(""))).output());
    }

    /// RFC 9110 section 10.1.1: curl says how long it would wait for it, and sends the body anyway after that.
    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void tellsAClientThatWaitsToSendItsBody(String version) throws Exception {
        Answered answered = ask(query("web.service.consul.", Type.A), true, version, "-H", "Expect: 100-continue", "--expect100-timeout", "45");
        assertTrue(answered.status.startsWith("200 "), answered.status);
        assertTrue(answered.head.startsWith(version.equals("--http2") ? "http/2 100" : "http/1.1 100"), answered.head);
        assertEquals(1, new Message(answered.body).getSection(Section.ANSWER).size());
    }

    /// By HTTP/1.1 alone: curl 7.88 loses an answer by HTTP/2 that comes in place of the 100.
    @Test
    void tellsAClientThatWaitsThatItsBodyIsTooLong() throws Exception {
        Path large = Files.write(home.resolve("larger"), new byte[5000]);
        assertEquals("413 0", Command.run(curl(
                "--http1.1", "-o", "/dev/null", "-w", "%{http_code} %{size_upload}", "-H", "Expect: 100-continue", "--expect100-timeout", "45",
                "-H", "Content-Type: application/dns-message", "--data-binary", "@" + large, url(""))).output());
    }

    @Test
    void leavesAllElseToTheRoutes() {
        // Nothing listens where the route leads.
        assertEquals(502, gateway.status("other.test/dns-query?dns=AAAA"));
        assertEquals(502, gateway.status("localhost/dns-query/more"));
        assertEquals(502, gateway.status("localhost/"));
    }

    @Test
    void isCountedByZoneTypeAndSource() throws Exception {
        ask(query("web.service.consul.", Type.TXT), true);
        Await.until("the query is counted", SOON, () -> {
            String metrics = gateway.text("/metrics");
            return metrics.contains("gatepost_dns_zone_answers_total{rcode=\"NOERROR\",zone=\"service.consul.\"}")
                    && metrics.lines().anyMatch(line -> line.startsWith("gatepost_dns_types_total{type=\"TXT\"} ") && !line.endsWith(" 0"))
                    && metrics.lines().anyMatch(line -> line.startsWith("gatepost_dns_sources_total{source=\"zone\"} ") && !line.endsWith(" 0"));
        });
    }

    @Test
    void isExplainedAsARequestAndAsAQuestion() throws Exception {
        JsonNode explained = explain("https://localhost/dns-query?dns=" + base64(query("web.service.consul.", Type.A)), "GET");
        assertEquals("found dns-over-https", explained.path("outcome").asText() + " " + explained.path("route").asText());
        assertEquals("DNS over HTTPS at localhost/dns-query (dns.over-https): the post answers the query", explained.path("why").asText());
        assertEquals("1 of 1 instances answered", explained.path("dns").path("why").asText());
        assertTrue(explained.path("dns").path("considered").path(0).path("instance").asText().endsWith("web-1"), explained.toString());
        assertEquals(1, explained.path("considered").size(), "the route that it is taken from");
        assertTrue(explain("https://localhost/dns-query", "GET").path("why").asText().endsWith("400 (expected: ?dns= with a query in base64url)"));
        assertTrue(explain("https://localhost/dns-query?dns=AAAA", "DELETE").path("why").asText().endsWith("405 (expected: GET or POST)"));
        for (String elsewhere : new String[] {"http://localhost/dns-query", "https://other.test/dns-query", "https://localhost/dns-query/more"}) {
            assertEquals("web@/", explain(elsewhere, "GET").path("upstream").asText(), elsewhere);
        }
    }

    private static JsonNode explain(String url, String method) {
        return gateway.admin("/api/v1/explain?url=" + URLEncoder.encode(url, StandardCharsets.UTF_8) + "&method=" + method);
    }

    @Test
    void answersKdig() {
        String port = String.valueOf(gateway.httpsPort());
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/kdig")) || System.getenv("CI") != null, "kdig is not installed");
        String kdig = Command.runUnchecked(
                        "kdig", "@127.0.0.1", "-p", port, "+https=localhost/dns-query", "+tls-ca=" + home.resolve("edge.pem"), "+tls-hostname=localhost",
                        "+retry=0", "+time=10", "web.service.consul", "A")
                .output();
        assertTrue(kdig.contains("127.0.0.1") && kdig.contains("NOERROR"), kdig);
    }

    @Test
    void logsTheRequestAndTheQuery() throws Exception {
        ask(query("logged.service.consul.", Type.A), false);
        Await.until("both lines", SOON, () -> {
            String log = log();
            return log.lines().anyMatch(line -> line.contains("logged.service.consul") && line.contains("\"doh\""))
                    && log.lines().anyMatch(line -> line.contains("dns-over-https") && line.contains("localhost/dns-query"));
        });
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Answered(String head, byte[] body, String status) {}

    private static Answered ask(byte[] query, boolean post, String... options) throws Exception {
        Path sent = Files.write(home.resolve("query"), query);
        Path head = home.resolve("head");
        Path body = home.resolve("body");
        List<String> words = new ArrayList<>(Arrays.asList(options));
        words.addAll(List.of("-D", head.toString(), "-o", body.toString(), "-w", "%{http_code} %{http_version}"));
        if (post) {
            words.addAll(List.of("-H", "Content-Type: application/dns-message", "--data-binary", "@" + sent));
        }
        words.add(url(post ? "" : "?dns=" + base64(query)));
        Command curl = Command.run(curl(words.toArray(String[]::new)));
        return new Answered(Files.readString(head).toLowerCase(java.util.Locale.ROOT), Files.readAllBytes(body), curl.output());
    }

    private static List<String> curl(String... options) {
        List<String> words = new ArrayList<>(List.of("curl", "-sk", "--max-time", "50", "--resolve", "localhost:" + gateway.httpsPort() + ":127.0.0.1"));
        words.addAll(Arrays.asList(options));
        return words;
    }

    private static String url(String query) {
        return "https://localhost:" + gateway.httpsPort() + "/dns-query" + query;
    }

    private static String base64(byte[] message) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(message);
    }

    private static byte[] query(String name, int type) throws IOException {
        Message query = Message.newQuery(Record.newRecord(Name.fromString(name), type, DClass.IN));
        query.getHeader().setID(0);
        return query.toWire();
    }

    private static String log() {
        try {
            return Files.readString(home.resolve("access.log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
