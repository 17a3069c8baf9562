package dev.gatepost.gateway.route;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The routes of one host by path: an immutable radix tree over bytes. A look-up costs the length of the path, however
/// many routes there are; a change copies the nodes on its way and shares the rest with the tree it was made from.
final class PathTrie {
    static final PathTrie EMPTY = new PathTrie(new byte[0], new Entry[0], new byte[0], new PathTrie[0]);

    private final byte[] label;
    /// The routes whose path ends here, in look-up order.
    private final Entry[] entries;
    /// First bytes of the children's labels, ascending.
    private final byte[] branches;
    private final PathTrie[] children;
    /// The highest priority of any route in here.
    private final int maxPriority;

    private PathTrie(byte[] label, Entry[] entries, byte[] branches, PathTrie[] children) {
        this.label = label;
        this.entries = entries;
        this.branches = branches;
        this.children = children;
        int max = Integer.MIN_VALUE;
        for (Entry entry : entries) {
            max = Math.max(max, entry.route().priority());
        }
        for (PathTrie child : children) {
            max = Math.max(max, child.maxPriority);
        }
        this.maxPriority = max;
    }

    boolean isEmpty() {
        return entries.length == 0 && children.length == 0;
    }

    int maxPriority() {
        return maxPriority;
    }

    /// The first route in look-up order, of those that serve `path[from, to)`: the highest priority, then the longest path.
    @Nullable Route match(byte[] path, int from, int to, int port, RequestFacts request) {
        Route best = null;
        PathTrie node = this;
        int at = from;
        while (true) {
            Route here = node.first(path, at, to, port, request);
            // Deeper is longer: it wins a tie.
            if (here != null && (best == null || here.priority() >= best.priority())) {
                best = here;
            }
            node = node.next(path, at, to);
            if (node == null) {
                return best;
            }
            at += node.label.length;
        }
    }

    /// One that takes the method, or else the first that lacks nothing but that: it answers 405.
    private @Nullable Route first(byte[] path, int at, int to, int port, RequestFacts request) {
        Route refusing = null;
        for (Entry entry : entries) {
            if (entry.admits(path, at, to, port, request)) {
                if (entry.takesMethod(request)) {
                    return entry.route();
                }
                refusing = refusing == null ? entry.route() : refusing;
            }
        }
        return refusing;
    }

    /// All routes that serve `path[from, to)`, their methods aside, shortest path first: what `match` chooses from.
    void candidates(byte[] path, int from, int to, int port, RequestFacts request, Consumer<Route> each) {
        PathTrie node = this;
        int at = from;
        while (node != null) {
            for (Entry entry : node.entries) {
                if (entry.admits(path, at, to, port, request)) {
                    each.accept(entry.route());
                }
            }
            node = node.next(path, at, to);
            if (node != null) {
                at += node.label.length;
            }
        }
    }

    /// The child whose whole label the path continues with.
    private @Nullable PathTrie next(byte[] path, int at, int to) {
        if (at == to) {
            return null;
        }
        int index = branch(path[at]);
        if (index < 0) {
            return null;
        }
        PathTrie child = children[index];
        int length = child.label.length;
        return to - at >= length && Arrays.equals(path, at, at + length, child.label, 0, length) ? child : null;
    }

    private int branch(byte first) {
        return Arrays.binarySearch(branches, first);
    }

    /// The entry of exactly this key.
    @Nullable Entry get(RouteKey key) {
        PathTrie node = node(key);
        return node == null ? null : node.find(key);
    }

    /// Routes of the key's path, whatever their conditions.
    void forEachBeside(RouteKey key, Consumer<Entry> each) {
        PathTrie node = node(key);
        for (Entry entry : node == null ? new Entry[0] : node.entries) {
            if (entry.key().path().equals(key.path())) {
                each.accept(entry);
            }
        }
    }

    private @Nullable PathTrie node(RouteKey key) {
        byte[] path = bytes(key);
        PathTrie node = this;
        int at = 0;
        while (node != null && at < path.length) {
            node = node.next(path, at, path.length);
            at += node == null ? 0 : node.label.length;
        }
        return node;
    }

    private @Nullable Entry find(RouteKey key) {
        for (Entry entry : entries) {
            if (entry.key().equals(key)) {
                return entry;
            }
        }
        return null;
    }

