package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.catalog.ConsulKeys;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.config.Nearest;
import dev.gatepost.gateway.config.Place;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Fragments in Consul's KV store: `PREFIX/routes/NAME`, `PREFIX/zones/NAME`. While Consul is
/// away, or doesn't let us read them, those that were read last stay.
final class KeySource implements FragmentSource, ConsulKeys.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(KeySource.class);

    private static final List<String> FOLDERS = Arrays.stream(Fragment.Kind.values()).map(Fragment.Kind::folder).toList();

    private final ConsulKeys keys;
    private final String prefix;
    private final Duration patience;
    private final InstantSource clock;
    private final Instant since;
    private Consumer<Found> found = _ -> {};
    /// Owned by the thread of `keys`.
    private boolean spoken;

    private volatile FragmentStatus status;

    /// @param patience how long the first delivery waits for Consul
    KeySource(GatewayConfig.Consul consul, Optional<SSLContext> tls, Duration patience, InstantSource clock) {
        this.keys = new ConsulKeys(consul, tls, RandomGenerator.getDefault(), this);
        this.prefix = consul.keyPrefix() + "/";
        this.patience = patience;
        this.clock = clock;
        this.since = clock.instant();
        this.status = new FragmentStatus(keys.source(), 0, Optional.empty(), Optional.empty());
    }

    @Override
    public void start(Consumer<Found> consumer) {
        found = consumer;
        keys.start();
    }

    @Override
    public FragmentStatus status() {
        return status;
    }

    @Override
    public void close() {
        keys.close();
    }

    @Override
    public void heard(SortedMap<String, String> values) {
        List<Fragment> fragments = new ArrayList<>();
        List<RejectedFragment> rejected = new ArrayList<>();
        values.forEach((key, text) -> {
            String path = key.substring(prefix.length());
            int slash = path.indexOf('/');
            String folder = slash < 0 ? path : path.substring(0, slash);
            Optional<Fragment.Kind> kind = Arrays.stream(Fragment.Kind.values()).filter(each -> each.folder().equals(folder)).findFirst();
            if (slash < 0 || kind.isEmpty()) {
                rejected.add(new RejectedFragment(
                        Fragment.KV, key, "unknown key (nearest known: %s%s/NAME)".formatted(prefix, Nearest.to(folder, FOLDERS))));
                return;
            }
            fragments.add(new Fragment(kind.get(), Fragment.KV, path.substring(slash + 1), new Place(key, Path.of("/"), 0, 0), text, Optional.empty()));
        });
        if (status.lastError().isPresent()) {
            LOG.info("{} can be read again", keys.source());
        }
        status = new FragmentStatus(keys.source(), fragments.size(), Optional.of(clock.instant()), Optional.empty());
        spoken = true;
        found.accept(new Found(fragments, rejected));
    }

    @Override
    public void failed(String reason) {
        FragmentStatus last = status;
        if (last.lastError().isEmpty()) {
            LOG.warn("{} can't be read ({}), keeping {} fragments", keys.source(), reason, last.fragments());
        }
        status = new FragmentStatus(last.address(), last.fragments(), last.confirmedAt(), Optional.of(reason));
        if (!spoken && !clock.instant().isBefore(since.plus(patience))) {
            spoken = true;
            found.accept(Found.NOTHING);
        }
    }
}
