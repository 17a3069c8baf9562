package dev.gatepost.gateway;

import java.net.InetAddress;
import java.net.spi.InetAddressResolverProvider;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Who resolves names for the JVM. dnsjava's jar is on the class path as well.
final class BuiltInResolverTest {
    @Test
    void theJdksOwnResolverIsTheFirstOnOffer() {
        assertTrue(ServiceLoader.load(InetAddressResolverProvider.class).stream().count() > 1, "dnsjava offers itself no more: ours is not needed");
        assertEquals("built-in", ServiceLoader.load(InetAddressResolverProvider.class).findFirst().orElseThrow().name());
    }

    @Test
    void namesOfTheMachineResolve() throws Exception {
        assertTrue(InetAddress.getByName("localhost").isLoopbackAddress());
    }
}
