package dev.gatepost.dns;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Datagrams that one system call receives (recvmmsg(2)) and those that one sends in answer (sendmmsg(2)), in memory outside
/// the heap. Nothing is allocated after the constructor.
///
/// The structures are those of 64-bit Linux, the same on x86-64 and aarch64, with glibc and musl.
final class DatagramBatch {
    /// Queries that one system call brings, and answers that one takes.
    static final int SIZE = 32;
    /// Batches that are held side by side: while queries of one wait, others are received.
    static final int REGIONS = 4;
    private static final int PLACES = REGIONS * SIZE;
    /// Longest query: longer ones are cut, and so malformed.
    static final int QUERY = 2048;

    private static final int MSG_DONTWAIT = 0x40;
    private static final int AF_INET = 2;
    private static final int EAGAIN = 11;

    // struct mmsghdr
    private static final int MESSAGE = 64;
    private static final int NAME = 0;
    private static final int NAME_LENGTH = 8;
    private static final int VECTOR = 16;
    private static final int VECTORS = 24;
    private static final int CONTROL = 32;
    private static final int CONTROL_LENGTH = 40;
    private static final int LENGTH = 56;
    // struct iovec
    private static final int BUFFER = 16;
    private static final int BUFFER_LENGTH = 8;
    // struct sockaddr_in and sockaddr_in6, which is the longer one
    private static final int ADDRESS = 32;
    private static final int ADDRESS_LENGTH = 28;
    private static final int PORT = 2;
    private static final int IPV4 = 4;
    private static final int IPV6 = 8;
    /// Room for IPV6_PKTINFO: where a datagram was sent to.
    private static final int ANCILLARY = 64;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT;
    private static final ValueLayout.OfShort NETWORK_SHORT = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfInt NETWORK_INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private static final MethodHandle RECEIVE = SystemCall.of("recvmmsg", FunctionDescriptor.of(INT, INT, POINTER, INT, INT, POINTER));
    private static final MethodHandle SEND = SystemCall.of("sendmmsg", FunctionDescriptor.of(INT, INT, POINTER, INT, INT), Linker.Option.captureCallState("errno"));
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private final int longestAnswer;
    private final boolean ancillary;
    private final MemorySegment received;
    private final MemorySegment[] regions = new MemorySegment[REGIONS];
    /// How many messages of each region the kernel has written over.
    private final int[] filled = new int[REGIONS];
    private final MemorySegment answers;
    private final MemorySegment addresses;
    private final MemorySegment controls;
    private final MemorySegment queryVectors;
    private final MemorySegment answerVectors;
    private final MemorySegment queryBytes;
    private final MemorySegment answerBytes;
    private final MemorySegment state;
    /// One more message to send, apart from the batch.
    private final MemorySegment late;
    private final MemorySegment lateAddress;
    private final MemorySegment lateControl;
    private final MemorySegment lateVector;
    private final MemorySegment lateBytes;
    private int answered;

