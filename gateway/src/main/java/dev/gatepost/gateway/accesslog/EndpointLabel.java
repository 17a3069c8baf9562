package dev.gatepost.gateway.accesslog;

/// The facts of one endpoint that each of its log lines repeats.
///
/// @param host IP literal or name of the endpoint
public record EndpointLabel(String service, String instance, String node, String datacenter, String host, int port) {
    public static final EndpointLabel NONE = new EndpointLabel("", "", "", "", "", 0);
}
