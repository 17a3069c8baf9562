package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Weights;
import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.config.GatewayConfig.Routes.Dialect;
import dev.gatepost.gateway.route.Forwarding.Lasting;
import dev.gatepost.gateway.route.RouteOptions.HostRewrite;
import dev.gatepost.gateway.route.RouteOptions.Redirect;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GatepostDialectTest {
    @ParameterizedTest
    @CsvSource({
        "shop.example.com/api, shop.example.com/api",
        "SHOP.example.com./api, shop.example.com/api",
        "shop.example.com:8443/api*, shop.example.com:8443/api*",
        "*.example.com/, *.example.com/",
        "/x, /x",
        "/, /",
        "/a/../b/%7Euser, /b/~user",
        "bücher.example/é, xn--bcher-kva.example/%C3%A9",
        "[0:0:0:0:0:0:0:1]:8080/x, [::1]:8080/x",
        "example.com/ redirect=301|https://$host$path, http://example.com/",
    })
    void readsHostAndPath(String text, String id) {
        assertEquals(List.of(id), ids(Catalogs.table(Catalogs.instance("web", "1", "gatepost.route=" + text))));
    }

    @Test
    void readsTheOptionsThatItSupports() {
        Route route = only("a/ strip=/a prepend=/b host=in.example.com scheme=http methods=GET|POST priority=-3 weight=2"
                + " timeout=250ms retry=1 request-header=X-A:1:2 request-header=+X-A:3 response-header=!Server allow=10.0.0.0/8|::1 deny=10.0.0.1");
        assertEquals(
                RouteOptions.NONE
                        .withPath("/a", "/b", List.of())
                        .withHost(new HostRewrite(HostRewrite.Kind.FIXED, "in.example.com"))
                        .withTimeout(Duration.ofMillis(250))
                        .withRetries(1)
                        .withFields(
                                List.of(new FieldEdit("X-A", Optional.of("1:2"), false), new FieldEdit("X-A", Optional.of("3"), false).adding()),
                                List.of(new FieldEdit("Server", Optional.empty(), false)))
                        .withAddresses(List.of(Cidr.parse("10.0.0.0/8"), Cidr.parse("::1")), List.of(Cidr.parse("10.0.0.1"))),
                route.options());
        assertEquals(Set.of("GET", "POST"), route.condition().methods());
        assertEquals(-3, route.priority());
        RouteOptions lasting = only("a/ timeout=stream:10m|2s|total:6h").options();
        assertEquals(Optional.of(Duration.ofSeconds(2)), lasting.timeout());
        assertEquals(new Lasting(Duration.ofMinutes(10), Duration.ofHours(6)), lasting.forwarding().lasting());
        assertEquals(
                Optional.of(new Redirect(302, "https://b.example.com$path")), only("a/ redirect=302|https://b.example.com/$path").options().redirect());
    }

    @Test
    void readsMetaAsItReadsTags() {
        RouteTable table = Catalogs.table(Catalogs.with(
                Catalogs.instance("web", "1"), Map.of("gatepost-route", "a/ weight=2", "gatepost-route-img", "b/img", "gatepost-rout", "c/", "other", "x")));
        assertEquals(List.of("a/", "b/img"), ids(table));
        assertEquals("meta", table.routes().getFirst().declarations().getFirst().kind());
        assertEquals(List.of("gatepost-rout=c/"), table.rejected().stream().map(Rejected::text).toList());
    }

    @ParameterizedTest
    @CsvSource({
        "'example.com', 'expected: HOST/PATH'",
        "'', 'expected: HOST/PATH'",
        "'a_/ /', 'option \"/\"'",
        "'a b/', 'expected: HOST/PATH'",
        "'a/ strp=/x', 'unknown option \"strp\", the nearest is strip (expected: any of strip, prepend'",
        "'a/ sticky=a;b', 'sticky=a;b (expected: the name of a cookie)'",
        "'a/ balance=fastest', 'balance=fastest (expected: least-request, round-robin, header:NAME, cookie:NAME or address'",
        "'a/ balance=header:', 'balance=header: (expected:'",
        "'a/ retry=1|404', 'retry=1|404 (expected: 0 to 2 attempts after the first'",
        "'a/ cors=*', 'option cors is not supported by this version'",
        "'a/ strip', 'option \"strip\" has no value'",
        "'a/ strip=/a strip=/b', 'given twice'",
        "'a/ scheme=h3', 'scheme=h3 (expected: http, https, h2c, grpc or grpcs)'",
        "'a/ server-name=x', 'server name x without TLS'",
        "'a/ scheme=https server-name=a/b', 'server-name=a/b (expected: the name'",
        "'a/ scheme=https verify=no', 'verify=no (expected: true or false)'",
        "'a/ methods=get', 'methods=get (expected: methods in upper case'",
        "'a/ methods=GET,POST', 'such as GET|POST'",
        "'a/ priority=high', 'priority=high (expected: a whole number'",
        "'a/ weight=0.5', 'weight=0.5 (expected: 0 to 65535'",
        "'a/ timeout=2', 'timeout=2 (expected: a duration'",
        "'a/ timeout=0s', 'timeout=0s (expected: a duration'",
        "'a/ timeout=stream:x', 'timeout=x (expected: a duration'",
        "'a/ timeout=1s|stream:1s|stream:2s', 'timeout=1s|stream:1s|stream:2s (expected: DURATION, stream:DURATION and total:DURATION, each once at most)'",
        "'a/ retry=3', 'retry=3 (expected: 0 to 2 attempts'",
        "'a/ request-header=X', 'or !NAME to remove it'",
        "'a/ request-header=+X', '+NAME:VALUE to leave others'",
        "'a/ request-header=+Host:x', 'header Host (expected: a header name'",
        "'a/ request-header=Host:x', 'header Host (expected: a header name'",
        "'a/ response-header=Content-Length:0', 'header Content-Length (expected: a header name'",
        "'a/ redirect=301', 'redirect=301 (expected: CODE|URL'",
        "'a/ redirect=999|https://b', 'status \"999\"'",
        "'a/ redirect=301|//b', 'begins with http'",
        "'a/ allow=', 'allow='",
        "'a/ allow=10.0.0.0/33', '10.0.0.0/33 (expected: an address or block'",
        "'a/ deny=10.0.0.1|', 'deny=10.0.0.1|'",
        "'a/ host=*.x', 'host=*.x (expected: a host name'",
        "'a:0/', 'port \"0\" (expected: 1 to 65535)'",
        "'a..b/', 'host \"a..b\"'",
        "'a/../..', 'no climb above the root'",
        "'a/x?y=1', 'holds ''?'''",
    })
    void rejectsOneTagWithItsReason(String text, String reason) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", "gatepost.route=" + text, "gatepost.route=good/"));
        assertTrue(table.rejected().getFirst().reason().contains(reason), () -> table.rejected().getFirst().reason());
        assertEquals(1, table.rejected().size());
        assertEquals(List.of("good/"), ids(table));
    }

    @Test
    void rejectsATagOfOursThatItDoesNotKnow() {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", "gatepost.rout=a/", "unrelated"));
        assertEquals(List.of("gatepost.rout=a/"), table.rejected().stream().map(Rejected::text).toList());
    }

    @Test
    void readsOnlyTheDialectsThatAreOn() {
        RouteSettings fabioOnly = new RouteSettings(Set.of(Dialect.FABIO), HealthRule.PASSING, "");
        RouteTable table = RouteTable.from(
                Catalogs.snapshot(Catalogs.instance("web", "1", "gatepost.route=a/", "urlprefix-b/")), fabioOnly, RouteTable.EMPTY);
        assertEquals(List.of("b/"), ids(table));
    }

    @Test
    void weightsMultiplyWithTheCatalogs() {
        RouteTable table = Catalogs.table(
                Catalogs.with(Catalogs.instance("web", "1", "gatepost.route=a/ weight=3"), new Weights(10, 1)),
                Catalogs.with(Catalogs.instance("web", "2", "gatepost.route=a/"), new Weights(20, 1)),
                Catalogs.instance("web", "3", "gatepost.route=a/ weight=0"));
        assertEquals(List.of(3, 2), table.routes().getFirst().upstream().endpoints().stream().map(Endpoint::weight).toList());
        assertEquals(3, table.routes().getFirst().upstream().known());
    }

    private static Route only(String text) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", "gatepost.route=" + text));
        assertEquals(List.of(), table.rejected());
        return table.routes().getFirst();
    }

    static List<String> ids(RouteTable table) {
        return table.routes().stream().map(Route::id).toList();
    }
}
