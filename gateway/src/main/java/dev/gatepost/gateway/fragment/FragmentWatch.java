package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.config.FileWatch;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.ClientTls;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Follows the fragments of all sources. Nothing is delivered before each of them has spoken.
public final class FragmentWatch implements AutoCloseable {
    /// Without Consul there is no catalog to serve either; a copy of it is served after about as long.
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final List<FragmentSource> sources;

    // Guarded by `this`: the sources' threads, each of which delivers what it found, one at a time.
    private final Map<FragmentSource, FragmentSource.Found> latest = new HashMap<>();
    private final FragmentReader reader = new FragmentReader();
    private Optional<Fragments> delivered = Optional.empty();
    private boolean closed;

    FragmentWatch(List<FragmentSource> sources) {
        this.sources = List.copyOf(sources);
    }

    /// The sources that the configuration names: the folder, then the KV store, then fabio's place in it.
    ///
    /// @param tls towards Consul, for an `https` address
    public static FragmentWatch of(GatewayConfig config, Optional<ClientTls> tls, InstantSource clock) {
        List<FragmentSource> sources = new ArrayList<>();
        config.fragments().folder().ifPresent(folder -> sources.add(new FolderSource(folder, FileWatch.Timing.DEFAULT, clock)));
        config.consul().ifPresent(consul -> {
            sources.add(KeySource.of(consul, tls, copy(config, ".keys"), PATIENCE, clock));
            config.fragments().fabioPath().ifPresent(path -> sources.add(KeySource.ofFabio(consul, path, tls, copy(config, ".fabio"), PATIENCE, clock)));
        });
        return new FragmentWatch(sources);
    }

    /// Beside the catalog's copy.
    private static Optional<KeyCopy> copy(GatewayConfig config, String suffix) {
        return config.catalog().lastGood().map(file -> new KeyCopy(file.resolveSibling(file.getFileName() + suffix), config.catalog().maxAge()));
    }

    /// @param changed called whenever other fragments are in force or rejected, by one thread at a time
    public void start(Consumer<Fragments> changed) {
        if (sources.isEmpty()) {
            changed.accept(Fragments.NONE);
            return;
        }
        for (FragmentSource source : sources) {
            source.start(found -> take(source, found, changed));
        }
    }

    /// How each source stands.
    public List<FragmentStatus> status() {
        return sources.stream().map(FragmentSource::status).toList();
    }

    /// Nothing is delivered after it returns.
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        sources.forEach(FragmentSource::close);
    }

    private synchronized void take(FragmentSource source, FragmentSource.Found found, Consumer<Fragments> changed) {
        if (closed) {
            return;
        }
        latest.put(source, found);
        if (latest.size() < sources.size()) {
            return;
        }
        Fragments next = reader.read(sources.stream().map(each -> latest.getOrDefault(each, FragmentSource.Found.NOTHING)).toList());
        if (!delivered.equals(Optional.of(next))) {
            delivered = Optional.of(next);
            changed.accept(next);
        }
    }
}
