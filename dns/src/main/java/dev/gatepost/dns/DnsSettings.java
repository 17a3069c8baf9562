package dev.gatepost.dns;

import java.time.Duration;

/// How the server behaves, apart from what it answers.
///
/// @param udpPayload most bytes of an answer by UDP, whatever the client allows
/// @param drain      longest wait at the end for answers on their way
public record DnsSettings(int udpPayload, StreamLimits streams, Duration drain) {
    public static final DnsSettings DEFAULT = new DnsSettings(Responder.UDP_PAYLOAD, StreamLimits.DEFAULT, Duration.ofSeconds(2));

    public DnsSettings withStreams(StreamLimits limits) {
        return new DnsSettings(udpPayload, limits, drain);
    }
}
