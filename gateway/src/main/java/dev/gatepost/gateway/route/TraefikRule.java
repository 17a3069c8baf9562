package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A router's rule, such as ``Host(`a.example.com`) && !(Path(`/x`) || Method(`POST`))``, taken apart.
sealed interface TraefikRule {
    /// A matcher with its arguments; its name in lower case.
    record Matcher(String name, List<String> arguments) implements TraefikRule {}

    record All(TraefikRule left, TraefikRule right) implements TraefikRule {}

    record Any(TraefikRule left, TraefikRule right) implements TraefikRule {}

    record Not(TraefikRule rule) implements TraefikRule {}

    static TraefikRule parse(String text) {
        Parser parser = new Parser(text);
        TraefikRule rule = parser.either();
        if (parser.at < text.length()) {
            throw parser.expected("&&, || or the end");
        }
        return rule;
    }

    /// By recursive descent: `||` binds weaker than `&&`, that weaker than `!`.
    final class Parser {
        /// Parentheses and negations within each other, beyond which no person wrote the rule.
        private static final int DEEPEST = 50;

        private final String rule;
        private int at;
        private int depth;

        private Parser(String rule) {
            this.rule = rule;
        }

        private TraefikRule either() {
            TraefikRule left = both();
            while (accept("||")) {
                left = new Any(left, both());
            }
            return left;
        }

        private TraefikRule both() {
            TraefikRule left = single();
            while (accept("&&")) {
                left = new All(left, single());
            }
            return left;
        }

        private TraefikRule single() {
            if (++depth > DEEPEST) {
                throw expected("at most " + DEEPEST + " parentheses within each other");
            }
            TraefikRule rule = accept("!") ? new Not(single()) : accept("(") ? inner() : matcher();
            depth--;
            return rule;
        }

        private TraefikRule inner() {
            TraefikRule inner = either();
            if (!accept(")")) {
                throw expected(")");
            }
            return inner;
        }

        private Matcher matcher() {
            String name = word();
            if (!accept("(")) {
                throw expected("(");
            }
            List<String> arguments = new ArrayList<>();
            do {
                blanks();
                char quote = at < rule.length() ? rule.charAt(at) : ' ';
                if (quote != '`' && quote != '"') {
                    throw expected("an argument in backticks or double quotes");
                }
                arguments.add(quoted(quote));
            } while (accept(","));
            if (!accept(")")) {
                throw at == rule.length() ? cut(")") : expected(")");
            }
            return new Matcher(name.toLowerCase(Locale.ROOT), arguments);
        }

        /// Between double quotes a backslash takes the next character as it is, as in Go; between backticks it is one itself.
        private String quoted(char quote) {
            StringBuilder argument = new StringBuilder();
            for (int i = at + 1; i < rule.length(); i++) {
                char c = rule.charAt(i);
                if (c == quote) {
                    at = i + 1;
                    return argument.toString();
                }
                if (c == '\\' && quote == '"' && i + 1 < rule.length()) {
                    i++;
                    c = rule.charAt(i);
                }
                argument.append(c);
            }
            throw cut("an argument in backticks or double quotes");
        }

        private String word() {
            blanks();
            int from = at;
            while (at < rule.length() && Character.isLetter(rule.charAt(at))) {
                at++;
            }
            if (from == at) {
                throw expected("a matcher such as Host(`example.com`)");
            }
            return rule.substring(from, at);
        }

        private boolean accept(String token) {
            blanks();
            if (!rule.startsWith(token, at)) {
                return false;
            }
            at += token.length();
            return true;
        }

        private void blanks() {
            while (at < rule.length() && Character.isWhitespace(rule.charAt(at))) {
                at++;
            }
        }

        private Malformed expected(String what) {
            return new Malformed("rule %s, at character %d (expected: %s)".formatted(rule, at + 1, what));
        }

        /// Of a rule that ends within a matcher.
        private Malformed cut(String what) {
            return new Malformed(expected(what).getMessage() + "; Registrator cuts tags at commas, unless they are written \\,");
        }
    }
}
