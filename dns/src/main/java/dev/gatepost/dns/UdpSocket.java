package dev.gatepost.dns;

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
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

/// Answers datagrams straight from the socket: two system calls and no object for all that one turn of the event loop finds.
///
/// The socket is opened and closed as a Netty channel that is never read; this reads a duplicate of its descriptor, on the
/// same event loop.
final class UdpSocket implements EpollIoHandle {
    private static final Logger LOG = LoggerFactory.getLogger(UdpSocket.class);

    /// So many batches before the loop's other sockets have their turn.
    private static final int MOST_BATCHES = 4;
    /// The same when most of them are dropped.
    private static final int MOST_BATCHES_AT_ONCE = 64;
    private static final int IPPROTO_IP = 0;
    private static final int IP_PKTINFO = 8;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_RECVPKTINFO = 49;

    private static final MethodHandle DUP = SystemCall.of("dup", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle SET_OPTION =
            SystemCall.of("setsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));

    private final Desk desk;
    private final FileDescriptor socket;
    private final DatagramBatch batch;
    private final byte[] ipv4 = new byte[4];
    private final byte[] ipv6 = new byte[16];
    private final Overload overload = new Overload();
    private @Nullable IoRegistration registration;
    private boolean closed;

    private UdpSocket(Desk desk, FileDescriptor socket, DatagramBatch batch) {
        this.desk = desk;
        this.socket = socket;
        this.batch = batch;
    }

    /// Begins to answer what comes to a bound channel with `autoRead` off, until that is closed.
    ///
    /// @param longestAnswer in bytes
    /// @throws IOException the process has no descriptor left
    static void serve(EpollDatagramChannel channel, Desk desk, int longestAnswer) throws IOException {
        int descriptor = duplicate(channel.fd().intValue());
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
            received = batch.receive(socket.intValue());
            if (received == 0) {
                overload.caughtUp();
                return;
            }
            answer(received);
        } while (received == DatagramBatch.SIZE && ++batches < MOST_BATCHES);
        if (received < DatagramBatch.SIZE) {
            overload.caughtUp();
        } else if (overload.fellBehind(System.nanoTime())) {
            LOG.warn("dns: more queries come by UDP than can be answered: each client's first ones go before, the rest is dropped");
        }
    }

    /// Takes all that is there, so that nothing grows old in the socket, and answers each client's share of it.
    private void answerFairly() {
        overload.shares().begin();
        int held = 0;
        int dropped = 0;
        int received;
        int batches = 0;
        do {
            received = batch.receive(socket.intValue(), held);
            int from = held;
            for (int i = from; i < from + received; i++) {
                byte[] address = batch.isIpv4(i) ? ipv4 : ipv6;
                batch.sender(i, address);
                if (!overload.shares().takes(address)) {
                    dropped++;
                } else if (i == held) {
                    held++;
                } else {
                    batch.move(i, held++);
                }
            }
            batch.expect(held, from + received);
        } while (received == DatagramBatch.SIZE && ++batches < MOST_BATCHES_AT_ONCE);
        answer(held);
        desk.counters.add(DnsCounters.Loop.SHED, dropped);
        if (overload.isOver(dropped, System.nanoTime())) {
            LOG.info("dns: all queries by UDP are answered again");
        }
    }

    /// Answers so many received queries.
    private void answer(int received) {
        long now = System.nanoTime();
        for (int i = 0; i < received; i++) {
            try {
                answer(i, now);
            } catch (RuntimeException e) {
                // One query that finds a bug is no reason to leave the others of its batch without an answer.
                LOG.error("bug while answering a query by UDP: it gets no answer", e);
            }
            if (batch.isFull()) {
                send();
            }
        }
        send();
        batch.expect(0, received);
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
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment on = arena.allocateFrom(JAVA_INT, 1);
            // Not both: with the first, a socket for both families tells of IPv4 as well, and takes only one in an answer.
            int ipv6 = (int) SET_OPTION.invokeExact(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, on, Integer.BYTES);
            return ipv6 == 0 || (int) SET_OPTION.invokeExact(descriptor, IPPROTO_IP, IP_PKTINFO, on, Integer.BYTES) == 0;
        } catch (Throwable e) {
            throw new IllegalStateException("setsockopt", e);
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
