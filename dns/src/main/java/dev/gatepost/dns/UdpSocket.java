package dev.gatepost.dns;

import dev.gatepost.dns.access.FairShare;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import static java.lang.foreign.ValueLayout.JAVA_INT;

/// Answers datagrams straight from the socket: two system calls and no object for all that one turn of the event loop finds.
///
/// The socket is opened and closed as a Netty channel that is never read; this reads a duplicate of its descriptor, on the
/// same event loop.
final class UdpSocket implements EpollIoHandle {
    private static final Logger LOG = LoggerFactory.getLogger(UdpSocket.class);

    /// So many batches before the loop's other sockets have their turn.
    private static final int MOST_BATCHES = 4;
    /// The same when most of what comes is dropped.
    private static final long TURN_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int IPPROTO_IP = 0;
    private static final int IP_PKTINFO = 8;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_RECVPKTINFO = 49;

    private static final MethodHandle DUP = SystemCall.of("dup", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private final Desk desk;
    private final FileDescriptor socket;
    private final DatagramBatch batch;
    private final byte[] ipv4 = new byte[4];
    private final byte[] ipv6 = new byte[16];
    private final Overload overload = new Overload();
    private final FloodFilter filter;
    /// Which queries of each region of the batch wait for their turn: a bit for each.
    private final int[] waiting = new int[DatagramBatch.REGIONS];
    /// The region in which nobody waits.
    private int free;
    private @Nullable IoRegistration registration;
    private boolean closed;

    private UdpSocket(Desk desk, FileDescriptor socket, DatagramBatch batch) {
        this.desk = desk;
        this.socket = socket;
        this.batch = batch;
        this.filter = new FloodFilter(socket.intValue());
    }

    /// Begins to answer what comes to a bound channel with `autoRead` off, until that is closed.
    ///
    /// @param longestAnswer in bytes
    /// @throws IOException the process has no descriptor left
    static void serve(EpollDatagramChannel channel, Desk desk, int longestAnswer) throws IOException {
        int descriptor = duplicate(channel.fd().intValue());
        // Beyond net.core.rmem_max, where we may; else it has been set to as much as that allows.
        set(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, DnsServer.UDP_BUFFER);
        boolean anyAddress = channel.localAddress().getAddress().isAnyLocalAddress();
        var batch = new DatagramBatch(longestAnswer, anyAddress && tellsDestination(descriptor));
        var socket = new UdpSocket(desk, new FileDescriptor(descriptor), batch);
        var loop = (IoEventLoop) channel.eventLoop();
        loop.register(socket).addListener(registered -> {
            if (registered.isSuccess()) {
                IoRegistration registration = (IoRegistration) registered.getNow();
                socket.registration = registration;
                registration.submit(EpollIoOps.EPOLLIN);
            } else {
                LOG.error("dns: {} is not read", channel.localAddress(), registered.cause());
            }
        });
        channel.closeFuture().addListener(_ -> socket.close());
    }

    @Override
    public FileDescriptor fd() {
        return socket;
    }

    @Override
    public void handle(IoRegistration registration, IoEvent event) {
        if (overload.isOn()) {
            answerFairly();
            return;
        }
        int received;
        int batches = 0;
        do {
            received = batch.receive(socket.intValue(), 0);
            if (received == 0) {
                overload.caughtUp();
                return;
            }
            answer(received);
        } while (received == DatagramBatch.SIZE && ++batches < MOST_BATCHES);
        if (received < DatagramBatch.SIZE) {
            overload.caughtUp();
        } else if (overload.fellBehind(System.nanoTime(), filter.isDeep())) {
            // What was lost until now was lost to a burst.
            filter.droppedSince();
        }
    }

    /// Takes all that is there, so that nothing grows old in the socket. Clients that ask little are answered at once, the
    /// others when the socket is empty: the newest first, since those who asked longest ago are the likeliest to have given up.
    private void answerFairly() {
        FairShare shares = overload.shares();
        long began = System.nanoTime();
        long now = began;
        int dropped = 0;
        boolean goesOn;
        do {
            if (shares.turnTo(now)) {
                if (!filter.pass(shares)) {
                    shares.takeAll();
                }
                dropped += filter.droppedSince();
            }
            int received = batch.receive(socket.intValue(), free);
            goesOn = received > 0;
            if (goesOn) {
                dropped += admit(received, now) + makeFree();
            }
            if (received < DatagramBatch.SIZE) {
                goesOn |= answerNewest(now);
            }
            now = System.nanoTime();
        } while (goesOn && now - began < TURN_NANOS);
        while (answerNewest(now)) {
            // They are few, and nobody would come back to them.
        }
        shares.worked(System.nanoTime() - began);
        desk.counters.add(DnsCounters.Loop.SHED, dropped);
        if (dropped > 0 && overload.drops(now)) {
            LOG.warn("dns: more queries come by UDP than can be answered: each client has its share, the rest is dropped");
        } else if (overload.isOver(now)) {
            LOG.info("dns: all queries by UDP are answered again");
        }
        if (!overload.isOn()) {
            filter.passAll();
        }
    }

    /// Of what the free region has received, answers those who go first and has others wait.
    ///
    /// @return how many are dropped
    private int admit(int received, long now) {
        int from = free * DatagramBatch.SIZE;
        int dropped = 0;
        int wait = 0;
        for (int i = 0; i < received; i++) {
            byte[] address = batch.isIpv4(from + i) ? ipv4 : ipv6;
            batch.sender(from + i, address);
            switch (overload.shares().place(address)) {
                case FIRST -> answerSafely(from + i, now);
                case LATER -> wait |= 1 << i;
                case NEVER -> dropped++;
            }
        }
        waiting[free] = wait;
        send();
        return dropped;
    }

    /// Goes on to the region that was received longest ago. Who still waits there has waited in vain.
    ///
    /// @return how many those are
    private int makeFree() {
        free = (free + 1) % DatagramBatch.REGIONS;
        int late = Integer.bitCount(waiting[free]);
        waiting[free] = 0;
        overload.shares().missed(late);
        return late;
    }

    /// Answers those who wait in one region, the one that was received last.
    ///
    /// @return whether there was one
    private boolean answerNewest(long now) {
        for (int i = 1; i < DatagramBatch.REGIONS; i++) {
            int region = Math.floorMod(free - i, DatagramBatch.REGIONS);
            int left = waiting[region];
            if (left != 0) {
                waiting[region] = 0;
                for (; left != 0; left &= left - 1) {
                    answerSafely(region * DatagramBatch.SIZE + Integer.numberOfTrailingZeros(left), now);
                }
                send();
                return true;
            }
        }
        return false;
    }

    /// Answers so many received queries.
    private void answer(int received) {
        long now = System.nanoTime();
        for (int i = 0; i < received; i++) {
            answerSafely(i, now);
        }
        send();
    }

    private void answerSafely(int index, long now) {
        try {
            answer(index, now);
        } catch (RuntimeException e) {
            // One query that finds a bug is no reason to leave the others of its batch without an answer.
            LOG.error("bug while answering a query by UDP: it gets no answer", e);
        }
    }

    private void send() {
        int unsent = batch.send(socket.intValue());
        if (unsent > 0) {
            desk.counters.add(DnsCounters.Loop.UNSENT, unsent);
        }
    }

    private void answer(int index, long receivedNanos) {
        int length = batch.query(index, desk.in);
        byte[] address = batch.isIpv4(index) ? ipv4 : ipv6;
        batch.sender(index, address);
        overload.seen(address);
        int port = batch.senderPort(index);
        int written = desk.answerDatagram(length, address, port, receivedNanos);
        switch (written) {
            case Responder.DROPPED -> {}
            case Responder.LATER -> {
                byte[] envelope = batch.envelope(index);
                desk.later((answer, size) -> answerApart(envelope, answer, size));
            }
            default -> {
                if (batch.hasRoomFor(written)) {
                    batch.answer(index, desk.out, written);
                } else {
                    // Only a mimic answers at such length: it goes by the client's word alone.
                    answerApart(batch.envelope(index), desk.out, written);
                }
            }
        }
    }

    private void answerApart(byte[] envelope, byte[] answer, int length) {
        if (closed || !batch.send(socket.intValue(), envelope, answer, length)) {
            desk.counters.add(DnsCounters.Loop.UNSENT, 1);
        }
    }

    private static int duplicate(int descriptor) throws IOException {
        try {
            int duplicate = (int) DUP.invokeExact(descriptor);
            if (duplicate < 0) {
                throw new IOException("dns: no descriptor left for a socket");
            }
            return duplicate;
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("dup", e);
        }
    }

    /// Has each datagram tell which of this machine's addresses it was sent to: an answer from another one would be refused.
    private static boolean tellsDestination(int descriptor) {
        // Not both: with the first, a socket for both families tells of IPv4 as well, and takes only one in an answer.
        return set(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) || set(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
    }

    /// Sets an option, if the kernel has it and lets us.
    private static boolean set(int descriptor, int level, int option, int value) {
        try (Arena arena = Arena.ofConfined()) {
            return SystemCall.setOption(descriptor, level, option, arena.allocateFrom(JAVA_INT, value), Integer.BYTES);
        }
    }

    @Override
    public void close() {
        closed = true;
        if (registration != null) {
            registration.cancel();
        }
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("dns: socket not closed", e);
        }
    }
}
