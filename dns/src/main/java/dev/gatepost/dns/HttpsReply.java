package dev.gatepost.dns;

/// Sends an answer to whoever asked over HTTPS.
@FunctionalInterface
public interface HttpsReply {
    /// @param answer        `answer[0, length)` is valid during the call; length 0: what came was no query
    /// @param maxAgeSeconds how long it may be kept
    void answered(byte[] answer, int length, int maxAgeSeconds);
}
