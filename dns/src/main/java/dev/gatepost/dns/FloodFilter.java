package dev.gatepost.dns;

import dev.gatepost.dns.access.FairShare;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

/// Has the kernel drop most of what floods send before it takes a place in the socket: a classic BPF program, which needs no
/// privilege (socket(7), `SO_ATTACH_FILTER`). To read a datagram and drop it costs many times as much, and in a pause the
/// socket would be filled by floods alone.
///
/// Where the kernel takes no program, everything is read, as it is without a flood.
final class FloodFilter {
    private static final int SOL_SOCKET = 1;
    private static final int SO_ATTACH_FILTER = 26;
    private static final int SO_DETACH_FILTER = 27;
    private static final int SO_MEMINFO = 55;
    private static final int MEMINFO_WORDS = 9;
    private static final int MEMINFO_QUEUED = 0;
    private static final int MEMINFO_LIMIT = 1;
    private static final int MEMINFO_DROPS = 8;

    // struct sock_filter
    private static final int INSTRUCTION = 8;
    private static final int JUMP_TRUE = 2;
    private static final int JUMP_FALSE = 3;
    private static final int OPERAND = 4;
    // linux/bpf_common.h
    private static final int LOAD_WORD = 0x20;
    private static final int LOAD_BYTE = 0x30;
    private static final int MULTIPLY = 0x24;
    private static final int SHIFT_RIGHT = 0x74;
    private static final int XOR = 0xa4;
    private static final int XOR_X = 0xac;
    private static final int TO_X = 0x07;
    private static final int JUMP = 0x05;
    private static final int IF_EQUAL = 0x15;
    private static final int IF_AT_LEAST = 0x35;
    private static final int RETURN = 0x06;
    // linux/filter.h
    private static final int IP = -0x100000;
    private static final int RANDOM = -0x1000 + 56;
    private static final int IPV4_SOURCE = IP + 12;
    private static final int IPV6_SOURCE = IP + 8;
    private static final int WHOLE = -1;

    private static final int BEFORE_FLOODS = 13;
    private static final int PER_FLOOD = 4;
    private static final int LONGEST = BEFORE_FLOODS + FairShare.MOST_FLOODS * PER_FLOOD + 1;

    private static final MethodHandle GET_OPTION =
            SystemCall.of("getsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));

    private final int socket;
    private final MemorySegment code;
    private final MemorySegment program;
    private final MemorySegment memory;
    private final MemorySegment memoryLength;
    private int length;
    private boolean attached;
    private int dropped;
    /// Whether the kernel tells how full the socket is.
    private boolean told;

    FloodFilter(int socket) {
        this.socket = socket;
        Arena arena = Arena.ofAuto();
        code = arena.allocate((long) LONGEST * INSTRUCTION, INSTRUCTION);
        program = arena.allocate(2L * Long.BYTES, Long.BYTES);
        program.set(ADDRESS, Long.BYTES, code);
        memory = arena.allocate((long) MEMINFO_WORDS * Integer.BYTES, Integer.BYTES);
        memoryLength = arena.allocate(JAVA_INT);
        dropped = drops();
    }

    /// Has those parts of the floods' queries pass that are enough, and everything else.
    ///
    /// @return whether it does; else all pass
    boolean pass(FairShare shares) {
        if (shares.floods() == 0) {
            passAll();
            return true;
        }
        length = 0;
        // The slot of the sender, as FairShare has it.
        add(LOAD_BYTE, 0, 0, IP);
        add(SHIFT_RIGHT, 0, 0, 4);
        add(IF_EQUAL, 0, 2, 4);
        add(LOAD_WORD, 0, 0, IPV4_SOURCE);
        add(JUMP, 0, 0, 5);
        add(LOAD_WORD, 0, 0, IPV6_SOURCE);
        add(MULTIPLY, 0, 0, FairShare.MIX);
        add(TO_X, 0, 0, 0);
        add(LOAD_WORD, 0, 0, IPV6_SOURCE + 4);
        add(XOR_X, 0, 0, 0);
        add(XOR, 0, 0, shares.secret());
        add(MULTIPLY, 0, 0, FairShare.SPREAD);
        add(SHIFT_RIGHT, 0, 0, FairShare.SHIFT);
        for (int i = 0; i < shares.floods(); i++) {
            add(IF_EQUAL, 0, 3, shares.flood(i));
            add(LOAD_WORD, 0, 0, RANDOM);
            add(IF_AT_LEAST, 0, 1, (int) Math.min(0xffff_ffffL, (long) (shares.part(i) * 0x1p32)));
            add(RETURN, 0, 0, 0);
        }
        add(RETURN, 0, 0, WHOLE);
        program.set(JAVA_SHORT, 0, (short) length);
        if (!set(SO_ATTACH_FILTER, program, 2 * Long.BYTES)) {
            passAll();
            return false;
        }
        attached = true;
        return true;
    }

    void passAll() {
        if (attached) {
            attached = !set(SO_DETACH_FILTER, memoryLength, Integer.BYTES);
        }
    }

    private void add(int operation, int ifTrue, int ifFalse, int operand) {
        long at = (long) length++ * INSTRUCTION;
        code.set(JAVA_SHORT, at, (short) operation);
        code.set(JAVA_BYTE, at + JUMP_TRUE, (byte) ifTrue);
        code.set(JAVA_BYTE, at + JUMP_FALSE, (byte) ifFalse);
        code.set(JAVA_INT, at + OPERAND, operand);
    }

    /// How many datagrams the kernel has dropped since this was asked last, by the program or for want of room.
    int droppedSince() {
        int before = dropped;
        dropped = drops();
        return dropped - before;
    }

    /// Whether more than a quarter of the socket's room is taken: some 10 ms of answering. Where the kernel doesn't tell, that must be
    /// assumed: an overload has to be noticed.
    boolean isDeep() {
        drops();
        return !told || memory.getAtIndex(JAVA_INT, MEMINFO_QUEUED) > memory.getAtIndex(JAVA_INT, MEMINFO_LIMIT) / 4;
    }

    private int drops() {
        memoryLength.set(JAVA_INT, 0, MEMINFO_WORDS * Integer.BYTES);
        try {
            int result = (int) GET_OPTION.invokeExact(socket, SOL_SOCKET, SO_MEMINFO, memory, memoryLength);
            told = result == 0 && memoryLength.get(JAVA_INT, 0) == MEMINFO_WORDS * Integer.BYTES;
            return told ? memory.getAtIndex(JAVA_INT, MEMINFO_DROPS) : 0;
        } catch (Throwable e) {
            throw new IllegalStateException("getsockopt", e);
        }
    }

    private boolean set(int option, MemorySegment value, int size) {
        return SystemCall.setOption(socket, SOL_SOCKET, option, value, size);
    }
}