    /// This tree with the entry in place of any other of the same key.
    PathTrie with(Entry entry) {
        return with(bytes(entry.key()), 0, entry);
    }

    private PathTrie with(byte[] path, int at, Entry entry) {
        if (at == path.length) {
            return new PathTrie(label, Entry.with(entries, entry), branches, children);
        }
        int index = branch(path[at]);
        if (index < 0) {
            PathTrie leaf = new PathTrie(Arrays.copyOfRange(path, at, path.length), new Entry[] {entry}, new byte[0], new PathTrie[0]);
            return insert(-index - 1, leaf);
        }
        PathTrie child = children[index];
        int common = Arrays.mismatch(child.label, 0, child.label.length, path, at, path.length);
        if (common < 0 || common == child.label.length) {
            return replace(index, child.with(path, at + child.label.length, entry));
        }
        PathTrie lower = child.labelled(Arrays.copyOfRange(child.label, common, child.label.length));
        PathTrie upper = new PathTrie(
                Arrays.copyOf(child.label, common), new Entry[0], new byte[] {lower.label[0]}, new PathTrie[] {lower});
        return replace(index, upper.with(path, at + common, entry));
    }

    /// This tree without the entry of the key; itself if there is none.
    PathTrie without(RouteKey key) {
        PathTrie rest = without(bytes(key), 0, key);
        return rest == null ? EMPTY : rest;
    }

    /// Null when nothing is left below.
    private @Nullable PathTrie without(byte[] path, int at, RouteKey key) {
        if (at == path.length) {
            Entry[] left = Entry.without(entries, key);
            return left.length == entries.length ? this : new PathTrie(label, left, branches, children).compacted();
        }
        PathTrie child = next(path, at, path.length);
        if (child == null) {
            return this;
        }
        PathTrie changed = child.without(path, at + child.label.length, key);
        if (changed == child) {
            return this;
        }
        int index = branch(path[at]);
        return (changed == null ? remove(index) : replace(index, changed)).compacted();
    }

    /// Without a node that holds nothing, or that only leads to one other. The root, whose label is empty, stays.
    private @Nullable PathTrie compacted() {
        if (label.length == 0 || entries.length > 0 || children.length > 1) {
            return this;
        }
        if (children.length == 0) {
            return null;
        }
        PathTrie only = children[0];
        byte[] joined = Arrays.copyOf(label, label.length + only.label.length);
        System.arraycopy(only.label, 0, joined, label.length, only.label.length);
        return only.labelled(joined);
    }

    private PathTrie labelled(byte[] newLabel) {
        return new PathTrie(newLabel, entries, branches, children);
    }

    private PathTrie insert(int index, PathTrie child) {
        byte[] newBranches = new byte[branches.length + 1];
        PathTrie[] newChildren = new PathTrie[children.length + 1];
        System.arraycopy(branches, 0, newBranches, 0, index);
        System.arraycopy(children, 0, newChildren, 0, index);
        newBranches[index] = child.label[0];
        newChildren[index] = child;
        System.arraycopy(branches, index, newBranches, index + 1, branches.length - index);
        System.arraycopy(children, index, newChildren, index + 1, children.length - index);
        return new PathTrie(label, entries, newBranches, newChildren);
    }

    private PathTrie replace(int index, PathTrie child) {
        PathTrie[] newChildren = children.clone();
        newChildren[index] = child;
        return new PathTrie(label, entries, branches, newChildren);
    }

    private PathTrie remove(int index) {
        byte[] newBranches = new byte[branches.length - 1];
        PathTrie[] newChildren = new PathTrie[children.length - 1];
        System.arraycopy(branches, 0, newBranches, 0, index);
        System.arraycopy(children, 0, newChildren, 0, index);
        System.arraycopy(branches, index + 1, newBranches, index, newBranches.length - index);
        System.arraycopy(children, index + 1, newChildren, index, newChildren.length - index);
        return new PathTrie(label, entries, newBranches, newChildren);
    }

    void forEach(Consumer<Entry> each) {
        for (Entry entry : entries) {
            each.accept(entry);
        }
        for (PathTrie child : children) {
            child.forEach(each);
        }
    }

    private static byte[] bytes(RouteKey key) {
        return key.path().path().getBytes(StandardCharsets.US_ASCII);
    }
}
