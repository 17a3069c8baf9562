package dev.gatepost.gateway.route;

/// A registration, tag or configuration fragment that did not parse: kept with its reason, and nothing else is affected.
///
/// @param kind     `tag`, `meta`, `kv` or `file`
/// @param instance whose it is; empty for KV and files
/// @param reason   the value, the place and what was expected; where it is Gatepost that lacks something, it says "this version"
public record Rejected(String kind, String service, String instance, String text, String reason) {}
