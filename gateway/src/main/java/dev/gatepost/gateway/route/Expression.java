package dev.gatepost.gateway.route;

/// A route as one declaration words it, before it is known whose instances it leads to.
record Expression(RouteKey key, int priority, RouteOptions options, Weight weight) {
    /// A malformed or unsupported declaration. The message carries the value and what was expected.
    static final class Malformed extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        Malformed(String reason) {
            super(reason);
        }
    }
}
