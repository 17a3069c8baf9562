package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.RouteOptions.HostRewrite;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class FabioDialectTest {
    @ParameterizedTest
    @CsvSource(nullValues = "no", value = {
        "'p', no, ''",
        "'p-', '', ''",
        "'p- ', '', ''",
        "'p-/', /, ''",
        "' p-/', /, ''",
        "'p-/ ', /, ''",
        "'p- / ', /, ''",
        "'p-/foo', /foo, ''",
        "'p- /foo', /foo, ''",
        "'p-bar/foo', bar/foo, ''",
        "'p-1.1.1.1:999', 1.1.1.1:999, ''",
        "'p-:1234 proto=tcp', :1234, proto=tcp",
        "'p-WWW.BAR.COM/foo/foo', www.bar.com/foo/foo, ''",
        "'p-www.bar.com/foo/FOO', www.bar.com/foo/FOO, ''",
        "'p-bar/foo a b c', bar/foo, a b c",
        "'p-$x/$y', /, ''",
        "'p-www.bar.com:80/foo redirect=302,https://www.bar.com', www.bar.com:80/foo, 'redirect=302,https://www.bar.com'",
    })
    void takesTagsApartAsFabioDoes(String tag, String source, String options) {
        Optional<FabioDialect.Tag> expected = Optional.ofNullable(source).map(s -> new FabioDialect.Tag(s, options));
        assertEquals(expected, FabioDialect.Tag.read(tag, "p-", Map.of()));
    }

    @Test
    void expandsVariables() {
        assertEquals(
                Optional.of(new FabioDialect.Tag("xx/Yy", "")), FabioDialect.Tag.read("p-${x}/${Y}", "p-", Map.of("x", "Xx", "Y", "Yy")));
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", "urlprefix-web.$DC.example.com/"));
        assertEquals("web.dc1.example.com/", table.routes().getFirst().id());
    }

    @ParameterizedTest
    @CsvSource({
        "urlprefix-/, /",
        "urlprefix-/foo, /foo*",
        "urlprefix-/foo/, /foo/",
        "urlprefix-/foo/*, /foo/",
        "urlprefix-/a/*/b, /a/**/b$",
        "urlprefix-/a/*/b*, /a/**/b**$",
        "urlprefix-exa[mp]le.com/, exa[mp]le.com/",
        "'urlprefix-/ tlsskipverify=false', /",
        "urlprefix-example.com, example.com/",
        "urlprefix-Example.com/Foo proto=http, example.com/Foo*",
        "urlprefix-*.example.com/, *.example.com/",
        "urlprefix-*/x, /x*",
        "urlprefix-1.1.1.1:999, 1.1.1.1:999/",
        "'urlprefix-example.com:80/ redirect=301,https://example.com$path', http://example.com:80/",
    })
    void makesRoutesOfTags(String tag, String route) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tag));
        assertEquals(List.of(), table.rejected());
        assertEquals(List.of(route), table.routes().stream().map(Route::id).toList());
    }

    @ParameterizedTest
    @CsvSource({
        "'urlprefix-exa[mp]le.com/', exaple.com, /x, true",
        "'urlprefix-exa[mp]le.com/', example.com, /x, false",
        "'urlprefix-*.{a,b}.example.com/', x.b.example.com, /, true",
        "'urlprefix-/a/*/b', h, /a/x/y/b, true",
        "'urlprefix-/a/*/b', h, /a/x/b/c, false",
        "'urlprefix-api.*.com/v1', api.foo.com, /v1/x, true",
    })
    void globsAreFabios(String tag, String host, String path, boolean serves) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tag));
        assertEquals(List.of(), table.rejected());
        assertEquals(serves, RouteMatchTest.match(table, host, 80, path) instanceof Match.Found);
    }

    @Test
    void ofSeveralHostPatternsTheMoreSpecificComesFirst() {
        RouteTable table = Catalogs.table(
                Catalogs.instance("wide", "1", "urlprefix-*.foo.com/"), Catalogs.instance("deep", "1", "urlprefix-*.a.foo.com/"),
                Catalogs.instance("glob", "1", "urlprefix-x*.foo.com/"), Catalogs.instance("any", "1", "urlprefix-/"));
        List<String> expected = List.of("deep", "glob", "wide", "any");
        List<String> hosts = List.of("x.a.foo.com", "x1.foo.com", "y.foo.com", "bar.org");
        for (int i = 0; i < hosts.size(); i++) {
            Match.Found found = (Match.Found) RouteMatchTest.match(table, hosts.get(i), 80, "/");
            assertEquals(expected.get(i), found.route().upstream().endpoints().getFirst().service());
        }
    }

    @Test
    void aPathIsAPlainPrefix() {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", "urlprefix-/foo"));
        assertEquals(table.routes().getFirst().match(), RouteMatchTest.match(table, "x", 80, "/foobar"));
    }

    @Test
    void readsTheOptionsThatItSupports() {
        RouteOptions options = options("urlprefix-/foo strip=/foo prepend=/bar host=dst allow=ip:10.0.0.0/8,ip:::1 proto=http");
        assertEquals("/foo", options.strip());
        assertEquals("/bar", options.prepend());
        assertEquals(HostRewrite.ENDPOINT, options.host());
        assertEquals(List.of(Cidr.parse("10.0.0.0/8"), Cidr.parse("::1")), options.allow());
        assertEquals(List.of(Cidr.parse("192.0.2.1")), options("urlprefix-/ deny=ip:192.0.2.1").deny());
        assertEquals(new HostRewrite(HostRewrite.Kind.FIXED, "in.example.com"), options("urlprefix-/ host=in.example.com").host());
    }

    @ParameterizedTest
    @CsvSource({
        "'301,https://www.bar.com', '/foo', 'a=b', 'https://www.bar.com/?a=b'",
        "'301|https://www.bar.com', '/foo', '', 'https://www.bar.com/'",
        "'301,https://www.bar.com$path', '/foo', 'a=b', 'https://www.bar.com/foo?a=b'",
        "'301,https://www.bar.com/$path', '/foo', '', 'https://www.bar.com/foo'",
        "'302,https://www.bar.com/bbb/$path', '/foo', '', 'https://www.bar.com/bbb/foo'",
        "'307,https://$host$path', '/foo', '', 'https://example.com/foo'",
        "'308,https://www.bar.com/x?y=1', '/foo', 'a=b', 'https://www.bar.com/x?y=1'",
        "'303,/elsewhere', '/foo', '', '/elsewhere'",
    })
    void buildsRedirectsAsFabioDoes(String redirect, String path, String query, String location) {
        RouteOptions.Redirect read = options("urlprefix-example.com/ redirect=" + redirect).redirect().orElseThrow();
        assertEquals(Integer.parseInt(redirect.substring(0, 3)), read.status());
        assertEquals(location, read.locate("example.com", path, query));
    }

    @Test
    void aRedirectToTheSameHostOverTlsLeavesTlsRequestsToOthers() {
        RouteTable table = Catalogs.table(
                Catalogs.instance("redirector", "1", "urlprefix-example.com/ redirect=301,https://example.com$path"),
                Catalogs.instance("web", "1", "urlprefix-example.com/"));
        byte[] host = "example.com".getBytes(StandardCharsets.US_ASCII);
        byte[] path = {'/', 'x'};
        assertEquals("http://example.com/", ((Match.Found) table.match(host, 0, 11, 80, path, 0, 2, RequestFacts.plain(false))).route().id());
        assertEquals("example.com/", ((Match.Found) table.match(host, 0, 11, 443, path, 0, 2, RequestFacts.plain(true))).route().id());
    }

    /// A client that follows would never arrive. fabio passes such a redirect over as well.
    @ParameterizedTest
    @CsvSource({
        "urlprefix-/x redirect=301|https://example.com$path, http://example.com/x, redirector",
        "urlprefix-/x redirect=301|https://example.com$path, https://example.com/x, web",
        "urlprefix-/x redirect=301|https://example.com$path, https://EXAMPLE.com./x, web",
        "urlprefix-/x redirect=301|https://example.com$path, https://other.example.com/x, redirector",
        "urlprefix-*.example.com/ redirect=301|https://www.example.com$path, https://www.example.com/x, web",
        "urlprefix-*.example.com/ redirect=301|https://www.example.com$path, https://shop.example.com/x, redirector",
        "urlprefix-example.com/ redirect=302|https://example.com/home, https://example.com/x, redirector",
        "urlprefix-example.com/ redirect=302|https://example.com/home, https://example.com/home, web",
        "urlprefix-example.com/ redirect=302|https://example.com/home, http://example.com/home, redirector",
        "urlprefix-example.com/ redirect=302|/home, http://example.com/home?a=b, web",
        "urlprefix-example.com/ redirect=302|/home, http://example.com/x, redirector",
        "urlprefix-example.com/ redirect=302|/home?v=1, http://example.com/home, redirector",
        "urlprefix-example.com/ redirect=302|/home?v=1, http://example.com/home?v=1, web",
        "urlprefix-example.com/ redirect=301|https://$host:8443$path, http://example.com:8080/x, redirector",
        "urlprefix-example.com/ redirect=301|https://$host:8443$path, https://example.com/x, redirector",
        "urlprefix-example.com/ redirect=301|https://$host:8443$path, https://example.com:8443/x, web",
        "urlprefix-example.com/ redirect=301|https://example.com$path strip=/old, https://example.com/old/x, redirector",
        "urlprefix-example.com/ redirect=301|https://example.com$path strip=/old, https://example.com/x, web",
    })
    void aRedirectThatLeadsToItselfIsPassedOver(String tag, String url, String service) {
        RouteTable table = Catalogs.table(Catalogs.instance("redirector", "1", tag), Catalogs.instance("web", "1", "urlprefix-/"));
        assertEquals(List.of(), table.rejected());
        Route route = ((Match.Found) RouteMatchTest.match(table, "GET", url)).route();
        assertEquals(service.equals("redirector"), route.options().redirect().isPresent());
        Explanation explanation = table.explain(url, "GET");
        assertEquals(route.id(), explanation.route());
        assertEquals(service.equals("web"), explanation.considered().stream().anyMatch(each -> each.why().equals("redirects to the very URL that is asked for")));
    }

    @ParameterizedTest
    @CsvSource({
        "'urlprefix-', nothing after the prefix",
        "'urlprefix-:1234 proto=tcp', proto=tcp (expected: http",
        "'urlprefix-:1234', TCP listeners are not supported",
        "'urlprefix-/ proto=h2c', proto=h2c (expected: http",
        "'urlprefix-/ grpcservername=a', server name a without TLS",
        "'urlprefix-/ register=foo', option register is not supported",
        "'urlprefix-/ pxyproto=true', option pxyproto is not supported",
        "'urlprefix-/ auth=basic', option auth is not supported",
        "'urlprefix-/ tlsskipverify=true', a certificate not to be verified without TLS",
        "'urlprefix-/ proto=https tlsskipverify=yes', tlsskipverify=yes (expected: true or false",
        "'urlprefix-/ alow=ip:10.0.0.1', 'unknown option \"alow\", the nearest is allow'",
        "'urlprefix-/ weight=much', weight=much (expected: a share",
        "'urlprefix-/ weight=-1', weight=-1 (expected: a share",
        "'urlprefix-/ redirect=301,https://a.example,b', with no other comma",
        "'urlprefix-/ redirect=200,https://a.example', status \"200\"",
        "'urlprefix-/ redirect=301,ftp://a.example', begins with http",
        "'urlprefix-/ redirect=301', 'redirect=301 (expected: CODE|URL'",
        "'urlprefix-/ strip=foo', strip=foo (expected: a path",
        "'urlprefix-/ allow=10.0.0.1', 'allow=10.0.0.1 (expected: ip:ADDRESS'",
        "'urlprefix-/ allow=ip:10.0.0.1,ip:nonsense', allow=ip:10.0.0.1",
        "'urlprefix-/ deny=ip:', deny=ip:",
        "'urlprefix-/ allow=ip:10.0.0.1 deny=ip:10.0.0.2', allow and deny together",
        "'urlprefix-/%zz', valid percent-encodings",
        "'urlprefix-/foo	strip=/foo', holds a tab or another control character",
        "'urlprefix-/ allow=ip:10.0.0.1 allow=ip:10.0.0.2', option allow is given twice",
        "'urlprefix-/ strip=/a strip=/b', option strip is given twice",
    })
    void rejectsOneTagWithItsReason(String tag, String reason) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tag, "urlprefix-good.example.com/"));
        Rejected rejected = table.rejected().getFirst();
        assertTrue(rejected.reason().contains(reason), rejected::reason);
        assertEquals(List.of("tag", "web", "n1/web-1", tag), List.of(rejected.kind(), rejected.service(), rejected.instance(), rejected.text()));
        assertEquals(1, table.rejected().size());
        assertEquals(List.of("good.example.com/"), table.routes().stream().map(Route::id).toList());
    }

    @ParameterizedTest
    @CsvSource({
        "'0.25,0,0', '2|3|3'",
        "'0.2,0.2,0', '1|1|3'",
        "'0.5,0.5,0', '1|1|0'",
        "'2,2,0', '1|1|0'",
        "'0.1,0.1,0.2', '1|1|2'",
        "'0,0,0', '1|1|1'",
    })
    void dividesTrafficByFixedShares(String shares, String weights) {
        String[] each = shares.split(",", -1);
        RouteTable table = Catalogs.table(
                Catalogs.instance("a", "1", "urlprefix-/ weight=" + each[0]),
                Catalogs.instance("b", "1", "urlprefix-/ weight=" + each[1]),
                Catalogs.instance("c", "1", "urlprefix-/ weight=" + each[2]));
        List<String> expected = List.of(weights.split("\\|", -1)).stream().filter(w -> !w.equals("0")).toList();
        assertEquals(expected, table.routes().getFirst().upstream().endpoints().stream().map(e -> "" + e.weight()).toList());
    }

    private static RouteOptions options(String tag) {
        RouteTable table = Catalogs.table(Catalogs.instance("web", "1", tag));
        assertEquals(List.of(), table.rejected());
        return table.routes().getFirst().options();
    }
}
