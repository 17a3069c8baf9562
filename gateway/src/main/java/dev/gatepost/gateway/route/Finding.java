package dev.gatepost.gateway.route;

import java.util.List;

/// One declaration, and what is made of it.
///
/// @param instances how many instances of the service carry it
/// @param declared  as it was written
/// @param fabio     what fabio would do; `-` for what it doesn't read
/// @param traefik   what Traefik would do; `-` for what it doesn't read
/// @param gatepost  what Gatepost does
/// @param rejected  whether Gatepost rejects it
/// @param why       where and why they differ; empty where they don't
public record Finding(
        String service, int instances, String declared, String fabio, String traefik, String gatepost, boolean rejected, List<String> why) {
    static final String NOT_READ = "-";

    public Finding {
        why = List.copyOf(why);
    }
}
