package dev.gatepost.dns;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/// Makes damaged messages of good ones. A message with which something new happened becomes one to damage further, so that
/// damage that takes several steps is found one step at a time. The same seed gives the same messages.
public final class Mutator {
    /// Where labels, pointers, lengths and counts change their meaning.
    private static final int[] TELLING = {0, 1, 2, 3, 4, 11, 12, 15, 16, 28, 32, 33, 39, 40, 41, 63, 64, 65, 127, 128, 191, 192, 193, 250, 251, 252, 253, 254, 255};
    private static final int MOST_KEPT = 4096;
    private static final int LONGEST = 2048;

    private final Random random;
    private final List<byte[]> corpus;
    private final int seeds;
    private final Set<Long> seen = new HashSet<>();
    private byte[] last = {};

    public Mutator(long seed, List<byte[]> corpus) {
        this.random = new Random(seed);
        this.corpus = new ArrayList<>(corpus);
        this.seeds = corpus.size();
    }

    /// Messages in a file, a line each in hexadecimal digits; what follows a `#` is why it was kept.
    public static List<byte[]> kept(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(line -> line.replaceFirst("#.*", "").strip()).filter(line -> !line.isEmpty()).map(HexFormat.of()::parseHex).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int corpus() {
        return corpus.size();
    }

    public Random random() {
        return random;
    }

    /// The next message; its own array.
    public byte[] next() {
        byte[] bytes = corpus.get(random.nextInt(random.nextBoolean() ? seeds : corpus.size())).clone();
        do {
            bytes = damaged(bytes);
        } while (random.nextInt(3) == 0);
        last = bytes;
        return bytes;
    }

    /// What happened with the last message, as a number: if that is new, the message is kept.
    public void happened(long what) {
        if (corpus.size() < MOST_KEPT && last.length <= LONGEST && seen.add(what)) {
            corpus.add(last);
        }
    }

    private byte[] damaged(byte[] bytes) {
        if (bytes.length == 0) {
            return new byte[random.nextInt(20)];
        }
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(12)) {
            case 0, 1 -> bytes[at] = (byte) random.nextInt(256);
            case 2, 3 -> bytes[at] = (byte) TELLING[random.nextInt(TELLING.length)];
            case 4 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 5 -> {
                // One of the counts and flags of the header.
                int field = 2 + random.nextInt(10);
                if (field < bytes.length) {
                    bytes[field] = (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : random.nextInt(4));
                }
            }
            case 6 -> {
                return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            }
            case 7 -> {
                byte[] longer = Arrays.copyOf(bytes, Math.min(LONGEST + 100, bytes.length + random.nextInt(random.nextInt(8) == 0 ? 1000 : 20)));
                for (int i = bytes.length; i < longer.length; i++) {
                    longer[i] = (byte) random.nextInt(256);
                }
                return longer;
            }
            case 8 -> {
                // Without a part in the middle.
                int to = Math.min(bytes.length, at + 1 + random.nextInt(12));
                return joined(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, to, bytes.length));
            }
            case 9 -> {
                // A part twice.
                int to = Math.min(bytes.length, at + 1 + random.nextInt(40));
                return joined(Arrays.copyOf(bytes, to), Arrays.copyOfRange(bytes, at, bytes.length));
            }
            default -> {
                // The beginning of one, the end of another.
                byte[] other = corpus.get(random.nextInt(corpus.size()));
                int from = random.nextBoolean() ? Math.min(at, other.length) : random.nextInt(other.length + 1);
                return joined(Arrays.copyOf(bytes, at), Arrays.copyOfRange(other, from, other.length));
            }
        }
        return bytes;
    }

    private static byte[] joined(byte[] begin, byte[] end) {
        byte[] joined = Arrays.copyOf(begin, Math.min(LONGEST + 100, begin.length + end.length));
        System.arraycopy(end, 0, joined, begin.length, joined.length - begin.length);
        return joined;
    }
}
