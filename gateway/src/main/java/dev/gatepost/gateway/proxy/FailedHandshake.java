package dev.gatepost.gateway.proxy;

import javax.net.ssl.SSLException;

/// Why a TLS handshake failed, in a few words: the layers above say only that it did.
final class FailedHandshake {
    private FailedHandshake() {}

    /// What went wrong at the bottom.
    static String describe(Throwable problem) {
        Throwable cause = problem;
        while (cause.getCause() != null && (cause instanceof SSLException || cause.getMessage() == null)) {
            cause = cause.getCause();
        }
        return "handshake: " + (cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
    }
}
