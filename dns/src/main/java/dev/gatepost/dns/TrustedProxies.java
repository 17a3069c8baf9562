package dev.gatepost.dns;

/// Who puts a PROXY protocol header in front of what it passes on, so that the client's address is known. Whoever is among
/// them has to; whoever is not is taken for the client itself.
@FunctionalInterface
public interface TrustedProxies {
    TrustedProxies NONE = _ -> false;

    /// @param address 4 or 16 bytes in network order
    boolean trusts(byte[] address);
}
