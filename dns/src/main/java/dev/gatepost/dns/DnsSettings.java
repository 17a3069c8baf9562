package dev.gatepost.dns;

import dev.gatepost.dns.access.Access;
import dev.gatepost.dns.access.ResponseRates;
import java.time.Duration;
import java.util.Optional;

/// How the server behaves, apart from what it answers.
///
/// @param udpPayload      most bytes of an answer by UDP, whatever the client allows
/// @param drain           longest wait at the end for answers on their way
/// @param proxies         who puts a PROXY protocol header before what it sends
/// @param cookieSecrets   what server cookies are made with
/// @param cookiesRequired whether a client by UDP has to bring back a cookie before it is answered
/// @param access          who is answered
/// @param rates           how often, by UDP
/// @param shared          whether another process may have the same ports
public record DnsSettings(
        int udpPayload,
        StreamLimits streams,
        Duration drain,
        TrustedProxies proxies,
        CookieSecrets cookieSecrets,
        boolean cookiesRequired,
        Access access,
        ResponseRates rates,
        boolean shared) {
    public static final DnsSettings DEFAULT = new DnsSettings(
            Responder.UDP_PAYLOAD, StreamLimits.DEFAULT, Duration.ofSeconds(2), TrustedProxies.NONE, CookieSecrets.random(), false, Access.PRIVATE, ResponseRates.NONE, false);

    public DnsSettings withStreams(StreamLimits limits) {
        return new DnsSettings(udpPayload, limits, drain, proxies, cookieSecrets, cookiesRequired, access, rates, shared);
    }

    public DnsSettings withProxies(TrustedProxies trusted) {
        return new DnsSettings(udpPayload, streams, drain, trusted, cookieSecrets, cookiesRequired, access, rates, shared);
    }

    public DnsSettings withCookies(CookieSecrets secrets, boolean required) {
        return new DnsSettings(udpPayload, streams, drain, proxies, secrets, required, access, rates, shared);
    }

    public DnsSettings withAccess(Access allowed) {
        return new DnsSettings(udpPayload, streams, drain, proxies, cookieSecrets, cookiesRequired, allowed, rates, shared);
    }

    public DnsSettings withRates(ResponseRates limits) {
        return new DnsSettings(udpPayload, streams, drain, proxies, cookieSecrets, cookiesRequired, access, limits, shared);
    }

    public DnsSettings sharedIf(boolean sharing) {
        return new DnsSettings(udpPayload, streams, drain, proxies, cookieSecrets, cookiesRequired, access, rates, sharing);
    }

    /// What strangers could do with the server, and the keys that would keep them from it; empty where they can't.
    ///
    /// @param forwards whether others are asked about other names
    public Optional<String> exposure(boolean forwards) {
        if (!access.isOpen() || rates.isLimiting() || cookiesRequired) {
            return Optional.empty();
        }
        return Optional.of(forwards && access.isForwardingOpen()
                ? "dns: an open resolver: dns.allow and dns.allow-forwarding admit the whole internet and dns.rate-limit is 0, so that anybody can have"
                        + " any name looked up, and the answer sent to an address that he forges (expected: networks in dns.allow-forwarding, or dns.rate-limit: 20)"
                : "dns: dns.allow admits the whole internet and dns.rate-limit is 0, so that anybody can have answers sent to an address that he forges"
                        + " (expected: networks in dns.allow, dns.rate-limit: 20, or dns.require-cookies: true)");
    }
}
