package dev.gatepost.gateway.catalog;

/// Why a question to Consul got no usable answer. A failure is never an empty answer: whoever asked keeps what it had.
final class ConsulFailure extends Exception {
    private static final long serialVersionUID = 1L;

    enum Kind {
        /// No answer, or half of one: refused, reset, timed out.
        UNREACHABLE("unreachable"),
        /// 401 or 403: the token is missing, wrong or too weak for the very question.
        DENIED("refuses the token"),
        /// Any other status than 200: no leader, rate limited, broken.
        FAILED("fails"),
        /// 200 with something that is not Consul's JSON, such as a proxy's error page.
        GARBLED("answers nonsense");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /// What Consul does, for a log line: `consul unreachable`, `consul refuses the token`.
        String words() {
            return words;
        }
    }

    private final Kind kind;
    private final boolean connectionLost;

    ConsulFailure(Kind kind, String message) {
        super(message);
        this.kind = kind;
        this.connectionLost = false;
    }

    ConsulFailure(Kind kind, String message, Throwable cause) {
        this(kind, message, cause, false);
    }

    private ConsulFailure(Kind kind, String message, Throwable cause, boolean connectionLost) {
        super(message, cause);
        this.kind = kind;
        this.connectionLost = connectionLost;
    }

    /// The connection was there and the other side closed it.
    static ConsulFailure lost(String message, Throwable cause) {
        return new ConsulFailure(Kind.UNREACHABLE, message, cause, true);
    }

    Kind kind() {
        return kind;
    }

    boolean connectionLost() {
        return connectionLost;
    }

    /// One line without a class name.
    String reason() {
        String message = getMessage();
        return message == null ? kind.words() : message;
    }
}
