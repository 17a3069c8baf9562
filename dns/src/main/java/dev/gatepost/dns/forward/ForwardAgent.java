package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.ErrorInfo;
import dev.gatepost.dns.Outside;
import dev.gatepost.dns.Query;
import dev.gatepost.dns.Rcode;
import dev.gatepost.dns.Relay;
import dev.gatepost.dns.forward.ForwardCounters.Event;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The forwarder's part on one event loop. It answers this loop's queries from the cache, and is home to a share of all
/// questions: whichever loop a question comes to, it is asked by its home, so that two loops don't ask the same.
final class ForwardAgent implements Outside.Agent {
    private static final Logger LOG = LoggerFactory.getLogger(ForwardAgent.class);
    private static final int DATAGRAM = 4096;
    private static final int CONNECT_MILLIS = 2000;
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long PROBE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LOOP_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int TYPE_OPT = 41;
    private static final int TYPE_SOA = 6;
    private static final int WAITERS_PER_QUESTION = 8;
    private static final int POPULAR = 2;
    private static final byte[] NO_RECURSION = "recursion (RD) is not asked for".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NOT_FORWARDED = "nobody is asked about this name".getBytes(StandardCharsets.US_ASCII);

    private final Forwarder forwarder;
    private final EventLoop loop;
    private final ForwardCounters.Loop counters;
    private final QuestionKey scratch = QuestionKey.scratch();
    private final AnswerReader reader;
    private final byte[] received = new byte[65535];
    private final SecureRandom random;
    /// The oldest first.
    private final Map<QuestionKey, Question> questions = new LinkedHashMap<>();
    private final Map<Upstream, Standing> standings = new HashMap<>();
    private final Map<Upstream, UpstreamStream> streams = new HashMap<>();
    private final Bootstrap datagrams;
    private final Bootstrap connections;
    private int waiting;
    private boolean closed;

