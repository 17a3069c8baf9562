package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Snapshot;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static dev.gatepost.gateway.route.Catalogs.instance;
import static dev.gatepost.gateway.route.Catalogs.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PeerComparisonTest {
    private static final String R = "traefik.http.routers.r.";

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "urlprefix-shop.example.com/api strip=/api; shop.example.com/api; shop.example.com/api*; ''",
        "urlprefix-shop.example.com; shop.example.com/; shop.example.com/; ''",
        "urlprefix-; freezes its table; rejected; keeps its last table for good",
        "urlprefix-/foo\tstrip=/foo; freezes its table; rejected; holds a tab",
        "urlprefix-/ weight=much; freezes its table; rejected; can't read weight=much",
        "urlprefix-/ proto=https; / by https; /; ''",
        "urlprefix-:1234 proto=tcp; TCP on :1234; rejected; proto=tcp",
        "urlprefix-/ alow=ip:10.0.0.1; /; rejected; fabio ignores option alow",
        "urlprefix-/ allow=ip:10.0.0.1 deny=ip:10.0.0.2; /; rejected; enforces neither allow nor deny",
        "urlprefix-/ allow=ip:10.0.0.1,ip:nonsense; /; rejected; leaves ip:nonsense out of allow",
        "urlprefix-/ redirect=301,https://a.example,b; /; rejected; only with exactly one comma",
        "urlprefix-/ redirect=200,https://a.example; forwards to https://a.example; rejected; knows no status 200",
        "urlprefix-/ redirect=301|https://a.example; /; /; only with exactly one comma",
        "urlprefix-/ redirect=301,https://a.example; / redirects 301; /; fabio drops the request's query",
        "urlprefix-/ redirect=301,https://a.example$path; / redirects 301; /; ''",
        "urlprefix-/ redirect=301,https://a.example/?x=1; / redirects 301; /; ''",
        "urlprefix-/ proto=h2c; /; rejected; fabio knows no proto=h2c and speaks HTTP",
        "urlprefix-web.$DC.example.com/; web.dc1.example.com/; web.dc1.example.com/; ''",
        "gatepost.route=a/; -; a/; ''",
        "gatepost.route=a/ strp=/x; -; rejected; unknown option",
    })
    void saysWhatFabioWouldDo(String tag, String fabio, String gatepost, String why) {
        Finding finding = only(passing(instance("web", "1", tag)));
        assertEquals(List.of(tag, fabio, "-", gatepost), List.of(finding.declared(), finding.fabio(), finding.traefik(), finding.gatepost()));
        assertEquals(why.isEmpty(), finding.why().isEmpty(), finding::toString);
        assertTrue(String.join("\n", finding.why()).contains(why), finding::toString);
        assertEquals(gatepost.equals("rejected"), finding.rejected());
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "rule=Host(`a`) && Method(`GET`); Host(`a`) && Method(`GET`); a/ method=GET; ''",
        "rule=Host(`a`; rejects it; rejected; expected: )",
        "rule=HostSNI(`a`); HostSNI(`a`); rejected; not supported by this version",
    })
    void saysWhatTraefikWouldDo(String label, String traefik, String gatepost, String why) {
        Finding finding = only(passing(instance("web", "1", R + label)));
        assertEquals(List.of("-", traefik, gatepost), List.of(finding.fabio(), finding.traefik(), finding.gatepost()));
        assertTrue(String.join("\n", finding.why()).contains(why), finding::toString);
    }

    @Test
    void saysThatTraefikDropsWhatInstancesDeclareDifferently() {
        List<Finding> findings = findings(
                passing(instance("web", "1", R + "rule=Host(`a`)")), passing(instance("web", "2", R + "rule=Host(`b`)")),
                passing(instance("api", "1", "traefik.http.routers.s.rule=Host(`c`)", "traefik.http.routers.s.middlewares=m", "traefik.http.middlewares.m.addprefix.prefix=/1")),
                passing(instance("api", "2", "traefik.http.routers.s.rule=Host(`c`)", "traefik.http.routers.s.middlewares=m", "traefik.http.middlewares.m.addprefix.prefix=/2")));
        assertEquals(List.of("drops the router", "drops the router", "drops the router"), findings.stream().map(Finding::traefik).toList());
        assertEquals(List.of("c/", "a/", "b/"), findings.stream().map(Finding::gatepost).toList());
        assertTrue(findings.getFirst().why().getFirst().contains("instances declare middleware m differently"));
    }

    @Test
    void saysWhereALongerRuleComesBeforeAMoreSpecificOne() {
        List<Finding> findings = findings(
                passing(instance("front", "1", "traefik.http.routers.front.rule=HostRegexp(`^(shop|www|api|cdn)\\.example\\.com$`)")),
                passing(instance("shop", "1", "traefik.http.routers.shop.rule=Host(`shop.example.com`)")));
        assertEquals(1, findings.getFirst().why().size());
        assertTrue(findings.getFirst().why().getFirst().endsWith("before shop.example.com/ (24), Gatepost after it: that is more specific"), findings::toString);
        assertEquals(List.of(), findings.getLast().why());
    }

    @Test
    void saysWhichInstancesEachWouldServe() {
        Instance half = withChecks(instance("web", "1", "urlprefix-a/"), Health.PASSING, Health.CRITICAL);
        Instance warning = with(instance("web", "2", "urlprefix-a/", R + "rule=Host(`a`)"), Health.WARNING);
        Instance unchecked = instance("web", "3", "urlprefix-a/");
        List<Finding> findings = findings(half, warning, unchecked);
        Finding traefik = findings.getFirst();
        assertEquals(List.of("Host(`a`)", "a/ (503)"), List.of(traefik.traefik(), traefik.gatepost()));
        assertEquals(List.of("n1/web-2 is warning by its worst check: Traefik serves it, Gatepost doesn't (routes.health: passing)"), traefik.why());
        Finding fabio = findings.getLast();
        assertEquals(List.of("a/ (1 of 3)", "a/ (1 of 3)"), List.of(fabio.fabio(), fabio.gatepost()));
        assertEquals(
                List.of(
                        "n1/web-1 is critical by its worst check: fabio serves it, Gatepost doesn't (routes.health: passing)",
                        "n1/web-3 has no check: fabio leaves it out, Gatepost counts it as passing, as Consul does"),
                fabio.why());
    }

    @Test
    void saysThatAnEmptyRouteIsNoRouteElsewhere() {
        Finding finding = only(with(instance("web", "1", "urlprefix-a/"), Health.CRITICAL));
        assertEquals(List.of("no route", "a/ (503)"), List.of(finding.fabio(), finding.gatepost()));
        assertTrue(finding.why().getFirst().startsWith("no instance is healthy: fabio has no such route"));
    }

    @Test
    void saysWhoDecidesForARoute() {
        List<Finding> findings = findings(passing(instance("web", "1", "urlprefix-a/ strip=/x")), passing(instance("web", "2", "urlprefix-a/ strip=/y")));
        assertEquals(List.of("Gatepost does what urlprefix-a/ strip=/x of service web, instance n1/web-1, says for the whole route"), findings.getLast().why());
        assertEquals(List.of(), findings.getFirst().why());
    }

    @Test
    void saysThatTraefikExposesByDefault() {
        Finding finding = only(passing(instance("My_App", "1", "traefik.http.services.s.loadbalancer.server.port=80")));
        assertEquals(List.of("Host(`my-app`)", "no route"), List.of(finding.traefik(), finding.gatepost()));
    }

    /// One row for all of them, and none for people who don't use Traefik.
    @Test
    void saysWhatTraefikExposesWithoutAnyLabel() {
        List<Finding> findings = findings(passing(instance("web", "1", R + "rule=Host(`a`)")), passing(instance("db", "1")), passing(instance("api", "1", "v1")));
        Finding bare = findings.getLast();
        assertEquals(List.of("", 2, "(no labels)", "Host(`SERVICE`)", "no route"), List.of(bare.service(), bare.instances(), bare.declared(), bare.traefik(), bare.gatepost()));
        assertTrue(bare.why().getFirst().contains("exposedByDefault is false: api, db; Gatepost"), bare::toString);
        assertEquals(1, findings(passing(instance("web", "1", "urlprefix-a/")), passing(instance("db", "1"))).size());
    }

    @Test
    void saysWhoseCertificateIsServed() {
        Finding finding = only(passing(instance("web", "1", R + "rule=Host(`a`)", R + "tls.certresolver=le")));
        assertEquals("https://a/", finding.gatepost());
        assertTrue(finding.why().getFirst().contains("obtains the certificate by " + R + "tls.certresolver=le; Gatepost serves its own"), finding::toString);
    }

    @Test
    void saysThatTraefikDropsAServiceThatInstancesDeclareDifferently() {
        String s = "traefik.http.services.s.loadbalancer.";
        List<Finding> findings = findings(
                passing(instance("web", "1", R + "rule=Host(`a`)", s + "server.port=1", s + "passhostheader=false")),
                passing(instance("web", "2", R + "rule=Host(`a`)", s + "server.port=2", s + "passhostheader=true")),
                passing(instance("api", "1", "traefik.http.routers.o.rule=Host(`b`)", "traefik.http.services.t.loadbalancer.server.port=1")),
                passing(instance("api", "2", "traefik.http.routers.o.rule=Host(`b`)", "traefik.http.services.t.loadbalancer.server.port=2")));
        assertEquals(List.of("Host(`b`)", "drops the router"), findings.stream().map(Finding::traefik).toList());
        assertTrue(findings.getLast().why().getFirst().contains("instances declare service s differently"), findings::toString);
    }

    /// It may stand in a file of Traefik's, which nobody here can see.
    @Test
    void saysThatTraefikMayHaveAMiddlewareOfAFile() {
        Finding file = only(passing(instance("web", "1", R + "rule=Host(`a`)", R + "middlewares=auth@file")));
        assertEquals(List.of("Host(`a`)", "rejected"), List.of(file.traefik(), file.gatepost()));
        Finding missing = only(passing(instance("web", "1", R + "rule=Host(`a`)", R + "middlewares=auth")));
        assertEquals(List.of("rejects it", "rejected"), List.of(missing.traefik(), missing.gatepost()));
    }

    @Test
    void saysWhatFabiosCommandsDo() {
        List<FabioCommands.Line> lines = FabioCommands.lines("kv", "fabio/config", """
                # by hand
                route del web old/
                route add ext ext/ http://192.0.2.1:80/
                route ad x
                route add ext ext/ http://192.0.2.1:80/ opts "register=x"
                """);
        Snapshot snapshot = Catalogs.snapshot(passing(instance("web", "1", "urlprefix-old/", "urlprefix-shop/")));
        List<Finding> findings = PeerComparison.of(snapshot, Catalogs.SETTINGS, lines);
        assertEquals(List.of("no route", "shop/", "obeys it", "obeys it", "freezes its table", "obeys it"), findings.stream().map(Finding::fabio).toList());
        assertEquals(List.of("old/", "shop/", "not read", "not read", "rejected", "rejected"), findings.stream().map(Finding::gatepost).toList());
        assertEquals(List.of("a route del command takes it out of fabio"), findings.getFirst().why());
        assertEquals(List.of("web", "route del web old/", List.of("Gatepost reads fabio/config with fragments.fabio-path")),
                List.of(findings.get(2).service(), findings.get(2).declared(), findings.get(2).why()));
        assertTrue(findings.get(4).why().getLast().startsWith("fabio can't read fabio/config line 4 and keeps its last table"), findings::toString);

        List<Finding> obeyed = PeerComparison.of(snapshot, Catalogs.SETTINGS.withCommands(FabioCommands.of(lines)), lines);
        assertEquals(List.of("shop/", "obeys it", "obeys it", "rejected", "rejected"), obeyed.stream().map(Finding::gatepost).toList());
        assertEquals(List.of(), obeyed.get(1).why());
    }

    private static Instance passing(Instance instance) {
        return with(instance, Health.PASSING);
    }

    private static Instance withChecks(Instance i, Health... health) {
        List<Check> checks = Arrays.stream(health).map(each -> new Check("service:" + each, "", each)).toList();
        return new Instance(i.id(), i.service(), i.node(), i.serviceAddress(), i.port(), i.tags(), i.meta(), i.taggedAddresses(), i.weights(), checks);
    }

    private static List<Finding> findings(Instance... instances) {
        return PeerComparison.of(Catalogs.snapshot(instances), Catalogs.SETTINGS);
    }

    private static Finding only(Instance... instances) {
        List<Finding> findings = findings(instances);
        assertEquals(1, findings.size());
        return findings.getFirst();
    }
}
