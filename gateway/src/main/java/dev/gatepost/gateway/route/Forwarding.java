package dev.gatepost.gateway.route;

import java.time.Duration;
import java.util.List;

/// How a route spreads its requests over its endpoints, and when it sends one again.
///
/// @param sticky        the cookie that keeps a client at its endpoint; empty for none
/// @param retryStatuses responses after which a request that may be repeated goes to another endpoint
public record Forwarding(Balance balance, String sticky, List<Integer> retryStatuses) {
    public static final Forwarding DEFAULT = new Forwarding(Balance.DEFAULT, "", List.of());

    public Forwarding {
        retryStatuses = List.copyOf(retryStatuses);
    }

    Forwarding withBalance(Balance other) {
        return new Forwarding(other, sticky, retryStatuses);
    }

    Forwarding withSticky(String cookie) {
        return new Forwarding(balance, cookie, retryStatuses);
    }

    Forwarding withRetryStatuses(List<Integer> statuses) {
        return new Forwarding(balance, sticky, statuses);
    }

    /// This, with what `other` sets in its place.
    Forwarding overlaidWith(Forwarding other) {
        return new Forwarding(
                other.balance.equals(Balance.DEFAULT) ? balance : other.balance,
                other.sticky.isEmpty() ? sticky : other.sticky,
                other.retryStatuses.isEmpty() ? retryStatuses : other.retryStatuses);
    }

    /// In the words of the options; empty for what every route does.
    public String words() {
        String words = balance.equals(Balance.DEFAULT) ? "" : "balance=" + balance.words();
        return sticky.isEmpty() ? words : (words + " sticky=" + sticky).strip();
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
