package dev.gatepost.gateway.zone;

import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.BiConsumer;

/// What differs between two maps in name order, told by reference: what did not change is the same object in both.
final class Changes {
    private Changes() {}

    /// Calls back with old and new of every name that differs; one of them is empty where it was added or removed.
    @SuppressWarnings("ReferenceEquality") // the contract of Snapshot
    static <T> void between(SortedMap<String, T> before, SortedMap<String, T> after, BiConsumer<Optional<T>, Optional<T>> changed) {
        Iterator<Map.Entry<String, T>> olds = before.entrySet().iterator();
        Iterator<Map.Entry<String, T>> news = after.entrySet().iterator();
        Optional<Map.Entry<String, T>> old = next(olds);
        Optional<Map.Entry<String, T>> fresh = next(news);
        while (old.isPresent() || fresh.isPresent()) {
            int order = old.isEmpty() ? 1 : fresh.isEmpty() ? -1 : old.get().getKey().compareTo(fresh.get().getKey());
            if (order < 0) {
                changed.accept(old.map(Map.Entry::getValue), Optional.empty());
                old = next(olds);
            } else if (order > 0) {
                changed.accept(Optional.empty(), fresh.map(Map.Entry::getValue));
                fresh = next(news);
            } else {
                if (old.get().getValue() != fresh.get().getValue()) {
                    changed.accept(old.map(Map.Entry::getValue), fresh.map(Map.Entry::getValue));
                }
                old = next(olds);
                fresh = next(news);
            }
        }
    }

    private static <E> Optional<E> next(Iterator<E> iterator) {
        return iterator.hasNext() ? Optional.of(iterator.next()) : Optional.empty();
    }
}
