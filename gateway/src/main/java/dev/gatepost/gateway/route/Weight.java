package dev.gatepost.gateway.route;

/// An instance's share of a route's traffic, as it was declared.
sealed interface Weight {
    Weight DEFAULT = new Relative(1);

    /// Relative to its siblings, multiplied by the instance's weight in the catalog; 0 takes it out of rotation.
    record Relative(int value) implements Weight {}

    /// A fixed share of the route's whole traffic, above 0, as fabio has it. What is left goes to the others.
    record Share(double value) implements Weight {}
}
