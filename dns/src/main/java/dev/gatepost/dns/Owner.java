package dev.gatepost.dns;

import java.util.Arrays;

/// A name of the zone with its record sets, or an empty non-terminal, which has none but exists (RFC 4592 section 2.2.2). Immutable.
final class Owner {
    /// Not within any origin: its own little zone, as the reverse name of a single public address is.
    static final int ISLAND = -1;
    private static final RRset[] NO_SETS = {};

    /// What a look-up finds when there is nothing.
    static final Owner MISSING = new Owner(new NameKey().of(DomainName.ROOT), ISLAND, NO_SETS, false, 0, false);

    final long[] words;
    final int length;
    final long hash;
    /// Index of the origin that it lies within, or [#ISLAND].
    final int origin;
    final RRset[] sets;
    /// Put into the zone by name, even without records; false for a name that exists only because names below it do.
    final boolean declared;
    /// Names directly below it.
    final int children;
    /// Names such as `7f000001` below it are the addresses that they spell.
    final boolean spellsAddresses;

    private Owner(NameKey key, int origin, RRset[] sets, boolean declared, int children, boolean spellsAddresses) {
        this.words = Arrays.copyOf(key.words, key.wordCount);
        this.length = key.length;
        this.hash = key.hash;
        this.origin = origin;
        this.sets = sets;
        this.declared = declared;
        this.children = children;
        this.spellsAddresses = spellsAddresses;
    }

    private Owner(Owner same, RRset[] sets, boolean declared, int children, boolean spellsAddresses) {
        this.words = same.words;
        this.length = same.length;
        this.hash = same.hash;
        this.origin = same.origin;
        this.sets = sets;
        this.declared = declared;
        this.children = children;
        this.spellsAddresses = spellsAddresses;
    }

    static Owner emptyNonTerminal(NameKey key, int origin) {
        return new Owner(key, origin, NO_SETS, false, 0, false);
    }

    /// Its name, in lower case.
    DomainName name() {
        byte[] wire = new byte[length];
        for (int i = 0; i < length; i++) {
            wire[i] = (byte) (words[i >> 3] >>> ((i & 7) << 3));
        }
        return DomainName.copyOf(wire, 0, length);
    }

    Owner withSets(RRset[] sets) {
        return new Owner(this, sets, true, children, spellsAddresses);
    }

    Owner withoutSets() {
        return new Owner(this, NO_SETS, false, children, false);
    }

    Owner withChildren(int children) {
        return new Owner(this, sets, declared, children, spellsAddresses);
    }

    Owner spellingAddresses() {
        return new Owner(this, sets, true, children, true);
    }

    boolean exists() {
        return declared || children > 0;
    }

    /// Whether this one was found.
    boolean found() {
        return this != MISSING;
    }
}
