package dev.gatepost.gateway;

/// The one reference to what is served at this moment, written by [Publication] and read by everybody, once per request or
/// query.
final class CurrentState {
    private volatile GatewayState state;

    CurrentState(GatewayState first) {
        this.state = first;
    }

    GatewayState get() {
        return state;
    }

    void set(GatewayState next) {
        state = next;
    }
}
