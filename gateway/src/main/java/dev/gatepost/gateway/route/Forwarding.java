package dev.gatepost.gateway.route;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// How a route spreads its requests over its endpoints, and when it sends one again.
///
/// @param sticky        the cookie that keeps a client at its endpoint; empty for none
/// @param retryStatuses responses after which a request that may be repeated goes to another endpoint
/// @param limit         most requests in flight to its endpoints together; 0 for none
/// @param lasting       how long an exchange may be silent, and how long it may take in all
public record Forwarding(Balance balance, String sticky, List<Integer> retryStatuses, int limit, HealthCheck healthCheck, Lasting lasting) {
    public static final Forwarding DEFAULT = new Forwarding(Balance.DEFAULT, "", List.of());

    public Forwarding(Balance balance, String sticky, List<Integer> retryStatuses) {
        this(balance, sticky, retryStatuses, 0, HealthCheck.NONE, Lasting.DEFAULT);
    }

    public Forwarding {
        retryStatuses = List.copyOf(retryStatuses);
    }

    Forwarding withBalance(Balance other) {
        return new Forwarding(other, sticky, retryStatuses, limit, healthCheck, lasting);
    }

    Forwarding withSticky(String cookie) {
        return new Forwarding(balance, cookie, retryStatuses, limit, healthCheck, lasting);
    }

    Forwarding withRetryStatuses(List<Integer> statuses) {
        return new Forwarding(balance, sticky, statuses, limit, healthCheck, lasting);
    }

    public Forwarding withLimit(int most) {
        return new Forwarding(balance, sticky, retryStatuses, most, healthCheck, lasting);
    }

    public Forwarding withHealthCheck(HealthCheck check) {
        return new Forwarding(balance, sticky, retryStatuses, limit, check, lasting);
    }

    public Forwarding withLasting(Lasting other) {
        return new Forwarding(balance, sticky, retryStatuses, limit, healthCheck, other);
    }

    /// This, with what `other` sets in its place.
    Forwarding overlaidWith(Forwarding other) {
        return new Forwarding(
                other.balance.equals(Balance.DEFAULT) ? balance : other.balance,
                other.sticky.isEmpty() ? sticky : other.sticky,
                other.retryStatuses.isEmpty() ? retryStatuses : other.retryStatuses,
                other.limit == 0 ? limit : other.limit,
                other.healthCheck.isNone() ? healthCheck : other.healthCheck,
                lasting.overlaidWith(other.lasting));
    }

    /// In the words of the options; empty for what every route does.
    public String words() {
        List<String> words = new ArrayList<>();
        if (!balance.equals(Balance.DEFAULT)) {
            words.add("balance=" + balance.words());
        }
        if (!sticky.isEmpty()) {
            words.add("sticky=" + sticky);
        }
        if (limit > 0) {
            words.add("limit=" + limit);
        }
        if (!healthCheck.isNone()) {
            words.add("health-check=" + healthCheck.path() + "|" + healthCheck.every().toMillis() + "ms");
        }
        if (!lasting.equals(Lasting.DEFAULT)) {
            words.add("timeout=" + lasting.words());
        }
        return String.join(" ", words);
    }

    /// Zero is whatever the gateway has for all routes.
    ///
    /// @param stream longest silence inside a body
    /// @param total  of one exchange, all attempts included
    public record Lasting(Duration stream, Duration total) {
        public static final Lasting DEFAULT = new Lasting(Duration.ZERO, Duration.ZERO);

        Lasting overlaidWith(Lasting other) {
            return new Lasting(other.stream.isZero() ? stream : other.stream, other.total.isZero() ? total : other.total);
        }

        String words() {
            String silence = stream.isZero() ? "" : "stream:" + stream.toMillis() + "ms";
            String whole = total.isZero() ? "" : "total:" + total.toMillis() + "ms";
            return silence + (silence.isEmpty() || whole.isEmpty() ? "" : "|") + whole;
        }
    }

    /// What endpoints are asked from time to time, beside what the catalog says of them.
    ///
    /// @param path empty: nothing
    public record HealthCheck(String path, Duration every) {
        public static final HealthCheck NONE = new HealthCheck("", Duration.ZERO);
        public static final Duration EVERY = Duration.ofSeconds(5);
        public static final Duration SHORTEST = Duration.ofMillis(100);

        public boolean isNone() {
            return path.isEmpty();
        }
    }

    /// @param name      of the header or cookie to hash; empty for other methods
    /// @param slowStart how long the share of an endpoint that is new grows to its full size
    public record Balance(Method method, String name, Duration slowStart) {
        public static final Balance DEFAULT = new Balance(Method.DEFAULT, "", Duration.ZERO);

        public enum Method {
            /// Least request where all weigh the same, round robin where they don't: a weight promises a share, which
            /// latency must not bend.
            DEFAULT(""),
            LEAST_REQUEST("least-request"),
            ROUND_ROBIN("round-robin"),
            HEADER("header"),
            COOKIE("cookie"),
            ADDRESS("address");

            private final String word;

            Method(String word) {
                this.word = word;
            }

            String word() {
                return word;
            }
        }

        String words() {
            String word = name.isEmpty() ? method.word() : method.word() + ":" + name;
            String start = slowStart.isZero() ? "" : "slow-start:" + slowStart.toMillis() + "ms";
            return word.isEmpty() ? start : start.isEmpty() ? word : word + "|" + start;
        }
    }
}