    /// @param longestAnswer of the batch, in bytes
    /// @param ancillary     whether an answer's source address is the one that its query was sent to, for a socket that is
    ///                      bound to all addresses (with IP_PKTINFO set)
    DatagramBatch(int longestAnswer, boolean ancillary) {
        this.longestAnswer = longestAnswer;
        this.ancillary = ancillary;
        Arena arena = Arena.ofAuto();
        received = arena.allocate((long) PLACES * MESSAGE, Long.BYTES);
        answers = arena.allocate((long) SIZE * MESSAGE, Long.BYTES);
        addresses = arena.allocate((long) PLACES * ADDRESS, Long.BYTES);
        controls = arena.allocate((long) PLACES * ANCILLARY, Long.BYTES);
        queryVectors = arena.allocate((long) PLACES * BUFFER, Long.BYTES);
        answerVectors = arena.allocate((long) SIZE * BUFFER, Long.BYTES);
        queryBytes = arena.allocate((long) PLACES * QUERY, Long.BYTES);
        answerBytes = arena.allocate((long) SIZE * longestAnswer, Long.BYTES);
        state = arena.allocate(Linker.Option.captureStateLayout());
        late = arena.allocate(MESSAGE, Long.BYTES);
        lateAddress = arena.allocate(ADDRESS, Long.BYTES);
        lateControl = arena.allocate(ANCILLARY, Long.BYTES);
        lateVector = arena.allocate(BUFFER, Long.BYTES);
        lateBytes = arena.allocate(Responder.MAX_MESSAGE, Long.BYTES);
        message(late, 0, lateVector, lateBytes);
        late.set(POINTER, NAME, lateAddress);
        late.set(POINTER, CONTROL, ancillary ? lateControl : MemorySegment.NULL);
        for (int i = 0; i < SIZE; i++) {
            message(answers, i, answerVectors, answerBytes.asSlice((long) i * longestAnswer, longestAnswer));
        }
        for (int i = 0; i < PLACES; i++) {
            message(received, i, queryVectors, queryBytes.asSlice((long) i * QUERY, QUERY));
            received.set(POINTER, (long) i * MESSAGE + NAME, addresses.asSlice((long) i * ADDRESS));
            if (ancillary) {
                received.set(POINTER, (long) i * MESSAGE + CONTROL, controls.asSlice((long) i * ANCILLARY));
            }
        }
        for (int i = 0; i < REGIONS; i++) {
            regions[i] = received.asSlice((long) i * SIZE * MESSAGE, (long) SIZE * MESSAGE);
            filled[i] = SIZE;
        }
    }

    private static void message(MemorySegment messages, int index, MemorySegment vectors, MemorySegment bytes) {
        MemorySegment vector = vectors.asSlice((long) index * BUFFER, BUFFER);
        vector.set(POINTER, 0, bytes);
        vector.set(LONG, BUFFER_LENGTH, bytes.byteSize());
        messages.set(POINTER, (long) index * MESSAGE + VECTOR, vector);
        messages.set(LONG, (long) index * MESSAGE + VECTORS, 1);
    }

    /// Takes what has come, without waiting, in place of what a region held. Returns how many; 0 when there is nothing. They
    /// have the numbers from `region * SIZE` on.
    int receive(int socket, int region) {
        expect(region * SIZE, filled[region]);
        int count;
        try {
            count = (int) RECEIVE.invokeExact(socket, regions[region], SIZE, MSG_DONTWAIT, MemorySegment.NULL);
        } catch (Throwable e) {
            throw new IllegalStateException("recvmmsg", e);
        }
        filled[region] = Math.max(0, count);
        return filled[region];
    }

    /// Copies a received query; returns its length.
    int query(int index, byte[] to) {
        int length = Math.min(received.get(INT, (long) index * MESSAGE + LENGTH), QUERY);
        MemorySegment.copy(queryBytes, BYTE, (long) index * QUERY, to, 0, length);
        return length;
    }

    /// Whether the sender's address is one of IPv4, be it mapped into IPv6 (RFC 4291 section 2.5.5.2), as a socket for both
    /// sees it.
    boolean isIpv4(int index) {
        long address = (long) index * ADDRESS;
        return addresses.get(SHORT, address) == AF_INET
                || (addresses.get(WORD, address + IPV6) == 0 && addresses.get(NETWORK_INT, address + IPV6 + 8) == 0xffff);
    }

    /// Copies the sender's address.
    ///
    /// @param to of 4 or 16 bytes, as [#isIpv4] says
    void sender(int index, byte[] to) {
        long address = (long) index * ADDRESS;
        int at = to.length == 16 ? IPV6 : addresses.get(SHORT, address) == AF_INET ? IPV4 : IPV6 + 12;
        MemorySegment.copy(addresses, BYTE, address + at, to, 0, to.length);
    }

    int senderPort(int index) {
        return Short.toUnsignedInt(addresses.get(NETWORK_SHORT, (long) index * ADDRESS + PORT));
    }

