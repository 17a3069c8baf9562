package dev.gatepost.gateway.accesslog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one thread that writes: it gathers whole lines from all lanes and hands them to the sink in one write per batch. It
/// may block in the sink for as long as it likes; the lanes fill meanwhile, and then refuse.
///
/// It looks every few milliseconds while lines come, and sleeps until woken once none came for a while. `state` is where the
/// event loops and this thread meet: a loop that finds it asleep after publishing a line wakes it, and the thread looks at the
/// lanes once more after it has said that it sleeps, so no line is overlooked.
final class LogWriter implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(LogWriter.class);

    private static final int BATCH_BYTES = 128 * 1024;
    private static final long NAP_NANOS = Duration.ofMillis(10).toNanos();
    private static final int NAPS_BEFORE_SLEEP = 50;
    private static final long SHORTEST_PAUSE_NANOS = Duration.ofMillis(50).toNanos();
    private static final long LONGEST_PAUSE_NANOS = Duration.ofSeconds(2).toNanos();
    private static final Duration CLOSE_WAIT = Duration.ofSeconds(2);

    private static final int AWAKE = 0;
    private static final int NAPPING = 1;
    private static final int ASLEEP = 2;
    private static final int CLOSED = 3;

    private final Sink sink;
    private final List<Lane> lanes = new CopyOnWriteArrayList<>();
    private final ByteBuffer batch = ByteBuffer.allocateDirect(BATCH_BYTES);
    private final AtomicInteger state = new AtomicInteger(AWAKE);
    private final AtomicLong lost = new AtomicLong();
    private final Thread thread;
    private boolean failing;
    private volatile boolean closing;

    LogWriter(Sink sink) {
        this.sink = sink;
        this.thread = Thread.ofPlatform().name("gatepost-access-log").daemon().unstarted(this);
    }

    void start() {
        thread.start();
    }

    /// On any thread.
    void add(Lane lane) {
        lanes.add(lane);
    }

    /// On an event loop, after a line was published in its lane.
    void published(Lane lane, boolean pressing) {
        int seen = state.get();
        if (seen == ASLEEP || (seen == NAPPING && pressing)) {
            // Several loops may see it: one wakes.
            if (state.compareAndSet(seen, AWAKE)) {
                LockSupport.unpark(thread);
            }
        } else if (seen == CLOSED) {
            lane.drop();
        }
    }

    /// Lines lost, by full lanes or by a sink that was given up at the end.
    long dropped() {
        long sum = lost.get();
        for (Lane lane : lanes) {
            sum += lane.dropped();
        }
        return sum;
    }

    /// Lets the thread write out what is there and waits for it, but not for ever.
    void close() {
        closing = true;
        LockSupport.unpark(thread);
        try {
            if (!thread.join(CLOSE_WAIT)) {
                LOG.warn("access log sink {} is blocked, giving up its last lines", sink);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void run() {
        int quiet = 0;
        while (!closing) {
            quiet = drain() ? 0 : quiet + 1;
            if (quiet <= NAPS_BEFORE_SLEEP) {
                nap();
            } else {
                sleep();
            }
        }
        drain();
        state.set(CLOSED);
        // What was published just before the state changed.
        drain();
        sink.close();
    }

    private void nap() {
        state.set(NAPPING);
        if (!closing) {
            LockSupport.parkNanos(this, NAP_NANOS);
        }
        state.set(AWAKE);
    }

    private void sleep() {
        state.set(ASLEEP);
        if (!closing && lanes.stream().allMatch(Lane::isEmpty)) {
            LockSupport.park(this);
        }
        state.set(AWAKE);
    }

    /// @return there was something to write
    private boolean drain() {
        boolean any = false;
        for (Lane lane : lanes) {
            while (lane.drainTo(batch)) {
                any = true;
                if (batch.remaining() < JsonLine.MAX_BYTES) {
                    write();
                }
            }
        }
        write();
        return any;
    }

    /// Writes the batch, however often that has to be tried; the event loops' lanes are the reserve meanwhile.
    private void write() {
        if (batch.position() == 0) {
            return;
        }
        batch.flip();
        long pause = SHORTEST_PAUSE_NANOS;
        while (batch.hasRemaining()) {
            try {
                sink.write(batch);
            } catch (IOException e) {
                if (!failing) {
                    LOG.warn("access log sink {} failed ({}), keeping what fits and trying again", sink, reason(e));
                }
                failing = true;
                if (closing) {
                    lost.addAndGet(Lines.count(batch));
                    break;
                }
                LockSupport.parkNanos(this, pause);
                pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
            }
        }
        if (failing && !batch.hasRemaining()) {
            failing = false;
            LOG.info("access log sink {} works again, {} lines dropped so far", sink, dropped());
        }
        batch.clear();
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
