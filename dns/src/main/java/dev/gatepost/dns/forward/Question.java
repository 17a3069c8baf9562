package dev.gatepost.dns.forward;

import dev.gatepost.dns.Outside;
import dev.gatepost.dns.Rcode;
import dev.gatepost.dns.forward.ForwardCounters.Event;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// One question in flight, for all who ask it at the same time: whom it is put to, how often, and what becomes of it.
/// Confined to its event loop.
///
/// It begins with the upstream that promises the fastest answer. Who takes longer than usual gets company: another is asked
/// as well, and the first good answer wins. One that can't or won't say is passed over for the next.
final class Question implements Attempt.Asking {
    private static final String LOOPS = ": sends our questions back to us";
    private static final int MOST_ATTEMPTS = 6;
    /// Every so often another than the fastest is asked, to see whether it still is.
    private static final int EXPLORE_ONE_IN = 32;

    /// A question that is in flight for so long, and asked again, may be going in a circle.
    private static final long SUSPICIOUS_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int FIRST_FAILURE_SECONDS = 1;
    private static final int LONGEST_FAILURE_SECONDS = 5;

    /// A client and the loop that it waits on.
    record Waiter(ForwardAgent agent, Outside.Asker asker) {
        void answered(ForwardAgent here, Outside.Reply reply) {
            if (agent.equals(here)) {
                asker.answered(reply);
            } else {
                agent.loop().execute(() -> asker.answered(reply));
            }
        }
    }

    private final ForwardAgent agent;
    private final QuestionKey key;
    private final ForwardZone zone;
    private final List<Standing> standings;
    private final int[] tried;
    private final boolean[] gaveUp;
    private final Optional<CachedAnswer> before;
    private final List<Waiter> waiters = new ArrayList<>();
    private final List<Attempt> open = new ArrayList<>();
    private final List<String> reasons = new ArrayList<>();
    private final List<Future<?>> timers = new ArrayList<>();
    /// Asks another when the last one asked takes long.
    private Optional<Future<?>> hedge = Optional.empty();
    private final long startedNanos = System.nanoTime();
    private int attempts;
    private boolean over;

    /// @param before what the cache had, fresh or not
    Question(ForwardAgent agent, QuestionKey key, ForwardZone zone, List<Standing> standings, Optional<CachedAnswer> before) {
        this.agent = agent;
        this.key = key;
        this.zone = zone;
        this.standings = standings;
        this.tried = new int[standings.size()];
        this.gaveUp = new boolean[standings.size()];
        this.before = before;
    }

    QuestionKey key() {
        return key;
    }

    void join(Waiter waiter) {
        waiters.add(waiter);
    }

    /// The same question again, perhaps from one that it was put to.
    ///
    /// @param client the address of who asks
    void suspect(byte[] client) {
        boolean old = System.nanoTime() - startedNanos > SUSPICIOUS_NANOS;
        for (Standing each : standings) {
            if (old || Arrays.equals(client, each.upstream().address().getAddress().getAddress())) {
                agent.probe(each, zone, true);
            }
        }
    }

    void start() {
        timers.add(after(agent.settings().deadline(), () -> giveUp("no answer in " + agent.settings().deadline().toMillis() + " ms")));
        if (stale().isPresent()) {
            if (standings.stream().noneMatch(Standing::isUsable)) {
                answerStale();
            } else {
                timers.add(after(agent.settings().patience(), this::answerStale));
            }
        }
        next();
    }

    /// What the cache had, if it may serve in need.
    private Optional<CachedAnswer> stale() {
        return before.filter(answer -> agent.mayServeStale(answer, System.nanoTime()));
    }

    private void answerStale() {
        stale().ifPresent(answer -> {
            hold(answer);
            agent.counters().count(Event.STALE, waiters.size());
            reply((_, _, out, from, to, relay) -> answer.writeCached(out, from, to, relay));
        });
    }