    /// Whether an answer has room in the batch; a longer one is sent apart.
    boolean hasRoomFor(int length) {
        return length <= longestAnswer;
    }

    /// Adds an answer that it has room for, to the sender of a received query. There is room for one to each query of a region.
    void answer(int index, byte[] from, int length) {
        long message = (long) answered * MESSAGE;
        long query = (long) index * MESSAGE;
        MemorySegment.copy(from, 0, answerBytes, BYTE, (long) answered * longestAnswer, length);
        answerVectors.set(LONG, (long) answered * BUFFER + BUFFER_LENGTH, length);
        answers.set(POINTER, message + NAME, received.get(POINTER, query + NAME));
        answers.set(INT, message + NAME_LENGTH, received.get(INT, query + NAME_LENGTH));
        if (ancillary) {
            answers.set(POINTER, message + CONTROL, received.get(POINTER, query + CONTROL));
            answers.set(LONG, message + CONTROL_LENGTH, received.get(LONG, query + CONTROL_LENGTH));
        }
        answered++;
    }

    /// Sends the answers, without waiting.
    ///
    /// @return how many were not sent: the socket takes no more, or their receiver can't be reached
    int send(int socket) {
        int from = 0;
        int unsent = 0;
        while (from < answered) {
            int sent;
            try {
                sent = (int) SEND.invokeExact(state, socket, answers.asSlice((long) from * MESSAGE), answered - from, MSG_DONTWAIT);
            } catch (Throwable e) {
                throw new IllegalStateException("sendmmsg", e);
            }
            if (sent >= 0) {
                from += sent;
            } else if ((int) ERRNO.get(state, 0L) == EAGAIN) {
                unsent += answered - from;
                break;
            } else {
                // The first one's fault, and no other's.
                unsent++;
                from++;
            }
        }
        answered = 0;
        return unsent;
    }

    /// Where the answer to a received query goes and which address it comes from, to be kept for an answer that isn't there yet.
    byte[] envelope(int index) {
        int control = ancillary ? (int) received.get(LONG, (long) index * MESSAGE + CONTROL_LENGTH) : 0;
        byte[] envelope = new byte[1 + ADDRESS + control];
        envelope[0] = (byte) received.get(INT, (long) index * MESSAGE + NAME_LENGTH);
        MemorySegment.copy(addresses, BYTE, (long) index * ADDRESS, envelope, 1, ADDRESS);
        MemorySegment.copy(controls, BYTE, (long) index * ANCILLARY, envelope, 1 + ADDRESS, control);
        return envelope;
    }

    /// Sends one answer, apart from the batch, without waiting.
    ///
    /// @param envelope as [#envelope] made it
    /// @return whether the socket took it
    boolean send(int socket, byte[] envelope, byte[] from, int length) {
        int control = envelope.length - 1 - ADDRESS;
        MemorySegment.copy(envelope, 1, lateAddress, BYTE, 0, ADDRESS);
        MemorySegment.copy(envelope, 1 + ADDRESS, lateControl, BYTE, 0, control);
        MemorySegment.copy(from, 0, lateBytes, BYTE, 0, length);
        late.set(INT, NAME_LENGTH, envelope[0]);
        late.set(LONG, CONTROL_LENGTH, control);
        lateVector.set(LONG, BUFFER_LENGTH, length);
        try {
            return (int) SEND.invokeExact(state, socket, late, 1, MSG_DONTWAIT) == 1;
        } catch (Throwable e) {
            throw new IllegalStateException("sendmmsg", e);
        }
    }

    /// What the kernel wrote over is made ready for it again.
    private void expect(int from, int count) {
        for (int i = from; i < from + count; i++) {
            received.set(INT, (long) i * MESSAGE + NAME_LENGTH, ADDRESS_LENGTH);
            if (ancillary) {
                received.set(LONG, (long) i * MESSAGE + CONTROL_LENGTH, ANCILLARY);
            }
        }
    }
}
