package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.EndpointProtocol.Scheme;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What endpoints speak, in the words of each dialect.
class EndpointProtocolTest {
    private static EndpointProtocol of(String... tags) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tags));
        assertEquals(List.of(), table.rejected());
        return table.routes().getFirst().upstream().endpoints().getFirst().protocol();
    }

    @ParameterizedTest
    @CsvSource({
        "gatepost.route=a/, HTTP, '', true",
        "gatepost.route=a/ scheme=http, HTTP, '', true",
        "gatepost.route=a/ scheme=https, HTTPS, '', true",
        "gatepost.route=a/ scheme=h2c, H2C, '', true",
        "gatepost.route=a/ scheme=grpc, H2C, '', true",
        "gatepost.route=a/ scheme=grpcs server-name=Web.Internal, H2, web.internal, true",
        "gatepost.route=a/ scheme=https verify=false, HTTPS, '', false",
        "gatepost.route=a/ scheme=https host=in.example.com:8443, HTTPS, in.example.com, true",
        "gatepost.route=a/ scheme=https host=in.example.com server-name=web.internal, HTTPS, web.internal, true",
        "gatepost.route=a/ scheme=https host=dst, HTTPS, '', true",
        "urlprefix-a/ proto=https, HTTPS, '', true",
        "urlprefix-a/ proto=https tlsskipverify=true host=in.example.com, HTTPS, in.example.com, false",
        "urlprefix-a/ proto=grpc, H2C, '', true",
        "urlprefix-a/ proto=grpcs grpcservername=web.internal, H2, web.internal, true",
    })
    void isWhatTheTagSays(String tag, Scheme scheme, String serverName, boolean verified) {
        assertEquals(new EndpointProtocol(scheme, serverName, verified), of(tag));
    }

    @Test
    void isWhatTraefiksLabelsSay() {
        assertEquals(
                new EndpointProtocol(Scheme.H2C),
                of("traefik.http.routers.r.rule=Host(`a`)", "traefik.http.services.s.loadbalancer.server.scheme=h2c"));
    }

    /// While instances change from one to the other, both serve the route.
    @Test
    void belongsToTheInstance() {
        RouteTable table = Catalogs.table(
                Catalogs.instance("web", "1", "gatepost.route=a/"), Catalogs.instance("web", "2", "gatepost.route=a/ scheme=https"));
        assertEquals(
                List.of(Scheme.HTTP, Scheme.HTTPS),
                table.routes().getFirst().upstream().endpoints().stream().map(endpoint -> endpoint.protocol().scheme()).toList());
        assertTrue(table.conflicts().isEmpty(), "nothing that holds for the whole route differs");
    }
}
