package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Header blocks, against the examples of RFC 7541 appendix C and against Netty's own coder.
final class Http2FieldCodingTest {
    private static final Limits LIMITS = new Limits(200, 300, 1000, 0, 10);
    private static final String GET = "828684418c f1e3 c2e5 f23a 6ba0 ab90 f4ff"; // RFC 7541 C.4.1

    private final Http2FieldDecoder decoder = new Http2FieldDecoder(Limits.DEFAULT);

    @Test
    void decodesTheRequestsOfTheRfcWithAndWithoutHuffmanCoding() throws Exception {
        assertEquals(
                List.of(":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"),
                lines(decode("828684410f7777772e6578616d706c652e636f6d")));
        assertEquals(
                List.of(":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"),
                lines(decode("828684be58086e6f2d6361636865")));
        assertEquals(
                List.of(":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"),
                lines(decode("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")));

        Http2FieldDecoder second = new Http2FieldDecoder(Limits.DEFAULT);
        decode(second, GET);
        decode(second, "828684be5886a8eb10649cbf");
        assertEquals(
                List.of(":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"),
                lines(decode(second, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")));
    }

    @Test
    void evictsOldEntriesLikeNettysEncoderDoes() throws Exception {
        DefaultHttp2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder((_, _) -> false, true);
        Random random = new Random(42);
        for (int block = 0; block < 500; block++) {
            Http2Headers headers = new DefaultHttp2Headers(false);
            headers.method("GET").scheme("https").path("/" + random.nextInt(40)).authority("h" + random.nextInt(5));
            List<String> expected = new ArrayList<>(List.of(
                    ":method: GET", ":scheme: https", ":path: " + headers.path(), ":authority: " + headers.authority()));
            for (int i = random.nextInt(12); i > 0; i--) {
                String name = "x-" + random.nextInt(30);
                String value = Integer.toString(random.nextInt(), 36).repeat(random.nextInt(20)) + (char) ('!' + random.nextInt(90));
                headers.add(AsciiString.of(name), AsciiString.of(value));
                expected.add(name + ": " + value);
            }
            if (block == 250) {
                encoder.configuration().maxHeaderTableSize(500);
            }
            ByteBuf encoded = Unpooled.buffer();
            encoder.encodeHeaders(1, headers, encoded);
            List<String> decoded = lines((Http2Fields) decoder.decodeHeaders(1, encoded));
            assertEquals(expected.stream().sorted().toList(), decoded.stream().sorted().toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "80", // index 0
        "c0", // no such entry
        "ffffffffff7f", // integer too large
        "ff", // integer cut off
        "40", // name missing
        "400a6162", // name cut off
        "4001610a61", // value cut off
        "823f e21f", // table size update behind a field
        "3fe2 1f", // table size above what was announced
        "008200ffff 0161", // Huffman: padding longer than seven bits
        "0084ffffffff 0161", // Huffman: end-of-string symbol
        "008118 0161", // Huffman: padding of zeros
    })
    void endsTheConnectionWhenABlockIsNotDecodable(String hex) {
        Http2Exception thrown = assertThrows(Http2Exception.class, () -> decode(hex));

        assertEquals(Http2Error.COMPRESSION_ERROR, thrown.error());
        assertFalse(Http2Exception.isStreamError(thrown));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        ":method=GET :scheme=https :path=/ :authority=a X-Up=1 | FIELD_NAME",
        ":method=GET :scheme=https :path=/ :authority=a x(y=1 | FIELD_NAME",
        ":method=GET :scheme=https :path=/ :authority=a x=a%00b | FIELD_VALUE",
        ":method=GET :scheme=https :path=/ :authority=a x=a%0db | FIELD_VALUE",
        ":method=GET :scheme=https :path=/ :authority=a x=%09a | FIELD_VALUE",
        ":method=GET :scheme=https :path=/ :authority=a connection=close | CONNECTION_FIELD",
        ":method=GET :scheme=https :path=/ :authority=a transfer-encoding=chunked | CONNECTION_FIELD",
        ":method=GET :scheme=https :path=/ :authority=a upgrade=websocket | CONNECTION_FIELD",
        ":method=GET :scheme=https :path=/ :authority=a keep-alive=1 | CONNECTION_FIELD",
        ":method=GET :scheme=https :path=/ :authority=a proxy-connection=1 | CONNECTION_FIELD",
        ":method=GET :scheme=https :path=/ :authority=a te=gzip | CONNECTION_FIELD",
        ":method=GET :scheme=https :path=/ :authority=a te=trailers | NONE",
        ":method=GET :scheme=https :path=/ | NONE",
        ":scheme=https :path=/ :authority=a | PSEUDO_FIELDS",
        ":method=GET :path=/ :authority=a | PSEUDO_FIELDS",
        ":method=GET :scheme=https :authority=a | PSEUDO_FIELDS",
        ":method=GET :scheme=ftp :path=/ :authority=a | PSEUDO_FIELDS",
        ":method=GET :method=GET :scheme=https :path=/ | PSEUDO_FIELDS",
        ":method=GET :scheme=https :path=/ :path=/b | PSEUDO_FIELDS",
        ":method=GET :scheme=https x=1 :path=/ | PSEUDO_FIELDS",
        ":method=GET :scheme=https :path=/ :status=200 | PSEUDO_FIELDS",
        ":method=GET :scheme=https :path=/ :protocol=websocket | PSEUDO_FIELDS",
        ":method=GET :scheme=https :path=/ :Authority=a | PSEUDO_FIELDS",
        ":method=GET :scheme=https :path=* | TARGET",
        ":method=OPTIONS :scheme=https :path=* | NONE",
        ":method=GET :scheme=https :path=a | TARGET",
        ":method=GET :scheme=https :path=/ :authority=a host=b | HOST_INVALID",
        ":method=GET :scheme=https :path=/ :authority=a host=a | NONE",
    })
    void findsWhatIsWrongWithARequest(String fields, Refusal expected) throws Exception {
        assertEquals(expected, refusal(decoder, fields.strip().replace("%0d", "\r").replace("%09", "\t").replace("%00", "\0").split(" ", -1)));
    }

    @Test
    void findsTheSameFaultInAFieldThatComesFromTheTable() throws Exception {
        String first = "828784" + "4001610109"; // a: TAB, added to the table
        RequestHead request = new RequestHead();
        assertEquals(Refusal.FIELD_VALUE, decode(first).moveTo(request));
        assertEquals(Refusal.FIELD_VALUE, decode("828784be").moveTo(request));
        assertEquals(Refusal.NONE, decode("8287847e0162").moveTo(request), "its name alone is good");
    }

    @Test
    void keepsToTheLimitsAndStaysInStep() throws Exception {
        Http2FieldDecoder limited = new Http2FieldDecoder(LIMITS);
        String get = ":method=GET :scheme=https ";
        assertEquals(Refusal.NONE, refusal(limited, (get + ":path=/" + "p".repeat(199)).split(" ", -1)));
        assertEquals(Refusal.REQUEST_LINE_TOO_LONG, refusal(limited, (get + ":path=/" + "p".repeat(200)).split(" ", -1)));
        assertEquals(Refusal.NONE, refusal(limited, (get + ":path=/ a=" + "v".repeat(299)).split(" ", -1)));
        assertEquals(Refusal.FIELD_TOO_LARGE, refusal(limited, (get + ":path=/ a=" + "v".repeat(300)).split(" ", -1)));
        assertEquals(Refusal.FIELDS_TOO_LARGE, refusal(limited, (get + ":path=/" + (" a=" + "v".repeat(250)).repeat(4)).split(" ", -1)));

        Http2Fields added = decode(limited, "828784" + "40017a" + "7fad01" + "76".repeat(300));
        assertEquals(Refusal.FIELD_TOO_LARGE, added.moveTo(new RequestHead()));
        assertEquals(Refusal.FIELD_TOO_LARGE, decode(limited, "828784be").moveTo(new RequestHead()), "it is in the table all the same");
        Http2Fields bomb = decode(limited, "828784" + "be".repeat(1000));
        assertEquals(Refusal.FIELD_TOO_LARGE, bomb.moveTo(new RequestHead()));
        assertTrue(bomb.section.bytes.length < 10_000, "what is not admitted is not copied");
    }

    @Test
    void makesARequestHeadOfIt() throws Exception {
        RequestHead request = new RequestHead();
        Http2Fields fields = decode(
                ":method=POST", ":scheme=https", ":authority=Shop.example:8443", ":path=/a?b=c", "cookie=a=1", "content-length=5", "cookie=b=2", "x=y");

        assertEquals(Refusal.NONE, fields.moveTo(request));
        assertEquals(Refusal.NONE, request.finish());

        byte[] b = request.bytes();
        assertSame(Method.POST, request.method);
        assertEquals("/a?b=c", new String(b, request.originFrom, request.originTo - request.originFrom, ISO_8859_1));
        assertEquals("Shop.example", new String(b, request.authorityFrom, request.hostTo - request.authorityFrom, ISO_8859_1));
        assertEquals(8443, request.port);
        assertEquals(5, request.contentLength);
        assertEquals(20, request.version);
        assertEquals(List.of("content-length: 5", "x: y", "cookie: a=1; b=2"), kept(request.fields));
        assertEquals(0, fields.section.count());
    }

    @Test
    void encodesAHeadThatNettyDecodes() throws Exception {
        ResponseHead head = new ResponseHead();
        for (int status : new int[] {200, 204, 206, 304, 400, 404, 500, 100, 201, 599, 999}) {
            head.clear();
            head.status = status;
            assertTrue(head.fields.add("Content-Type", "text/plain"));
            assertTrue(head.fields.add("X-Request-Id", "x".repeat(5000)));
            assertTrue(head.fields.add("Strict-Transport-Security", "max-age=1"));
            assertTrue(head.fields.add("Connection", "close"));
            head.fields.drop(3);

            Http2Headers decoded = nettyDecoded(new Http2FieldEncoder(), new Http2SentFields().head(head));

            assertEquals(4, decoded.size());
            assertEquals(Integer.toString(status), decoded.status().toString());
            assertEquals("text/plain", decoded.get("content-type").toString());
            assertEquals("x".repeat(5000), decoded.get("x-request-id").toString());
            assertEquals("max-age=1", decoded.get("strict-transport-security").toString());
        }
    }

    @Test
    void saysThatItKeepsToASmallerTable() throws Exception {
        Http2FieldEncoder encoder = new Http2FieldEncoder();
        FieldSection trailers = new FieldSection(10);
        assertTrue(trailers.add("Grpc-Status", "0"));
        encoder.maxHeaderTableSize(100);
        ByteBuf out = Unpooled.buffer();

        encoder.encodeHeaders(1, Http2SentFields.trailers(trailers), out);
        encoder.encodeHeaders(1, Http2SentFields.trailers(trailers), out);

        String field = "000b677270632d737461747573" + "0130";
        assertEquals("20" + field + field, HexFormat.of().formatHex(out.array(), 0, out.readableBytes()));
    }

    private static Http2Headers nettyDecoded(Http2FieldEncoder encoder, Http2SentFields sent) throws Http2Exception {
        ByteBuf out = Unpooled.buffer();
        encoder.encodeHeaders(1, sent, out);
        return new DefaultHttp2HeadersDecoder(false, 100_000).decodeHeaders(1, out);
    }

    private Http2Fields decode(String... fields) throws Http2Exception {
        return fields.length == 1 ? decode(decoder, fields[0]) : decodeFields(decoder, fields);
    }

    private static Http2Fields decode(Http2FieldDecoder decoder, String hex) throws Http2Exception {
        ByteBuf block = Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex.replace(" ", "")));
        return (Http2Fields) decoder.decodeHeaders(1, block);
    }

    /// Literals without indexing and without Huffman coding.
    private static Http2Fields decodeFields(Http2FieldDecoder decoder, String... fields) throws Http2Exception {
        ByteBuf block = Unpooled.buffer();
        for (String field : fields) {
            int equals = field.indexOf('=', 1);
            block.writeByte(0);
            string(block, field.substring(0, equals));
            string(block, field.substring(equals + 1));
        }
        return (Http2Fields) decoder.decodeHeaders(1, block);
    }

    private static void string(ByteBuf out, String text) {
        int length = text.length();
        if (length < 127) {
            out.writeByte(length);
        } else if (length < 127 + 128) {
            out.writeByte(127).writeByte(length - 127);
        } else {
            out.writeByte(127).writeByte(((length - 127) & 0x7f) | 0x80).writeByte((length - 127) >> 7);
        }
        out.writeBytes(text.getBytes(ISO_8859_1));
    }

    private static Refusal refusal(Http2FieldDecoder decoder, String... fields) throws Http2Exception {
        RequestHead request = new RequestHead();
        Refusal refusal = decodeFields(decoder, fields).moveTo(request);
        return refusal == Refusal.NONE ? request.finish() : refusal;
    }

    private static List<String> lines(Http2Fields fields) {
        List<String> lines = new ArrayList<>();
        FieldSection section = fields.section;
        for (int i = 0; i < section.count(); i++) {
            lines.add(new String(section.bytes, section.nameFrom(i), section.lineEnd(i) - 2 - section.nameFrom(i), ISO_8859_1));
        }
        return lines;
    }

    private static List<String> kept(FieldSection section) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < section.count(); i++) {
            if (!section.isDropped(i)) {
                lines.add(new String(section.bytes, section.nameFrom(i), section.lineEnd(i) - 2 - section.nameFrom(i), ISO_8859_1));
            }
        }
        return lines;
    }
}
