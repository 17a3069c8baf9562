package dev.gatepost.dns.forward;

import java.util.Optional;

/// Asks over a connection that others may be using as well.
final class StreamAttempt extends Attempt {
    private Optional<UpstreamStream> stream = Optional.empty();

    StreamAttempt(Asking asking, Standing standing, Sent sent, long startedNanos) {
        super(asking, standing, sent, startedNanos);
    }

    void start(UpstreamStream on) {
        stream = Optional.of(on);
        on.send(this);
    }

    @Override
    boolean isStream() {
        return true;
    }

    @Override
    void release() {
        stream.ifPresent(each -> each.forget(this));
    }
}
