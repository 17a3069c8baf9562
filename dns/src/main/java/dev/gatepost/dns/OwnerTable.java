package dev.gatepost.dns;

import java.util.Arrays;
import java.util.function.BiConsumer;

/// A hash table of owner names, immutable: an array of shards, each an open-addressing table at most half full. Its
/// [Editor] copies the shards that it touches and no other.
final class OwnerTable {
    private static final int NAMES_PER_SHARD = 32;
    private static final int SMALLEST_SHARD = 8;
    static final OwnerTable EMPTY = new OwnerTable(new Owner[][] {emptySlots(SMALLEST_SHARD)}, 0);

    private final Owner[][] shards;
    private final int size;

    private OwnerTable(Owner[][] shards, int size) {
        this.shards = shards;
        this.size = size;
    }

    int size() {
        return size;
    }

    /// The owner, or [Owner#MISSING].
    Owner find(NameKey key) {
        return find(shards, key);
    }

    /// Calls back with the owner before and after of every name at which the two tables hold another object, or
    /// [Owner#MISSING]. Shards that they share are not looked into.
    @SuppressWarnings("ReferenceEquality") // sharing is what tells
    void changesFrom(OwnerTable before, BiConsumer<Owner, Owner> changed) {
        boolean alike = before.shards.length == shards.length;
        for (int i = 0; i < shards.length; i++) {
            Owner[] slots = shards[i];
            if (alike && before.shards[i] == slots) {
                continue;
            }
            for (Owner owner : slots) {
                Owner old = owner.found() ? before.find(owner) : owner;
                if (old != owner) {
                    changed.accept(old, owner);
                }
            }
        }
        for (int i = 0; i < before.shards.length; i++) {
            if (alike && before.shards[i] == shards[i]) {
                continue;
            }
            for (Owner old : before.shards[i]) {
                if (old.found() && !find(old).found()) {
                    changed.accept(old, Owner.MISSING);
                }
            }
        }
    }

    private Owner find(Owner owner) {
        Owner[] slots = shards[shard(owner.hash, shards.length)];
        return slots[slot(slots, owner)];
    }

    /// Where the owner's name is, or the free slot where it belongs.
    private static int slot(Owner[] slots, Owner owner) {
        int mask = slots.length - 1;
        int i = (int) owner.hash & mask;
        while (slots[i].found() && !(slots[i].hash == owner.hash && Arrays.equals(slots[i].words, owner.words))) {
            i = (i + 1) & mask;
        }
        return i;
    }

    Editor edit() {
        return new Editor();
    }

    private static Owner find(Owner[][] shards, NameKey key) {
        Owner[] slots = shards[shard(key.hash, shards.length)];
        int mask = slots.length - 1;
        for (int i = (int) key.hash & mask; ; i = (i + 1) & mask) {
            Owner owner = slots[i];
            if (!owner.found() || key.matches(owner)) {
                return owner;
            }
        }
    }

    private static int shard(long hash, int shards) {
        return (int) (hash >>> 32) & (shards - 1);
    }

    private static Owner[] emptySlots(int length) {
        Owner[] slots = new Owner[length];
        Arrays.fill(slots, Owner.MISSING);
        return slots;
    }

    /// The next table in the making.
    final class Editor {
        private Owner[][] edited = shards.clone();
        private boolean[] copied = new boolean[edited.length];
        private int count = size;

        Owner find(NameKey key) {
            return OwnerTable.find(edited, key);
        }

        /// Adds an owner, or replaces the one of the same name.
        void put(Owner owner) {
            int shard = own(owner);
            Owner[] slots = edited[shard];
            int i = slot(slots, owner);
            if (slots[i].found()) {
                slots[i] = owner;
                return;
            }
            slots[i] = owner;
            count++;
            if (occupied(slots) * 2 > slots.length) {
                edited[shard] = resized(slots, slots.length * 2);
            }
            if (count > edited.length * NAMES_PER_SHARD * 2) {
                reshard(Integer.highestOneBit(count / NAMES_PER_SHARD));
            }
        }

        void remove(Owner owner) {
            int shard = own(owner);
            Owner[] slots = edited[shard];
            int i = slot(slots, owner);
            if (!slots[i].found()) {
                return;
            }
            slots[i] = Owner.MISSING;
            count--;
            edited[shard] = resized(slots, slots.length);
        }

        OwnerTable table() {
            return new OwnerTable(edited, count);
        }

        private int own(Owner owner) {
            int shard = shard(owner.hash, edited.length);
            if (!copied[shard]) {
                edited[shard] = edited[shard].clone();
                copied[shard] = true;
            }
            return shard;
        }

        private void reshard(int length) {
            Owner[][] old = edited;
            edited = new Owner[length][];
            Arrays.setAll(edited, _ -> emptySlots(SMALLEST_SHARD));
            copied = new boolean[length];
            Arrays.fill(copied, true);
            count = 0;
            for (Owner[] slots : old) {
                for (Owner each : slots) {
                    if (each.found()) {
                        put(each);
                    }
                }
            }
        }

        private static Owner[] resized(Owner[] slots, int length) {
            Owner[] fresh = emptySlots(length);
            for (Owner each : slots) {
                if (each.found()) {
                    fresh[slot(fresh, each)] = each;
                }
            }
            return fresh;
        }

        private static int occupied(Owner[] slots) {
            int occupied = 0;
            for (Owner each : slots) {
                occupied += each.found() ? 1 : 0;
            }
            return occupied;
        }
    }
}
