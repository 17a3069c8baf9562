package dev.gatepost.gateway.route;

import java.util.List;

/// What other gateways do, as far as a comparison needs it.
final class Peer {
    private Peer() {}

    /// What one of them makes of a declaration.
    ///
    /// @param routes whether it sends requests to instances because of it
    /// @param why    what is particular about that
    record Seen(String does, boolean routes, List<String> why) {
        static final Seen NOT_READ = new Seen(Finding.NOT_READ, false, List.of());

        Seen {
            why = List.copyOf(why);
        }
    }
}
