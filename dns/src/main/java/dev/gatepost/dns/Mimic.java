package dev.gatepost.dns;

/// Forms answers the way another server does, in place of the responder: for clients that rely on that server's quirks.
/// A zone carries it, so that what is served stays one reference. Called by the event loops, several at a time.
public interface Mimic {
    /// Answers one query, whatever its bytes are.
    ///
    /// @param stream   whether it came over a stream
    /// @param forwards whether names outside may be answered by somebody else
    /// @param out      room for the answer
    /// @param record   holds what could be read of the query; takes [QueryRecord#rcode] and the facts of the answer
    /// @return bytes written to `out`, or [Responder#DROPPED] or [Responder#OUTSIDE]
    int answer(byte[] in, int length, boolean stream, boolean forwards, byte[] out, QueryRecord record);
}
