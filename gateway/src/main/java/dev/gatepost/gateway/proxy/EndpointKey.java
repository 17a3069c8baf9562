package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.EndpointProtocol;

/// What the state of an endpoint is kept by: an instance that moves to another address, or speaks another protocol, is
/// another endpoint.
record EndpointKey(String instance, String host, int port, EndpointProtocol protocol) {
    static EndpointKey of(Endpoint endpoint) {
        return new EndpointKey(endpoint.instance(), endpoint.host(), endpoint.port(), endpoint.protocol());
    }

    /// As it stands in a Host field (RFC 3986 section 3.2.2).
    String authority() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
