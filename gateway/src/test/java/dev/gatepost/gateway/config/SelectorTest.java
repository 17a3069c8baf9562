package dev.gatepost.gateway.config;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SelectorTest {
    @ParameterizedTest
    @CsvSource(textBlock = """
            service=web,                true
            service=w*b,                true
            service=we,                 false
            service=w.b,                false
            tag=qa,                     true
            tag=prod tag=qa,            true
            tag=prod,                   false
            dc=dc1,                     true
            meta.owner=al*,             true
            meta.team=*,                false
            !tag=qa,                    false
            !tag=prod,                  true
            service=* !meta.owner=bob,  true
            service=* !meta.owner=alice,false
            """)
    void chooses(String words, boolean chosen) {
        List<Selector> selectors = Arrays.stream(words.split(" ")).map(Selector::parse).toList();
        assertEquals(chosen, Selector.chooses(selectors, "web", List.of("blue", "qa"), "dc1", Map.of("owner", "alice")));
    }

    @Test
    void noWordChoosesAll() {
        assertTrue(Selector.chooses(List.of(), "web", List.of(), "dc1", Map.of()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "web", "tag", "tag=", "tags=qa", "meta=x", "!!tag=qa", "tag=a b"})
    void refusesWhatIsNoSuchWord(String word) {
        assertThrows(IllegalArgumentException.class, () -> Selector.parse(word));
    }
}
