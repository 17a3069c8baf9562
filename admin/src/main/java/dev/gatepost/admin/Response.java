package dev.gatepost.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// A status, a body and the header fields that go with it.
record Response(int status, String contentType, Body body, Map<String, String> fields) {
    static Response json(int status, Object value) throws JsonProcessingException {
        return new Response(status, "application/json", new Body(JsonRendering.bytes(value)), Map.of());
    }

    static Response error(int status, String error) throws JsonProcessingException {
        return json(status, Map.of("error", error));
    }

    static Response text(String contentType, String text) {
        return new Response(200, contentType, new Body(text.getBytes(StandardCharsets.UTF_8)), Map.of());
    }

    Response with(Map<String, String> more) {
        return new Response(status, contentType, body, more);
    }

    /// Bytes that nobody changes any more.
    static final class Body {
        private final byte[] bytes;

        Body(byte[] bytes) {
            this.bytes = bytes;
        }

        byte[] bytes() {
            return bytes;
        }
    }
}
