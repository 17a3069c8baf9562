package dev.gatepost.gateway.fragment;

import java.util.List;

/// A fragment, or something found among them, that could not be used.
///
/// @param medium `kv` or `file`
/// @param source the key or the file
/// @param reason place and line, what is wrong and what was expected
/// @param routes what it declares in vain, `HOST/PATH [option=value ...]` each, as far as that can be made out
public record RejectedFragment(String medium, String source, String reason, List<String> routes) {
    public RejectedFragment {
        routes = List.copyOf(routes);
    }

    RejectedFragment(String medium, String source, String reason) {
        this(medium, source, reason, List.of());
    }
}
