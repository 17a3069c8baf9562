package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// What gRPC adds to HTTP/2: how long a call may take, and how it is told that it failed. A call always gets 200 and a
/// `grpc-status`; one that the gate fails gets it as "trailers only", or behind whatever response had begun.
final class Grpc {
    private static final byte[] TYPE = "application/grpc".getBytes(ISO_8859_1);
    private static final String STATUS = "grpc-status";
    private static final int PERMISSION_DENIED = 7;
    private static final int RESOURCE_EXHAUSTED = 8;
    private static final int UNIMPLEMENTED = 12;
    private static final int INTERNAL = 13;
    private static final int UNAVAILABLE = 14;
    private static final int DEADLINE_EXCEEDED = 4;
    private static final int UNKNOWN = 2;

    private Grpc() {}

    /// `application/grpc`, `application/grpc+proto`; not `application/grpc-web`, which is plain HTTP.
    static boolean is(RequestHead request) {
        FieldSection fields = request.fields;
        int type = request.version == 20 ? fields.find(FieldName.CONTENT_TYPE, 0) : -1;
        if (type < 0) {
            return false;
        }
        int from = fields.valueFrom(type);
        int end = from + TYPE.length;
        int to = fields.valueTo(type);
        return end <= to
                && Syntax.equalsIgnoreCase(fields.bytes, from, end, TYPE)
                && (end == to || fields.bytes[end] == '+' || fields.bytes[end] == ';');
    }

    /// What `grpc-timeout` says: at most eight digits and a unit; -1 when it says nothing that can be understood.
    static long timeoutNanos(RequestHead request) {
        FieldSection fields = request.fields;
        int field = fields.find("grpc-timeout");
        if (field < 0) {
            return -1;
        }
        int to = fields.valueTo(field) - 1;
        int digits = to - fields.valueFrom(field);
        long value = digits < 1 || digits > 8 ? -1 : Syntax.decimal(fields.bytes, fields.valueFrom(field), to);
        long unit = switch (fields.bytes[to]) {
            case 'H' -> 3_600_000_000_000L;
            case 'M' -> 60_000_000_000L;
            case 'S' -> 1_000_000_000L;
            case 'm' -> 1_000_000L;
            case 'u' -> 1_000L;
            case 'n' -> 1L;
            default -> 0;
        };
        // 99,999,999 h are more nanoseconds than there are.
        return value < 0 || unit == 0 ? -1 : value > Long.MAX_VALUE / 2 / unit ? Long.MAX_VALUE / 2 : value * unit;
    }

    /// What a call came to, as its trailers say; -1 when they don't.
    static int status(FieldSection trailers) {
        int field = trailers.find(STATUS);
        return field < 0 ? -1 : (int) Math.min(Syntax.decimal(trailers.bytes, trailers.valueFrom(field), trailers.valueTo(field)), Integer.MAX_VALUE);
    }

    /// As gRPC maps HTTP's statuses, but that the gate knows more: a deadline that has passed, a limit that was hit.
    static int statusOf(int status, Cause cause) {
        return switch (cause) {
            case TOTAL_TIMEOUT, UPSTREAM_HEADER_TIMEOUT, UPSTREAM_BODY_TIMEOUT, CLIENT_TIMEOUT -> DEADLINE_EXCEEDED;
            case BODY_TOO_LARGE -> RESOURCE_EXHAUSTED;
            default -> switch (status) {
                case 400, 431 -> INTERNAL;
                case 403 -> PERMISSION_DENIED;
                case 404 -> UNIMPLEMENTED;
                case 429, 502, 503, 504 -> UNAVAILABLE;
                default -> UNKNOWN;
            };
        };
    }

    /// Adds what tells a client that its call has failed.
    static void fail(FieldSection fields, int status, Cause cause) {
        fields.add(STATUS, Integer.toString(statusOf(status, cause)));
        fields.add("grpc-message", "gateway: " + status + " " + cause.word());
    }
}
