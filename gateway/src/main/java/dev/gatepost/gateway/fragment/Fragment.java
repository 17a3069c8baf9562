package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.config.Place;
import java.util.Optional;

/// One small document of configuration that an operator keeps beside the catalog, under a key or in a file, and changes
/// while it is served.
///
/// @param medium where it is kept: `kv` or `file`
/// @param name   without folder and extension
/// @param place  the key or the file
/// @param unreadable why there is no text; empty when there is one
public record Fragment(Kind kind, String medium, String name, Place place, String text, Optional<String> unreadable) {
    public enum Kind {
        ROUTE("routes"),
        ZONE("zones"),
        /// A chain and its private key, PEM.
        CERTIFICATE("certificates"),
        /// fabio's command language.
        COMMANDS("fabio");

        private final String folder;

        Kind(String folder) {
            this.folder = folder;
        }

        /// Under which they are kept in the KV store.
        public String folder() {
            return folder;
        }
    }

    static final String KV = "kv";
    static final String FILE = "file";

    /// What makes it the same fragment when its text is another.
    String id() {
        return medium + " " + place.source();
    }
}
