package dev.gatepost.dns;

import java.time.Duration;

/// How much of the server its TCP connections may take, those with TLS included.
///
/// @param connections most at a time; those beyond are closed at once
/// @param perClient   most of one client: an IPv4 address, or an IPv6 network of 64 bits
/// @param inFlight    most queries of one connection that wait for others to answer, before no more are read
/// @param firstQuery  a connection without a whole query in this time is closed, its TLS handshake included
/// @param idle        and one without another in this time (RFC 7766 section 6.2.3), sooner when places become scarce
public record StreamLimits(int connections, int perClient, int inFlight, Duration firstQuery, Duration idle) {
    public static final StreamLimits DEFAULT = new StreamLimits(4096, 256, 100, Duration.ofSeconds(3), Duration.ofSeconds(10));

    public StreamLimits withConnections(int most, int mostPerClient, Duration longestIdle) {
        return new StreamLimits(most, mostPerClient, inFlight, firstQuery, longestIdle);
    }
}
