package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.tls.UpstreamTls;
import java.util.List;

/// What of the configuration concerns the gate.
///
/// @param traceSample percent of the traces that are started which are marked as sampled; -1 starts none
public record GateSettings(Timeouts timeouts, Limits limits, List<Cidr> trustedProxies, UpstreamTls upstreamTls, int traceSample) {
    public static final GateSettings DEFAULT = new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT, List.of());

    public GateSettings(Timeouts timeouts, Limits limits, List<Cidr> trustedProxies) {
        this(timeouts, limits, trustedProxies, UpstreamTls.DEFAULT, -1);
    }

    public GateSettings {
        trustedProxies = List.copyOf(trustedProxies);
    }

    public static GateSettings from(GatewayConfig config, UpstreamTls upstreamTls) {
        return new GateSettings(config.timeouts(), config.limits(), config.trustedProxies(), upstreamTls, config.traceSample().orElse(-1));
    }

    /// Whether an address, 4 or 16 bytes, is one of a trusted proxy.
    public boolean trusts(byte[] address) {
        return Cidr.anyContains(trustedProxies, address);
    }
}
