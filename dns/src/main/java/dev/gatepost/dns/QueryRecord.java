package dev.gatepost.dns;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/// What is known of one query when it has been answered, for whoever logs and counts. Mutable and reused, one per socket:
/// valid only during [QueryLog#answered].
public final class QueryRecord {
    /// Wall clock, nanoseconds since the epoch, at receipt.
    public long startEpochNanos;
    public long durationNanos;
    /// The peer as 4 or 16 bytes in network order.
    public byte[] clientAddress = {};
    public int clientPort;
    public Transport transport = Transport.UDP;

    /// The query as it came and where its question name lies in it (wire format, client's case); length 0 when unreadable.
    public byte[] query = {};
    public int nameFrom;
    public int nameTo;
    public int id;
    public int type;
    public int queryClass;
    public int opcode;

    /// -1 when nothing was sent.
    public int rcode;
    public int answers;
    public int queryBytes;
    public int responseBytes;
    public boolean truncated;
    public Source source = Source.ZONE;
    /// The upstream that the answer came from, as it is configured; empty when none was asked or nobody knows any more.
    public String upstream = "";
    /// Answered past its TTL, since nobody could be asked (RFC 8767).
    public boolean stale;
    /// The client may not ask this.
    public boolean denied;
    /// Index of the zone's origin that the question belongs to; -1 for a name outside all of them.
    int origin = Owner.ISLAND;
    /// Revision of the zone that answered.
    public long revision;

    public enum Transport { UDP, TCP, TLS, HTTPS }

    /// Who answered: the zone, the cache, an upstream by forwarding, or nobody (refused, malformed).
    public enum Source { ZONE, CACHE, FORWARD, NONE }

    /// The peer, for the slow path.
    public InetSocketAddress client() {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(clientAddress), clientPort);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("client address of " + clientAddress.length + " bytes (expected: 4 or 16)", e);
        }
    }
}
