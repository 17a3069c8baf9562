package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.RouteOptions.HostRewrite;
import dev.gatepost.gateway.route.RouteOptions.Redirect;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
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
        "Host(`a`) && HostRegexp(`^[ab]$`); a/",
        "HostRegexp(`^[a-z]+\\.example\\.com$`); ~^[a-z]+\\.example\\.com$/",
        "HostRegexp(`{sub:[a-z]+}.example.com`); ~^(?:[a-z]+)\\.example\\.com$/",
        "HostHeader(`a`); a/",
        "PathRegexp(`^/api/v[0-9]+/`); /api/v* path~^/api/v[0-9]+/",
        "PathRegexp(`^/api/?x`); /api* path~^/api/?x",
        "PathRegexp(`^/a|^/b`); / path~^/a|^/b",
        "PathRegexp(`\\.php$`); / path~\\.php$",
        "PathPrefix(`/a`) && PathRegexp(`^/a/b`); /a/b* path~^/a/b",
        "Path(`/users/{id:[0-9]+}`); /users/ path~^/users/(?:[0-9]+)$",
        "PathPrefix(`/users/{id}/x`); /users/ path~^/users/(?:[^/]+)/x",
        "Host(`a`) && Method(`get`); a/ method=GET",
        "Method(`GET`, `POST`); / method=GET|POST",
        "Header(`X-A`, `1`); / header=x-a:1",
        "Headers(`X-A`, `1`); / header=x-a:1",
        "HeaderRegexp(`X-A`, `^v`); / header=x-a~^v",
        "Query(`a`, `1`); / query=a=1",
        "Query(`a`); / query=a=",
        "Query(`a=1`, `b=2`); / query=a=1 query=b=2",
        "QueryRegexp(`a`, `^1`); / query=a~^1",
        "ClientIP(`10.0.0.0/8`); / client=10.0.0.0/8",
        "!Host(`a`); / !host:a",
        "!PathPrefix(`/x`) && Host(`a`); a/ !path:/x*",
        "Host(`a`) && !(Method(`GET`) || Header(`X`, `1`)); a/ !header=x:1 !method=GET",
        "!PathRegexp(`^/x/`); / !path~^/x/",
        "!!Host(`a`); a/",
        "HOST(`a`) && pathprefix(`/x`); a/x*",
        "PathPrefix(\"/a b\"); /a%20b*",
    }, delimiter = ';')
    void readsRules(String rule, String ids) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=" + rule));
        assertEquals(List.of(), table.rejected());
        assertEquals(ids, String.join(" ", ids(table)));
    }

    @ParameterizedTest
    @CsvSource(value = {
        "!(Path(`/x`) && Method(`GET`)); GET; http://a/x; ; false",
        "!(Path(`/x`) && Method(`GET`)); POST; http://a/x; ; true",
        "!(Path(`/x`) && Method(`GET`)); GET; http://a/y; ; true",
        "!(Path(`/x`) || Method(`GET`)); POST; http://a/x; ; false",
        "!Query(`a=1`, `b=2`); GET; http://a/?a=1; ; true",
        "!Query(`a=1`, `b=2`); GET; http://a/?a=1&b=2; ; false",
        "HostRegexp(`^(.+\\.)?example\\.com$`) && !Host(`www.example.com`); GET; http://shop.example.com/; ; true",
        "HostRegexp(`^(.+\\.)?example\\.com$`) && !Host(`www.example.com`); GET; http://www.example.com/; ; false",
        "HostRegexp(`^(.+\\.)?example\\.com$`); GET; http://example.com/; ; true",
        "PathRegexp(`^/(?i)IMG/`); GET; http://a/img/1; ; true",
        "Header(`Content-Type`, `application/json`); GET; http://a/; Content-Type: application/json; true",
        "Query(`mobile`); GET; http://a/?mobile; ; true",
        "Query(`mobile`); GET; http://a/?mobile=1; ; false",
        "ClientIP(`192.0.2.0/24`) && PathPrefix(`/`); GET; http://a/; ; true",
    }, delimiter = ';')
    void admitsWhatTheRuleSays(String rule, String method, String url, String header, boolean admits) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=" + rule));
        assertEquals(List.of(), table.rejected());
        Match match = header == null ? RouteMatchTest.match(table, method, url) : RouteMatchTest.match(table, method, url, header);
        assertEquals(admits, match instanceof Match.Found);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "stripprefix.prefixes=/a,/b; /b/x; /x; /b; ''",
        "stripprefix.prefixes=/a,/b; /c/x; /c/x; ''; ''",
        "stripprefixregex.regex=^/v[0-9]+; /v12/x; /x; /v12; ''",
        "stripprefixregex.regex=/v[0-9]+; /x/v1; /x/v1; ''; ''",
        "replacepath.path=/new; /old; /new; ''; /old",
        "replacepathregex.regex=^/a/(.*)|replacepathregex.replacement=/b/$1; /a/x/y; /b/x/y; ''; /a/x/y",
        "replacepathregex.regex=^/a/(.*)|replacepathregex.replacement=/b/${1}x; /a/y; /b/yx; ''; /a/y",
        "replacepathregex.regex=^/a/(.*)|replacepathregex.replacement=/b/$1x; /a/y; /b/; ''; /a/y",
        "replacepathregex.regex=^/a/(?P<rest>.*)|replacepathregex.replacement=/$$/$rest; /a/y; /$/y; ''; /a/y",
        "replacepathregex.regex=^/a/(.*)|replacepathregex.replacement=/b/$1; /c; /c; ''; ''",
    })
    void editsPathsAsTraefikDoes(String labels, String path, String forwarded, String stripped, String replaced) {
        List<String> tags = new ArrayList<>(List.of(R + "rule=PathPrefix(`/`)", R + "middlewares=m"));
        for (String label : labels.split("\\|(?=replace)", -1)) {
            tags.add(M + label);
        }
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tags.toArray(String[]::new)));
        assertEquals(List.of(), table.rejected());
        assertEquals(new PathEdit.Edited(forwarded, stripped, replaced), PathEdit.applyAll(table.routes().getFirst().options().edits(), path));
    }

    @Test
    void keepsTheOrderOfMiddlewares() {
        Route route = only(
                R + "rule=PathPrefix(`/`)", R + "middlewares=add,m,re", "traefik.http.middlewares.add.addprefix.prefix=/p",
                M + "stripprefix.prefixes=/p/a", "traefik.http.middlewares.re.replacepathregex.regex=x", "traefik.http.middlewares.re.replacepathregex.replacement=y");
        assertEquals("/y", PathEdit.applyAll(route.options().edits(), "/a/x").path());
        assertEquals("", route.options().strip() + route.options().prepend());
    }

    @Test
    void chainsMiddlewares() {
        Route route = only(
                R + "rule=Host(`a`)", R + "middlewares=m", M + "chain.middlewares=inner,retry", "traefik.http.middlewares.inner.chain.middlewares=strip",
                "traefik.http.middlewares.strip.stripprefix.prefixes=/x", "traefik.http.middlewares.retry.retry.attempts=2");
        assertEquals("/x", route.options().strip());
        assertEquals(OptionalInt.of(1), route.options().retries());
        RouteTable endless = Catalogs.table(Catalogs.instance("web", "1", R + "rule=Host(`a`)", R + "middlewares=m", M + "chain.middlewares=m"));
        assertTrue(endless.rejected().getFirst().reason().contains("chains that end"));
    }

    @Test
    void redirectsUrlsThatMatch() {
        RouteOptions.MatchRedirect redirect = only(
                        R + "rule=Host(`old.example.com`)", R + "middlewares=m", M + "redirectregex.regex=^https?://old\\.example\\.com/(.*)",
                        M + "redirectregex.replacement=https://new.example.com/${1}", M + "redirectregex.permanent=true")
                .options()
                .redirects()
                .getFirst();
        assertEquals(Optional.of("https://new.example.com/a?b=c"), redirect.locate("http://old.example.com/a?b=c"));
        assertEquals(Optional.empty(), redirect.locate("http://other.example.com/"));
        assertEquals(List.of(301, 308), List.of(redirect.status("GET"), redirect.status("POST")));
    }

    @Test
    void setsHeaders() {
        RouteOptions options = only(
                        R + "rule=Host(`a`)", R + "middlewares=m", M + "headers.customrequestheaders.X-Script-Name=test", M + "headers.customrequestheaders.x-gone=",
                        M + "headers.customrequestheaders.Host=inner", M + "headers.customresponseheaders.X-Powered-By=", M + "headers.stsseconds=60",
                        M + "headers.stspreload=true", M + "headers.framedeny=true", M + "headers.contenttypenosniff=true", M + "headers.referrerpolicy=no-referrer")
                .options();
        assertEquals(
                List.of(new FieldEdit("X-Gone", Optional.empty(), false), new FieldEdit("X-Script-Name", Optional.of("test"), false)), options.requestFields());
        assertEquals(new HostRewrite(HostRewrite.Kind.FIXED, "inner"), options.host());
        assertEquals(
                Set.of(
                        new FieldEdit("X-Powered-By", Optional.empty(), false),
                        new FieldEdit("Strict-Transport-Security", Optional.of("max-age=60; preload"), true),
                        new FieldEdit("X-Frame-Options", Optional.of("DENY"), false),
                        new FieldEdit("X-Content-Type-Options", Optional.of("nosniff"), false),
                        new FieldEdit("Referrer-Policy", Optional.of("no-referrer"), false)),
                Set.copyOf(options.responseFields()));
    }

    @Test
    void middlewaresMayBeDeclaredByAnotherServiceAndAreFollowed() {
        Instance user = Catalogs.instance("web", "1", R + "rule=Host(`a`)", R + "middlewares=m@consulcatalog");
        Snapshot without = Catalogs.snapshot(user, Catalogs.instance("edge", "1", "x"));
        RouteTable first = RouteTable.from(without, Catalogs.SETTINGS, RouteTable.EMPTY);
        assertTrue(first.rejected().getFirst().reason().contains("middleware m@consulcatalog (expected: one that an instance declares)"));
        Service edge = new Service("edge", List.of(Catalogs.instance("edge", "1", M + "stripprefix.prefixes=/v1")));
        RouteTable second = RouteTable.from(Catalogs.with(without, edge), Catalogs.SETTINGS, first);
        assertEquals("/v1", second.routes().getFirst().options().strip());
        Service changed = new Service("edge", List.of(Catalogs.instance("edge", "1", M + "stripprefix.prefixes=/v2")));
        RouteTable third = RouteTable.from(Catalogs.with(without, changed), Catalogs.SETTINGS, second);
        assertEquals("/v2", third.routes().getFirst().options().strip());
        RouteTable fourth = RouteTable.from(Catalogs.without(without, "edge"), Catalogs.SETTINGS, third);
        assertEquals(List.of(), ids(fourth));
        assertEquals(1, fourth.rejected().size());
    }

    /// What Traefik's file provider had, stands in the file catalog.
    @Test
    void aMiddlewareOfAFileIsOneOfTheCatalogs() {
        RouteTable table = Catalogs.table(
                Catalogs.instance("web", "1", R + "rule=Host(`a`)", R + "middlewares=m@file"), Catalogs.instance("middlewares", "1", M + "addprefix.prefix=/x"));
        assertEquals("/x", table.routes().getFirst().options().prepend());
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
                "web", "1", "traefik.enable=true", R + "Rule=Host(`a`) && PathPrefix(`/api`)", R + "middlewares=m,n@consulcatalog,o", R + "service=s",
                M + "StripPrefix.prefixes=/v1,/api", "traefik.http.middlewares.n.addprefix.prefix=/in",
                "traefik.http.middlewares.o.ipallowlist.sourcerange=10.0.0.0/8, 192.0.2.1", S + "server.port=9000", S + "server.weight=3",
                S + "passhostheader=false", "traefik.http.middlewares.unused.basicauth.users=x:y"));
        Route route = table.routes().getFirst();
        assertEquals(List.of(), table.rejected());
        assertEquals(List.of(new PathEdit.Strip(List.of("/v1", "/api")), new PathEdit.Prepend("/in")), route.options().edits());
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
        "tls=True, https://a/",
        "entrypoints=webSecure, https://a/",
        "entrypoints=web|websecure tls=true, https://a/",
        "entrypoints=web|websecure tls.certresolver=le, https://a/",
        "entrypoints=web|websecure tls=false, a/",
    })
    void entryPointsAndTlsAreConditions(String label, String id) {
        List<String> tags = new ArrayList<>(List.of(R + "rule=Host(`a`)"));
        for (String each : label.split(" ", -1)) {
            tags.add(R + each);
        }
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tags.toArray(String[]::new)));
        assertEquals(List.of(), table.rejected());
        assertEquals(List.of(id), ids(table));
    }

    /// It would be served without TLS what is to be had over TLS alone.
    @Test
    void tlsOnAnEntryPointWithoutIsRejected() {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=Host(`a`)", R + "entrypoints=web", R + "tls=true"));
        assertEquals(List.of(), ids(table));
        assertTrue(table.rejected().getFirst().reason().contains("tls on entry points without TLS (expected: websecure"), table.rejected().getFirst()::reason);
    }

    /// Traefik makes a service of that name where an instance declares none.
    @Test
    void aRouterMayNameTheServiceThatItBelongsTo() {
        RouteTable table = Catalogs.table(Catalogs.instance("My_App", "1", R + "rule=Host(`a`)", R + "service=My-App"));
        assertEquals(List.of(), table.rejected());
        assertEquals(List.of("a/"), ids(table));
        RouteTable other = Catalogs.table(Catalogs.instance("My_App", "1", R + "rule=Host(`a`)", R + "service=my-app", S + "server.port=1"));
        assertTrue(other.rejected().getFirst().reason().contains("service my-app (expected: a service that this instance declares"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "strategy=p2c; balance=least-request",
        "strategy=wrr; balance=round-robin",
        "strategy=hrw; balance=address",
        "sticky=true; sticky=_s",
        "sticky.cookie=true; sticky=_s",
        "sticky=false; ''",
        "sticky.cookie.httponly=true; sticky=_s",
        "sticky.cookie=true|sticky.cookie.name=kept|sticky.cookie.httponly=true|sticky.cookie.secure=true|sticky.cookie.samesite=lax|sticky.cookie.path=/; sticky=kept",
        "healthcheck.path=/up; health-check=/up|30000ms",
        "healthcheck.path=/up|healthcheck.interval=5; health-check=/up|5000ms",
        "healthcheck.path=/up|healthcheck.interval=500ms; health-check=/up|500ms",
    })
    void spreadsRequestsAsTheServiceSays(String labels, String words) {
        List<String> tags = new ArrayList<>(List.of(R + "rule=Host(`a`)"));
        for (String label : labels.split("\\|", -1)) {
            tags.add(S + label);
        }
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tags.toArray(String[]::new)));
        assertEquals(List.of(), table.rejected());
        assertEquals(words, table.routes().getFirst().options().forwarding().words());
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
        assertEquals(List.of("web/"), ids(Catalogs.table(Catalogs.instance("web", "1", "traefik.enable=True"))));
        assertEquals(List.of(), ids(Catalogs.table(Catalogs.instance("web", "1", "traefik.enable=False", R + "rule=Host(`a`)"))));
        assertEquals(List.of(), ids(Catalogs.table(Catalogs.instance("web", "1", "traefik.enable=true", "traefik.tcp.routers.t.rule=HostSNI(`*`)"))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "rule=HostSNI(`a`); matcher hostsni is not supported by this version (expected: Host, HostRegexp",
        "rule=HostRegexp(`(`); expression ( ",
        "rule=PathRegexp(`(a)\\1`); expected: a regular expression as in Go",
        "rule=Header(`a`); header has 1 arguments (expected: a name and a value)",
        "rule=ClientIP(`10.0.0.0/33`); 10.0.0.0/33 (expected: an address or block",
        "rule=Path(`x`); path `x` (expected: a path that begins with /)",
        "rule=!(Host(`a`); at character 12 (expected: ))",
        "rule=Host(`a`; at character 9 (expected: ))",
        "rule=Host(`a`) Host(`b`); expected: &&, || or the end",
        "rule=Host(a); an argument in backticks or double quotes",
        "rule=; a matcher such as",
        "rule=Host(`a`) && Host(`b`); admits no request",
        "rule=Host(`a:80`); expected: a host name without port",
        "middlewares=nope; middleware nope (expected: one that an instance declares)",
        "middlewares=m@docker; m@docker (expected: a name without provider, or with @consulcatalog or @file",
        "middlewares=m@file; middleware m@file (expected: one that an instance declares; Traefik's own files are not read by this version)",
        "middlewares=auth; basicauth.users=x:y (expected: a middleware that this version supports",
        "middlewares=closed; sourcerange= (expected: a value)",
        "service=nope; service nope (expected: a service that this instance declares",
        "middlewares=errors; errors.status=500-599 (expected: a middleware that this version supports",
        "middlewares=mixed; mixed.stripprefix.prefixes=/x (expected: a middleware of one kind",
        "middlewares=far; redirectscheme.port=70000 (expected: 1 to 65535)",
        "middlewares=late; redirect.redirectregex.regex=x (expected: redirectregex before what changes the path",
        "middlewares=cors; cors.headers.accesscontrolallowmethods=GET (expected: what this version supports of it: custom request and response headers",
        "middlewares=backoff; backoff.retry.initialinterval=100ms (expected: what this version supports of it: attempts)",
        "middlewares=depth; depth.ipallowlist.ipstrategy.depth=1 (expected: what this version supports of it: sourcerange)",
        "middlewares=framing; header Content-Length (expected: a header name",
        "entrypoints=internal; internal (expected: web, http, websecure or https",
        "tls.options=mtls; tls.options=mtls (expected: a router option",
        "priority=high; priority=high",
        "priority=10000000000; priority=10000000000 (expected: a whole number of at most 9 digits",
        "tls=maybe; tls=maybe (expected: true or false)",
        "observability.accesslogs=false; observability.accesslogs=false (expected: true, since this version makes no exceptions",
        "observability.traceverbosity=detailed; observability.traceverbosity=detailed (expected: a router option",
        "rule=Query(`a`; at character 10 (expected: )); Registrator cuts tags at commas",
        "rule=Query(`a; at character 7 (expected: an argument in backticks or double quotes); Registrator cuts tags at commas",
        "rulesyntax=v1; expected: v2 or v3",
    })
    void rejectsTheRouterThatAsksForMore(String label, String reason) {
        String rule = label.startsWith("rule=") ? R + label : R + "rule=Host(`a`)";
        RouteTable table = Catalogs.table(Catalogs.instance(
                "web", "1", rule, R + (label.startsWith("rule=") ? "tls=false" : label), "traefik.http.routers.good.rule=Host(`good`)",
                "traefik.http.middlewares.auth.basicauth.users=x:y", "traefik.http.middlewares.errors.errors.status=500-599",
                "traefik.http.middlewares.mixed.addprefix.prefix=/a", "traefik.http.middlewares.mixed.stripprefix.prefixes=/x",
                "traefik.http.middlewares.strip.stripprefix.prefixes=/x", "traefik.http.middlewares.late.chain.middlewares=strip,redirect",
                "traefik.http.middlewares.redirect.redirectregex.regex=x", "traefik.http.middlewares.redirect.redirectregex.replacement=y",
                "traefik.http.middlewares.cors.headers.accesscontrolallowmethods=GET", "traefik.http.middlewares.backoff.retry.attempts=2",
                "traefik.http.middlewares.backoff.retry.initialinterval=100ms", "traefik.http.middlewares.depth.ipallowlist.sourcerange=10.0.0.0/8",
                "traefik.http.middlewares.depth.ipallowlist.ipstrategy.depth=1", "traefik.http.middlewares.framing.headers.customrequestheaders.content-length=1",
                "traefik.http.middlewares.closed.ipallowlist.sourcerange=", "traefik.http.middlewares.far.redirectscheme.scheme=https",
                "traefik.http.middlewares.far.redirectscheme.port=70000"));
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
    @CsvSource({"loadbalancer.server.scheme=ftp", "loadbalancer.serverstransport=internal", "loadbalancer.server.port=0", "loadbalancer.sticky.cookie.maxage=60",
        "loadbalancer.sticky.cookie.httponly=false", "loadbalancer.sticky.cookie.samesite=strict", "loadbalancer.sticky.cookie.domain=a", "loadbalancer.server.weight=-1",
        "loadbalancer.strategy=leasttime", "loadbalancer.healthcheck.interval=5s", "loadbalancer.healthcheck.path=up", "loadbalancer.healthcheck.interval=1m5s", "loadbalancer.healthcheck.port=80", "loadbalancer.passhostheader=maybe"})
    void rejectsTheRoutersOfAServiceThatAsksForMore(String label) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=Host(`a`)", "traefik.http.services.s." + label));
        assertEquals(List.of(), ids(table));
        assertEquals(1, table.rejected().size());
        assertTrue(table.rejected().getFirst().reason().contains(label.substring(label.lastIndexOf('.') + 1)), table.rejected().getFirst()::reason);
    }

    @Test
    void explainFindsTheRejectedRouter() {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", R + "rule=Host(`a.example.com`) && HostSNI(`b`)"));
        assertEquals(Explanation.REJECTED, table.explain("http://a.example.com/", "GET").outcome());
    }

    private static Route only(String... tags) {
        return Catalogs.table(Catalogs.instance("web", "1", tags)).routes().getFirst();
    }
}
