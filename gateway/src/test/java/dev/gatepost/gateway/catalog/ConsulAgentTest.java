package dev.gatepost.gateway.catalog;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class ConsulAgentTest {
    @Test
    void startsRegistersAndComesBackEmptyOnTheSamePorts() {
        try (ConsulAgent consul = ConsulAgent.start()) {
            consul.service("web").id("web-1").port(9001).tag("a", "b").meta("k", "v").weights(3, 1).check(Health.PASSING).register();
            consul.checkStatus("service:web-1", Health.WARNING);
            assertEquals("warning", consul.get("/v1/health/checks/web").path(0).path("Status").asText());
            assertTrue(consul.cli("catalog", "services").contains("web"));
            long firstPid = consul.pid();
            String address = consul.address();

            consul.restart();

            assertNotEquals(firstPid, consul.pid());
            assertEquals(address, consul.address());
            assertTrue(consul.get("/v1/health/service/web").isEmpty());
        }
    }
}
