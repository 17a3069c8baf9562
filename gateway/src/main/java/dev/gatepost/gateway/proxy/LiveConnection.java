package dev.gatepost.gateway.proxy;

/// A client's connection that is open, as draining sees it.
interface LiveConnection {
    /// Takes no new request; closes at once when there is none in flight, else after the last one.
    void drain();

    /// Ends now if it was upgraded: such connections have no last response.
    default void endUpgraded() {}

    /// Ends now, whatever is in flight.
    void kill();

    void close();
}
