package dev.gatepost.gateway.zone;

/// What the gate serves, as far as names care. The same object as long as nothing of it changed.
public interface ServedHosts {
    /// A gate without routes.
    ServedHosts NONE = new ServedHosts() {
        @Override
        public boolean leadTo(String service) {
            return false;
        }

        @Override
        public boolean serve(String host) {
            return false;
        }

        @Override
        public boolean serveSecurely(String host) {
            return false;
        }
    };

    /// Whether any route leads to the service.
    ///
    /// @param service in lower case
    boolean leadTo(String service);

    /// Whether any route serves the host.
    ///
    /// @param host in lower case, without a dot at the end
    boolean serve(String host);

    /// Whether one does over HTTPS, with a certificate that names the host: a client that is told so never tries without.
    boolean serveSecurely(String host);
}
