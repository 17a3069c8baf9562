package dev.gatepost.gateway.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TicketKeysTest {
    @TempDir
    private Path directory;

    @Test
    void sealsWithTheNewestKeyAndForgetsThoseThatNoSessionNeeds() {
        SecureRandom random = new SecureRandom();
        TicketKeys keys = TicketKeys.own(random);
        byte[] first = keys.keys().getFirst();
        for (int hours = 1; hours <= 4; hours++) {
            keys = keys.rotated(random);
            assertEquals(hours + 1, keys.keys().size());
            assertArrayEquals(first, keys.keys().getLast(), "a session of 4 hours still opens after " + hours);
        }
        TicketKeys later = keys.rotated(random);
        assertEquals(5, later.keys().size());
        assertTrue(later.keys().stream().noneMatch(key -> Arrays.equals(key, first)));
        assertArrayEquals(keys.keys().getFirst(), later.keys().get(1), "the one that sealed before opens");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            hello!                                                           | line 2 is not base64 (expected: 48 bytes of it, as of openssl rand -base64 48)
            aGVsbG8=                                                         | line 2 holds 5 bytes (expected: 48, as of openssl rand -base64 48)
            # nothing                                                        | no key in it (expected: a line of openssl rand -base64 48 each, the one that seals first)
            """)
    void saysWhatIsWrongWithAFile(String line, String expected) throws IOException {
        Path file = Files.writeString(directory.resolve("tickets"), "\n" + line + "\n");
        assertEquals(expected, assertThrows(IOException.class, () -> TicketKeys.read(file)).getMessage());
    }
}
