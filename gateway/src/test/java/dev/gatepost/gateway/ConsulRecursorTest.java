package dev.gatepost.gateway;

import dev.gatepost.gateway.DnsReply.Aspect;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Services and nodes whose address is a host name outside: a real Consul 1.8 with a recursor, and the profile `consul-1.8`
/// with the same server to forward to.
class ConsulRecursorTest {
    private static final String RECORDS = """
            local-zone: "example.net." static
            local-data: "example.net. 300 IN SOA ns.example.net. root.example.net. 1 3600 600 86400 60"
            local-data: "www.example.net. 300 IN A 192.0.2.1"
            local-data: "www.example.net. 300 IN A 192.0.2.2"
            local-data: "alias.example.net. 300 IN CNAME www.example.net."
            local-data: "six.example.net. 300 IN AAAA 2001:db8::1"
            """;
    private static final List<String> NAMES = List.of(
            "ext.service", "ext.service.dc1", "_ext._tcp.service", "chain.service", "seven.service", "six.service", "gone.service", "pair.service", "mixed.service",
            "inner.service", "abroad.node");
    private static final List<Integer> TYPES = List.of(Type.A, Type.AAAA, Type.ANY, Type.SRV, Type.TXT, Type.MX);

    @TempDir
    Path home;

    @Test
    void followsAHostNameOutsideAsConsulDoes() throws Exception {
        StringBuilder records = new StringBuilder(RECORDS);
        for (int i = 1; i <= 7; i++) {
            records.append("local-data: \"seven.example.net. 300 IN A 192.0.2.1").append(i).append("\"\n");
        }
        try (UnboundServer unbound = UnboundServer.start(Files.createDirectory(home.resolve("unbound")), records.toString(), "");
                ConsulAgent consul = ConsulAgent.start("-recursor=127.0.0.1:" + unbound.port())) {
            register(consul);
            try (RunningGateway gateway = RunningGateway.start(
                            Files.createDirectory(home.resolve("gatepost")),
                            "dns: { address: 127.0.0.1:0, profile: consul-1.8, forward: [ { zone: \".\", to: [ 127.0.0.1:" + unbound.port() + " ] } ] }",
                            "consul: { address: \"" + consul.address() + "\" }",
                            "routes: { health: warning }");
                    DnsClient toConsul = new DnsClient(consul.dns());
                    DnsClient toGateway = new DnsClient(new InetSocketAddress(InetAddress.getLoopbackAddress(), gateway.dnsPort()))) {
                Await.until("the catalog is complete", Duration.ofSeconds(20), () -> gateway.admin("/api/v1/state").path("counts").path("instances").asInt() >= 10);
                assertEquals(List.of(), differences(toConsul, toGateway));
                DnsReply followed = DnsReply.of(toGateway.ask(query("ext.service", Type.A, 1232, 1), false, false));
                assertEquals(3, followed.answers().size(), "the alias and two addresses: " + followed);
            }
        }
    }

    private static void register(ConsulAgent consul) {
        consul.service("ext").address("www.example.net").port(80).register();
        consul.service("chain").address("alias.example.net").port(80).register();
        consul.service("seven").address("seven.example.net").port(80).register();
        consul.service("six").address("six.example.net").port(80).register();
        consul.service("gone").address("nobody.example.net").port(80).register();
        consul.service("pair").id("pair-1").address("www.example.net").port(81).register();
        consul.service("pair").id("pair-2").address("six.example.net").port(82).register();
        consul.service("mixed").id("mixed-1").address("10.0.0.9").port(81).register();
        consul.service("mixed").id("mixed-2").address("www.example.net").port(82).register();
        consul.service("inner").address("ext.service.consul").port(80).register();
        consul.put("/v1/catalog/register", "{ \"Node\": \"abroad\", \"Address\": \"www.example.net\" }");
    }

    private static List<String> differences(DnsClient toConsul, DnsClient toGateway) throws IOException {
        List<String> differences = new ArrayList<>();
        int id = 0;
        for (String name : NAMES) {
            for (int type : TYPES) {
                for (int edns : new int[] {0, 1232, -1}) {
                    byte[] query = query(name, type, Math.max(0, edns), id++);
                    DnsReply theirs = DnsReply.of(toConsul.ask(query, edns < 0, false));
                    DnsReply ours = DnsReply.of(toGateway.ask(query, edns < 0, false));
                    // Which of several host names comes first, and which of more addresses than fit, is chance.
                    boolean sample = name.startsWith("seven") || (name.startsWith("inner") && edns == 0) || (name.startsWith("pair") && type != Type.SRV);
                    Set<Aspect> different = theirs.differencesTo(ours, sample);
                    if (name.endsWith(".node")) {
                        // Those of the upstream, which a cache counts down.
                        different.remove(Aspect.TTL);
                        assertTrue(ours.answers().stream().filter(each -> each.getType() == Type.A).allMatch(each -> each.getTTL() > 200 && each.getTTL() <= 300), ours::toString);
                    }
                    if (name.startsWith("pair") && type != Type.SRV) {
                        different.removeAll(Set.of(Aspect.ANSWER, Aspect.SIZE));
                        assertEquals("CNAME", Type.string(ours.answers().getFirst().getType()));
                    }
                    if (!different.isEmpty()) {
                        differences.add(different + " " + name + " " + Type.string(type) + " " + edns + "\n    consul   " + theirs + "\n    gatepost " + ours);
                    }
                }
            }
        }
        return differences;
    }

    private static byte[] query(String name, int type, int edns, int id) throws IOException {
        Message query = new Message(id);
        query.getHeader().setFlag(Flags.RD);
        query.addRecord(Record.newRecord(Name.fromString(name + ".consul."), type, DClass.IN), Section.QUESTION);
        if (edns > 0) {
            query.addRecord(new OPTRecord(edns, 0, 0), Section.ADDITIONAL);
        }
        return query.toWire();
    }
}
