package dev.gatepost.gateway.config;

import java.util.List;
import java.util.Optional;

/// What reading the configuration came to.
public sealed interface ConfigReading {
    record Valid(GatewayConfig config) implements ConfigReading {}

    /// @param problems all of them, in the order of the file
    /// @param readable what could be read, with defaults in place of the rest: good for looking for more problems, not
    ///                 for running; empty when the file isn't even YAML
    record Invalid(List<Problem> problems, Optional<GatewayConfig> readable) implements ConfigReading {}
}
