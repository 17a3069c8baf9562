package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.Problem;
import java.util.List;

/// What came of reading a file catalog.
public sealed interface ServicesReading {
    record Valid(Snapshot snapshot) implements ServicesReading {}

    /// @param problems all of them, each with its line
    record Invalid(List<Problem> problems) implements ServicesReading {}
}
