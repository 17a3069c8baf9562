package dev.gatepost.gateway.accesslog;

import io.netty.util.NetUtil;

/// The facts of one endpoint that each of its log lines repeats, encoded once.
public final class EndpointLabel {
    public static final EndpointLabel NONE = new EndpointLabel("", "", "", "", "", 0);

    private final String service;
    private final String instance;
    private final byte[] target;
    private final byte[] datacenter;
    private final byte[] attempt;

    /// @param host IP literal or name of the endpoint
    public EndpointLabel(String service, String instance, String node, String datacenter, String host, int port) {
        this.service = service;
        this.instance = instance;
        Json target = new Json().open("service").member("name", "gatepost");
        if (!service.isEmpty()) {
            target.open("target").member("name", service).member("id", instance);
            if (!node.isEmpty()) {
                target.open("node").member("name", node).close();
            }
            target.close();
        }
        target.close();
        if (!host.isEmpty()) {
            boolean literal = NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host);
            target.open("destination").member("address", host).member(literal ? "ip" : "domain", host).member("port", port).close();
        }
        this.target = target.bytes();
        Json attempt = new Json().raw("{").member("instance", instance);
        if (!node.isEmpty()) {
            attempt.member("node", node);
        }
        this.attempt = attempt.member("dc", datacenter).bytes();
        this.datacenter = new Json().member("datacenter", datacenter).bytes();
    }

    public String service() {
        return service;
    }

    public String instance() {
        return instance;
    }

    /// `service`, ours and the target, and `destination`.
    byte[] target() {
        return target;
    }

    /// `instance`, `node` and `dc` of an attempt, its brace not closed.
    byte[] attempt() {
        return attempt;
    }

    /// `datacenter`; empty when there is none.
    byte[] datacenter() {
        return datacenter;
    }
}
