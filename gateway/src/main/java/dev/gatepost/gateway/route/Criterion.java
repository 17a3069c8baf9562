package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// One thing that a request must be, beside its host and path, for a route to serve it. Its text is that of the option
/// that asks for it, `header=x-canary:1`, and so part of the route's id.
public sealed interface Criterion {
    boolean admits(RequestFacts request);

    /// What the request has in its place, and what was expected.
    String difference(RequestFacts request);

    /// Of the methods, any; else the next route in order. (`methods=` answers 405 instead: see [Condition#methods()].)
    record Method(Set<String> methods) implements Criterion {
        public Method {
            methods = Set.copyOf(methods);
        }

        @Override
        public boolean admits(RequestFacts request) {
            return methods.contains(request.method());
        }

        @Override
        public String difference(RequestFacts request) {
            return "method is %s, not %s".formatted(request.method(), String.join(" or ", new TreeSet<>(methods)));
        }

        @Override
        public String toString() {
            return "method=" + String.join("|", new TreeSet<>(methods));
        }
    }

    /// A request header.
    ///
    /// @param name in lower case
    record Field(String name, ValueTest test) implements Criterion {
        @Override
        public boolean admits(RequestFacts request) {
            return request.anyField(name, test::admits);
        }

        @Override
        public String difference(RequestFacts request) {
            List<String> values = new ArrayList<>();
            var _ = request.anyField(name, value -> {
                values.add(value);
                return false;
            });
            return values.isEmpty() ? "header %s is missing".formatted(name) : "header %s is %s, not %s".formatted(name, String.join(", ", values), test.expectation());
        }

        @Override
        public String toString() {
            return "header=" + name + test.suffix(":");
        }
    }

    /// A parameter of the query, decoded.
    record Query(String name, ValueTest test) implements Criterion {
        @Override
        public boolean admits(RequestFacts request) {
            return values(request.query()).stream().anyMatch(test::admits);
        }

        @Override
        public String difference(RequestFacts request) {
            List<String> values = values(request.query());
            return values.isEmpty() ? "query parameter %s is missing".formatted(name) : "query parameter %s is %s, not %s".formatted(name, String.join(", ", values), test.expectation());
        }

        private List<String> values(String query) {
            List<String> values = new ArrayList<>();
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                if (!pair.isEmpty() && decoded(equals < 0 ? pair : pair.substring(0, equals)).equals(name)) {
                    values.add(equals < 0 ? "" : decoded(pair.substring(equals + 1)));
                }
            }
            return values;
        }

        /// What can't be decoded stays as it is: it equals nothing that a rule asks for.
        private static String decoded(String text) {
            try {
                return URLDecoder.decode(text, StandardCharsets.UTF_8);
            } catch (IllegalArgumentException _) {
                return text;
            }
        }

        @Override
        public String toString() {
            return "query=" + name + test.suffix("=");
        }
    }

    /// The client's address is in one of the blocks.
    record ClientAddress(List<Cidr> blocks) implements Criterion {
        public ClientAddress {
            blocks = List.copyOf(blocks);
        }

        @Override
        public boolean admits(RequestFacts request) {
            return request.client().map(address -> blocks.stream().anyMatch(block -> block.contains(address))).orElse(false);
        }

        @Override
        public String difference(RequestFacts request) {
            return request.client()
                    .map(address -> "client address %s is not in %s".formatted(address.getHostAddress(), text()))
                    .orElse("client address is not given (expected: one in %s)".formatted(text()));
        }

        private String text() {
            return blocks.stream().map(Cidr::toString).collect(Collectors.joining("|"));
        }

        @Override
        public String toString() {
            return "client=" + text();
        }
    }

    /// The host, when an expression is asked for beside the route's host pattern.
    record HostMatch(Regex regex) implements Criterion {
        @Override
        public boolean admits(RequestFacts request) {
            return regex.find(request.host());
        }

        @Override
        public String difference(RequestFacts request) {
            return "host %s does not match %s".formatted(request.host(), regex);
        }

        @Override
        public String toString() {
            return "host~" + regex;
        }
    }

    /// The path, when an expression is asked for beside the route's path. The expression sees the normalised path with
    /// everything decoded but the characters that have a meaning of their own in a URL (RFC 3986 section 2.2).
    record PathMatch(Regex regex) implements Criterion {
        @Override
        public boolean admits(RequestFacts request) {
            return regex.find(PathPattern.readable(request.path()));
        }

        @Override
        public String difference(RequestFacts request) {
            return "path %s does not match %s".formatted(request.path(), regex);
        }

        @Override
        public String toString() {
            return "path~" + regex;
        }
    }

    record HostIs(HostPattern pattern) implements Criterion {
        @Override
        public boolean admits(RequestFacts request) {
            return pattern.serves(request.host());
        }

        @Override
        public String difference(RequestFacts request) {
            return "host %s is not %s".formatted(request.host(), pattern);
        }

        @Override
        public String toString() {
            return "host:" + pattern;
        }
    }

    record PathIs(PathPattern pattern) implements Criterion {
        @Override
        public boolean admits(RequestFacts request) {
            return pattern.serves(request);
        }

        @Override
        public String difference(RequestFacts request) {
            return "path %s is not %s".formatted(request.path(), pattern);
        }

        @Override
        public String toString() {
            return "path:" + pattern;
        }
    }

    record Not(Criterion criterion) implements Criterion {
        @Override
        public boolean admits(RequestFacts request) {
            return !criterion.admits(request);
        }

        @Override
        public String difference(RequestFacts request) {
            return "%s holds, and must not".formatted(criterion);
        }

        @Override
        public String toString() {
            return "!" + criterion;
        }
    }
}
