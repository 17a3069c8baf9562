package dev.gatepost.dns;

import io.netty.channel.EventLoop;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Answers for every name outside NXDOMAIN, but only when the test says so.
final class HeldOutside implements Outside {
    private record Held(EventLoop loop, Asker asker) {}

    private final LinkedBlockingQueue<Held> held = new LinkedBlockingQueue<>();
    final AtomicInteger asked = new AtomicInteger();
    /// Of those who asked.
    final List<String> clients = new CopyOnWriteArrayList<>();

    /// Lets the longest waiting question have its answer, as soon as there is one.
    void release() throws InterruptedException {
        Held first = held.poll(10, TimeUnit.SECONDS);
        if (first == null) {
            throw new AssertionError("nobody asked");
        }
        first.loop.execute(() -> first.asker.answered((query, _, _, from, _, relay) -> {
            relay.end = from;
            relay.rcode = Rcode.NXDOMAIN;
        }));
    }

    @Override
    public Agent on(EventLoop loop) {
        return new Agent() {
            @Override
            public boolean covers(byte[] bytes, int nameAt, int nameLength) {
                return true;
            }

            @Override
            public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
                return false;
            }

            @Override
            public void ask(Asker asker) {
                asked.incrementAndGet();
                clients.add(Arrays.toString(asker.client()));
                held.add(new Held(loop, asker));
            }
        };
    }
}
