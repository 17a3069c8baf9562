package dev.gatepost.gateway.tls;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;

/// Who encrypts: BoringSSL where its native library loads, the JDK elsewhere (several times the CPU per handshake).
public enum TlsProvider {
    BORINGSSL(SslProvider.OPENSSL_REFCNT),
    JDK(SslProvider.JDK);

    private static final TlsProvider CURRENT = OpenSsl.isAvailable() ? BORINGSSL : JDK;

    private final SslProvider netty;

    TlsProvider(SslProvider netty) {
        this.netty = netty;
    }

    public static TlsProvider current() {
        return CURRENT;
    }

    SslProvider netty() {
        return netty;
    }

    /// For the start's log line and `gatepost version`: `BoringSSL`, or `JDK (BoringSSL did not load: ...)`.
    public String describe() {
        return switch (this) {
            case BORINGSSL -> OpenSsl.versionString();
            case JDK -> OpenSsl.isAvailable() ? "JDK" : "JDK (BoringSSL did not load: " + rootCause(OpenSsl.unavailabilityCause()) + ")";
        };
    }

    private static String rootCause(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }
}
