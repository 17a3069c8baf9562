package dev.gatepost.gateway.route;

/// The paths that a route serves: a prefix of whole segments, or a plain string prefix.
///
/// @param prefix begins with `/`; matches case-sensitively against the normalised path
/// @param plain  a plain string prefix, written with a trailing `*`: `/foo*` matches `/foobar`
public record PathPattern(String prefix, boolean plain) {
    @Override
    public String toString() {
        return plain ? prefix + "*" : prefix;
    }
}
