package dev.gatepost.gateway.config;

import java.util.Collection;
import java.util.Comparator;

/// The known word that a misspelt one was most likely meant to be.
public final class Nearest {
    private Nearest() {}

    /// @param known not empty
    public static String to(String word, Collection<String> known) {
        return known.stream()
                .min(Comparator.comparingInt((String candidate) -> distance(word, candidate)).thenComparing(Comparator.naturalOrder()))
                .orElseThrow();
    }

    /// As many insertions, deletions, replacements and swaps of neighbours as turn one into the other. The right
    /// word under the wrong section is one slip, however long the section's name is.
    private static int distance(String word, String candidate) {
        int edits = edits(word, candidate);
        boolean sameLeaf = leaf(word).equals(leaf(candidate));
        return sameLeaf ? Math.min(edits, 2) : edits;
    }

    private static String leaf(String key) {
        return key.substring(key.lastIndexOf('.') + 1);
    }

    private static int edits(String a, String b) {
        int[][] cost = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                int replaced = cost[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                cost[i][j] = Math.min(replaced, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    cost[i][j] = Math.min(cost[i][j], 1 + cost[i - 2][j - 2]);
                }
            }
        }
        return cost[a.length()][b.length()];
    }
}
