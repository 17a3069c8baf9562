package dev.gatepost.admin;

/// A query parameter that is missing, unknown or not what was expected. The message is for the one who asked.
public final class BadParameter extends RuntimeException {
    private static final long serialVersionUID = 1;

    public BadParameter(String name, String value, String expected) {
        super(name + ": " + (value.isEmpty() ? "missing" : value) + " (expected: " + expected + ")");
    }
}
