package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.GatewayConfig;

/// Which instances get traffic and are answered in DNS: one rule for both halves.
public enum HealthRule {
    /// Only instances all of whose checks pass.
    PASSING,
    /// Instances that warn as well, as Consul's own DNS does.
    WARNING;

    public static HealthRule of(GatewayConfig.Routes routes) {
        return routes.admitWarning() ? WARNING : PASSING;
    }

    public boolean admits(Health health) {
        return switch (health) {
            case PASSING, PANICKING -> true;
            case WARNING -> this == WARNING;
            case CRITICAL, MAINTENANCE -> false;
        };
    }
}
