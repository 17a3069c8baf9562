package dev.gatepost.gateway.fragment;

/// A fragment, or something found among them, that could not be used.
///
/// @param medium `kv` or `file`
/// @param source the key or the file
/// @param reason place and line, what is wrong and what was expected
public record RejectedFragment(String medium, String source, String reason) {}