    private static void hold(CachedAnswer answer) {
        answer.held = true;
        answer.holdNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_FAILURE_SECONDS);
    }

    /// Puts it to one more upstream.
    private void next() {
        hedge.ifPresent(timer -> timer.cancel(false));
        Optional<Standing> chosen = attempts < MOST_ATTEMPTS ? choose() : Optional.empty();
        if (chosen.isEmpty()) {
            if (open.isEmpty()) {
                standings.stream().filter(Standing::loops).forEach(each -> reasons.add(each.name() + LOOPS));
                giveUp("");
            }
            return;
        }
        Standing standing = chosen.get();
        tried[standings.indexOf(standing)]++;
        if (!open.isEmpty()) {
            agent.counters().count(Event.HEDGED);
        }
        attempts++;
        ask(standing, standing.upstream().tls().isPresent());
        if (!over) {
            hedge = Optional.of(after(Duration.ofNanos(standing.waitNanos() << Math.min(attempts - 1, 2)), this::late));
        }
    }

    private void ask(Standing standing, boolean stream) {
        Attempt attempt = agent.attempt(this, standing, key, zone.mixCase(), stream);
        open.add(attempt);
        agent.start(attempt);
    }

    /// Whoever has not answered by now is late.
    private void late() {
        long now = System.nanoTime();
        for (Attempt each : open) {
            if (!each.late && now - each.startedNanos >= each.standing.waitNanos()) {
                each.late = true;
                agent.missed(each.standing);
            }
        }
        next();
    }

    /// The usable one that was tried least, and of those the fastest.
    private Optional<Standing> choose() {
        Standing best = null;
        for (int i = 0; i < standings.size(); i++) {
            Standing each = standings.get(i);
            if (gaveUp[i] || each.loops()) {
                continue;
            }
            if (best == null || isBetter(i, best)) {
                best = each;
            }
        }
        if (best != null && attempts == 0 && standings.size() > 1) {
            if (ThreadLocalRandom.current().nextInt(EXPLORE_ONE_IN) == 0) {
                Standing other = standings.get(ThreadLocalRandom.current().nextInt(standings.size()));
                best = other.isUsable() ? other : best;
            }
            for (Standing each : standings) {
                if (!each.equals(best)) {
                    each.passedOver();
                }
            }
        }
        return Optional.ofNullable(best);
    }

    private boolean isBetter(int index, Standing than) {
        Standing one = standings.get(index);
        int other = standings.indexOf(than);
        if (one.isUsable() != than.isUsable()) {
            return one.isUsable();
        }
        if (tried[index] != tried[other]) {
            return tried[index] < tried[other];
        }
        return one.smoothNanos() < than.smoothNanos();
    }

    @Override
    public void received(Attempt attempt, byte[] message, int length) {
        open.remove(attempt);
        if (over) {
            return;
        }
        long now = System.nanoTime();
        agent.answered(attempt.standing, now - attempt.startedNanos, now);
        switch (agent.read(message, length, key, attempt.standing.name(), now)) {
            case Reading.Answered(var answer) -> answered(answer);
            case Reading.Truncated() when !attempt.isStream() -> {
                agent.counters().count(Event.TCP_RETRY);
                ask(attempt.standing, true);
            }
            case Reading.Truncated() -> passOver(attempt, "cut by TCP as well");
            case Reading.Failed(var rcode, var edns) when attempt.sent.edns() && !edns && isPuzzledByEdns(rcode) -> {
                attempt.standing.speaksPlain(now);
                ask(attempt.standing, attempt.isStream());
            }
            case Reading.Failed(var rcode, _) -> passOver(attempt, Rcode.name(rcode));
            case Reading.Unusable(var reason) -> passOver(attempt, reason);
        }
    }

    private static boolean isPuzzledByEdns(int rcode) {
        return rcode == Rcode.FORMERR || rcode == Rcode.NOTIMP || rcode == Rcode.BADVERS;
    }

    /// It has answered, and will say the same again.
    private void passOver(Attempt attempt, String reason) {
        gaveUp[standings.indexOf(attempt.standing)] = true;
        failed(attempt, reason);
    }

    @Override
    public void lost(Attempt attempt, String reason) {
        open.remove(attempt);
        if (over) {
            return;
        }
        agent.unreachable(attempt.standing);
        int index = standings.indexOf(attempt.standing);
        // A connection that was closed while idle, or one lost socket, deserves another try.
        gaveUp[index] |= tried[index] > 1;
        failed(attempt, reason);
    }

    private void failed(Attempt attempt, String reason) {
        reasons.add(attempt.standing.name() + ": " + reason);
        next();
    }

    private void answered(CachedAnswer answer) {
        agent.store(key, answer, before);
        finish();
        reply(answer);
    }

    /// What it is asked comes back to us, so nobody will answer.
    void loops(Standing standing) {
        if (over || !standings.contains(standing)) {
            return;
        }
        for (Attempt each : List.copyOf(open)) {
            if (each.standing.equals(standing)) {
                open.remove(each);
                each.end();
            }
        }
        if (open.isEmpty()) {
            next();
        }
    }

    private void giveUp(String reason) {
        if (over) {
            return;
        }
        open.stream().filter(each -> !each.late).forEach(each -> agent.missed(each.standing));
        if (!reason.isEmpty()) {
            reasons.add(open.stream().map(each -> each.standing.name()).distinct().collect(Collectors.joining(", ")) + ": " + reason);
        }
        finish();
        agent.counters().count(Event.FAILED);
        if (stale().isPresent()) {
            answerStale();
            return;
        }
        int seconds = before.filter(CachedAnswer::isFailure)
                .map(failure -> Math.min(LONGEST_FAILURE_SECONDS, failure.ttlSeconds * 2))
                .orElse(FIRST_FAILURE_SECONDS);
        CachedAnswer failure = CachedAnswer.failure(reasons.stream().distinct().collect(Collectors.joining("; ")), System.nanoTime(), seconds);
        agent.store(key, failure, before);
        reply(failure);
    }

    /// A newer one takes its place: all who wait are told so.
    void makeRoom(Outside.Reply overload) {
        finish();
        reply(overload);
    }

    /// Without a word to anybody.
    void cancel() {
        finish();
        agent.released(waiters.size());
        waiters.clear();
    }

    private void finish() {
        over = true;
        timers.forEach(timer -> timer.cancel(false));
        hedge.ifPresent(timer -> timer.cancel(false));
        List.copyOf(open).forEach(Attempt::end);
        open.clear();
        agent.over(this);
    }

    private void reply(Outside.Reply reply) {
        List<Waiter> all = List.copyOf(waiters);
        waiters.clear();
        agent.released(all.size());
        all.forEach(waiter -> waiter.answered(agent, reply));
    }

    private Future<?> after(Duration delay, Runnable then) {
        return agent.loop().schedule(() -> {
            if (!over) {
                then.run();
            }
        }, delay.toNanos(), TimeUnit.NANOSECONDS);
    }
}
