package dev.gatepost.gateway.accesslog;

/// What all lines of one gateway have in common.
final class EcsConstants {
    private static final byte[] ACCESS = event("web", "access");
    private static final byte[] QUERY = event("network", "dns");

    private final byte[] head;

    private EcsConstants(byte[] head) {
        this.head = head;
    }

    static EcsConstants of(AccessLog.Origin origin) {
        Json head = new Json().open("ecs").member("version", "8.17.0").close();
        if (!origin.host().isEmpty()) {
            head.open("host").member("name", origin.host()).close();
        }
        head.open("observer").member("type", "proxy").member("product", "gatepost").member("version", origin.version()).close();
        return new EcsConstants(head.bytes());
    }

    /// `ecs`, `host` and `observer`.
    byte[] head() {
        return head;
    }

    /// The members of `event` that never change for an exchange, not closed.
    byte[] access() {
        return ACCESS;
    }

    /// The same for a DNS query.
    byte[] query() {
        return QUERY;
    }

    private static byte[] event(String category, String dataset) {
        return new Json()
                .open("event")
                .member("kind", "event")
                .raw(",\"category\":[\"" + category + "\"]")
                .member("module", "gatepost")
                .member("dataset", "gatepost." + dataset)
                .bytes();
    }
}
