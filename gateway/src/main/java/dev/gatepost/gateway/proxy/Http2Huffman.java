package dev.gatepost.gateway.proxy;

/// The Huffman code of header strings (RFC 7541 section 5.2 and appendix B), decoding four bits at a step.
final class Http2Huffman {
    /// Bits of each symbol's code, one digit a symbol, in base 36. The code is canonical, so the lengths determine it.
    private static final String LENGTHS = ""
            + "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca"
            + "d67777777777777777777777878djde6f56565666577666567655677777fbeds"
            + "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn"
            + "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq"
            + "u";

    private static final int SYMBOLS = 257;
    private static final int END_OF_STRING = 256;

    /// For a node of the code's tree and the next four bits: the node they lead to, and the symbol met on the way (none
    /// but one fits: the shortest code has five bits).
    private static final int HAS_SYMBOL = 1 << 24;
    private static final int INVALID = -1;
    private static final int[] STEPS;

    /// Whether the input may end at that node: at the root, or within the padding of up to seven one bits.
    private static final boolean[] MAY_END;

    static {
        int[] tree = tree();
        int nodes = tree.length / 2;
        STEPS = new int[nodes * 16];
        for (int node = 0; node < nodes; node++) {
            for (int bits = 0; bits < 16; bits++) {
                STEPS[node * 16 + bits] = step(tree, node, bits);
            }
        }
        MAY_END = new boolean[nodes];
        int node = 0;
        for (int ones = 0; ones < 8; ones++) {
            MAY_END[node] = true;
            node = tree[node * 2 + 1];
        }
    }

    private Http2Huffman() {}

    /// Two children a node: another node, or a symbol as its complement.
    private static int[] tree() {
        int[] tree = new int[(SYMBOLS - 1) * 2];
        int used = 1;
        int code = 0;
        for (int length = 1; length <= 30; length++) {
            for (int symbol = 0; symbol < SYMBOLS; symbol++) {
                if (Character.digit(LENGTHS.charAt(symbol), 36) == length) {
                    int node = 0;
                    for (int bit = length - 1; bit > 0; bit--) {
                        int branch = node * 2 + ((code >> bit) & 1);
                        if (tree[branch] == 0) {
                            tree[branch] = used++;
                        }
                        node = tree[branch];
                    }
                    tree[node * 2 + (code & 1)] = ~symbol;
                    code++;
                }
            }
            code <<= 1;
        }
        return tree;
    }

    private static int step(int[] tree, int from, int bits) {
        int node = from;
        int symbol = 0;
        for (int bit = 3; bit >= 0; bit--) {
            int next = tree[node * 2 + ((bits >> bit) & 1)];
            if (next == ~END_OF_STRING) {
                return INVALID;
            }
            if (next < 0) {
                symbol = HAS_SYMBOL | ~next << 16;
                next = 0;
            }
            node = next;
        }
        return symbol | node;
    }

    /// The most bytes that so many encoded ones may stand for.
    static int mostDecoded(int encoded) {
        return encoded * 8 / 5 + 1;
    }

    /// Decodes `source[from, to)` to `target[at, ...)`, which has room, and returns where it ends; -1 when it is malformed.
    static int decode(byte[] source, int from, int to, byte[] target, int at) {
        int node = 0;
        int end = at;
        for (int i = from; i < to; i++) {
            int step = STEPS[node * 16 + ((source[i] >> 4) & 0xf)];
            if (step < 0) {
                return -1;
            }
            if ((step & HAS_SYMBOL) != 0) {
                target[end++] = (byte) (step >> 16);
            }
            step = STEPS[(step & 0xffff) * 16 + (source[i] & 0xf)];
            if (step < 0) {
                return -1;
            }
            if ((step & HAS_SYMBOL) != 0) {
                target[end++] = (byte) (step >> 16);
            }
            node = step & 0xffff;
        }
        return MAY_END[node] ? end : -1;
    }
}
