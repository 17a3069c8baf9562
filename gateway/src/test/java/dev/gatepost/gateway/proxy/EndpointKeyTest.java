package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.EndpointProtocol;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;

final class EndpointKeyTest {
    @ParameterizedTest
    @CsvSource({"10.0.0.5, 10.0.0.5:80", "web.internal, web.internal:80", "2001:db8::1, [2001:db8::1]:80"})
    void namesItsHostAsAHostFieldDoes(String host, String authority) {
        assertEquals(authority, new EndpointKey("n1/web", host, 80, EndpointProtocol.HTTP).authority());
    }
}
