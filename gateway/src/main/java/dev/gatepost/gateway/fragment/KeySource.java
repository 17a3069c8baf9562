package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.catalog.ConsulKeys;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.config.Nearest;
import dev.gatepost.gateway.config.Place;
import dev.gatepost.gateway.tls.ClientTls;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Fragments in Consul's KV store: `PREFIX/routes/NAME` and so on for each kind, or all that fabio reads from a path of its
/// own. While Consul is away, or doesn't let us read them, those that were read last stay; at the start, those of the copy on
/// disk.
final class KeySource implements FragmentSource, ConsulKeys.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(KeySource.class);

    private static final List<String> FOLDERS = Arrays.stream(Fragment.Kind.values()).map(Fragment.Kind::folder).toList();

    /// Sorts one key among the fragments, or what is rejected.
    @FunctionalInterface
    private interface Layout {
        void sort(String key, String text, List<Fragment> fragments, List<RejectedFragment> rejected);
    }

    private final ConsulKeys keys;
    private final Layout layout;
    private final Optional<KeyCopy> copy;
    private final Duration patience;
    private final InstantSource clock;
    private final Instant since;
    private Consumer<Found> found = _ -> {};
    /// Owned by the thread of `keys`.
    private boolean spoken;

    private volatile FragmentStatus status;

    private KeySource(
            GatewayConfig.Consul consul, String folder, Layout layout, Optional<ClientTls> tls, Optional<KeyCopy> copy, Duration patience, InstantSource clock) {
        this.keys = new ConsulKeys(consul, folder, tls, RandomGenerator.getDefault(), this);
        this.layout = layout;
        this.copy = copy;
        this.patience = patience;
        this.clock = clock;
        this.since = clock.instant();
        this.status = new FragmentStatus(keys.source(), 0, Optional.empty(), Optional.empty());
    }

    /// All kinds, each in its folder under the prefix.
    ///
    /// @param patience how long the first delivery waits for Consul where there is no copy
    static KeySource of(GatewayConfig.Consul consul, Optional<ClientTls> tls, Optional<KeyCopy> copy, Duration patience, InstantSource clock) {
        String prefix = consul.keyPrefix() + "/";
        return new KeySource(consul, prefix, (key, text, fragments, rejected) -> byKind(prefix, key, text, fragments, rejected), tls, copy, patience, clock);
    }

    /// fabio's commands: under the path itself and all below it.
    static KeySource ofFabio(
            GatewayConfig.Consul consul, String path, Optional<ClientTls> tls, Optional<KeyCopy> copy, Duration patience, InstantSource clock) {
        Layout layout = (key, text, fragments, _) -> {
            if (key.equals(path) || key.startsWith(path + "/")) {
                fragments.add(fragment(Fragment.Kind.COMMANDS, key, key, text));
            }
        };
        return new KeySource(consul, path, layout, tls, copy, patience, clock);
    }

    private static void byKind(String prefix, String key, String text, List<Fragment> fragments, List<RejectedFragment> rejected) {
        String path = key.substring(prefix.length());
        int slash = path.indexOf('/');
        String folder = slash < 0 ? path : path.substring(0, slash);
        Optional<Fragment.Kind> kind = Arrays.stream(Fragment.Kind.values()).filter(each -> each.folder().equals(folder)).findFirst();
        if (slash < 0 || kind.isEmpty()) {
            rejected.add(new RejectedFragment(
                    Fragment.KV, key, "unknown key (nearest known: %s%s/NAME)".formatted(prefix, Nearest.to(folder, FOLDERS))));
            return;
        }
        fragments.add(fragment(kind.get(), key, path.substring(slash + 1), text));
    }

    private static Fragment fragment(Fragment.Kind kind, String key, String name, String text) {
        return new Fragment(kind, Fragment.KV, name, new Place(key, Path.of("/"), 0, 0), text, Optional.empty());
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
        Found sorted = sorted(values);
        if (status.lastError().isPresent()) {
            LOG.info("{} can be read again", keys.source());
        }
        Instant now = clock.instant();
        status = new FragmentStatus(keys.source(), sorted.fragments().size(), Optional.of(now), Optional.empty());
        spoken = true;
        found.accept(sorted);
        copy.ifPresent(file -> file.keep(values, now));
    }

    private Found sorted(SortedMap<String, String> values) {
        List<Fragment> fragments = new ArrayList<>();
        List<RejectedFragment> rejected = new ArrayList<>();
        values.forEach((key, text) -> layout.sort(key, text, fragments, rejected));
        return new Found(fragments, rejected);
    }

    @Override
    public void failed(String reason) {
        Instant now = clock.instant();
        FragmentStatus last = status;
        if (!spoken && last.lastError().isEmpty()) {
            Optional<FragmentStatus> copied = standIn(reason, now);
            if (copied.isPresent()) {
                spoken = true;
                status = copied.get();
                return;
            }
        }
        if (last.lastError().isEmpty()) {
            LOG.warn("{} can't be read ({}), keeping {} fragments", keys.source(), reason, last.fragments());
        }
        if (!spoken && !now.isBefore(since.plus(patience))) {
            spoken = true;
            found.accept(Found.NOTHING);
        }
        status = new FragmentStatus(last.address(), last.fragments(), last.confirmedAt(), Optional.of(reason));
    }

    /// Empty where there is no copy, or none that may be used.
    private Optional<FragmentStatus> standIn(String reason, Instant now) {
        return copy.flatMap(file -> file.usable(now)).map(kept -> {
            Found sorted = sorted(kept.values());
            LOG.warn("{} can't be read ({}), using the copy from {} s ago: {} fragments",
                    keys.source(), reason, Duration.between(kept.confirmedAt(), now).toSeconds(), sorted.fragments().size());
            found.accept(sorted);
            return new FragmentStatus(keys.source(), sorted.fragments().size(), Optional.of(kept.confirmedAt()), Optional.of(reason));
        });
    }
}
