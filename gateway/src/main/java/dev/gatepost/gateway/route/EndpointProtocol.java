package dev.gatepost.gateway.route;

/// What an endpoint speaks, and over TLS who it must prove to be. Each instance says it for itself: during a change from one
/// to the other, both kinds serve a route.
///
/// @param serverName the name that its certificate must have, and that it is asked for by SNI; empty: its own host
/// @param verified   whether its certificate is checked
public record EndpointProtocol(Scheme scheme, String serverName, boolean verified) {
    public static final EndpointProtocol HTTP = new EndpointProtocol(Scheme.HTTP, "", true);

    public enum Scheme {
        /// HTTP/1 without TLS.
        HTTP(false, false),
        /// TLS; ALPN decides between HTTP/2 and HTTP/1.
        HTTPS(true, false),
        /// HTTP/2 without TLS.
        H2C(false, true),
        /// HTTP/2 over TLS, nothing else.
        H2(true, true);

        private final boolean secure;
        private final boolean http2;

        Scheme(boolean secure, boolean http2) {
            this.secure = secure;
            this.http2 = http2;
        }

        public boolean isSecure() {
            return secure;
        }

        /// Whether it speaks HTTP/2 and nothing else.
        public boolean isHttp2() {
            return http2;
        }
    }

    public EndpointProtocol(Scheme scheme) {
        this(scheme, "", true);
    }
}
