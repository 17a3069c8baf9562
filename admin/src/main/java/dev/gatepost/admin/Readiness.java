package dev.gatepost.admin;

/// Whether traffic may come.
///
/// @param reason why not; empty when it may
public record Readiness(boolean ready, String reason) {
    public static final Readiness READY = new Readiness(true, "");

    public static Readiness not(String reason) {
        return new Readiness(false, reason);
    }
}
