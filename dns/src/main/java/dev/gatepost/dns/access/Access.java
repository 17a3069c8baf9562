package dev.gatepost.dns.access;

import java.util.List;

/// Which clients are answered, by their address: at all, and about names that others have to be asked for.
public final class Access {
    /// What a client may ask.
    public enum Admission {
        /// Any name.
        ALL,
        /// The server's own names.
        OWN_NAMES,
        /// Nothing, and is told so.
        REFUSED,
        /// Nothing, without a word.
        IGNORED
    }

    public static final Access EVERYBODY = new Access(AddressSet.ALL_NETWORKS, AddressSet.ALL_NETWORKS, Admission.REFUSED);
    public static final Access PRIVATE = new Access(AddressSet.PRIVATE_NETWORKS, AddressSet.PRIVATE_NETWORKS, Admission.REFUSED);

    private final AddressSet allowed;
    private final AddressSet forwarding;
    private final Admission others;

    /// @param allowed    who is answered
    /// @param forwarding who of them is answered about other names
    /// @param others     [Admission#REFUSED] or [Admission#IGNORED]
    public Access(List<AddressBlock> allowed, List<AddressBlock> forwarding, Admission others) {
        this.allowed = AddressSet.of(allowed);
        this.forwarding = AddressSet.of(forwarding);
        this.others = others;
    }

    /// @param client 4 or 16 bytes
    public Admission of(byte[] client) {
        if (!allowed.contains(client)) {
            return others;
        }
        return forwarding.contains(client) ? Admission.ALL : Admission.OWN_NAMES;
    }

    /// Whether anybody on the internet is answered.
    public boolean isOpen() {
        return allowed.isWorld();
    }

    /// Whether any name is looked up for anybody on the internet.
    public boolean isForwardingOpen() {
        return isOpen() && forwarding.isWorld();
    }
}
