package dev.gatepost.gateway.route;

import java.util.Set;
import java.util.TreeSet;

/// What the value of a header or query parameter must be.
sealed interface ValueTest {
    boolean admits(String value);

    /// As it follows the name in an option.
    ///
    /// @param equals between a name and a plain value
    String suffix(String equals);

    String expectation();

    /// Any value, an empty one too.
    record Present() implements ValueTest {
        @Override
        public boolean admits(String value) {
            return true;
        }

        @Override
        public String suffix(String equals) {
            return "";
        }

        @Override
        public String expectation() {
            return "present";
        }
    }

    record OneOf(Set<String> values) implements ValueTest {
        public OneOf {
            values = Set.copyOf(values);
        }

        @Override
        public boolean admits(String value) {
            return values.contains(value);
        }

        @Override
        public String suffix(String equals) {
            return equals + String.join("|", new TreeSet<>(values));
        }

        @Override
        public String expectation() {
            return String.join(" or ", new TreeSet<>(values));
        }
    }

    record Matching(Regex regex) implements ValueTest {
        @Override
        public boolean admits(String value) {
            return regex.find(value);
        }

        @Override
        public String suffix(String equals) {
            return "~" + regex;
        }

        @Override
        public String expectation() {
            return "a match of " + regex;
        }
    }
}
