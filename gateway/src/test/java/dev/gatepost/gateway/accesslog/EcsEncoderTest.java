package dev.gatepost.gateway.accesslog;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.ThreadMXBean;
import dev.gatepost.dns.QueryRecord;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class EcsEncoderTest {
    private static final ObjectMapper JSON =
            new ObjectMapper().configure(JsonParser.Feature.STRICT_DUPLICATE_DETECTION, true);

    private final EcsEncoder encoder = new EcsEncoder(new AccessLog.Origin("edge-1", "0.1.0"));

    @Test
    void describesAnExchange() {
        JsonNode line = line(Exchanges.typical());
        Map.ofEntries(
                        Map.entry("/@timestamp", "2026-11-22T16:41:48.125802Z"),
                        Map.entry("/ecs/version", "8.17.0"),
                        Map.entry("/host/name", "edge-1"),
                        Map.entry("/observer/type", "proxy"),
                        Map.entry("/observer/version", "0.1.0"),
                        Map.entry("/event/kind", "event"),
                        Map.entry("/event/category/0", "web"),
                        Map.entry("/event/type/0", "access"),
                        Map.entry("/event/dataset", "gatepost.access"),
                        Map.entry("/event/outcome", "success"),
                        Map.entry("/event/duration", "2345678"),
                        Map.entry("/event/start", "2026-11-22T16:41:48.123456Z"),
                        Map.entry("/source/ip", "192.0.2.7"),
                        Map.entry("/source/port", "51234"),
                        Map.entry("/client/ip", "203.0.113.9"),
                        Map.entry("/server/ip", "198.51.100.1"),
                        Map.entry("/server/port", "8443"),
                        Map.entry("/tls/version", "1.3"),
                        Map.entry("/tls/cipher", "TLS_AES_128_GCM_SHA256"),
                        Map.entry("/tls/resumed", "true"),
                        Map.entry("/tls/next_protocol", "h2"),
                        Map.entry("/tls/client/server_name", "shop.example.com"),
                        Map.entry("/service/name", "gatepost"),
                        Map.entry("/service/target/name", "web"),
                        Map.entry("/service/target/id", "web-1"),
                        Map.entry("/service/target/node/name", "node-a"),
                        Map.entry("/destination/ip", "10.0.0.5"),
                        Map.entry("/destination/port", "9001"),
                        Map.entry("/network/protocol", "http"),
                        Map.entry("/network/transport", "tcp"),
                        Map.entry("/http/version", "2"),
                        Map.entry("/http/request/method", "GET"),
                        Map.entry("/http/request/id", "0190f7b2c4d87e31"),
                        Map.entry("/http/request/bytes", "412"),
                        Map.entry("/http/request/body/bytes", "0"),
                        Map.entry("/http/request/referrer", "https://shop.example.com/"),
                        Map.entry("/http/response/status_code", "200"),
                        Map.entry("/http/response/bytes", "1893"),
                        Map.entry("/http/response/body/bytes", "1742"),
                        Map.entry("/http/response/mime_type", "application/json"),
                        Map.entry("/url/scheme", "https"),
                        Map.entry("/url/domain", "shop.example.com"),
                        Map.entry("/url/port", "8443"),
                        Map.entry("/url/original", "/api/items?page=2"),
                        Map.entry("/url/path", "/api/items"),
                        Map.entry("/url/query", "page=2"),
                        Map.entry("/trace/id", "4bf92f3577b34da6a3ce929d0e0e4736"),
                        Map.entry("/span/id", "00f067aa0ba902b7"),
                        Map.entry("/http/request/mime_type", "application/x-www-form-urlencoded"),
                        Map.entry("/gatepost/schema", "3"),
                        Map.entry("/gatepost/revision", "41"),
                        Map.entry("/gatepost/cause", "ok"),
                        Map.entry("/gatepost/protocol", "h2"),
                        Map.entry("/gatepost/route/id", "shop.example.com/api"),
                        Map.entry("/gatepost/route/source", "tag"),
                        Map.entry("/gatepost/datacenter", "dc1"),
                        Map.entry("/gatepost/attempt_count", "2"),
                        Map.entry("/gatepost/attempts/0/instance", "web-2"),
                        Map.entry("/gatepost/attempts/0/node", "node-b"),
                        Map.entry("/gatepost/attempts/0/dc", "dc1"),
                        Map.entry("/gatepost/attempts/0/reused_conn", "false"),
                        Map.entry("/gatepost/attempts/0/queue_ms", "1.25"),
                        Map.entry("/gatepost/attempts/0/duration_ms", "0.08"),
                        Map.entry("/gatepost/attempts/0/result", "upstream_connect_refused"),
                        Map.entry("/gatepost/attempts/1/instance", "web-1"),
                        Map.entry("/gatepost/attempts/1/reused_conn", "true"),
                        Map.entry("/gatepost/attempts/1/ttfb_ms", "1.9"),
                        Map.entry("/gatepost/attempts/1/duration_ms", "12.345"),
                        Map.entry("/gatepost/attempts/1/result", "ok"),
                        Map.entry("/gatepost/reused_connection", "true"),
                        Map.entry("/gatepost/healthy_instances", "3"),
                        Map.entry("/gatepost/timing/accept_us", "3100"),
                        Map.entry("/gatepost/timing/tls_us", "2900"),
                        Map.entry("/gatepost/timing/headers_us", "12"),
                        Map.entry("/gatepost/timing/request_body_us", "40"),
                        Map.entry("/gatepost/timing/queue_us", "1250"),
                        Map.entry("/gatepost/timing/connect_us", "250"),
                        Map.entry("/gatepost/timing/upstream_tls_us", "200"),
                        Map.entry("/gatepost/timing/ttfb_us", "1900"),
                        Map.entry("/gatepost/timing/body_us", "17"))
                .forEach((pointer, value) -> assertEquals(value, line.at(pointer).asText(), pointer));
        assertTrue(line.at("/user_agent/original").asText().endsWith("Firefox/140.0"));
        assertFalse(line.at("/gatepost").has("side"));
        assertFalse(line.at("/gatepost").has("truncated"));
        assertFalse(line.at("/gatepost").has("grpc_status"));
        assertFalse(line.has("error"));
    }

    @Test
    void saysThatAHandshakeFailed() {
        ExchangeRecord record = new ExchangeRecord();
        record.connection = new ConnectionLabel("192.0.2.7", 51_234, "198.51.100.1", 8443, "https", "", "", "shop.example.com", "", false);
        record.cause = Cause.CLIENT_TLS;
        record.detail = "handshake: NO_SHARED_CIPHER";
        record.acceptNanos = record.tlsNanos = record.durationNanos = 1_500_000;
        JsonNode line = line(record);
        assertEquals("{\"established\":false,\"client\":{\"server_name\":\"shop.example.com\"}}", line.at("/tls").toString());
        assertEquals("{\"accept_us\":1500,\"tls_us\":1500}", line.at("/gatepost/timing").toString());
        assertEquals("client_tls", line.at("/gatepost/cause").asText());
        assertEquals("handshake: NO_SHARED_CIPHER", line.at("/error/message").asText());
        assertEquals("failure", line.at("/event/outcome").asText());
    }

    @ParameterizedTest
    @CsvSource({"0, success", "14, failure"})
    void saysWhatAGrpcCallCameTo(int status, String outcome) {
        ExchangeRecord exchange = Exchanges.typical();
        exchange.grpcStatus = status;
        JsonNode line = line(exchange);
        assertEquals(status, line.at("/gatepost/grpc_status").intValue());
        assertTrue(line.at("/gatepost/grpc_status").isInt());
        assertEquals(outcome, line.at("/event/outcome").asText());
    }

    @Test
    void describesAQuery() {
        JsonNode line = line(Exchanges.query());
        Map.ofEntries(
                        Map.entry("/@timestamp", "2026-11-22T16:41:48.123465Z"),
                        Map.entry("/event/category/0", "network"),
                        Map.entry("/event/type/0", "protocol"),
                        Map.entry("/event/dataset", "gatepost.dns"),
                        Map.entry("/event/outcome", "success"),
                        Map.entry("/source/ip", "192.0.2.7"),
                        Map.entry("/source/port", "40001"),
                        Map.entry("/source/bytes", "44"),
                        Map.entry("/client/ip", "192.0.2.7"),
                        Map.entry("/destination/bytes", "140"),
                        Map.entry("/network/protocol", "dns"),
                        Map.entry("/network/transport", "udp"),
                        Map.entry("/dns/type", "answer"),
                        Map.entry("/dns/id", "4711"),
                        Map.entry("/dns/op_code", "QUERY"),
                        Map.entry("/dns/question/name", "web.service.consul"),
                        Map.entry("/dns/question/type", "SRV"),
                        Map.entry("/dns/question/class", "IN"),
                        Map.entry("/dns/response_code", "NOERROR"),
                        Map.entry("/gatepost/revision", "41"),
                        Map.entry("/gatepost/protocol", "dns"),
                        Map.entry("/gatepost/dns/source", "zone"),
                        Map.entry("/gatepost/dns/answers", "2"))
                .forEach((pointer, value) -> assertEquals(value, line.at(pointer).asText(), pointer));
        assertTrue(line.at("/dns/id").isTextual());
    }

    @Test
    void leavesOutWhatIsNotKnown() {
        ExchangeRecord nothing = new ExchangeRecord();
        nothing.cause = Cause.REQUEST_MALFORMED;
        JsonNode line = line(nothing);
        for (String absent : new String[] {
            "/source", "/client", "/server", "/tls", "/destination", "/service/target", "/user_agent", "/trace", "/http/version",
            "/http/response", "/http/request/method", "/url/domain", "/url/original", "/url/path", "/gatepost/route",
            "/gatepost/timing", "/gatepost/healthy_instances", "/gatepost/reused_connection", "/gatepost/datacenter"
        }) {
            assertTrue(line.at(absent).isMissingNode(), absent);
        }
        assertEquals("failure", line.at("/event/outcome").asText());
        assertEquals("request_malformed", line.at("/gatepost/cause").asText());
        assertEquals("client", line.at("/gatepost/side").asText());
        JsonNode unreadable = line(new QueryRecord());
        assertTrue(unreadable.at("/dns/question").isMissingNode());
        assertTrue(unreadable.at("/source").isMissingNode());
    }

    @ParameterizedTest
    @CsvSource({"200,success", "204,success", "302,success", "101,success", "400,failure", "404,failure", "503,failure", "0,failure"})
    void failsFromStatus400OnAndWithoutAResponse(int status, String outcome) {
        ExchangeRecord exchange = Exchanges.typical();
        exchange.status = status;
        assertEquals(outcome, line(exchange).at("/event/outcome").asText());
    }

    @Test
    void saysWhyInWordsForPeopleAndMachines() {
        ExchangeRecord exchange = Exchanges.typical();
        exchange.cause = Cause.UPSTREAM_CONNECT_REFUSED;
        exchange.detail = "connection refused: \"10.0.0.5\"\n:9001 ü";
        JsonNode line = line(exchange);
        assertEquals("upstream_connect_refused", line.at("/error/type").asText());
        assertEquals("connection refused: \"10.0.0.5\"\n:9001 ü", line.at("/error/message").asText());
        assertEquals("upstream", line.at("/gatepost/side").asText());
        exchange.cause = Cause.DENIED_IP;
        assertEquals("denied", line(exchange).at("/event/type/1").asText());
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
        "shop.example.com,shop.example.com,-",
        "shop.example.com:80,shop.example.com,80",
        "shop.example.com:,shop.example.com,-",
        "shop.example.com:99999,shop.example.com,-",
        "shop.example.com:http,shop.example.com:http,-",
        "[2001:db8::1],[2001:db8::1],-",
        "[2001:db8::1]:443,[2001:db8::1],443",
        ":80,-,80",
    })
    void splitsTheAuthority(String authority, String domain, String port) {
        ExchangeRecord exchange = Exchanges.typical();
        Exchanges.set(exchange.authority, authority);
        JsonNode url = line(exchange).at("/url");
        assertEquals(domain, url.path("domain").asText(null));
        assertEquals(port, url.path("port").asText(null));
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
        "/,/,-", "/a?,/a,-", "/a?b?c,/a,b?c", "*,-,-", "http://other/a?b,-,-",
    })
    void splitsTheOriginFormAlone(String target, String path, String query) {
        ExchangeRecord exchange = Exchanges.typical();
        Exchanges.set(exchange.target, target);
        JsonNode url = line(exchange).at("/url");
        assertEquals(target, url.path("original").asText());
        assertEquals(path, url.path("path").asText(null));
        assertEquals(query, url.path("query").asText(null));
    }

    static Stream<Arguments> hostileBytes() {
        return Stream.of(
                Arguments.of(bytes(0x00, 0x1f, '"', '\\', '\n', '\r', '\t', 0x7f), "\u0000\u001f\"\\\n\r\t\u007f"),
                Arguments.of(bytes(0xe9), "é"),
                Arguments.of(bytes(0xff, 0xfe, 'x'), "ÿþx"),
                Arguments.of("zähler/日本/😀".getBytes(StandardCharsets.UTF_8), "zähler/日本/😀"),
                // Overlong, a surrogate, beyond U+10FFFF, cut short: each byte by itself.
                Arguments.of(bytes(0xc0, 0xaf), "\u00c0\u00af"),
                Arguments.of(bytes(0xe0, 0x80, 0xaf), "\u00e0\u0080\u00af"),
                Arguments.of(bytes(0xed, 0xa0, 0x80), "\u00ed\u00a0\u0080"),
                Arguments.of(bytes(0xf4, 0x90, 0x80, 0x80), "\u00f4\u0090\u0080\u0080"),
                Arguments.of(bytes('a', 0xe6, 0x97), "a\u00e6\u0097"),
                Arguments.of("a clean run of some length, then a \" quote".getBytes(StandardCharsets.UTF_8),
                        "a clean run of some length, then a \" quote"));
    }

    @ParameterizedTest
    @MethodSource("hostileBytes")
    void keepsUtf8AndReadsOtherBytesAsLatin1(byte[] sent, String read) {
        for (int shift = 0; shift < 9; shift++) {
            byte[] shifted = new byte[shift + sent.length];
            java.util.Arrays.fill(shifted, 0, shift, (byte) '-');
            System.arraycopy(sent, 0, shifted, shift, sent.length);
            ExchangeRecord exchange = Exchanges.typical();
            Exchanges.set(exchange.userAgent, shifted);
            assertEquals("-".repeat(shift) + read, line(exchange).at("/user_agent/original").asText());
        }
    }

    @Test
    void writesValidJsonWhateverTheBytes() {
        Random random = new Random(42);
        for (int round = 0; round < 3000; round++) {
            ExchangeRecord exchange = Exchanges.typical();
            for (Slice slice : slices(exchange)) {
                byte[] bytes = new byte[random.nextInt(60)];
                random.nextBytes(bytes);
                Exchanges.set(slice, bytes);
            }
            line(exchange);
            QueryRecord query = Exchanges.query();
            random.nextBytes(query.query);
            query.nameTo = 12 + random.nextInt(200);
            query.type = random.nextInt(65_536);
            query.queryClass = random.nextInt(65_536);
            query.rcode = random.nextInt(4097) - 1;
            line(query);
        }
    }

    @Test
    void staysUnder16KiBWithEverythingAtItsLongest() {
        String hostile = "\u0001".repeat(70_000);
        ExchangeRecord exchange = Exchanges.typical();
        exchange.connection =
                new ConnectionLabel(hostile, 65_535, hostile, 65_535, "https", hostile, hostile, hostile, hostile, true);
        exchange.route = new RouteLabel(hostile, hostile, hostile);
        exchange.endpoint = new EndpointLabel(hostile, hostile, hostile, hostile, hostile, 65_535);
        slices(exchange).forEach(slice -> Exchanges.set(slice, hostile));
        Exchanges.set(exchange.target, "/" + hostile.substring(5) + "?" + hostile);
        exchange.detail = hostile;
        exchange.cause = Cause.UPSTREAM_RESET_BEFORE_RESPONSE;
        exchange.durationNanos = exchange.requestBytes = exchange.responseBytes = exchange.requestBodyBytes = Long.MAX_VALUE / 2;
        exchange.responseBodyBytes = exchange.revision = Long.MAX_VALUE;
        JsonNode line = line(exchange);
        assertTrue(line.at("/gatepost/truncated").asBoolean());
        assertEquals("upstream_reset_before_response", line.at("/gatepost/cause").asText());
    }

    @ParameterizedTest
    @CsvSource({
        "/a?token=abc&x=1, /a?token=***&x=1",
        "/a?x=1&TOKEN=a=b&token=, /a?x=1&TOKEN=***&token=",
        "/token=abc?tokens=1&token&xtoken=2, /token=abc?tokens=1&token&xtoken=2",
        "http://h/?Sig=%41, http://h/?Sig=***",
        "/?token, /?token",
        "/?, /?",
        "/a?b?token=1&token=?&, /a?b?token=1&token=*&",
    })
    void masksWhatWhoeverReadsItCouldUse(String url, String logged) throws IOException {
        EcsEncoder masking = new EcsEncoder(new AccessLog.Origin("edge-1", "0.1.0"), QueryMask.of(List.of("Token", "sig")));
        ExchangeRecord exchange = Exchanges.typical();
        Exchanges.set(exchange.target, url);
        Exchanges.set(exchange.referrer, url);
        byte[] out = new byte[EcsEncoder.MAX_BYTES];
        JsonNode line = JSON.readTree(out, 0, masking.encode(exchange, out, 0));
        assertEquals(logged, line.at("/url/original").asText());
        assertEquals(logged, line.at("/http/request/referrer").asText());
        int mark = logged.indexOf('?');
        if (logged.startsWith("/") && mark + 1 < logged.length()) {
            assertEquals(logged.substring(mark + 1), line.at("/url/query").asText());
        }
    }

    @Test
    void cutsALongTargetAndSaysSo() {
        ExchangeRecord exchange = Exchanges.typical();
        Exchanges.set(exchange.target, "/" + "ü".repeat(4000));
        JsonNode line = line(exchange);
        assertTrue(line.at("/gatepost/truncated").asBoolean());
        assertEquals("/" + "ü".repeat(1023), line.at("/url/original").asText());
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0,0.0.0.0", "255.1.20.3,255.1.20.3", "2001:db8:0:0:0:0:0:1,2001:db8::1", "::,::", "::1,::1", "1::,1::",
        "2001:db8:0:1:1:1:1:1,2001:db8:0:1:1:1:1:1", "2001:0:0:1:0:0:0:1,2001:0:0:1::1", "2001:db8:0:0:1:0:0:1,2001:db8::1:0:0:1",
        "fe80:a:b:c:d:e:f:1234,fe80:a:b:c:d:e:f:1234", "0:0:0:0:0:1:2:3,::1:2:3",
    })
    void writesAddressesAsRfc5952(String address, String text) throws IOException {
        QueryRecord query = Exchanges.query();
        query.clientAddress = java.net.InetAddress.getByName(address).getAddress();
        assertEquals(text, line(query).at("/source/ip").asText());
    }

    @Test
    void writesAMappedAddressAsTheIpv4AddressItIs() {
        QueryRecord query = Exchanges.query();
        query.clientAddress = new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 10, 0, 0, 9};
        assertEquals("10.0.0.9", line(query).at("/source/ip").asText());
    }

    @Test
    void escapesWhatANameMayHold() {
        QueryRecord query = Exchanges.query();
        Exchanges.name(query, "a.b", "c\\d", "E\"f", "\u0000 \u00ff");
        assertEquals("a\\.b.c\\\\d.e\"f.\\000\\032\\255", line(query).at("/dns/question/name").asText());
        Exchanges.name(query);
        assertEquals(".", line(query).at("/dns/question/name").asText());
    }

    @Test
    void tellsAnsweredRefusedAndSilentQueriesApart() {
        QueryRecord query = Exchanges.query();
        query.rcode = 5;
        query.transport = QueryRecord.Transport.TCP;
        query.source = QueryRecord.Source.NONE;
        JsonNode refused = line(query);
        assertEquals("denied", refused.at("/event/type/2").asText());
        assertEquals("REFUSED", refused.at("/dns/response_code").asText());
        assertEquals("tcp", refused.at("/network/transport").asText());
        assertEquals("failure", refused.at("/event/outcome").asText());
        query.rcode = -1;
        query.responseBytes = 0;
        query.type = 731;
        JsonNode silent = line(query);
        assertEquals("query", silent.at("/dns/type").asText());
        assertEquals("TYPE731", silent.at("/dns/question/type").asText());
        assertTrue(silent.at("/dns/response_code").isMissingNode());
        assertTrue(silent.at("/destination").isMissingNode());
    }

    @Test
    void givesEveryLineItsOwnId() {
        ExchangeRecord exchange = Exchanges.typical();
        assertFalse(line(exchange).at("/event/id").asText().equals(line(exchange).at("/event/id").asText()));
    }

    @Test
    void namesOnlyFieldsThatEcsHasAndGivesThemItsTypes() throws IOException {
        Map<String, String[]> ecs = ecsFields();
        ExchangeRecord failed = Exchanges.typical();
        failed.cause = Cause.UPSTREAM_CONNECT_TIMEOUT;
        failed.detail = "no answer in 2s";
        failed.clientIp.clear();
        failed.endpoint = new EndpointLabel("web", "web-1", "", "", "web.internal", 9001);
        JsonNode[] lines = {line(Exchanges.typical()), line(failed), line(Exchanges.query())};
        for (JsonNode line : lines) {
            walk("", line, (field, value) -> {
                if (!field.startsWith("gatepost.")) {
                    String[] row = ecs.get(field);
                    assertTrue(row != null, field + " is not an ECS field");
                    assertFits(field, row, value);
                }
            });
        }
    }

    @Test
    void allocatesNothingPerRecord() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        ExchangeRecord exchange = Exchanges.typical();
        QueryRecord query = Exchanges.query();
        byte[] out = new byte[JsonLine.MAX_BYTES];
        for (int i = 0; i < 20_000; i++) {
            encoder.encode(exchange, out, 0);
            encoder.encode(query, 1, out, 0);
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 20_000; i++) {
            encoder.encode(exchange, out, 0);
            encoder.encode(query, 1, out, 0);
        }
        long perPair = (threads.getCurrentThreadAllocatedBytes() - before) / 20_000;
        assertEquals(0, perPair, "bytes per exchange and query");
    }

    private JsonNode line(ExchangeRecord exchange) {
        return parse((out, at) -> encoder.encode(exchange, out, at));
    }

    private JsonNode line(QueryRecord query) {
        return parse((out, at) -> encoder.encode(query, 1, out, at));
    }

    private interface Encoding {
        int encode(byte[] out, int at);
    }

    /// Every line of every test passes here: one line, strictly UTF-8, strictly JSON, under the cap.
    private static JsonNode parse(Encoding encoding) {
        byte[] out = new byte[100 + JsonLine.MAX_BYTES];
        int end = encoding.encode(out, 100);
        assertTrue(end - 100 <= JsonLine.MAX_BYTES);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(out, 100, end - 100)).toString();
            assertEquals(text.length() - 1, text.indexOf('\n'));
            return JSON.readTree(text);
        } catch (CharacterCodingException e) {
            throw new AssertionError("not UTF-8", e);
        } catch (IOException e) {
            throw new AssertionError("not JSON: " + new String(out, 100, end - 100, StandardCharsets.ISO_8859_1), e);
        }
    }

    private static Iterable<Slice> slices(ExchangeRecord exchange) {
        return java.util.List.of(
                exchange.method, exchange.target, exchange.authority, exchange.referrer, exchange.userAgent, exchange.requestId,
                exchange.traceId, exchange.clientIp, exchange.responseMimeType);
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private interface Leaf {
        void at(String field, JsonNode value);
    }

    private static void walk(String path, JsonNode node, Leaf leaf) {
        for (Map.Entry<String, JsonNode> member : node.properties()) {
            String field = path.isEmpty() ? member.getKey() : path + "." + member.getKey();
            if (member.getValue().isObject()) {
                walk(field, member.getValue(), leaf);
            } else {
                leaf.at(field, member.getValue());
            }
        }
    }

    private static void assertFits(String field, String[] row, JsonNode value) {
        boolean array = row[3].equals("array");
        assertEquals(array, value.isArray(), field + " as an array");
        for (JsonNode one : array ? value : java.util.List.of(value)) {
            Consumer<Boolean> fits = ok -> assertTrue(ok, field + ": " + one + " (expected: " + row[1] + ")");
            switch (row[1]) {
                case "long" -> fits.accept(one.isIntegralNumber());
                case "boolean" -> fits.accept(one.isBoolean());
                case "date" -> fits.accept(one.isTextual() && java.time.Instant.parse(one.asText()) != null);
                case "ip" -> fits.accept(one.isTextual() && io.netty.util.NetUtil.createByteArrayFromIpAddressString(one.asText()) != null);
                case "keyword", "wildcard", "match_only_text" -> fits.accept(one.isTextual() && !one.asText().isEmpty());
                default -> fits.accept(false);
            }
            if (row.length > 5 && !row[5].isEmpty() && row[2].equals("core")) {
                assertTrue(java.util.List.of(row[5].split(",")).contains(one.asText()), field + ": " + one + " is not among " + row[5]);
            }
        }
    }

    private static Map<String, String[]> ecsFields() throws IOException {
        Map<String, String[]> fields = new HashMap<>();
        try (InputStream in = java.util.Objects.requireNonNull(EcsEncoderTest.class.getResourceAsStream("/ecs-fields.tsv"))) {
            new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().skip(1).forEach(line -> {
                String[] row = line.split("\t", -1);
                fields.put(row[0], row);
            });
        }
        return fields;
    }
}
