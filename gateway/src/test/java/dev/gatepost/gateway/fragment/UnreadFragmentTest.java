package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.config.Place;
import dev.gatepost.gateway.route.Explanation;
import dev.gatepost.gateway.route.Explanation.Considered;
import dev.gatepost.gateway.route.RouteTable;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Whoever asks for a host and path that a rejected fragment names is told of it.
class UnreadFragmentTest {
    private static final String KEY = "gatepost/routes/shop";

    private final FragmentReader reader = new FragmentReader();

    private Fragments read(Fragment.Kind kind, String text) {
        Fragment fragment = new Fragment(kind, Fragment.KV, "shop", new Place(KEY, Path.of("/"), 0, 0), text, Optional.empty());
        return reader.read(List.of(new FragmentSource.Found(List.of(fragment), List.of())));
    }

    private static Explanation explain(Fragments fragments, String url) {
        return RouteTable.EMPTY.explain(url, "GET", List.of(), Optional.empty(), fragments.unread());
    }

    @Test
    void namesKeyLineAndReasonOfWhatWouldHaveServedTheRequest() {
        Fragments fragments = read(Fragment.Kind.ROUTE, "# shop\nroute: shop.test/api strp=/api\nservice: web\n");
        Explanation explanation = explain(fragments, "http://shop.test/api/x");
        assertEquals(Explanation.REJECTED, explanation.outcome());
        Considered considered = explanation.considered().getFirst();
        assertEquals(KEY + ": shop.test/api strp=/api", considered.route());
        assertTrue(considered.why().startsWith("rejected: " + KEY + ":2:8: route: unknown option"), considered.why());
        assertTrue(explanation.why().contains(KEY + ":2:8"), explanation.why());
        assertEquals(Explanation.NO_ROUTE, explain(fragments, "http://shop.test/other").outcome());
        assertEquals(Explanation.NO_ROUTE, explain(fragments, "http://other.test/api/x").outcome());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{ route: [ a.test/, shop.test/ ], service: web, servce: x } | whatever its mistake",
        "{ route: https://shop.test/ strip=x, service: web }         | with a scheme",
        "{ route: shop.test, service: web }                          | without a path",
        "{ route: shop.test/ , service: [ web }                      | no YAML",
        "{ 'route': 'shop.test/', service: [ web }                   | no YAML, quoted",
    })
    void findsTheRouteInTextsThatAreWrongElsewhere(String text, String how) {
        assertEquals(Explanation.REJECTED, explain(read(Fragment.Kind.ROUTE, text), "https://shop.test/").outcome(), how);
    }

    @Test
    void findsTheRoutesOfAListThatIsNoYaml() {
        Fragments fragments = read(Fragment.Kind.ROUTE, "route:\n  - a.test/\n  - \"shop.test/api\" # ours\nservice: [ web\n");
        assertEquals(Explanation.REJECTED, explain(fragments, "http://shop.test/api").outcome());
        assertEquals(Explanation.REJECTED, explain(fragments, "http://a.test/x").outcome());
        assertEquals(Explanation.NO_ROUTE, explain(fragments, "http://b.test/").outcome());
    }

    @Test
    void namesTheLineOfFabiosCommands() {
        Fragments fragments = read(Fragment.Kind.COMMANDS, "route add ext ext.test/ http://10.0.0.1:80/\nroute add ext shop.test/ http://10.0.0.1:80/ weight much\n");
        Explanation explanation = explain(fragments, "http://shop.test/");
        assertEquals(Explanation.REJECTED, explanation.outcome());
        assertTrue(explanation.considered().getFirst().why().startsWith("rejected: " + KEY + " line 2: "), explanation.considered().getFirst().why());
        assertEquals(Explanation.NO_ROUTE, explain(fragments, "http://ext.test/").outcome(), "that line is in force");
    }

    @Test
    void saysWhichVersionStaysInForce() {
        assertEquals(List.of(), read(Fragment.Kind.ROUTE, "{ route: shop.test/, addresses: [ 10.0.0.1:80 ] }").unread());
        Fragments fragments = read(Fragment.Kind.ROUTE, "{ route: shop.test/ nonsense=1, addresses: [ 10.0.0.1:80 ] }");
        assertEquals(1, fragments.routes().size());
        assertTrue(fragments.unread().getFirst().reason().endsWith("; the version before stays in force"), fragments.unread()::toString);
    }

    @Test
    void quotesNothingOfAPrivateKey() {
        Fragments fragments = read(Fragment.Kind.ROUTE, "route: shop.test/\n-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n");
        assertEquals(1, fragments.rejected().size());
        assertFalse(fragments.toString().contains("MIGH"), fragments::toString);
        assertEquals(List.of(), fragments.unread());
    }
}
