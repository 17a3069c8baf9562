package dev.gatepost.gateway.accesslog;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/// Writes instants as `2026-11-22T16:41:48.123456Z`. The text of a second is made once: most lines share it with the last.
final class UtcClockText {
    private static final DateTimeFormatter SECOND = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.").withZone(ZoneOffset.UTC);

    private long second = Long.MIN_VALUE;
    private byte[] text = {};
    private long previousSecond = Long.MIN_VALUE;
    private byte[] previousText = {};

    void write(long epochNanos, JsonLine line) {
        long seconds = Math.floorDiv(epochNanos, 1_000_000_000L);
        line.raw(text(seconds));
        int micros = (int) (epochNanos - seconds * 1_000_000_000L) / 1000;
        line.twoDigits(micros / 10_000);
        line.twoDigits(micros / 100 % 100);
        line.twoDigits(micros % 100);
        line.raw('Z');
    }

    /// Two seconds are kept, since an exchange may begin in one and end in the next.
    private byte[] text(long seconds) {
        if (seconds == second) {
            return text;
        }
        if (seconds != previousSecond) {
            previousSecond = seconds;
            previousText = JsonLine.ascii(SECOND.format(Instant.ofEpochSecond(seconds)));
        }
        byte[] found = previousText;
        previousSecond = second;
        previousText = text;
        second = seconds;
        text = found;
        return found;
    }
}
