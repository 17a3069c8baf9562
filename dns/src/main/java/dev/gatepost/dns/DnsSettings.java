package dev.gatepost.dns;

import java.time.Duration;

/// How the server behaves, apart from what it answers.
///
/// @param udpPayload     most bytes of an answer by UDP, whatever the client allows
/// @param tcpConnections most at a time; those beyond are closed at once
/// @param tcpFirstQuery  a connection without a whole query in this time is closed
/// @param tcpIdle        and one without another in this time (RFC 7766 section 6.2.3)
/// @param drain          longest wait at the end for answers on their way
public record DnsSettings(int udpPayload, int tcpConnections, Duration tcpFirstQuery, Duration tcpIdle, Duration drain) {
    public static final DnsSettings DEFAULT =
            new DnsSettings(Responder.UDP_PAYLOAD, 4096, Duration.ofSeconds(3), Duration.ofSeconds(10), Duration.ofSeconds(2));
}
