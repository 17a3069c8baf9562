package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// A header that a route sets, in place of all of that name, adds to those, or removes.
///
/// @param value   empty for none: the header is removed
/// @param adds    whether those of that name stay
/// @param tlsOnly only where the client speaks TLS
public record FieldEdit(String name, Optional<String> value, boolean adds, boolean tlsOnly) {
    /// Those that frame messages or belong to one connection (RFC 9110 section 7.6.1) are the gate's own.
    private static final Set<String> RESERVED = Set.of(
            "connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade");
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");

    /// One that leaves no other of that name.
    public FieldEdit(String name, Optional<String> value, boolean tlsOnly) {
        this(name, value, false, tlsOnly);
    }

    /// @param value empty to remove the header
    /// @throws Malformed with name, value and what was expected
    static FieldEdit of(String name, String value, boolean tlsOnly) {
        if (!TOKEN.matcher(name).matches() || RESERVED.contains(name.toLowerCase(Locale.ROOT))) {
            throw new Malformed("header %s (expected: a header name, and none that frames messages or rules connections)".formatted(name));
        }
        String stripped = value.strip();
        if (!stripped.chars().allMatch(c -> c == '\t' || (c >= ' ' && c <= '~') || (c >= 0xa0 && c <= 0xff))) {
            throw new Malformed("header %s: value \"%s\" (expected: visible characters and blanks)".formatted(name, value));
        }
        return new FieldEdit(name, stripped.isEmpty() ? Optional.empty() : Optional.of(stripped), tlsOnly);
    }

    public FieldEdit adding() {
        return new FieldEdit(name, value, true, tlsOnly);
    }
}
