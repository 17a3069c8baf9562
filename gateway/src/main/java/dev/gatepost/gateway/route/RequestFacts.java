package dev.gatepost.gateway.route;

import java.net.InetAddress;
import java.util.Optional;
import java.util.function.Predicate;

/// What a route's condition may ask about a request, beside the bytes of its host and path. Each answer is worked out when
/// it is asked for, so a table without such conditions costs nothing.
public interface RequestFacts {
    /// Whether the request came over TLS.
    boolean secure();

    String method();

    /// In lower case, without port and trailing dot; empty for a request without Host.
    String host();

    /// Normalised (see [PathNormalizer]).
    String path();

    /// As it came, without `?`; empty for none.
    String query();

    /// Whether a field of that name has a value that passes the test.
    ///
    /// @param name in lower case
    boolean anyField(String name, Predicate<String> test);

    /// Empty where nobody knows it.
    Optional<InetAddress> client();

    /// A GET request of which no more is known, for tests and benchmarks of look-up by host and path.
    static RequestFacts plain(boolean secure) {
        return new RequestFacts() {
            @Override
            public boolean secure() {
                return secure;
            }

            @Override
            public String method() {
                return "GET";
            }

            @Override
            public String host() {
                return "";
            }

            @Override
            public String path() {
                return "/";
            }

            @Override
            public String query() {
                return "";
            }

            @Override
            public boolean anyField(String name, Predicate<String> test) {
                return false;
            }

            @Override
            public Optional<InetAddress> client() {
                return Optional.empty();
            }
        };
    }
}
