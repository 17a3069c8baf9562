package dev.gatepost.gateway.catalog;

import com.ecwid.consul.UrlParameters;

import java.time.Duration;

/// One endpoint of Consul, asked again and again for what is newer than its last answer, by Consul's rules for that:
/// the index goes back to the start when the answer's is lower, an index of 0 never blocks, a return is no proof of a
/// change, and after a failure the question starts without an index, since an index from before a restart would sleep
/// the whole wait. Confined to one thread.
final class BlockingQuery {
    /// What was heard.
    ///
    /// @param moved something may have been written since the answer before, though perhaps not what this endpoint shows
    record Heard(ConsulClient.Answer answer, boolean moved) {}

    private final ConsulClient client;
    private final String endpoint;
    private final UrlParameters[] parameters;
    private final Duration wait;
    private final Pace pace;

    /// 0: the next question doesn't block.
    private long index;

    BlockingQuery(ConsulClient client, String endpoint, Duration wait, Pace pace, UrlParameters... parameters) {
        this.client = client;
        this.endpoint = endpoint;
        this.parameters = parameters.clone();
        this.wait = wait;
        this.pace = pace;
    }

    String endpoint() {
        return endpoint;
    }

    Heard next() throws ConsulFailure, InterruptedException {
        pace.await();
        long asked = index;
        index = 0; // stands when this question fails
        ConsulClient.Answer answer = asked == 0 ? client.ask(endpoint, parameters) : client.await(endpoint, asked, wait, parameters);
        boolean backwards = Long.compareUnsigned(answer.index(), asked) < 0;
        index = backwards ? 0 : answer.index();
        return new Heard(answer, asked == 0 || answer.index() != asked);
    }

    /// The last answer was of no use: the next question doesn't wait for a newer one.
    void restart() {
        index = 0;
    }
}
