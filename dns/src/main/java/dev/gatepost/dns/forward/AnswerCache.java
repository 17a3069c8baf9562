package dev.gatepost.dns.forward;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// What upstreams answered, bounded by bytes: who is asked for often stays. Answers are kept past their TTL, for the time
/// that nobody can be asked.
final class AnswerCache {
    private static final int KEY_OVERHEAD = 64;

    private final Cache<QuestionKey, CachedAnswer> answers;

    AnswerCache(long bytes) {
        answers = Caffeine.newBuilder()
                .maximumWeight(bytes)
                .weigher((QuestionKey key, CachedAnswer answer) -> KEY_OVERHEAD + key.nameLength() + answer.weight())
                // On the thread that found the work: an event loop needs no other thread's help for a few evictions.
                .executor(Runnable::run)
                .build();
    }

    @Nullable CachedAnswer find(QuestionKey key) {
        return answers.getIfPresent(key);
    }

    void put(QuestionKey key, CachedAnswer answer) {
        answers.put(key, answer);
    }

    void remove(QuestionKey key) {
        answers.invalidate(key);
    }

    Map<QuestionKey, CachedAnswer> all() {
        return answers.asMap();
    }

    /// @return how many there were
    int removeIf(Predicate<QuestionKey> which) {
        int removed = 0;
        for (QuestionKey each : answers.asMap().keySet()) {
            if (which.test(each) && answers.asMap().remove(each) != null) {
                removed++;
            }
        }
        return removed;
    }

    long size() {
        return answers.estimatedSize();
    }

    long weight() {
        return answers.policy().eviction().map(eviction -> eviction.weightedSize().orElse(0)).orElse(0L);
    }
}
