package dev.gatepost.dns;

import io.netty.channel.EventLoop;

/// Who answers for the names that the zone leaves to others.
public interface Outside {
    /// Nobody: such names are REFUSED.
    Outside NONE = _ -> Agent.NONE;

    /// The part of it that serves one event loop. Asked for before the loop answers anything, and perhaps more than once.
    Agent on(EventLoop loop);

    /// Answers for one event loop, and is confined to it.
    interface Agent {
        Agent NONE = new Agent() {
            @Override
            public boolean covers(byte[] bytes, int nameAt, int nameLength) {
                return false;
            }

            @Override
            public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
                relay.end = from;
                relay.rcode = Rcode.REFUSED;
                return true;
            }

            @Override
            public void ask(Asker asker) {
                throw new IllegalStateException("nobody to ask");
            }
        };

        /// Whether any name at all may be asked for: the RA bit.
        default boolean recursive() {
            return true;
        }

        /// Whether anybody is asked about an uncompressed name. A name that the zone only shares is left to the agent if so.
        boolean covers(byte[] bytes, int nameAt, int nameLength);

        /// Whether a name that it covers is the server's own, though somebody has to be asked for it: open to all who are
        /// answered at all.
        default boolean isOwn(byte[] bytes, int nameAt, int nameLength) {
            return false;
        }

        /// Answers a query with what is known: records into `out[from, to)`, which is where they are behind the question in
        /// the query's own spelling, and the rest into `relay`.
        ///
        /// @return false when somebody has to be asked first: [#ask] does
        boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay);

        /// Asks what [#answer] has just returned false for, and tells the asker once, on this loop; perhaps before this
        /// returns.
        void ask(Asker asker);
    }

    /// A query that waits for its answer.
    interface Asker {
        /// Its address, 4 or 16 bytes.
        byte[] client();

        void answered(Reply reply);
    }

    /// What came of asking. Any number of queries for the same question may be answered with it.
    @FunctionalInterface
    interface Reply {
        /// As [Agent#answer] does.
        void write(Query query, byte[] in, byte[] out, int from, int to, Relay relay);
    }
}
