package dev.gatepost.gateway.config;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CidrTest {
    @ParameterizedTest
    @ValueSource(strings = {"10.0.0", "10.0/16", "10", "10.0.0.0.0", "10.0.0.", "", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "fd00::/129", "fd00:::/8", "host", "1.2.3.256", ":", "a.b.c.d"})
    void refusesWhatIsNoBlockAndSaysWhatOneLooksLike(String text) {
        var e = assertThrows(IllegalArgumentException.class, () -> Cidr.parse(text));
        assertEquals(text + " (expected: an address or block such as 10.0.0.0/8 or fd00::/8)", e.getMessage());
    }

    @Test
    void anAddressAloneIsItsOwnBlock() {
        assertEquals(32, Cidr.parse("10.0.0.1").prefixLength());
        assertEquals(128, Cidr.parse("::1").prefixLength());
        assertTrue(Cidr.parse("fd00::/8").contains(InetAddress.ofLiteral("fdff::1")));
        assertFalse(Cidr.parse("10.0.0.0/9").contains(InetAddress.ofLiteral("10.128.0.0")));
    }
}
