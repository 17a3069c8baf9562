package dev.gatepost.dns;

/// Told of every query that was answered, refused or dropped, on the event loop that did it. It must not block.
@FunctionalInterface
public interface QueryLog {
    QueryLog NONE = _ -> {};

    void answered(QueryRecord query);
}
