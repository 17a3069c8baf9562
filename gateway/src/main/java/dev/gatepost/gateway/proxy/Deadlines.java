package dev.gatepost.gateway.proxy;

import java.util.Arrays;

/// The deadlines of one event loop, looked through several times a second: timeouts of seconds need no timer each, and a
/// request then costs no scheduling at all.
final class Deadlines {
    private Deadline[] all = new Deadline[64];
    private int count;

    void add(Deadline deadline) {
        if (count == all.length) {
            all = Arrays.copyOf(all, count * 2);
        }
        deadline.slot = count;
        all[count++] = deadline;
    }

    void remove(Deadline deadline) {
        int slot = deadline.slot;
        if (slot < 0) {
            return;
        }
        Deadline last = all[--count];
        all[slot] = last;
        last.slot = slot;
        deadline.slot = -1;
    }

    int count() {
        return count;
    }

    /// Runs those that have passed. What runs may add and remove deadlines.
    void sweep(long now) {
        for (int i = count - 1; i >= 0; i--) {
            if (i < count && all[i].at <= now) {
                Deadline deadline = all[i];
                deadline.at = Deadline.NEVER;
                deadline.passed.run();
            }
        }
    }
}
