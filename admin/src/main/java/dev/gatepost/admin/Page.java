package dev.gatepost.admin;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;

/// The page at `/`: one file that asks the API for the rest. Its script and style are allowed by their hashes, and nothing
/// else is, so that a service's name can't become code.
final class Page {
    private final Response response;

    private Page(Response response) {
        this.response = response;
    }

    static Page load() {
        try (InputStream in = Objects.requireNonNull(Page.class.getResourceAsStream("page.html"), "page.html")) {
            String html = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            String policy = "default-src 'none'; script-src '" + hash(between(html, "<script>", "</script>")) + "'; style-src '"
                    + hash(between(html, "<style>", "</style>"))
                    + "'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
            Map<String, String> fields = Map.of("Content-Security-Policy", policy, "Referrer-Policy", "no-referrer");
            return new Page(Response.text("text/html; charset=utf-8", html).with(fields));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Response response() {
        return response;
    }

    private static String between(String html, String from, String to) {
        int begin = html.indexOf(from) + from.length();
        return html.substring(begin, html.indexOf(to, begin));
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return "sha256-" + Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
