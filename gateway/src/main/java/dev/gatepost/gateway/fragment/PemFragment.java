package dev.gatepost.gateway.fragment;

/// A certificate chain with its private key, as an operator wrote it. It may not be readable: that shows where it is used.
///
/// @param source the key or the file
public record PemFragment(String source, String text) {
    /// Without the private key.
    @Override
    public String toString() {
        return "PemFragment[" + source + "]";
    }
}
