package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.catalog.ConsulClient.Answer;
import dev.gatepost.gateway.catalog.ConsulClient.Consistency;
import java.time.Duration;

/// One endpoint of Consul, asked again and again for what is newer than its last answer, by Consul's rules for that:
/// an index of 0 never blocks, a return is no proof of a change, and after a failure the question starts without an index,
/// since an index from before a restart would sleep the whole wait.
///
/// Any server may hold the question, so that waiting costs the leader nothing and an election breaks nothing. What a
/// server says that is too far behind its leader is not taken, the leader is asked. And what is older than what we heard
/// already, even from a leader that was elected a moment ago, counts only once a majority confirms that it leads: then the
/// index really went back. Who has heard nothing yet can't tell, and has the first answer confirmed.
/// Confined to one thread.
final class BlockingQuery {
    /// What was heard.
    ///
    /// @param moved something may have been written since the answer before, though perhaps not what this endpoint shows
    record Heard(Answer answer, boolean moved) {}

    private final ConsulClient client;
    private final String endpoint;
    private final Duration wait;
    private final Duration maxStale;
    private final Pace pace;

    /// 0: the next question doesn't block.
    private long index;

    /// Of the last answer.
    private long heard;

    /// @param maxStale how far behind its leader a server may be; zero for the leader alone
    BlockingQuery(ConsulClient client, String endpoint, Duration wait, Duration maxStale, Pace pace) {
        this.client = client;
        this.endpoint = endpoint;
        this.wait = wait;
        this.maxStale = maxStale;
        this.pace = pace;
    }

    /// Goes on from an answer that somebody else had.
    BlockingQuery after(long known) {
        index = known;
        heard = known;
        return this;
    }

    String endpoint() {
        return endpoint;
    }

    Heard next() throws ConsulFailure, InterruptedException {
        pace.await();
        long asked = index;
        index = 0; // stands when this question fails
        Answer answer = answer(asked);
        if (Long.compareUnsigned(answer.index(), heard) < 0) {
            answer = client.ask(endpoint, Consistency.CONSISTENT);
        }
        index = answer.index();
        heard = answer.index();
        return new Heard(answer, asked == 0 || answer.index() != asked);
    }

    private Answer answer(long asked) throws ConsulFailure {
        if (asked == 0) {
            return client.ask(endpoint, heard == 0 ? Consistency.CONSISTENT : Consistency.DEFAULT);
        }
        if (maxStale.isZero()) {
            return client.await(endpoint, asked, wait, Consistency.DEFAULT);
        }
        Answer answer = client.await(endpoint, asked, wait, Consistency.STALE);
        return answer.lag().compareTo(maxStale) > 0 ? client.ask(endpoint, Consistency.DEFAULT) : answer;
    }

    /// The last answer was of no use: the next question doesn't wait for a newer one.
    void restart() {
        index = 0;
    }
}
