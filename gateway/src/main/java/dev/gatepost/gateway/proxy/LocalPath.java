package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.RouteLabel;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// Which requests over TLS a service of this process answers, before any route is looked for.
public final class LocalPath {
    final LocalService service;
    final RouteLabel label;
    private final byte[] host;
    private final byte[] path;

    /// @param id   for the log
    /// @param host in lower case; empty for any
    /// @param path exact, as it is once normalised
    public LocalPath(String id, String host, String path, LocalService service) {
        this.service = service;
        this.label = new RouteLabel(id, host + path, "config");
        this.host = host.getBytes(ISO_8859_1);
        this.path = path.getBytes(ISO_8859_1);
    }

    /// @param bytes      where the request's host is
    /// @param normalized holds its path up to `length`
    boolean matches(byte[] bytes, int hostFrom, int hostTo, byte[] normalized, int length) {
        if (length != path.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (normalized[i] != path[i]) {
                return false;
            }
        }
        return host.length == 0 || Syntax.equalsIgnoreCase(bytes, hostFrom, hostTo, host);
    }
}
