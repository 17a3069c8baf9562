package dev.gatepost.dns.forward;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/// One message sent to one upstream on behalf of a question, until its answer is there or nobody waits any more.
abstract sealed class Attempt permits UdpAttempt, StreamAttempt {
    /// Who waits.
    interface Asking {
        /// `message[0, length)` matches what was sent; valid during the call.
        void received(Attempt attempt, byte[] message, int length);

        void lost(Attempt attempt, String reason);
    }

    final Asking asking;
    final Standing standing;
    final Sent sent;
    final long startedNanos;
    private boolean over;
    /// It has been counted as late already.
    boolean late;

    /// What was sent: the answer must fit it.
    static final class Sent {
        private static final int OPT_LENGTH = 11;
        private static final int UDP_PAYLOAD = 1232;

        private final int id;
        private final byte[] name;
        private final QuestionKey question;
        private final boolean edns;

        private Sent(int id, byte[] name, QuestionKey question, boolean edns) {
            this.id = id;
            this.name = name;
            this.question = question;
            this.edns = edns;
        }

        static Sent of(QuestionKey question, int id, boolean edns, boolean mixCase) {
            byte[] name = Arrays.copyOf(question.name(), question.nameLength());
            if (mixCase) {
                mix(name);
            }
            return new Sent(id, name, question, edns);
        }

        private static void mix(byte[] name) {
            long bits = 0;
            for (int i = 0; i < name.length; i++) {
                bits = (i & 63) == 0 ? ThreadLocalRandom.current().nextLong() : bits >>> 1;
                if (name[i] >= 'a' && name[i] <= 'z' && (bits & 1) != 0) {
                    name[i] = (byte) (name[i] & ~0x20);
                }
            }
        }

        int id() {
            return id;
        }

        boolean edns() {
            return edns;
        }

        boolean isAnsweredBy(byte[] message, int length) {
            return AnswerReader.matches(message, length, id, name, question.type());
        }

        byte[] message() {
            byte[] bytes = new byte[AnswerReader.HEADER + name.length + 4 + (edns ? OPT_LENGTH : 0)];
            put16(bytes, 0, id);
            // RD, AD: tell us what you have validated (RFC 6840 section 5.7).
            put16(bytes, 2, 0x0120 | (question.checkingDisabled() ? 0x0010 : 0));
            bytes[5] = 1;
            System.arraycopy(name, 0, bytes, AnswerReader.HEADER, name.length);
            int at = AnswerReader.HEADER + name.length;
            put16(bytes, at, question.type());
            bytes[at + 3] = 1;
            if (edns) {
                bytes[11] = 1;
                put16(bytes, at + 5, 41);
                put16(bytes, at + 7, UDP_PAYLOAD);
                put16(bytes, at + 11, question.dnssecOk() ? 0x8000 : 0);
            }
            return bytes;
        }

        private static void put16(byte[] bytes, int at, int value) {
            bytes[at] = (byte) (value >> 8);
            bytes[at + 1] = (byte) value;
        }
    }

    Attempt(Asking asking, Standing standing, Sent sent, long startedNanos) {
        this.asking = asking;
        this.standing = standing;
        this.sent = sent;
        this.startedNanos = startedNanos;
    }

    boolean isOver() {
        return over;
    }

    /// Ends it: nothing more is told to anybody.
    final void end() {
        if (!over) {
            over = true;
            release();
        }
    }

    final void received(byte[] message, int length) {
        if (!over) {
            end();
            asking.received(this, message, length);
        }
    }

    final void lost(String reason) {
        if (!over) {
            end();
            asking.lost(this, reason);
        }
    }

    abstract boolean isStream();

    abstract void release();
}
