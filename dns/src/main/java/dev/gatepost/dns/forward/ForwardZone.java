package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import java.util.List;

/// A part of the name space and who is asked about it.
///
/// @param mixCase asks in random upper and lower case and takes an answer in the same alone (0x20): more for a forger to
///                guess, and nothing for servers that spell names their own way
public record ForwardZone(DomainName name, List<Upstream> upstreams, boolean mixCase) {
    public ForwardZone {
        upstreams = List.copyOf(upstreams);
        if (upstreams.isEmpty()) {
            throw new IllegalArgumentException(name + ": no upstream (expected: at least one)");
        }
    }
}
