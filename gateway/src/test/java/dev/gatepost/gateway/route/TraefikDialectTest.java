package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.RouteOptions.HostRewrite;
import dev.gatepost.gateway.route.RouteOptions.Redirect;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static dev.gatepost.gateway.route.GatepostDialectTest.ids;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TraefikDialectTest {
    private static final String R = "traefik.http.routers.r.";
    private static final String S = "traefik.http.services.s.loadbalancer.";
    private static final String M = "traefik.http.middlewares.m.";

    @ParameterizedTest
    @CsvSource(value = {
        "Host(`a.example.com`); a.example.com/",
        "Host(\"A.example.com\"); a.example.com/",
        "Host(`*.example.com`); *.example.com/",
        "PathPrefix(`/x`); /x*",
        "PathPrefix(`/x/`); /x/",
        "Path(`/x`); /x$",
        "Host(`a`) && PathPrefix(`/x`); a/x*",
        "Host(`a`) || Host(`b`); a/ b/",
        "Host(`a`, `b`); a/ b/",
        "Host(`a`) && (Path(`/x`) || PathPrefix(`/y`)); a/x$ a/y*",
        "(Host(`a`) || Host(`b`)) && (PathPrefix(`/x`) || PathPrefix(`/y`)); a/x* a/y* b/x* b/y*",
        "Host(`a`) && Path(`/x`) || PathPrefix(`/y`); a/x$ /y*",
        "PathPrefix(`/x`) && PathPrefix(`/x/y`); /x/y*",
        "PathPrefix(`/x`) && Path(`/x`); /x$",
        "Host(`a`) && Host(`b`) || Path(`/z`); /z$",
    }, delimiter = ';')
    void readsRules(String rule, String ids) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=" + rule));
        assertEquals(List.of(), table.rejected());
        assertEquals(List.of(ids.split(" ", -1)), ids(table));
    }

    @Test
    void aPathIsExactAndAPrefixIsPlain() {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=Path(`/x`) || PathPrefix(`/y`)"));
        assertTrue(RouteMatchTest.match(table, "h", 80, "/x") instanceof Match.Found);
        assertTrue(RouteMatchTest.match(table, "h", 80, "/x/") instanceof Match.NoRoute);
        assertTrue(RouteMatchTest.match(table, "h", 80, "/yes") instanceof Match.Found);
    }

    @Test
    void readsServicesAndMiddlewares() {
        RouteTable table = Catalogs.table(Catalogs.instance(
                "web", "1", "traefik.enable=true", R + "Rule=Host(`a`) && PathPrefix(`/api`)", R + "middlewares=m,n@consulcatalog", R + "service=s",
                M + "StripPrefix.prefixes=/v1,/api", "traefik.http.middlewares.n.addprefix.prefix=/in",
                "traefik.http.middlewares.n.ipallowlist.sourcerange=10.0.0.0/8, 192.0.2.1", S + "server.port=9000", S + "server.weight=3",
                S + "passhostheader=false", "traefik.http.middlewares.unused.basicauth.users=x:y"));
        Route route = table.routes().getFirst();
        assertEquals(List.of(), table.rejected());
        assertEquals("/api", route.options().strip());
        assertEquals("/in", route.options().prepend());
        assertEquals(HostRewrite.ENDPOINT, route.options().host());
        assertEquals(List.of(Cidr.parse("10.0.0.0/8"), Cidr.parse("192.0.2.1")), route.options().allow());
        assertEquals(9000, route.upstream().endpoints().getFirst().port());
    }

    @Test
    void aPortInALabelStandsForAnInstanceWithout() {
        RouteTable table = Catalogs.table(Catalogs.withPort(Catalogs.instance("web", "1", R + "rule=Host(`a`)", S + "server.port=9000"), 0));
        assertEquals(9000, table.routes().getFirst().upstream().endpoints().getFirst().port());
    }

    @ParameterizedTest
    @CsvSource({
        "entrypoints=web, http://a/",
        "entrypoints=websecure, https://a/",
        "'entrypoints=web,websecure', a/",
        "tls=true, https://a/",
        "tls.certresolver=le, https://a/",
        "tls=false, a/",
    })
    void entryPointsAndTlsAreConditions(String label, String id) {
        assertEquals(List.of(id), ids(Catalogs.table(Catalogs.instance("web", "1", R + "rule=Host(`a`)", R + label))));
    }

    @Test
    void aSchemeRedirectPassesOnWhatHasTheSchemeAlready() {
        RouteTable table = Catalogs.table(Catalogs.instance(
                "web", "1", R + "rule=Host(`a`)", R + "middlewares=m", M + "redirectscheme.scheme=https", M + "redirectscheme.permanent=true"));
        assertEquals(List.of("http://a/", "https://a/"), ids(table));
        assertEquals(Optional.of(new Redirect(301, "https://$host$path")), table.routes().getFirst().options().redirect());
        assertEquals(1, table.routes().getLast().upstream().endpoints().size());
    }

    @Test
    void priorityIsTheDistanceFromTheRulesLength() {
        String rule = "PathPrefix(`/`)";
        assertEquals(1 - rule.length(), only(R + "rule=" + rule, R + "priority=1").priority());
        assertEquals(100 - rule.length(), only(R + "rule=" + rule, R + "priority=100").priority());
        assertEquals(0, only(R + "rule=" + rule, R + "priority=0").priority());
        assertEquals(0, only(R + "rule=" + rule).priority());
    }

    @Test
    void theDefaultRuleNeedsAnExplicitEnable() {
        assertEquals(List.of("my-app/"), ids(Catalogs.table(Catalogs.instance("My_App", "1", "traefik.enable=true"))));
        assertEquals(List.of(), ids(Catalogs.table(Catalogs.instance("web", "1", "traefik.http.services.s.loadbalancer.server.port=1"))));
        assertEquals(List.of(), ids(Catalogs.table(Catalogs.instance("web", "1", "traefik.enable=false", R + "rule=Host(`a`)"))));
        assertEquals(List.of("web/"), ids(Catalogs.table(Catalogs.instance("web", "1", R + "tls=false"))));
        assertEquals(List.of(), ids(Catalogs.table(Catalogs.instance("web", "1", "traefik.enable=true", "traefik.tcp.routers.t.rule=HostSNI(`*`)"))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "rule=Host(`a`) && Method(`GET`); matcher Method is not supported",
        "rule=HostRegexp(`.*`); matcher HostRegexp is not supported",
        "rule=!Host(`a`); ! is not supported",
        "rule=Host(`a`; at character 9 (expected: ))",
        "rule=Host(`a`) Host(`b`); expected: &&, || or the end",
        "rule=Host(a); an argument in backticks or double quotes",
        "rule=; a matcher such as",
        "rule=Host(`a`) && Host(`b`); admits no request",
        "rule=Path(`/{id}`); patterns in braces",
        "rule=Host(`a:80`); expected: a host name without port",
        "middlewares=nope; middleware nope (expected: one that this instance declares)",
        "middlewares=m@file; expected: a name without provider",
        "middlewares=auth; basicauth.users=x:y (expected: a middleware that this version supports",
        "middlewares=closed; at least one address or block",
        "service=nope; service nope (expected: a service that this instance declares)",
        "entrypoints=internal; internal (expected: web, http, websecure or https)",
        "tls.options=mtls; tls.options=mtls (expected: a router option",
        "priority=high; priority=high",
        "rulesyntax=v2; expected: v3",
    })
    void rejectsTheRouterThatAsksForMore(String label, String reason) {
        String rule = label.startsWith("rule=") ? R + label : R + "rule=Host(`a`)";
        RouteTable table = Catalogs.table(Catalogs.instance(
                "web", "1", rule, R + (label.startsWith("rule=") ? "tls=false" : label), "traefik.http.routers.good.rule=Host(`good`)",
                "traefik.http.middlewares.auth.basicauth.users=x:y", "traefik.http.middlewares.closed.ipallowlist.sourcerange="));
        assertEquals(List.of("good/"), ids(table));
        assertEquals(1, table.rejected().size());
        assertTrue(table.rejected().getFirst().reason().contains(reason), table.rejected().getFirst()::reason);
        assertTrue(table.rejected().getFirst().reason().startsWith("router r: "));
    }

    @ParameterizedTest
    @CsvSource({
        "traefik.tcp.routers.t.rule=HostSNI(`*`), traefik.tcp.routers.t.rule is not supported",
        "traefik.udp.routers.t.entrypoints=x, traefik.udp.routers.t.entrypoints is not supported",
        "traefik.consulcatalog.connect=true, traefik.consulcatalog.connect is not supported",
        "traefik.http.nonsense=1, traefik.http.nonsense is not supported",
        "traefik.enable=yes, traefik.enable=yes (expected: true or false)",
    })
    void rejectsOtherTagsByName(String tag, String reason) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tag, "urlprefix-/"));
        assertEquals(List.of("/"), ids(table));
        assertTrue(table.rejected().getFirst().reason().contains(reason), table.rejected().getFirst()::reason);
    }

    @ParameterizedTest
    @CsvSource({"loadbalancer.server.scheme=https", "loadbalancer.server.port=0", "loadbalancer.sticky.cookie=true", "loadbalancer.server.weight=-1"})
    void rejectsTheRoutersOfAServiceThatAsksForMore(String label) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=Host(`a`)", "traefik.http.services.s." + label));
        assertEquals(List.of(), ids(table));
        assertEquals(1, table.rejected().size());
    }

    @Test
    void explainFindsTheRejectedRouter() {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=Host(`a.example.com`) && Method(`GET`)"));
        assertEquals(Explanation.REJECTED, table.explain("http://a.example.com/", "GET").outcome());
    }

    private static Route only(String... tags) {
        return Catalogs.table(Catalogs.instance("web", "1", tags)).routes().getFirst();
    }
}
