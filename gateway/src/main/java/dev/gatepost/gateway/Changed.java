package dev.gatepost.gateway;

import java.util.Optional;
import java.util.function.BiPredicate;

/// What became of one thing of a state: a service, an instance, a route, a name.
///
/// @param key    by which it is the same thing before and after
/// @param before empty where it was added
/// @param after  empty where it was removed
record Changed<T>(String key, Optional<T> before, Optional<T> after) {
    enum Kind { ADDED, REMOVED, CHANGED }

    Kind kind() {
        return before.isEmpty() ? Kind.ADDED : after.isEmpty() ? Kind.REMOVED : Kind.CHANGED;
    }

    /// The two as one step, this one first.
    Changed<T> then(Changed<T> next) {
        return new Changed<>(key, before, next.after);
    }

    Changed<T> reversed() {
        return new Changed<>(key, after, before);
    }

    /// Whether nothing is left of it, as after a flap and back.
    ///
    /// @param same whether two of them say the same
    boolean isNothing(BiPredicate<T, T> same) {
        return before.isPresent() == after.isPresent() && before.stream().allMatch(was -> after.stream().allMatch(is -> same.test(was, is)));
    }
}
