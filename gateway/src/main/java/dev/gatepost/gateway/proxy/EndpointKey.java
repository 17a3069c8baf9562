package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.Endpoint;

/// What the state of an endpoint is kept by: an instance that moves to another address is another endpoint.
record EndpointKey(String instance, String host, int port) {
    static EndpointKey of(Endpoint endpoint) {
        return new EndpointKey(endpoint.instance(), endpoint.host(), endpoint.port());
    }
}
