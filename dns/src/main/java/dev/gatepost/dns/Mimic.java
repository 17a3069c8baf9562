package dev.gatepost.dns;

import java.util.Optional;

/// Forms answers the way another server does, in place of the responder: for clients that rely on that server's quirks.
/// A zone carries it, so that what is served stays one reference. Called by the event loops, several at a time.
public interface Mimic {
    /// What others say about names that an answer leads to.
    interface Recursion {
        /// Nobody says anything.
        Recursion NONE = new Recursion() {
            @Override
            public boolean isAvailable() {
                return false;
            }

            @Override
            public Optional<byte[]> addresses(DomainName name) {
                return Optional.of(new byte[0]);
            }
        };

        /// Whether names outside may be answered by somebody else.
        boolean isAvailable();

        /// Asks for a name's IPv4 addresses.
        ///
        /// @return the message that answers, empty when nobody does; absent when it isn't there yet: then [Mimic#answer] returns
        ///         [Responder#OUTSIDE], and is called again when it is
        Optional<byte[]> addresses(DomainName name);
    }

    /// Answers one query, whatever its bytes are.
    ///
    /// @param stream    whether it came over a stream
    /// @param recursion of this query
    /// @param out       room for the answer
    /// @param record    holds what could be read of the query; takes [QueryRecord#rcode] and the facts of the answer
    /// @return bytes written to `out`, or [Responder#DROPPED] or [Responder#OUTSIDE]
    int answer(byte[] in, int length, boolean stream, Recursion recursion, byte[] out, QueryRecord record);
}
