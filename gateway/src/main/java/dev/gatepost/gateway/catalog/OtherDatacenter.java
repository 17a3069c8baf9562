package dev.gatepost.gateway.catalog;

/// A datacenter that stands by for our own, and how its catalog stands at this moment.
///
/// @param distance 1 for the first in the order of failover
public record OtherDatacenter(String name, int distance, SourceStatus status) {}
