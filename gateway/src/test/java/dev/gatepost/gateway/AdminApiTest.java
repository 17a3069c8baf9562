package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatepost.gateway.catalog.Await;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class AdminApiTest {
    @TempDir
    Path home;

    @Test
    void everyResourceAnswersInJsonWhateverRoutesHold() throws Exception {
        Files.writeString(home.resolve("services.yaml"), """
                services:
                  - name: web
                    tags:
                      - "gatepost.route=web.test/api strip=/api prepend=/v2 host=inner.test timeout=2s retry=2 allow=10.0.0.0/8|127.0.0.1 deny=10.9.0.0/16"
                      - "gatepost.route=web.test/m methods=GET|HEAD header=X-Canary:1 query=a=b priority=7"
                      - "gatepost.route=old.test/ redirect=301|https://web.test$path"
                      - "urlprefix-fabio.test/ strip=/x"
                      - "traefik.http.routers.web.rule=Host(`t.test`) && PathRegexp(`^/v[0-9]+`)"
                      - "traefik.http.routers.web.middlewares=edit,away"
                      - "traefik.http.middlewares.edit.headers.customrequestheaders.X-A=b"
                      - "traefik.http.middlewares.away.redirectregex.regex=^https://t.test/(.*)"
                      - "traefik.http.middlewares.away.redirectregex.replacement=https://web.test/${1}"
                    instances: [ { id: web-1, address: 127.0.0.1, port: 9001, weight: 1, meta: {}, status: passing } ]
                """);
        try (RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }")) {
            Await.until("the file is served", Duration.ofSeconds(15), () -> gateway.admin("/api/v1/state").path("revision").asLong() > 0);
            for (String resource : List.of("state", "services", "services/web", "routes", "rejected", "upstreams", "history")) {
                JsonNode answer = gateway.admin("/api/v1/" + resource);
                assertTrue(answer.path("error").isMissingNode() && !answer.isMissingNode(), () -> resource + ": " + answer);
            }
            JsonNode routes = gateway.admin("/api/v1/routes");
            assertEquals(0, gateway.admin("/api/v1/rejected").size(), () -> gateway.admin("/api/v1/rejected").toString());
            assertEquals(5, routes.size(), routes::toString);
            for (JsonNode route : routes) {
                String id = URLEncoder.encode(route.path("id").asText(), StandardCharsets.UTF_8).replace("+", "%20");
                assertEquals(route, gateway.admin("/api/v1/routes/" + id), id);
            }
            assertTrue(routes.toString().contains("{\"regex\":\"^https://t.test/(.*)\""), routes::toString);
        }
    }
}
