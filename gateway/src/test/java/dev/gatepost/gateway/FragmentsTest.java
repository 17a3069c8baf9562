package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.config.ConfigReader;
import dev.gatepost.gateway.config.ConfigReading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What operators write beside the catalog, in a real Consul's KV store and in a folder, is in force as long as it is there.
class FragmentsTest {
    private static final Duration SOON = Duration.ofSeconds(15);

    @TempDir
    Path home;

    @Test
    void followsTheKvStore() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                Origin origin = Origin.start("web-1");
                RunningGateway gateway = RunningGateway.start(home, "consul: { address: \"" + consul.address() + "\" }")) {
            consul.service("web").id("web-1").port(origin.port()).address("127.0.0.1").check(Health.PASSING).register();
            consul.cli("kv", "put", "gatepost/routes/shop", "route: shop.test/\nservice: web\n");
            Await.until("a route of the KV store is served", SOON, () -> gateway.status("shop.test/name") == 200);
            assertTrue(gateway.curl("shop.test/name").startsWith("web-1\n"));

            // As Ansible's consul_kv does it; JSON-looking templates become Python's notation.
            consul.put("/v1/kv/gatepost/routes/fixed?flags=0", "{'route': 'fixed.test/', 'addresses': ['127.0.0.1:" + origin.port() + "']}");
            Await.until("fixed addresses are served", SOON, () -> gateway.status("fixed.test/name") == 200);

            consul.put("/v1/kv/gatepost/routes/shop?flags=0", "# shop\nroute: shop.test\nservice: web\n");
            Await.until("the bad version is rejected", SOON, () -> rejected(gateway, "gatepost/routes/shop").contains("gatepost/routes/shop:2:8: route: \\\"shop.test\\\" (expected: HOST/PATH"));
            assertTrue(rejected(gateway, "gatepost/routes/shop").contains("the version before stays in force"));
            assertEquals(200, gateway.status("shop.test/name"));

            consul.kvPut("gatepost/route/typo", "route: typo.test/");
            Await.until("an unknown key is rejected", SOON, () -> rejected(gateway, "gatepost/route/typo").contains("nearest known: gatepost/routes/NAME"));

            consul.cli("kv", "delete", "gatepost/routes/fixed");
            Await.until("a deleted route is gone", SOON, () -> gateway.status("fixed.test/name") == 404);
            assertEquals(200, gateway.status("shop.test/name"));

            consul.kill();
            Await.until("the KV store is away", SOON, () -> gateway.admin("/api/v1/state").path("fragments").path(0).hasNonNull("lastError"));
            assertEquals(200, gateway.status("shop.test/name"));

            consul.restart();
            consul.cli("kv", "put", "gatepost/routes/back", "{ route: back.test/, addresses: [ \"127.0.0.1:" + origin.port() + "\" ] }");
            Await.until("the new store is followed", Duration.ofSeconds(40), () -> gateway.status("back.test/name") == 200);
            assertEquals(404, gateway.status("shop.test/name"));
            assertEquals("", rejected(gateway, "gatepost/"));
        }
    }

    @Test
    void answersFromZonesOfTheKvStoreAndOfTheFolder() throws Exception {
        Path folder = Files.createDirectories(home.resolve("fragments"));
        Files.writeString(folder.resolve("file.test.zone"), "@ SOA ns host 5 3600 600 86400 30\nwww A 10.0.0.1\n");
        try (ConsulAgent consul = ConsulAgent.start();
                RunningGateway gateway = RunningGateway.start(
                        home, "consul: { address: \"" + consul.address() + "\" }", "fragments: { folder: " + folder + " }")) {
            Await.until("the file's zone is answered", SOON, () -> gateway.dig("www.file.test", "A", "+short").strip().equals("10.0.0.1"));
            assertTrue(gateway.dig("file.test", "SOA", "+short").contains(" 5 3600 "));

            consul.cli("kv", "put", "gatepost/zones/qa.test", "$TTL 60\n* IN A 10.0.0.7\nold IN CNAME new\n");
            Await.until("the KV store's zone is answered", SOON, () -> gateway.dig("anything.qa.test", "A", "+short").strip().equals("10.0.0.7"));
            assertEquals("new.qa.test.\n10.0.0.7", gateway.dig("old.qa.test", "A", "+short").strip());

            consul.kvPut("gatepost/zones/qa.test", "$TTL 60\n* IN A 10.0.0.8\n\nbad IN A 10.0.0.999\n");
            Await.until("the bad version is rejected", SOON, () -> rejected(gateway, "gatepost/zones/qa.test").contains("gatepost/zones/qa.test:4:1: "));
            assertEquals("10.0.0.7", gateway.dig("anything.qa.test", "A", "+short").strip());

            consul.kvPut("gatepost/zones/file.test", "www A 10.0.0.2\n");
            Await.until("the second zone of a name is rejected", SOON, () -> rejected(gateway, "gatepost/zones/file.test").contains("is also in file "));
            assertEquals("10.0.0.1", gateway.dig("www.file.test", "A", "+short").strip());

            consul.kvDelete("gatepost/zones/qa.test");
            Await.until("a deleted zone is gone", SOON, () -> gateway.dig("anything.qa.test", "A").contains("REFUSED"));
        }
    }

    /// A chain and its key in one text: whoever asks for its name gets it, and a bad one takes nothing away.
    @Test
    void servesCertificatesOfTheKvStoreAndOfTheFolder() throws Exception {
        Path folder = Files.createDirectories(home.resolve("fragments"));
        Files.writeString(folder.resolve("file.pem"), certificate("file.example"));
        try (ConsulAgent consul = ConsulAgent.start();
                RunningGateway gateway = RunningGateway.start(
                        home, "consul: { address: \"" + consul.address() + "\" }", "fragments: { folder: " + folder + " }")) {
            Await.until("the file's certificate is served", SOON, () -> trusts(gateway, "file.example"));
            certificate("kv.example");
            assertFalse(trusts(gateway, "kv.example"), "the first of the configuration is for everybody else");
            consul.cli("kv", "put", "gatepost/certificates/shop", "@" + home.resolve("kv.example.both"));
            Await.until("the KV store's certificate is served", SOON, () -> trusts(gateway, "kv.example"));

            consul.cli("kv", "put", "gatepost/certificates/shop", Files.readString(home.resolve("kv.example.pem")));
            Await.until("the one without a key is rejected", SOON, () -> rejected(gateway, "gatepost/certificates/shop").contains("0 private keys"));
            assertTrue(rejected(gateway, "gatepost/certificates/shop").contains("the version before stays in force"));
            assertTrue(trusts(gateway, "kv.example"));
            assertTrue(trusts(gateway, "file.example"));

            consul.cli("kv", "put", "gatepost/routes/oops", "@" + home.resolve("kv.example.key"));
            Await.until("a key among the routes is rejected", SOON, () -> rejected(gateway, "gatepost/routes/oops").contains("holds a private key"));
            String secret = Files.readAllLines(home.resolve("kv.example.key")).get(1);
            for (String path : List.of("/api/v1/rejected", "/api/v1/state", "/metrics")) {
                assertFalse(gateway.text(path).contains(secret), path);
            }

            consul.cli("kv", "delete", "gatepost/certificates/shop");
            Await.until("a deleted certificate is gone", SOON, () -> !trusts(gateway, "kv.example"));
            assertEquals("", rejected(gateway, "gatepost/certificates/shop"));
        }
    }

    /// As they are, from where fabio has them, and from a place of our own.
    @Test
    void obeysFabiosCommandsInTheKvStore() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                Origin origin = Origin.start("web-1");
                RunningGateway gateway = RunningGateway.start(
                        home, "consul: { address: \"" + consul.address() + "\" }", "fragments: { fabio-path: fabio/config }")) {
            consul.service("web").id("web-1").port(origin.port()).address("127.0.0.1").tag("urlprefix-shop.test/", "urlprefix-old.test/").check(Health.PASSING).register();
            Await.until("the tags are served", SOON, () -> gateway.status("shop.test/name") == 200 && gateway.status("old.test/name") == 200);
            consul.cli("kv", "put", "fabio/config", "# by hand\nroute add ext ext.test/ http://127.0.0.1:" + origin.port() + "/\nroute del web old.test/\n");
            Await.until("an added route is served", SOON, () -> gateway.status("ext.test/name") == 200);
            assertEquals(404, gateway.status("old.test/name"));
            consul.kvPut("fabio/configuration", "route del web shop.test/\n");

            consul.cli("kv", "put", "fabio/config", "route add ext other.test/ http://127.0.0.1:" + origin.port() + "/\nroute ad ext more.test/ http://127.0.0.1/\n");
            Await.until("the bad line is rejected", SOON, () -> rejected(gateway, "fabio/config").contains("fabio/config line 2: syntax error"));
            assertTrue(rejected(gateway, "fabio/config").contains("the version before stays in force"));
            assertEquals(200, gateway.status("ext.test/name"));
            assertEquals(404, gateway.status("other.test/name"));

            consul.cli("kv", "put", "gatepost/fabio/more", "route add ext mine.test/ http://127.0.0.1:" + origin.port() + "/\nroute weigh nonsense\n");
            Await.until("of a new text with a bad line the good ones are obeyed", SOON, () -> gateway.status("mine.test/name") == 200);
            assertTrue(rejected(gateway, "gatepost/fabio/more").contains("gatepost/fabio/more line 2: syntax error"));

            consul.cli("kv", "delete", "fabio/config");
            Await.until("deleted commands are undone", SOON, () -> gateway.status("ext.test/name") == 404 && gateway.status("old.test/name") == 200);
            assertEquals(200, gateway.status("shop.test/name"), "a key that only begins alike is no command");
        }
    }

    @Test
    void aStartWithoutConsulHasTheKvStoresFragmentsFromTheCopyOnDisk() throws Exception {
        certificate("kv.example");
        try (ConsulAgent consul = ConsulAgent.start(); Origin origin = Origin.start("web-1")) {
            String[] settings = {"consul: { address: \"" + consul.address() + "\" }", "catalog: { last-good: state/catalog.json }"};
            consul.kvPut("gatepost/routes/fixed", "{ route: fixed.test/, addresses: [ \"127.0.0.1:" + origin.port() + "\" ] }");
            consul.cli("kv", "put", "gatepost/certificates/shop", "@" + home.resolve("kv.example.both"));
            Path copy = home.resolve("state/catalog.json.keys");
            try (RunningGateway gateway = RunningGateway.start(home, settings)) {
                Await.until("the fragments are served", SOON, () -> gateway.status("fixed.test/name") == 200 && trusts(gateway, "kv.example"));
                Await.until("both copies are written", SOON, () -> Files.exists(copy) && Files.exists(home.resolve("state/catalog.json")));
                assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(copy)));
            }
            consul.kill();
            try (RunningGateway gateway = RunningGateway.start(home, settings)) {
                Await.until("the copy's fragments are served", SOON, () -> gateway.status("fixed.test/name") == 200);
                assertTrue(trusts(gateway, "kv.example"));
                JsonNode fragments = gateway.admin("/api/v1/state").path("fragments").path(0);
                assertEquals(2, fragments.path("count").asInt(), fragments::toString);
                assertTrue(fragments.hasNonNull("lastError"), fragments::toString);
            }
        }
    }

    /// Writes `NAME.pem` and `NAME.key`, and both in one as `NAME.both`.
    private String certificate(String name) throws Exception {
        TestCertificate.write(home, name, name);
        String both = Files.readString(home.resolve(name + ".pem")) + Files.readString(home.resolve(name + ".key"));
        Files.writeString(home.resolve(name + ".both"), both);
        return both;
    }

    /// Whether curl, which trusts that certificate alone, is content.
    private boolean trusts(RunningGateway gateway, String name) {
        return Command.runUnchecked("curl", "-s", "-o", "/dev/null", "--max-time", "20", "--cacert", home.resolve(name + ".pem").toString(),
                        "--resolve", name + ":" + gateway.httpsPort() + ":127.0.0.1", "https://" + name + ":" + gateway.httpsPort() + "/").exit() == 0;
    }

    /// A developer registers a service, and has a URL and a name.
    @Test
    void publishesWhatADeveloperRegisters() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                Origin origin = Origin.start("mine");
                RunningGateway gateway = RunningGateway.start(
                        home,
                        "consul: { address: \"" + consul.address() + "\" }",
                        "routes: { default-host: \"{service}.{meta.owner}.qa.test\", default-host-for: [ tag=qa, \"!service=secret*\" ] }")) {
            consul.cli("kv", "put", "gatepost/zones/qa.test", "* IN A 127.0.0.1\n");
            String port = String.valueOf(origin.port());
            consul.cli("services", "register", "-name=the-shop", "-address=127.0.0.1", "-port=" + port, "-tag=qa", "-meta=owner=alice");
            consul.cli("services", "register", "-name=secret-shop", "-address=127.0.0.1", "-port=" + port, "-tag=qa", "-meta=owner=alice");
            consul.cli("services", "register", "-name=prod", "-address=127.0.0.1", "-port=" + port, "-meta=owner=alice");
            Await.until("the service has a URL", SOON, () -> gateway.status("the-shop.alice.qa.test/name") == 200);
            Await.until("the URL's host has an address", SOON, () -> gateway.dig("the-shop.alice.qa.test", "A", "+short").strip().equals("127.0.0.1"));
            assertEquals("127.0.0.1", gateway.dig("the-shop.service.consul", "A", "+short").strip());
            assertEquals(404, gateway.status("secret-shop.alice.qa.test/name"));
            assertEquals(404, gateway.status("prod.alice.qa.test/name"));

            consul.cli("services", "register", "-name=the_shop", "-address=127.0.0.1", "-port=" + port, "-tag=qa", "-meta=owner=alice");
            Await.until("the second of a name is rejected", SOON, () -> gateway.admin("/api/v1/rejected").toString().contains("belongs to service the-shop"));
            String conflict = gateway.admin("/api/v1/rejected").toString();
            assertTrue(conflict.contains("\"service\":\"the_shop\"") && conflict.contains("the-shop.alice.qa.test/ belongs to service the-shop"), conflict);

            consul.cli("kv", "put", "gatepost/routes/mine", "{ route: the-shop.alice.qa.test/, addresses: [ \"127.0.0.1:" + port + "\" ] }");
            Await.until("what an operator wrote goes before", SOON,
                    () -> gateway.admin("/api/v1/rejected").toString().contains("belongs to kv gatepost/routes/mine"));
        }
    }

    @Test
    void namesACertificateThatNobodyIsServed() throws Exception {
        Path folder = Files.createDirectories(home.resolve("fragments"));
        Files.writeString(folder.resolve("file.pem"), certificate("file.example"));
        Files.writeString(home.resolve("services.yaml"), "services: []\n");
        Path file = Files.write(home.resolve("plain.yaml"), List.of(
                "http: { address: 127.0.0.1:0 }", "catalog: { file: services.yaml }", "fragments: { folder: " + folder + " }", "access-log: { output: none }", "threads: 1"));
        ConfigReading reading = ConfigReader.read(Optional.of(file), Map.of());
        try (Gateway gateway = Gateway.start(((ConfigReading.Valid) reading).config())) {
            Await.until("the folder was read", SOON, () -> !gateway.state().fragments().certificates().isEmpty());
            RejectedView unused = RejectedView.all(gateway).getFirst();
            assertEquals(folder.resolve("file.pem").toString(), unused.text());
            assertTrue(unused.reason().contains("https.address"), unused.reason());
        }
    }

    @Test
    void followsAFolderWhoseFilesAreReplaced() throws Exception {
        try (Origin origin = Origin.start("web-1")) {
            Path folder = home.resolve("fragments");
            Files.createDirectories(folder.resolve("routes"));
            write(folder.resolve("routes/shop.yaml"), "route: shop.test/", origin);
            try (RunningGateway gateway = start(folder)) {
                Await.until("a file's route is served", SOON, () -> gateway.status("shop.test/name") == 200);

                Path temporary = folder.resolve("routes/123456");
                write(temporary, "route: other.test/", origin);
                Files.move(temporary, folder.resolve("routes/shop.yaml"), StandardCopyOption.ATOMIC_MOVE);
                Await.until("the replaced file is served", SOON, () -> gateway.status("other.test/name") == 200);
                assertEquals(404, gateway.status("shop.test/name"));

                Files.writeString(folder.resolve("routes/shop.yaml"), "route: other.test/ nonsense=1\n");
                Await.until("the bad version is rejected", SOON, () -> rejected(gateway, "shop.yaml").contains("shop.yaml:1:8: route: unknown option"));
                assertEquals(200, gateway.status("other.test/name"));

                Files.createDirectories(folder.resolve("more"));
                write(folder.resolve("more/extra.yml"), "route: extra.test/", origin);
                Files.writeString(folder.resolve("more/notes.txt"), "what is this?");
                Await.until("a new folder in it is served", SOON, () -> gateway.status("extra.test/name") == 200);
                assertTrue(rejected(gateway, "notes.txt").contains("unknown extension"));

                Files.writeString(folder.resolve("more/hand.fabio"), "route add ext fabio.test/ http://127.0.0.1:" + origin.port() + "/\n");
                Await.until("fabio's commands in a file are obeyed", SOON, () -> gateway.status("fabio.test/name") == 200);

                Files.delete(folder.resolve("routes/shop.yaml"));
                Await.until("a deleted file's route is gone", SOON, () -> gateway.status("other.test/name") == 404);
                assertEquals(200, gateway.status("extra.test/name"));
                assertEquals("", rejected(gateway, "shop.yaml"));
            }
        }
    }

    @Test
    void followsAFolderThatIsSwappedBehindALink() throws Exception {
        try (Origin origin = Origin.start("web-1")) {
            Path mount = Files.createDirectories(home.resolve("mount"));
            write(Files.createDirectories(mount.resolve("..1")).resolve("shop.yaml"), "route: shop.test/", origin);
            Files.createSymbolicLink(mount.resolve("..data"), Path.of("..1"));
            Files.createSymbolicLink(mount.resolve("shop.yaml"), Path.of("..data/shop.yaml"));
            try (RunningGateway gateway = start(mount)) {
                Await.until("the first version is served", SOON, () -> gateway.status("shop.test/name") == 200);

                write(Files.createDirectories(mount.resolve("..2")).resolve("shop.yaml"), "route: second.test/", origin);
                Files.createSymbolicLink(mount.resolve("..data_tmp"), Path.of("..2"));
                Files.move(mount.resolve("..data_tmp"), mount.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
                Files.delete(mount.resolve("..1/shop.yaml"));
                Await.until("the second version is served", SOON, () -> gateway.status("second.test/name") == 200);
                assertEquals(404, gateway.status("shop.test/name"));
            }
        }
    }

    private RunningGateway start(Path folder) throws Exception {
        Files.writeString(home.resolve("services.yaml"), "services: []\n");
        return RunningGateway.start(home, "catalog: { file: services.yaml }", "fragments: { folder: " + folder + " }");
    }

    private static void write(Path file, String route, Origin origin) throws IOException {
        Files.writeString(file, route + "\naddresses: [ \"127.0.0.1:" + origin.port() + "\" ]\n");
    }

    /// The rejections whose text holds this.
    private static String rejected(RunningGateway gateway, String text) {
        StringBuilder found = new StringBuilder();
        for (JsonNode each : gateway.admin("/api/v1/rejected")) {
            if (each.path("text").asText().contains(text)) {
                found.append(each);
            }
        }
        return found.toString();
    }
}
