package dev.gatepost.admin;

/// What a path leads to: a function of the request that returns a record or a collection, rendered as JSON. It returns an
/// empty `Optional` for what does not exist (404), and throws [BadParameter] for what it can't read (400).
@FunctionalInterface
public interface Resource {
    Object answer(Request request);
}
