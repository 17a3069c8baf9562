package dev.gatepost.gateway.catalog;

/// One health check of an instance or of its node. Its output is left out on purpose: Consul doesn't announce a change
/// of output alone, so a snapshot that held it would differ from one fetch to the next for nothing.
///
/// @param id   Consul's CheckID, e.g. `service:web-1`
/// @param name the human name
public record Check(String id, String name, Health status) {}
