package dev.gatepost.gateway.proxy;

import org.jspecify.annotations.Nullable;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The table that a connection's header blocks refer to (RFC 7541 section 2.3): 61 static entries, then what this client's
/// earlier blocks added, newest first. Each entry is one array, name and value behind each other.
final class Http2FieldTable {
    /// The bytes that an entry counts for besides its own (RFC 7541 section 4.1), also in SETTINGS_MAX_HEADER_LIST_SIZE.
    static final int ENTRY_OVERHEAD = 32;

    /// We never announce another SETTINGS_HEADER_TABLE_SIZE than its initial value.
    static final int LARGEST = 4096;

    private static final String[] STATIC = {
        ":authority", "", ":method", "GET", ":method", "POST", ":path", "/", ":path", "/index.html", ":scheme", "http", ":scheme", "https",
        ":status", "200", ":status", "204", ":status", "206", ":status", "304", ":status", "400", ":status", "404", ":status", "500",
        "accept-charset", "", "accept-encoding", "gzip, deflate", "accept-language", "", "accept-ranges", "", "accept", "",
        "access-control-allow-origin", "", "age", "", "allow", "", "authorization", "", "cache-control", "", "content-disposition", "",
        "content-encoding", "", "content-language", "", "content-length", "", "content-location", "", "content-range", "",
        "content-type", "", "cookie", "", "date", "", "etag", "", "expect", "", "expires", "", "from", "", "host", "", "if-match", "",
        "if-modified-since", "", "if-none-match", "", "if-range", "", "if-unmodified-since", "", "last-modified", "", "link", "",
        "location", "", "max-forwards", "", "proxy-authenticate", "", "proxy-authorization", "", "range", "", "referer", "", "refresh", "",
        "retry-after", "", "server", "", "set-cookie", "", "strict-transport-security", "", "transfer-encoding", "", "user-agent", "",
        "vary", "", "via", "", "www-authenticate", ""
    };
    static final int STATIC_ENTRIES = STATIC.length / 2;
    private static final Entry[] STATIC_TABLE = new Entry[STATIC_ENTRIES];

    static {
        for (int i = 0; i < STATIC_ENTRIES; i++) {
            byte[] name = STATIC[2 * i].getBytes(ISO_8859_1);
            byte[] line = (STATIC[2 * i] + STATIC[2 * i + 1]).getBytes(ISO_8859_1);
            STATIC_TABLE[i] = new Entry(line, name.length, Http2FieldKind.ofName(name, 0, name.length));
        }
    }

    /// @param line       the name, then the value
    /// @param nameLength where the value begins
    /// @param kind       of [Http2FieldKind]
    @SuppressWarnings("ArrayRecordComponent") // Never compared; the decoder copies out of it.
    record Entry(byte[] line, int nameLength, int kind) {
        int size() {
            return line.length + ENTRY_OVERHEAD;
        }
    }

    /// The ring of added entries; none until the client adds one.
    private Entry[] ring = {};
    private int newest;
    private int count;
    private int size;
    private int capacity = LARGEST;

    /// The entry of that index, from 1 on; null when there is none.
    @Nullable Entry get(int index) {
        if (index <= STATIC_ENTRIES) {
            return index == 0 ? null : STATIC_TABLE[index - 1];
        }
        int back = index - STATIC_ENTRIES - 1;
        return back < count ? ring[(newest - back + ring.length) % ring.length] : null;
    }

    static Entry fixed(int index) {
        return STATIC_TABLE[index - 1];
    }

    /// An entry larger than the table empties it, and that is all (RFC 7541 section 4.4).
    void add(Entry entry) {
        evictTo(capacity - entry.size());
        if (entry.size() > capacity) {
            return;
        }
        if (count == ring.length) {
            grow();
        }
        newest = (newest + 1) % ring.length;
        ring[newest] = entry;
        count++;
        size += entry.size();
    }

    void resize(int newCapacity) {
        capacity = newCapacity;
        evictTo(capacity);
    }

    private void evictTo(int room) {
        while (count > 0 && size > room) {
            int oldest = (newest - count + 1 + ring.length) % ring.length;
            size -= ring[oldest].size();
            count--;
        }
    }

    private void grow() {
        Entry[] larger = new Entry[Math.max(16, ring.length * 2)];
        for (int i = 0; i < count; i++) {
            larger[count - 1 - i] = ring[(newest - i + ring.length) % ring.length];
        }
        ring = larger;
        newest = count == 0 ? larger.length - 1 : count - 1;
    }
}
