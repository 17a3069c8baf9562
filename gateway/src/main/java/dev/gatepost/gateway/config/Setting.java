package dev.gatepost.gateway.config;

import java.util.Locale;

/// One key of the configuration: the single source of its name, syntax, default and documentation.
///
/// @param key      its path in the file, e.g. `dns.negative-ttl`
/// @param fallback what holds without it, as one would write it; empty for none
/// @param absent   what none means, for the reference
/// @param need     how likely a deployment sets it
record Setting<T>(String key, Syntax<T> syntax, String fallback, String absent, Need need, String meaning) {
    enum Need {
        NEEDED,
        SOMETIMES,
        RARELY
    }

    /// The environment variable that overrides the file.
    String variable() {
        return "GATEPOST_" + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }
}
