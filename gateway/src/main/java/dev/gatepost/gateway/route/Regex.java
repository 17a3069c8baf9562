package dev.gatepost.gateway.route;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.gatepost.gateway.route.Expression.Malformed;

/// A regular expression as Go has them (RE2): no back-references, and matching takes time in proportion to the text, so
/// that neither a tag nor a request can stall the gate. Two are equal when they are written the same.
final class Regex {
    /// What a tag may cost: the text of the expression, how often its repetitions multiply, and the compiled program.
    private static final int LONGEST = 1024;
    private static final int MOST_REPETITIONS = 20_000;
    private static final int LARGEST_PROGRAM = 5_000;

    private static final java.util.regex.Pattern REPETITION = java.util.regex.Pattern.compile("\\{(\\d{1,9})?,?(\\d{1,9})?\\}");
    private static final String NOT_GLOB = "\\.+()^$|";

    private static final java.util.regex.Pattern GROUP = java.util.regex.Pattern.compile("\\$(?:\\{(\\w+)\\}|(\\w+)|\\$)");

    private final String text;
    private final Pattern pattern;

    private Regex(String text, Pattern pattern) {
        this.text = text;
        this.pattern = pattern;
    }

    /// @throws Malformed with the expression and what is wrong with it
    static Regex of(String text) {
        return new Regex(text, compile(text, text));
    }

    /// `*` is any text within one part, `**` any text at all, `?` one character, `[a-z]` and `[!a-z]` one of or not of some,
    /// `{a,b}` alternatives, `\` takes the next character as it is.
    ///
    /// @param separator between the parts, such as `/`; empty where there are none, and `*` is any text
    /// @param end       an expression for what may follow, `$` for nothing
    static Regex glob(String text, String separator, String end) {
        return new Regex(text, compile(text, "(?s)^" + translated(text, separator) + end));
    }

    private static Pattern compile(String written, String expression) {
        if (expression.length() > LONGEST) {
            throw new Malformed("expression %s has %d characters (expected: at most %d)".formatted(written, expression.length(), LONGEST));
        }
        if (repetitions(expression) > MOST_REPETITIONS) {
            throw new Malformed("expression %s repeats too much (expected: repetitions that multiply to at most %d)".formatted(written, MOST_REPETITIONS));
        }
        try {
            Pattern compiled = Pattern.compile(expression);
            if (compiled.programSize() > LARGEST_PROGRAM) {
                throw new Malformed("expression %s compiles to %d steps (expected: at most %d)".formatted(written, compiled.programSize(), LARGEST_PROGRAM));
            }
            return compiled;
        } catch (PatternSyntaxException e) {
            throw new Malformed("expression %s: %s (expected: a regular expression as in Go, RE2)".formatted(written, e.getMessage()));
        }
    }

    private static long repetitions(String expression) {
        long product = 1;
        java.util.regex.Matcher found = REPETITION.matcher(expression);
        while (found.find() && product <= MOST_REPETITIONS) {
            String most = found.group(2) == null ? found.group(1) : found.group(2);
            product *= most == null ? 1 : Math.max(1, Long.parseLong(most));
        }
        return product;
    }

    private static String translated(String glob, String separator) {
        String one = separator.isEmpty() ? "." : "[^" + separator + "]";
        StringBuilder expression = new StringBuilder();
        int braces = 0;
        for (int i = 0; i < glob.length(); i++) {
            char c = glob.charAt(i);
            switch (c) {
                case '*' -> {
                    boolean any = i + 1 < glob.length() && glob.charAt(i + 1) == '*';
                    expression.append(any ? "." : one).append('*');
                    i += any ? 1 : 0;
                }
                case '?' -> expression.append(one);
                case '[' -> {
                    boolean not = i + 1 < glob.length() && glob.charAt(i + 1) == '!';
                    expression.append(not ? "[^" : "[");
                    i += not ? 1 : 0;
                    while (i + 1 < glob.length() && glob.charAt(i + 1) != ']') {
                        i++;
                        expression.append(glob.charAt(i) == '[' || glob.charAt(i) == '^' ? "\\" : "").append(glob.charAt(i));
                    }
                }
                case ']' -> expression.append(']');
                case '{' -> {
                    braces++;
                    expression.append("(?:");
                }
                case '}' -> {
                    if (--braces < 0) {
                        throw new Malformed("%s: } without { (expected: a glob such as {a,b}*)".formatted(glob));
                    }
                    expression.append(')');
                }
                case ',' -> expression.append(braces > 0 ? '|' : ',');
                case '\\' -> {
                    i++;
                    if (i < glob.length()) {
                        expression.append(quoted(glob.charAt(i)));
                    }
                }
                default -> expression.append(quoted(c));
            }
        }
        return expression.toString();
    }

    private static String quoted(char c) {
        return NOT_GLOB.indexOf(c) >= 0 || "*?[]{}".indexOf(c) >= 0 ? "\\" + c : String.valueOf(c);
    }

    /// Whether it matches anywhere in the text.
    boolean find(String value) {
        return pattern.matcher(value).find();
    }

    /// The same under another spelling.
    Regex named(String written) {
        return new Regex(written, pattern);
    }

    /// The first match; empty for none.
    String first(String value) {
        Matcher matcher = pattern.matcher(value);
        return matcher.find() ? matcher.group() : "";
    }

    /// The value with every match replaced.
    ///
    /// @param template holds `$1`, `${1}` or `${name}` for groups and `$$` for a dollar sign, as in Go: a name goes on as long
    ///                 as letters, digits and `_` do, and one that is not known is empty
    String replaceAll(String value, String template) {
        Matcher matcher = pattern.matcher(value);
        StringBuilder result = new StringBuilder();
        int at = 0;
        while (matcher.find()) {
            result.append(value, at, matcher.start()).append(expanded(matcher, template));
            at = matcher.end();
        }
        return result.append(value, at, value.length()).toString();
    }

    private static String expanded(Matcher matcher, String template) {
        return GROUP.matcher(template).replaceAll(found -> {
            String name = found.group(1) == null ? found.group(2) : found.group(1);
            return java.util.regex.Matcher.quoteReplacement(name == null ? "$" : group(matcher, name));
        });
    }

    private static String group(Matcher matcher, String name) {
        try {
            boolean number = name.length() <= 3 && name.chars().allMatch(c -> c >= '0' && c <= '9');
            String group = number ? matcher.group(Integer.parseInt(name)) : matcher.group(name);
            return group == null ? "" : group;
        } catch (IllegalArgumentException | IndexOutOfBoundsException _) {
            return "";
        }
    }

    /// As it was written.
    String text() {
        return text;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Regex regex && text.equals(regex.text) && pattern.pattern().equals(regex.pattern.pattern());
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
