package dev.gatepost.gateway.catalog;

/// Consul's Weights: an instance's share of traffic relative to its siblings, by its health.
public record Weights(int passing, int warning) {
    public static final Weights DEFAULT = new Weights(1, 1);
}
