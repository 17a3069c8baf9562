package dev.gatepost.gateway.route;

import java.util.List;

/// A change of the path that is forwarded, beyond what [RouteOptions#strip()] and [RouteOptions#prepend()] do. Works on the
/// path as it came, not normalised; what comes out begins with a slash.
public sealed interface PathEdit {
    Edited apply(Edited path);

    /// @param path     so far
    /// @param stripped what was taken from its front, for `X-Forwarded-Prefix`; empty for nothing
    /// @param replaced the path before it was replaced, for `X-Replaced-Path`; empty for nothing
    record Edited(String path, String stripped, String replaced) {
        private static String rooted(String path) {
            return path.startsWith("/") ? path : "/" + path;
        }

        private Edited without(String prefix) {
            return new Edited(rooted(path.substring(prefix.length())), stripped + prefix, replaced);
        }

        private Edited replacedBy(String other) {
            return new Edited(/* path= */ rooted(other), stripped, /* replaced= */ path);
        }
    }

    static Edited applyAll(List<PathEdit> edits, String path) {
        Edited edited = new Edited(path, "", "");
        for (PathEdit edit : edits) {
            edited = edit.apply(edited);
        }
        return edited;
    }

    /// Takes the first of the prefixes that fits.
    record Strip(List<String> prefixes) implements PathEdit {
        public Strip {
            prefixes = List.copyOf(prefixes);
        }

        @Override
        public Edited apply(Edited edited) {
            return prefixes.stream().filter(edited.path()::startsWith).findFirst().map(edited::without).orElse(edited);
        }
    }

    /// Takes what the first of the expressions matches at the path's front.
    record StripMatch(List<Regex> regexes) implements PathEdit {
        public StripMatch {
            regexes = List.copyOf(regexes);
        }

        @Override
        public Edited apply(Edited edited) {
            return regexes.stream()
                    .map(regex -> regex.first(edited.path()))
                    .filter(found -> !found.isEmpty() && edited.path().startsWith(found))
                    .findFirst()
                    .map(edited::without)
                    .orElse(edited);
        }
    }

    record Prepend(String prefix) implements PathEdit {
        @Override
        public Edited apply(Edited edited) {
            String joined = prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) + edited.path() : prefix + edited.path();
            return new Edited(joined, edited.stripped(), edited.replaced());
        }
    }

    record Replace(String path) implements PathEdit {
        @Override
        public Edited apply(Edited edited) {
            return edited.replacedBy(path);
        }
    }

    /// Replaces every match; `$1` and `${1}` stand for groups.
    record ReplaceMatch(Regex regex, String replacement) implements PathEdit {
        @Override
        public Edited apply(Edited edited) {
            return regex.find(edited.path()) ? edited.replacedBy(regex.replaceAll(edited.path(), replacement)) : edited;
        }
    }
}