    ForwardAgent(Forwarder forwarder, EventLoop loop, SecureRandom random) {
        this.forwarder = forwarder;
        this.loop = loop;
        this.random = random;
        this.counters = forwarder.counters().loop();
        this.reader = new AnswerReader(settings().maxTtl(), settings().maxNegativeTtl());
        boolean epoll = loop instanceof IoEventLoopGroup io && io.isIoType(EpollIoHandler.class);
        this.datagrams = new Bootstrap()
                .group(loop)
                .channel(epoll ? EpollDatagramChannel.class : NioDatagramChannel.class)
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(DATAGRAM));
        this.connections = new Bootstrap()
                .group(loop)
                .channel(epoll ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS);
        long now = System.nanoTime();
        int index = 0;
        for (Upstream each : forwarder.upstreams()) {
            standings.put(each, new Standing(each, index++, now));
        }
    }

    EventLoop loop() {
        return loop;
    }

    ForwardCounters.Loop counters() {
        return counters;
    }

    ForwardSettings settings() {
        return forwarder.settings();
    }

    // What the server asks of it.

    @Override
    public boolean covers(byte[] bytes, int nameAt, int nameLength) {
        return forwarder.zones().find(bytes, nameAt, nameLength).isPresent()
                || (!forwarder.local().isEmpty() && forwarder.local().decidesOn(DomainName.copyOf(bytes, nameAt, nameAt + nameLength)));
    }

    @Override
    public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
        if (query.queryClass() != 1 || query.type() == 0 || query.type() == TYPE_OPT) {
            return refused(from, relay, NOT_FORWARDED);
        }
        if (!query.recursionDesired()) {
            // What is in the cache is nobody's business who didn't ask for recursion.
            return locally(query, in, out, from, to, relay) || refused(from, relay, NO_RECURSION);
        }
        QuestionKey key = scratch.read(in, Query.HEADER, query.nameLength(), query.type(), query.dnssecOk(), query.checkingDisabled());
        CachedAnswer cached = forwarder.cache().find(key);
        if (cached != null && fromCache(cached, key, out, from, to, relay)) {
            return true;
        }
        if (locally(query, in, out, from, to, relay)) {
            return true;
        }
        if (forwarder.zones().find(in, Query.HEADER, query.nameLength()).isEmpty()) {
            return refused(from, relay, NOT_FORWARDED);
        }
        if (query.type() == LoopProbes.TYPE && forwarder.probes().met(in, Query.HEADER, query.nameLength())) {
            return looped(from, relay);
        }
        // The name doesn't exist, whatever is asked of it (RFC 2308 section 5).
        key = scratch.read(in, Query.HEADER, query.nameLength(), 0, query.dnssecOk(), query.checkingDisabled());
        CachedAnswer nobody = forwarder.cache().find(key);
        if (nobody != null && nobody.isFresh(relay.nowNanos)) {
            counters.count(Event.HIT);
            nobody.writeCached(out, from, to, relay);
            return true;
        }
        counters.count(Event.MISS);
        scratch.read(in, Query.HEADER, query.nameLength(), query.type(), query.dnssecOk(), query.checkingDisabled());
        return false;
    }

    private boolean fromCache(CachedAnswer cached, QuestionKey key, byte[] out, int from, int to, Relay relay) {
        long now = relay.nowNanos;
        if (cached.isFresh(now)) {
            counters.count(cached.isFailure() ? Event.FAILURE_HIT : Event.HIT);
            cached.writeCached(out, from, to, relay);
            if (++cached.hits >= POPULAR && !cached.refreshing && !cached.isFailure() && isNearItsEnd(cached, now)) {
                cached.refreshing = true;
                counters.count(Event.PREFETCH);
                refresh(key.kept());
            }
            return true;
        }
        if (cached.held && mayServeStale(cached, now)) {
            counters.count(Event.STALE);
            cached.writeCached(out, from, to, relay);
            if (now - cached.holdNanos >= 0) {
                cached.holdNanos = now + settings().deadline().toNanos();
                refresh(key.kept());
            }
            return true;
        }
        return false;
    }

    /// In the last tenth of its time.
    private static boolean isNearItsEnd(CachedAnswer cached, long nowNanos) {
        return -cached.overdueNanos(nowNanos) * 10 < TimeUnit.SECONDS.toNanos(cached.ttlSeconds);
    }

    boolean mayServeStale(CachedAnswer answer, long nowNanos) {
        return !answer.isFailure() && answer.overdueNanos(nowNanos) < settings().stale().toNanos() && !settings().stale().isZero();
    }

    private boolean locally(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
        LocalNames local = forwarder.local();
        if (local.isEmpty()) {
            return false;
        }
        DomainName name = DomainName.copyOf(in, Query.HEADER, Query.HEADER + query.nameLength());
        if (!local.answer(name, query.type(), out, from, to, relay)) {
            return false;
        }
        counters.count(Event.LOCAL);
        return true;
    }

    private static boolean looped(int from, Relay relay) {
        relay.end = from;
        relay.rcode = Rcode.SERVFAIL;
        return true;
    }

    private static boolean refused(int from, Relay relay, byte[] why) {
        relay.end = from;
        relay.rcode = Rcode.REFUSED;
        relay.errorInfo = ErrorInfo.NOT_AUTHORITATIVE;
        relay.errorText = why;
        return true;
    }

    @Override
    public void ask(Outside.Asker asker) {
        QuestionKey key = scratch.kept();
        ForwardAgent home = forwarder.home(key);
        Question.Waiter waiter = new Question.Waiter(this, asker);
        home.run(() -> home.join(key, waiter));
    }

    private void refresh(QuestionKey key) {
        ForwardAgent home = forwarder.home(key);
        home.run(() -> home.begin(key));
    }

    private void run(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }

    // Home of questions.

    private void join(QuestionKey key, Question.Waiter waiter) {
        Question running = questions.get(key);
        if (running != null) {
            counters.count(Event.COALESCED);
            running.suspect(waiter.asker().client());
        }
        if (closed || waiting >= settings().questions() * WAITERS_PER_QUESTION) {
            counters.count(Event.OVERLOAD);
            waiter.answered(this, overload(key));
            return;
        }
        waiting++;
        if (running != null) {
            running.join(waiter);
            return;
        }
        if (questions.size() >= settings().questions()) {
            // Who has waited longest is least likely to be answered, and to be waiting still.
            counters.count(Event.OVERLOAD);
            Question oldest = questions.values().iterator().next();
            oldest.makeRoom(overload(oldest.key()));
        }
        Question question = question(key);
        question.join(waiter);
        question.start();
    }

    /// Asks for a fresh answer, for nobody in particular.
    private void begin(QuestionKey key) {
        if (!closed && !questions.containsKey(key) && questions.size() < settings().questions()) {
            question(key).start();
        }
    }

    private Question question(QuestionKey key) {
        ForwardZone zone = forwarder.zones().find(key.name(), 0, key.nameLength())
                .orElseThrow(() -> new IllegalStateException("nobody to ask about " + key.domainName()));
        List<Standing> candidates = new ArrayList<>();
        for (Upstream each : zone.upstreams()) {
            Standing standing = standing(each);
            candidates.add(standing);
            probe(standing, zone, false);
        }
        Question question = new Question(this, key, zone, candidates, Optional.ofNullable(forwarder.cache().find(key)));
        questions.put(key, question);
        return question;
    }

    private Standing standing(Upstream upstream) {
        Standing standing = standings.get(upstream);
        if (standing == null) {
            throw new IllegalStateException("unknown upstream " + upstream);
        }
        return standing;
    }

    private Outside.Reply overload(QuestionKey key) {
        CachedAnswer cached = forwarder.cache().find(key);
        long now = System.nanoTime();
        if (cached != null && mayServeStale(cached, now)) {
            return (_, _, out, from, to, relay) -> cached.writeCached(out, from, to, relay);
        }
        return CachedAnswer.failure("too many questions in flight", now, 1);
    }

    void over(Question question) {
        questions.remove(question.key(), question);
    }

    /// So many have their answer.
    void released(int waiters) {
        waiting -= waiters;
    }

    void store(QuestionKey key, CachedAnswer answer, Optional<CachedAnswer> before) {
        counters.count(Event.DROPPED_RECORD, reader.dropped());
        if (answer.ttlSeconds > 0) {
            forwarder.cache().put(key, answer);
            if (answer.rcode == Rcode.NXDOMAIN && answer.answers == 0) {
                forwarder.cache().put(key.ofAnyType(), answer);
            } else if (answer.rcode == Rcode.NOERROR) {
                forwarder.cache().remove(key.ofAnyType());
            }
            return;
        }
        if (before.isPresent()) {
            forwarder.cache().remove(key);
        }
    }

    Reading read(byte[] message, int length, QuestionKey key, String upstream, long nowNanos) {
        return reader.read(message, length, key, upstream, nowNanos);
    }

    // Upstreams.

    Attempt attempt(Attempt.Asking asking, Standing standing, QuestionKey key, boolean mixCase, boolean stream) {
        long now = System.nanoTime();
        Attempt.Sent sent = Attempt.Sent.of(key, random.nextInt(1 << 16), !standing.isPlain(now), mixCase);
        return stream
                ? new StreamAttempt(asking, standing, sent, now)
                : new UdpAttempt(asking, standing, sent, now, received, () -> counters.count(Event.FORGED));
    }

    void start(Attempt attempt) {
        counters.asked(attempt.standing.index());
        switch (attempt) {
            case UdpAttempt udp -> udp.start(datagrams);
            case StreamAttempt stream -> stream.start(stream(attempt.standing));
        }
    }

    private UpstreamStream stream(Standing standing) {
        return streams.computeIfAbsent(standing.upstream(), upstream -> new UpstreamStream(
                standing, forwarder.tls(upstream), connections, received, IDLE_NANOS, () -> counters.count(Event.FORGED)));
    }

    void answered(Standing standing, long tookNanos, long nowNanos) {
        boolean wasDown = standing.isDown();
        standing.answered(tookNanos, nowNanos);
        counters.answered(standing.index(), tookNanos);
        counters.standing(standing.index(), standing);
        if (wasDown) {
            LOG.info("dns: upstream {} answers again", standing.name());
        }
    }

    void missed(Standing standing) {
        counters.missed(standing.index());
        if (standing.missed(System.nanoTime())) {
            wentDown(standing);
        }
        counters.standing(standing.index(), standing);
    }

    void unreachable(Standing standing) {
        counters.missed(standing.index());
        if (standing.refused()) {
            wentDown(standing);
        }
        counters.standing(standing.index(), standing);
    }

    private void wentDown(Standing standing) {
        LOG.warn("dns: upstream {} does not answer, asking others until it does", standing.name());
        tryLater(standing);
    }

    private void tryLater(Standing standing) {
        var _ = loop.schedule(() -> {
            if (!closed && standing.isDown()) {
                tryAgain(standing);
            }
        }, standing.nextPauseNanos(), TimeUnit.NANOSECONDS);
    }

    /// Asks an upstream that is down something that any server answers, on nobody's behalf.
    private void tryAgain(Standing standing) {
        QuestionKey root = QuestionKey.of(new byte[] {0}, TYPE_SOA, false, false);
        Attempt.Asking asking = new Attempt.Asking() {
            @Override
            public void received(Attempt attempt, byte[] message, int length) {
                long now = System.nanoTime();
                answered(standing, now - attempt.startedNanos, now);
            }

            @Override
            public void lost(Attempt attempt, String reason) {
                tryLater(standing);
            }
        };
        Attempt attempt = attempt(asking, standing, root, false, standing.upstream().tls().isPresent());
        start(attempt);
        var _ = loop.schedule(() -> attempt.lost("no answer"), PROBE_NANOS, TimeUnit.NANOSECONDS);
    }

    // Loops.

    /// Sees whether what an upstream is asked comes back to us.
    ///
    /// @return false: not now
    boolean probe(Standing standing, ForwardZone zone, boolean suspected) {
        if (!standing.isProbeDue(suspected, System.nanoTime())) {
            return false;
        }
        LoopProbes.Probe probe = forwarder.probes().next(this, standing, zone.name());
        Attempt.Asking asking = new Attempt.Asking() {
            @Override
            public void received(Attempt attempt, byte[] message, int length) {
                forwarder.probes().over(probe);
                if (standing.loops() && !probe.returned().get()) {
                    LOG.info("dns: upstream {} no longer sends our questions back to us", standing.name());
                    standing.loops(false);
                }
            }

            @Override
            public void lost(Attempt attempt, String reason) {
                forwarder.probes().over(probe);
                if (standing.loops() && !probe.returned().get()) {
                    probeLater(standing);
                }
            }
        };
        QuestionKey question = QuestionKey.of(probe.name().wire(), LoopProbes.TYPE, false, false);
        Attempt attempt = attempt(asking, standing, question, false, standing.upstream().tls().isPresent());
        start(attempt);
        var _ = loop.schedule(() -> attempt.lost("no answer"), settings().deadline().toNanos(), TimeUnit.NANOSECONDS);
        return true;
    }

    /// A probe has come back, to whichever loop: whoever waits for that upstream waits for nothing.
    void loops(Standing standing) {
        run(() -> {
            counters.count(Event.LOOP);
            if (!standing.loops()) {
                LOG.warn("dns: upstream {} sends our questions back to us, so it is not asked (expected: a resolver that does not ask this one)", standing.name());
                standing.loops(true);
                counters.standing(standing.index(), standing);
            }
            List.copyOf(questions.values()).forEach(question -> question.loops(standing));
            probeLater(standing);
        });
    }

    private void probeLater(Standing standing) {
        var _ = loop.schedule(() -> {
            if (!closed && standing.loops()) {
                boolean asked = forwarder.zoneAsking(standing.upstream()).filter(zone -> probe(standing, zone, true)).isPresent();
                if (!asked) {
                    probeLater(standing);
                }
            }
        }, LOOP_AGAIN_NANOS, TimeUnit.NANOSECONDS);
    }

    // End.

    void close() {
        run(() -> {
            closed = true;
            List.copyOf(questions.values()).forEach(Question::cancel);
            streams.values().forEach(UpstreamStream::close);
        });
    }
}
