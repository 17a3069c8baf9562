package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Outside;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/// Answers for names outside the zone by asking upstreams, and from what they answered before.
public final class Forwarder implements Outside, AutoCloseable {
    private final ForwardSettings settings;
    private final ForwardZones zones;
    private final List<Upstream> upstreams;
    private final ForwardCounters counters;
    private final AnswerCache cache;
    private final Map<Upstream, SslContext> tls = new HashMap<>();
    private final List<ForwardAgent> agents = new CopyOnWriteArrayList<>();
    private final SecureRandom random = new SecureRandom();
    private final LoopProbes probes = new LoopProbes(random);
    private volatile LocalNames local = LocalNames.NONE;

    private Forwarder(ForwardSettings settings) throws IOException {
        this.settings = settings;
        this.zones = new ForwardZones(settings.zones());
        this.upstreams = settings.zones().stream().flatMap(zone -> zone.upstreams().stream()).distinct().toList();
        this.counters = new ForwardCounters(upstreams.stream().map(Upstream::toString).toList());
        this.cache = new AnswerCache(settings.cacheBytes());
        for (Upstream each : upstreams) {
            if (each.tls().isPresent()) {
                tls.put(each, context(each, each.tls().get()));
            }
        }
    }

    /// @throws IOException when the certificates of an authority can't be read
    public static Forwarder open(ForwardSettings settings) throws IOException {
        return new Forwarder(settings);
    }

    private static SslContext context(Upstream upstream, Upstream.Tls tls) throws IOException {
        SslContextBuilder builder = SslContextBuilder.forClient().protocols("TLSv1.3", "TLSv1.2");
        Optional<File> authority = tls.authority().map(Path::toFile);
        try {
            return authority.isPresent() ? builder.trustManager(authority.get()).build() : builder.build();
        } catch (IllegalArgumentException e) {
            throw new IOException("dns.forward: " + upstream + ": " + authority.map(File::toString).orElse("") + ": no certificate could be read (expected: a PEM file)", e);
        }
    }

    @Override
    public Agent on(EventLoop loop) {
        for (ForwardAgent each : agents) {
            if (each.loop().equals(loop)) {
                return each;
            }
        }
        ForwardAgent agent = new ForwardAgent(this, loop, random);
        agents.add(agent);
        return agent;
    }

    public ForwardCounters counters() {
        return counters;
    }

    /// Answers in the cache.
    public long cachedAnswers() {
        return cache.size();
    }

    /// Bytes that they take, about.
    public long cachedBytes() {
        return cache.weight();
    }

    /// Lets files decide on names from now on, other than those before.
    public void decideLocally(LocalNames names) {
        local = names;
        cache.removeIf(key -> names.decidesOn(key.domainName()));
    }

    public LocalNames local() {
        return local;
    }

    /// What the cache has for a name.
    public List<CachedEntry> cached(DomainName name) {
        long now = System.nanoTime();
        return cache.all().entrySet().stream()
                .filter(entry -> entry.getKey().isFor(name))
                .map(entry -> CachedEntry.of(entry.getKey(), entry.getValue(), now))
                .toList();
    }

    /// Forgets what was answered to a name.
    ///
    /// @param below and to all names below it
    /// @return how many answers that were
    public int flush(DomainName name, boolean below) {
        return cache.removeIf(below ? key -> key.domainName().isWithin(name) : key -> key.isFor(name));
    }

    /// The zone that a name is asked about in, and who is asked.
    public Optional<ForwardZone> zoneOf(DomainName name) {
        return zones.find(name.wire(), 0, name.length());
    }

    /// A zone that an upstream is asked about.
    Optional<ForwardZone> zoneAsking(Upstream upstream) {
        return settings.zones().stream().filter(zone -> zone.upstreams().contains(upstream)).findFirst();
    }

    LoopProbes probes() {
        return probes;
    }

    ForwardSettings settings() {
        return settings;
    }

    ForwardZones zones() {
        return zones;
    }

    List<Upstream> upstreams() {
        return upstreams;
    }

    AnswerCache cache() {
        return cache;
    }

    Optional<SslContext> tls(Upstream upstream) {
        return Optional.ofNullable(tls.get(upstream));
    }

    /// The loop that asks a question, whichever loop it came to.
    ForwardAgent home(QuestionKey key) {
        return agents.get((key.hashCode() & Integer.MAX_VALUE) % agents.size());
    }

    /// What is in flight is forgotten.
    @Override
    public void close() {
        agents.forEach(ForwardAgent::close);
    }
}
