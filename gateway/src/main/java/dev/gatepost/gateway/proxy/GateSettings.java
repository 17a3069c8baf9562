package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.tls.UpstreamTls;
import java.util.List;

/// What of the configuration concerns the gate.
public record GateSettings(Timeouts timeouts, Limits limits, List<Cidr> trustedProxies, UpstreamTls upstreamTls) {
    public static final GateSettings DEFAULT = new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT, List.of());

    public GateSettings {
        trustedProxies = List.copyOf(trustedProxies);
    }

    public GateSettings(Timeouts timeouts, Limits limits, List<Cidr> trustedProxies) {
        this(timeouts, limits, trustedProxies, UpstreamTls.DEFAULT);
    }

    public static GateSettings from(GatewayConfig config, UpstreamTls upstreamTls) {
        return new GateSettings(config.timeouts(), config.limits(), config.trustedProxies(), upstreamTls);
    }

    /// Whether an address, 4 or 16 bytes, is one of a trusted proxy.
    public boolean trusts(byte[] address) {
        for (int i = 0; i < trustedProxies.size(); i++) {
            if (trustedProxies.get(i).contains(address)) {
                return true;
            }
        }
        return false;
    }
}
