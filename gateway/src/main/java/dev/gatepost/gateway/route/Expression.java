package dev.gatepost.gateway.route;

/// A route as one declaration words it, before it is known whose instances it leads to.
///
/// @param port     of the instance, where it isn't the registered one; else 0
/// @param protocol that the instance speaks
record Expression(RouteKey key, int priority, RouteOptions options, Weight weight, int port, EndpointProtocol protocol) {
    Expression withPort(int newPort) {
        return new Expression(key, priority, options, weight, newPort, protocol);
    }

    /// A malformed or unsupported declaration. The message carries the value and what was expected.
    static final class Malformed extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        Malformed(String reason) {
            super(reason);
        }
    }
}
