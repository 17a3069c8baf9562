package dev.gatepost.gateway;

/// The gateway could not start, for a reason that a person can mend: the message is one line with the value, the place
/// and what was expected.
public final class StartFailure extends Exception {
    private static final long serialVersionUID = 1L;

    public StartFailure(String message) {
        super(message);
    }

    public StartFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
