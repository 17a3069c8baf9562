package dev.gatepost.gateway.proxy;

import java.util.ArrayDeque;

/// The requests of one route that wait for an endpoint with room, the longest wait first. One per event loop and route.
final class WaitingLine {
    private final GateLoop loop;
    private final ArrayDeque<Attempts> line = new ArrayDeque<>();
    private boolean scheduled;

    WaitingLine(GateLoop loop) {
        this.loop = loop;
    }

    boolean isEmpty() {
        return line.isEmpty();
    }

    /// False when too many wait already.
    boolean join(Attempts attempts) {
        if (line.size() >= loop.mostWaiting) {
            return false;
        }
        if (line.isEmpty()) {
            loop.lines.add(this);
        }
        line.addLast(attempts);
        loop.counters.waiting++;
        return true;
    }

    void leave(Attempts attempts) {
        if (line.remove(attempts)) {
            left();
        }
    }

    private void left() {
        loop.counters.waiting--;
        if (line.isEmpty()) {
            loop.lines.remove(this);
        }
    }

    /// Some endpoint has room. Whoever made it is not done yet, so the first in line goes on in the loop's next turn.
    void advance() {
        if (!scheduled) {
            scheduled = true;
            loop.eventLoop.execute(this::goOn);
        }
    }

    private void goOn() {
        scheduled = false;
        loop.touch();
        for (int left = line.size(); left > 0; left--) {
            Attempts first = line.peekFirst();
            if (first == null || !first.hasRoom()) {
                return;
            }
            line.removeFirst();
            left();
            first.goOn();
        }
    }
}
