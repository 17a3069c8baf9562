package dev.gatepost.gateway.route;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PathNormalizerTest {
    @ParameterizedTest
    @CsvSource({
        "/, /",
        "/a/b, /a/b",
        "/a/b/, /a/b/",
        "/a.b/c..d, /a.b/c..d",
        "/.well-known/x, /.well-known/x",
        "/...,/...",
        "/a/., /a/",
        "/a/./b, /a/b",
        "/., /",
        "/./, /",
        "/a/.., /",
        "/a/../, /",
        "/a/../b, /b",
        "/a/b/../../c, /c",
        "/a/b/.., /a/",
        "/a//../b, /a/b",
        "/a//b, /a//b",
        "//evil.example/x, //evil.example/x",
        "/%61%7E%2d%5F%2E%39, /a~-_.9",
        "/x/%2e%2E/admin, /admin",
        "/x/.%2e/admin, /admin",
        "/x/%2e/admin, /x/admin",
    })
    void removesDotSegmentsAndDecodesWhatIsUnreserved(String raw, String normal) {
        assertEquals(normal, normalize(raw));
    }

    @ParameterizedTest
    @CsvSource({
        "/a%2Fb, /a%2Fb",
        "/a%2fb, /a%2Fb",
        "/a%3Fb, /a%3Fb",
        "/a%23b/c, /a%23b/c",
        "/a%252Fb, /a%252Fb",
        "/x/%252e%252e/admin, /x/%252e%252e/admin",
        "/a%5Cb, /a%5Cb",
        "/%c3%a9, /%C3%A9",
        "/a%20b, /a%20b",
        "/a%2F..%2Fb, /a%2F..%2Fb",
    })
    void keepsWhatWouldMeanSomethingElseDecoded(String raw, String normal) {
        assertEquals(normal, normalize(raw));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "*", "/%", "/%4", "/%4/", "/%zz", "/a%4g", "/a%00b", "/..", "/../", "/a/../..", "/a/../../b", "/%2e%2e/b", "/.."})
    void refusesWhatNoRouteShouldSee(String raw) {
        assertEquals("refused", normalize(raw));
    }

    @Test
    void anyResultIsNormalAndNotLonger() {
        Random random = new Random(7);
        String[] parts = {"/", "/", "a", "b", ".", "..", "%2e", "%2E", "%2F", "%41", "%25", "~", "/../", "%"};
        for (int i = 0; i < 20_000; i++) {
            StringBuilder raw = new StringBuilder("/");
            for (int n = random.nextInt(9); n > 0; n--) {
                raw.append(parts[random.nextInt(parts.length)]);
            }
            String once = normalize(raw.toString());
            if (once.equals("refused")) {
                continue;
            }
            assertEquals(once, normalize(once), () -> "normalised twice: " + raw);
            assertTrue(once.length() <= raw.length());
            assertFalse((once + "/").contains("/../") || (once + "/").contains("/./"), () -> raw + " became " + once);
            byte[] bytes = raw.toString().getBytes(StandardCharsets.US_ASCII);
            if (PathNormalizer.isNormal(bytes, 0, bytes.length)) {
                assertEquals(raw.toString(), once);
            }
        }
    }

    @Test
    void readsAndWritesWithinItsBounds() {
        byte[] raw = "GET /a/%2e%2e/b?q HTTP".getBytes(StandardCharsets.US_ASCII);
        byte[] out = new byte[11];
        assertEquals("/b", new String(out, 0, PathNormalizer.normalize(raw, 4, 15, out), StandardCharsets.US_ASCII));
    }

    private static String normalize(String raw) {
        byte[] bytes = raw.getBytes(StandardCharsets.US_ASCII);
        byte[] out = new byte[bytes.length];
        int length = PathNormalizer.normalize(bytes, 0, bytes.length, out);
        return length < 0 ? "refused" : new String(out, 0, length, StandardCharsets.US_ASCII);
    }
}
