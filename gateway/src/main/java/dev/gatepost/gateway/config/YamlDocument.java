package dev.gatepost.gateway.config;

import dev.gatepost.gateway.config.Value.Field;
import dev.gatepost.gateway.config.Value.Fields;
import dev.gatepost.gateway.config.Value.Items;
import dev.gatepost.gateway.config.Value.Nothing;
import dev.gatepost.gateway.config.Value.Text;
import java.io.StringReader;
import java.util.IdentityHashMap;
import java.util.List;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/// YAML text to a [Value] that knows its lines. Only the node tree is built: no tag makes an object, and the aliases
/// and the depth are bounded, so a hostile document costs no more than its size.
public final class YamlDocument {
    private static final int MOST_ALIASES = 50;
    private static final int DEEPEST = 20;
    private static final int LONGEST = 4 * 1024 * 1024;

    private final Place whole;
    private final IdentityHashMap<Node, Value> values = new IdentityHashMap<>();

    private YamlDocument(Place whole) {
        this.whole = whole;
    }

    /// @param whole where the text is from, without a line
    /// @return the document, or [Nothing] when there is none or it isn't YAML; then `problems` says why
    public static Value parse(String text, Place whole, List<Problem> problems) {
        LoaderOptions bounds = new LoaderOptions();
        bounds.setMaxAliasesForCollections(MOST_ALIASES);
        bounds.setNestingDepthLimit(DEEPEST);
        bounds.setCodePointLimit(LONGEST);
        try {
            Node root = new Yaml(bounds).compose(new StringReader(text));
            return root == null ? new Nothing(whole) : new YamlDocument(whole).value(root);
        } catch (MarkedYAMLException e) {
            Mark mark = e.getProblemMark();
            Place place = mark == null ? whole : whole.at(mark.getLine() + 1, mark.getColumn() + 1);
            problems.add(new Problem(place, "not YAML: " + e.getProblem() + hint(text, place.line())));
        } catch (YAMLException e) {
            problems.add(new Problem(whole, "not YAML: " + e.getMessage()));
        }
        return new Nothing(whole);
    }

    /// What people write in good faith and YAML reads as something else.
    private static String hint(String text, int line) {
        String written = text.lines().skip(Math.max(0, line - 1)).findFirst().orElse("");
        if (written.contains("[:") || written.matches(".*\\[[0-9a-fA-F]+:.*")) {
            return " (an address that starts with [ needs quotes: \"[::]:53\")";
        }
        if (written.matches(".*[:\\[,]\\s+:\\d.*")) {
            return " (an address that starts with : needs quotes: \":53\")";
        }
        return written.contains("\t") ? " (YAML is indented with spaces, here is a tab)" : "";
    }

    /// Each node becomes one value, however many aliases lead to it: shared, not copied.
    private Value value(Node node) {
        Value known = values.get(node);
        if (known != null) {
            return known;
        }
        Place place = place(node);
        values.put(node, new Nothing(place)); // what an alias inside its own anchor sees
        Value value = switch (node) {
            case ScalarNode scalar when scalar.getTag().equals(Tag.NULL) -> new Nothing(place);
            case ScalarNode scalar -> new Text(scalar.getValue(), place);
            case SequenceNode sequence -> new Items(sequence.getValue().stream().map(this::value).toList(), place);
            case MappingNode mapping -> new Fields(mapping.getValue().stream().map(this::field).toList(), place);
            default -> throw new IllegalStateException("a YAML node of a fourth kind: " + node.getNodeId());
        };
        values.put(node, value);
        return value;
    }

    private Field field(NodeTuple tuple) {
        String name = tuple.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "a key that is not a word";
        return new Field(name, value(tuple.getValueNode()), place(tuple.getKeyNode()));
    }

    private Place place(Node node) {
        Mark mark = node.getStartMark();
        return mark == null ? whole : whole.at(mark.getLine() + 1, mark.getColumn() + 1);
    }
}
