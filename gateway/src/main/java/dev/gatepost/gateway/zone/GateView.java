package dev.gatepost.gateway.zone;

/// What the gate says of names and instances that no catalog knows.
public record GateView(ServedHosts hosts, Withheld withheld) {
    /// Where there is no gate.
    public static final GateView NONE = new GateView(ServedHosts.NONE, Withheld.NOTHING);

    @SuppressWarnings("ReferenceEquality") // a new one says that something changed
    boolean servesAs(GateView other) {
        return hosts == other.hosts;
    }
}
