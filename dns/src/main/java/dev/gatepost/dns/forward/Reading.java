package dev.gatepost.dns.forward;

/// What an upstream's message turned out to be.
sealed interface Reading {
    record Answered(CachedAnswer answer) implements Reading {}

    /// The answer is longer than the transport allows.
    record Truncated() implements Reading {}

    /// A code other than NOERROR and NXDOMAIN: it can't or won't say.
    ///
    /// @param edns whether the message had an OPT record
    record Failed(int rcode, boolean edns) implements Reading {}

    /// It does not answer the question.
    record Unusable(String reason) implements Reading {}
}
