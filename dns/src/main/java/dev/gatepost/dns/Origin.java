package dev.gatepost.dns;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The top of a part of the name space that the zone answers for, with its own SOA and NS.
///
/// @param shared  names in it that the zone doesn't know may be known to others: they are forwarded where a forwarder
///                is configured for them, and don't exist otherwise
/// @param aliasOf another origin, whose names are answered under this one as well
/// @param soa     its own start of authority and that record's TTL; else the zone's
public record Origin(DomainName name, boolean shared, Optional<DomainName> aliasOf, Optional<Authority> soa) {

    /// A start of authority that was given, not made up.
    public record Authority(Rdata.Soa soa, Duration ttl) {}

    public Origin(DomainName name, boolean shared) {
        this(name, shared, Optional.empty(), Optional.empty());
    }

    /// A second name for another origin: `web.service.alternative` is answered as `web.service.consul`.
    public static Origin alias(DomainName name, DomainName of) {
        return new Origin(name, false, Optional.of(of), Optional.empty());
    }

    /// With a start of authority of its own, as zone files have.
    public static Origin of(DomainName name, Rdata.Soa soa, Duration ttl) {
        return new Origin(name, false, Optional.empty(), Optional.of(new Authority(soa, ttl)));
    }

    /// The reverse zones of private, loopback and link-local networks: a server that isn't told otherwise answers for
    /// them itself rather than leak the question (RFC 6303 section 4, RFC 7793 for 100.64.0.0/10).
    public static List<Origin> privateReverse() {
        Stream<String> v4 = Stream.of(
                        Stream.of("10", "127", "254.169", "168.192"),
                        IntStream.rangeClosed(16, 31).mapToObj(second -> second + ".172"),
                        IntStream.rangeClosed(64, 127).mapToObj(second -> second + ".100"))
                .flatMap(names -> names)
                .map(prefix -> prefix + ".in-addr.arpa.");
        Stream<String> v6 = Stream.of("d.f", "8.e.f", "9.e.f", "a.e.f", "b.e.f").map(prefix -> prefix + ".ip6.arpa.");
        Stream<String> loopback = Stream.of("1." + "0.".repeat(31) + "ip6.arpa.");
        return Stream.of(v4, v6, loopback).flatMap(names -> names).map(name -> new Origin(DomainName.of(name), true)).toList();
    }
}
