package dev.gatepost.gateway.proxy;

import java.util.Optional;

/// What is done with a request.
sealed interface Decision {
    /// It goes to an endpoint of that route. Made once with the route's state.
    record Forward(RouteState route) implements Decision {}

    /// A service of this process answers it.
    record Serve(LocalPath path) implements Decision {}

    /// The gate answers it.
    ///
    /// @param route  that it would take, if there is one
    /// @param detail for the log; may be empty
    record Answer(Optional<RouteState> route, LocalAnswer answer, String detail) implements Decision {
        static Answer of(LocalAnswer answer) {
            return new Answer(Optional.empty(), answer, "");
        }

        static Answer of(RouteState route, LocalAnswer answer) {
            return new Answer(Optional.of(route), answer, "");
        }

        static Answer of(Refusal refusal) {
            return new Answer(Optional.empty(), LocalAnswer.of(refusal.status, refusal.cause), refusal.detail);
        }

        Answer because(String why) {
            return new Answer(route, answer, why);
        }
    }
}
