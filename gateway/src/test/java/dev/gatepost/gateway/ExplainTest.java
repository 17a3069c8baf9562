package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;

final class ExplainTest {
    @ParameterizedTest
    @CsvSource({
        "https://shop.test/a?b=c, /api/v1/explain?url=https%3A%2F%2Fshop.test%2Fa%3Fb%3Dc&method=GET",
        "http://shop.test, /api/v1/explain?url=http%3A%2F%2Fshop.test&method=GET",
        "shop.test/a, /api/v1/explain?url=https%3A%2F%2Fshop.test%2Fa&method=GET",
        "shop.test:8443, /api/v1/explain?url=https%3A%2F%2Fshop.test%3A8443&method=GET",
        "web.service.consul, /api/v1/dns/explain?name=web.service.consul&type=SRV",
    })
    void tellsAUrlFromAName(String subject, String target) {
        assertEquals(target, new Explain.Question(subject, "SRV", "GET", List.of(), Optional.empty()).target());
    }

    @Test
    void passesHeadersAndClientOn() {
        assertEquals(
                "/api/v1/explain?url=https%3A%2F%2Fa%2F&method=POST&header=X-Canary%3A+1&header=B%3A2&client=192.0.2.7",
                new Explain.Question("https://a/", "A", "POST", List.of("X-Canary: 1", "B:2"), Optional.of("192.0.2.7")).target());
    }

    @Test
    void printsTheAnswerAsAnOutline() throws Exception {
        String json = """
                {"outcome":"found","route":{"id":"r1","hosts":["a","b"]},"considered":[{"route":"r2","why":"path"},{"route":"r3","why":"host"}],"endpoints":[],"note":null,"more":""}
                """;
        assertEquals("""
                outcome: found
                route:
                  id: r1
                  hosts:
                    - a
                    - b
                considered:
                  - route: r2
                    why: path
                  - route: r3
                    why: host
                endpoints: none
                """, Explain.outline(new ObjectMapper().readTree(json)));
    }
}
