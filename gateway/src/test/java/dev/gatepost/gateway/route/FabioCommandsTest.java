package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.route.FabioCommands.Command;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.gatepost.gateway.route.Catalogs.instance;
import static dev.gatepost.gateway.route.GatepostDialectTest.ids;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

class FabioCommandsTest {
    private static final FabioCommands.Source PREFIX = new FabioCommands.Source(HostPattern.ANY, PathPattern.parse("/prefix*"));

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "route add svc /prefix http://1.2.3.4/; 80; 0; ''",
        "route add svc /prefix http://1.2.3.4:5678/; 5678; 0; ''",
        "route add svc /prefix http://1.2.3.4/ weight 1.2; 80; 1.2; ''",
        "route add svc /prefix http://1.2.3.4/ weight 1.2 tags \"a,b\"; 80; 1.2; a,b",
        "route add svc /prefix http://1.2.3.4/ weight 1.2 opts \"strip=/foo proto=http\"; 80; 1.2; ''",
        "route add svc /prefix http://1.2.3.4/ weight 1.2 tags \"a,b\" opts \"strip=/foo\"; 80; 1.2; a,b",
        "' route  add  svc  /prefix  http://1.2.3.4/  weight  1.2  tags  \" a , b \"  opts  \"strip=/foo  proto=http\" '; 80; 1.2; a,b",
        "route add svc /prefix http://1.2.3.4/ tags \"a,b\"; 80; 0; a,b",
        "route add svc /prefix http://1.2.3.4/ tags \"a,b\" opts \"strip=/foo\"; 80; 0; a,b",
        "route add svc /prefix http://1.2.3.4/ weight -1; 80; 0; ''",
    })
    void readsAdditions(String line, int port, double share, String tags) {
        Command.Add add = assertInstanceOf(Command.Add.class, only(line));
        assertEquals("svc", add.service());
        assertEquals("/prefix*", add.expression().key().id());
        assertEquals("1.2.3.4", add.target().address());
        assertEquals(port, add.target().port());
        assertEquals(share == 0 ? Weight.DEFAULT : new Weight.Share(share), add.expression().weight());
        assertEquals(tags.isEmpty() ? List.of() : List.of(tags.split(",", -1)), add.target().tags());
        assertEquals(line.contains("strip") ? "/foo" : "", add.expression().options().strip());
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "route del svc; svc; false; ''; ''",
        "route del svc /prefix; svc; true; ''; ''",
        "route del svc /prefix http://1.2.3.4:80/; svc; true; http://1.2.3.4:80; ''",
        "' route  del  svc  /prefix  http://1.2.3.4:80/ '; svc; true; http://1.2.3.4:80; ''",
        "route del svc tags \"a,b\"; svc; false; ''; a,b",
        "route  del  svc  tags  \" a , b \"; svc; false; ''; a,b",
        "route del tags \"a,b\"; ''; false; ''; a,b",
        "route  del  tags  \" a , b \"; ''; false; ''; a,b",
    })
    void readsDeletions(String line, String service, boolean source, String target, String tags) {
        assertEquals(
                new Command.Delete(service, source ? Optional.of(PREFIX) : Optional.empty(), target, tags.isEmpty() ? List.of() : List.of("a", "b")),
                only(line));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "route weight svc /prefix weight 1.2; svc; ''",
        "route weight svc /prefix weight 1.2 tags \"a,b\"; svc; a,b",
        "' route  weight  svc  /prefix  weight  1.2  tags  \" a , b \" '; svc; a,b",
        "route weight /prefix weight 1.2 tags \"a,b\"; ''; a,b",
        "' route  weight  /prefix  weight  1.2  tags  \" a , b \" '; ''; a,b",
    })
    void readsWeights(String line, String service, String tags) {
        Command.Weigh weigh = assertInstanceOf(Command.Weigh.class, only(line));
        assertEquals(List.of(service, PREFIX, 1.2), List.of(weigh.service(), weigh.source(), weigh.share()));
        assertEquals(tags.isEmpty() ? List.of() : List.of("a", "b"), weigh.tags());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "bang", "route x", "route add", "route add svc", "route add svc /prefix", "route del", "route weight", "route weight svc /prefix", "route add svc /p http://h/ weight x",
        "route weight svc /p weight NaN", "route add svc :1234 tcp://1.2.3.4:5678", "route add svc /p ftp://1.2.3.4/", "route add svc /p https://1.2.3.4/ opts \"proto=grpc\"",
        "route add svc /p http://h:99999/", "route add svc /p http://h/ opts \"proto=https\"", "route add svc /p http://h/ opts \"register=x\"",
        "route add svc /p http://h/ opts \"foo=bar\"", "route add svc /p http://h/ tags a", "route del svc :1234", "route add svc a..b/p http://h/", "route add svc /p http://h/path", "route del svc /p nonsense", "route del svc /p http://h:0/",
        "route add svc /p https://h/x opts \"redirect=200\"", "route add svc /p ftp://h/x opts \"redirect=301\"", "route add svc /p http://h/ opts \"strip=/a strip=/b\"",
    })
    void rejectsALineAlone(String line) {
        FabioCommands commands = FabioCommands.parse("kv", "fabio/config", "# a comment\n\n" + line + "\nroute del svc\n");
        assertEquals(1, commands.commands().size());
        Rejected rejected = commands.rejected().getFirst();
        assertEquals(1, commands.rejected().size());
        assertEquals(List.of("kv", line), List.of(rejected.kind(), rejected.text()));
        assertTrue(rejected.reason().startsWith("fabio/config line 3: ") && rejected.reason().contains("expected: "), rejected::reason);
    }

    @Test
    void ignoresCommentsAndBlankLines() {
        assertEquals(FabioCommands.NONE, FabioCommands.parse("kv", "x", "# route del a\n// route del b\n \n\t\n"));
    }

    @Test
    void addsTargetsToRoutesOfTheCatalogAndToNewOnes() {
        RouteTable table = table("""
                route add web a/ http://192.0.2.1:81/
                route add ext B/x http://[2001:db8::1]:82/ opts "strip=/x host=dst"
                route add old c/ http://192.0.2.9/ opts "redirect=301,https://d.example.com$path"
                """, instance("web", "1", "urlprefix-a/"));
        assertEquals(List.of("a/", "b/x*", "c/"), ids(table));
        assertEquals(List.of("10.0.0.1:8000", "192.0.2.1:81"), addresses(table, "a/"));
        assertEquals(List.of("2001:db8::1:82"), addresses(table, "b/x*"));
        assertEquals("/x", table.routes().get(1).options().strip());
        assertInstanceOf(Match.Found.class, RouteMatchTest.match(table, "c", 80, "/"));
    }

    @Test
    void takesTargetsOut() {
        RouteTable table = table("""
                route del gone
                route del web a/
                route del one d/ http://10.0.0.1:8000/
                route del one d/ http://10.0.0.2:8000/
                route del tags "blue,old"
                route del two tags "green"
                """,
                instance("gone", "1", "urlprefix-a/", "urlprefix-b/"), instance("web", "1", "urlprefix-a/", "urlprefix-c/"), instance("one", "1", "urlprefix-d/"),
                instance("two", "1", "urlprefix-e/", "blue", "old"), instance("two", "2", "urlprefix-e/", "blue"), instance("two", "3", "urlprefix-e/", "green"),
                instance("gone", "2", "gatepost.route=own/"));
        assertEquals(List.of("c/", "e/", "own/"), ids(table));
        assertEquals(List.of("n1/two-2"), table.routes().get(1).upstream().endpoints().stream().map(Endpoint::instance).toList());
    }

    /// fabio's own form, the one that it makes of a tag: where the redirect leads is the target.
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "https://d.example.com$path opts \"redirect=301\"; 301; https://d.example.com/x?a=b",
        "https://d.example.com/$path opts \"redirect=302 strip=/x\"; 302; https://d.example.com/?a=b",
        "https://d.example.com/a,b opts \"redirect=308\"; 308; https://d.example.com/a,b?a=b",
        "https://$host/ opts \"redirect=307\"; 307; https://c/?a=b",
        "/elsewhere opts \"redirect=303\"; 303; /elsewhere?a=b",
    })
    void aRedirectLeadsToTheTarget(String rest, int status, String location) {
        RouteOptions options = table("route add old c/ " + rest).routes().getFirst().options();
        RouteOptions.Redirect redirect = options.redirect().orElseThrow();
        assertEquals(status, redirect.status());
        assertEquals(location, redirect.locate("c", options.forwarded("/x"), "a=b"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "http://192.0.2.1/; http://192.0.2.1:80",
        "https://192.0.2.1:443/; https://192.0.2.1/",
        "grpcs://[2001:db8::1]:9/; grpcs://[2001:db8::1]:9",
        "https://d.example.com/$path opts \"redirect=301\"; https://d.example.com$path",
        "https://d.example.com opts \"redirect=301\"; https://d.example.com/",
    })
    void takesATargetOutHoweverItIsWritten(String added, String deleted) {
        assertEquals(List.of(), ids(table("route add svc a/ " + added + "\nroute del svc a/ " + deleted + "\n")));
        assertEquals(List.of("a/"), ids(table("route add svc a/ " + added + "\nroute del svc a/ http://192.0.2.1:81/\n")));
    }

    @Test
    void whatStandsInAFileIsSaidToBeThere() {
        FabioCommands commands = FabioCommands.parse("file", "hand.fabio", "route add svc a/ http://h/\nroute weight svc b/ weight 0.5\n");
        RouteTable table = RouteTable.from(Snapshot.EMPTY, Catalogs.SETTINGS.withCommands(commands), RouteTable.EMPTY);
        assertEquals("file", table.routes().getFirst().declarations().getFirst().kind());
        Rejected idle = table.rejected().getFirst();
        assertEquals(List.of("file", "hand.fabio line 2: no target has this service, route and tags"), List.of(idle.kind(), idle.reason()));
    }

    @Test
    void aDefaultHostGivesWayToACommandThatIsNamedByItsLine() {
        RouteSettings settings = new RouteSettings(Catalogs.SETTINGS.dialects(), HealthRule.PASSING, "{service}.qa")
                .withCommands(FabioCommands.parse("kv", "fabio/config", "# ours\nroute add ext web.qa/ http://h/\n"));
        RouteTable table = RouteTable.from(Catalogs.snapshot(instance("web", "1")), settings, RouteTable.EMPTY);
        assertEquals(List.of("h:80"), addresses(table, "web.qa/"));
        assertEquals("web.qa/ belongs to kv fabio/config line 2 (expected: a name that nobody else has)", table.rejected().getFirst().reason());
    }

    @Test
    void orderMatters() {
        assertEquals(List.of(), ids(table("route add svc a/ http://h/\nroute del svc\n")));
        assertEquals(List.of("a/"), ids(table("route del svc\nroute add svc a/ http://h/\n")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "route weight blue a/ weight 0.2; 1,1,8",
        "route weight a/ weight 0.5 tags \"v2\"; 1,1,2",
        "route weight green a/ weight 0.1; 9,9,2",
        "route weight blue a/ weight 0.5 tags \"v1\"; 2,1,1",
        "route weight blue a/ weight 2; 1,1",
        "route weight blue a/ weight 0; 1,1,1",
    })
    void dividesAShareAmongTheTargetsThatItConcerns(String command, String weights) {
        RouteTable table = table(
                command, instance("blue", "1", "urlprefix-a/", "v1"), instance("blue", "2", "urlprefix-a/"), instance("green", "1", "urlprefix-a/", "v2"),
                Catalogs.with(instance("blue", "3", "urlprefix-a/", "v1"), Health.CRITICAL));
        assertEquals(List.of(weights.split(",", -1)), table.routes().getFirst().upstream().endpoints().stream().map(e -> "" + e.weight()).toList());
        assertEquals(List.of(), table.rejected());
    }

    @Test
    void saysThatAWeightConcernsNobody() {
        RouteTable table = table("route weight svc a/ weight 0.2\nroute weight web a/ weight 0.2 tags \"x\"", instance("web", "1", "urlprefix-a/"));
        assertEquals(
                List.of("k line 1: no target has this service, route and tags", "k line 2: no target has this service, route and tags"),
                table.rejected().stream().map(Rejected::reason).toList());
        assertEquals(List.of("a/"), ids(table));
    }

    @Test
    void commandsMayComeAndGo() {
        Snapshot snapshot = Catalogs.snapshot(instance("web", "1", "urlprefix-a/"), instance("api", "1", "urlprefix-b/"));
        RouteTable plain = RouteTable.from(snapshot, Catalogs.SETTINGS, RouteTable.EMPTY);
        RouteSettings ruled = Catalogs.SETTINGS.withCommands(FabioCommands.parse("kv", "k", "route del web\nroute add ext c/ http://h/\n"));
        RouteTable with = RouteTable.from(snapshot, ruled, plain);
        assertEquals(List.of("b/", "c/"), ids(with));
        // A change of the catalog leaves alone what only a command has.
        Snapshot changed = Catalogs.with(snapshot, new Service("web", List.of(instance("web", "1", "urlprefix-a/", "urlprefix-d/", "gatepost.route=e/"))));
        RouteTable after = RouteTable.from(changed, ruled, with);
        assertEquals(List.of("b/", "c/", "e/"), ids(after));
        assertSame(with.routes().getFirst(), after.routes().getFirst());
        assertEquals(List.of("a/", "b/", "d/", "e/"), ids(RouteTable.from(changed, Catalogs.SETTINGS, after)));
    }

    private static Command only(String line) {
        FabioCommands commands = FabioCommands.parse("kv", "k", line);
        assertEquals(List.of(), commands.rejected());
        assertEquals(1, commands.commands().size());
        return commands.commands().getFirst();
    }

    private static RouteTable table(String commands, Instance... instances) {
        FabioCommands parsed = FabioCommands.parse("kv", "k", commands);
        assertEquals(List.of(), parsed.rejected());
        return RouteTable.from(Catalogs.snapshot(instances), Catalogs.SETTINGS.withCommands(parsed), RouteTable.EMPTY);
    }

    private static List<String> addresses(RouteTable table, String id) {
        return table.routes().stream()
                .filter(route -> route.id().equals(id))
                .flatMap(route -> route.upstream().endpoints().stream())
                .map(endpoint -> endpoint.host() + ":" + endpoint.port())
                .toList();
    }
}
