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
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// A real Consul 1.8 and Gatepost over the same catalog, asked the same questions. What they answer differently is a
/// [Divergence] that says why, or an error.
class ConsulDifferenceTest {
    private static final List<Integer> TYPES = List.of(
            Type.A, Type.AAAA, Type.SRV, Type.ANY, Type.TXT, Type.MX, Type.NS, Type.SOA, Type.PTR, Type.CNAME, Type.HTTPS, Type.DS, 65280);
    private static final List<Way> WAYS = List.of(new Way("UDP 512", false, 0), new Way("UDP 1232", false, 1232), new Way("UDP 4096", false, 4096), new Way("TCP", true, 0));

    private static final int MOST_SHOWN = 400;

    @TempDir
    static Path home;

    private static ConsulAgent consul;
    private static RunningGateway strict;
    private static RunningGateway mimicking;
    private static DnsClient toConsul;
    private static DnsClient toStrict;
    private static DnsClient toMimicking;

    /// @param edns the size that the client offers; 0 for no EDNS
    record Way(String name, boolean stream, int edns) {}

    /// One question to both.
    ///
    /// @param many whether the service has more instances than some answers hold
    record Question(String name, int type, Way way, boolean many, DnsReply consul, DnsReply gatepost) {
        /// The whole name.
        String question() {
            return name.endsWith(".") ? name : name.isEmpty() ? "consul." : name + ".consul.";
        }

        @Override
        public String toString() {
            return name + " " + Type.string(type) + " (" + way.name + ")\n    consul   " + consul + "\n    gatepost " + gatepost;
        }
    }

    @BeforeAll
    static void start() throws Exception {
        consul = ConsulAgent.start();
        ComparedCatalog.register(consul);
        String source = "consul: { address: \"" + consul.address() + "\" }";
        String warning = "routes: { health: warning }";
        strict = RunningGateway.start(Files.createDirectory(home.resolve("strict")), source, warning);
        mimicking = RunningGateway.start(Files.createDirectory(home.resolve("consul-1.8")), "dns: { address: 127.0.0.1:0, profile: consul-1.8 }", source, warning);
        for (RunningGateway each : List.of(strict, mimicking)) {
            Await.until("the catalog is complete", Duration.ofSeconds(20), () -> each.admin("/api/v1/dns/explain?name=other.service.consul&type=A").path("outcome").asText().equals("answer")
                    && each.admin("/api/v1/state").path("counts").path("instances").asInt() > 2 * ComparedCatalog.MANY + 40);
        }
        toConsul = new DnsClient(consul.dns());
        toStrict = client(strict);
        toMimicking = client(mimicking);
    }

    private static DnsClient client(RunningGateway gateway) {
        return new DnsClient(new InetSocketAddress(InetAddress.getLoopbackAddress(), gateway.dnsPort()));
    }

    @AfterAll
    static void stop() {
        for (AutoCloseable each : new AutoCloseable[] {toConsul, toStrict, toMimicking, strict, mimicking, consul}) {
            try {
                if (each != null) {
                    each.close();
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void mimicsConsul() {
        assertEquals("", unexplained(toMimicking, Divergence.OF_THE_MIMIC));
    }

    @Test
    void differsOnPurposeOnly() {
        assertEquals("", unexplained(toStrict, Divergence.OF_STRICT));
    }

    /// Bytes behind the header of `foo.node.consul A`; the header's id is the test's.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a plain query               | 0100 0001 0000 0000 0000 | QUESTION
            an answer                   | 8180 0001 0000 0000 0000 | QUESTION
            NOTIFY                      | 2000 0001 0000 0000 0000 | QUESTION
            UPDATE                      | 2800 0001 0000 0000 0000 | QUESTION
            no question                 | 0100 0000 0000 0000 0000 |
            two questions               | 0100 0002 0000 0000 0000 | QUESTION QUESTION
            two answers in the query    | 0100 0001 0002 0000 0000 | QUESTION
            three additional records    | 0100 0001 0000 0000 0003 | QUESTION
            all flags                   | 07f0 0001 0000 0000 0000 | QUESTION
            checking disabled           | 0110 0001 0000 0000 0000 | QUESTION
            trailing bytes              | 0100 0001 0000 0000 0000 | QUESTION dead beef
            class CH                    | 0100 0001 0000 0000 0000 | 03 666f6f 04 6e6f6465 06 636f6e73756c 00 0001 0003
            a name that is cut          | 0100 0001 0000 0000 0000 | 03 666f6f 04 6e6f
            a label of 64 bytes         | 0100 0001 0000 0000 0000 | 40 666f6f 00 0001 0001
            EDNS version 1              | 0100 0001 0000 0000 0001 | QUESTION 00 0029 04d0 00010000 0000
            DO and unknown EDNS flags   | 0100 0001 0000 0000 0001 | QUESTION 00 0029 04d0 0000ffff 0000
            two OPT                     | 0100 0001 0000 0000 0002 | QUESTION 00 0029 04d0 00000000 0000 00 0029 0400 00000000 0000
            an unknown EDNS option      | 0100 0001 0000 0000 0001 | QUESTION 00 0029 04d0 00000000 0006 ffde 0002 cafe
            a client subnet             | 0100 0001 0000 0000 0001 | QUESTION 00 0029 04d0 00000000 000c 0008 0008 0001 20 00 c6120001
            a small EDNS size           | 0100 0001 0000 0000 0001 | QUESTION 00 0029 0064 00000000 0000
            """)
    void mimicsConsulOddly(String what, String header, @Nullable String body) {
        String hex = ("1234" + header + (body == null ? "" : body)).replace("QUESTION", "03666f6f046e6f646506636f6e73756c0000010001").replace(" ", "");
        byte[] query = HexFormat.of().parseHex(hex);
        boolean silent = what.equals("an answer");
        DnsReply theirs = DnsReply.of(toConsul.ask(query, false, silent));
        DnsReply ours = DnsReply.of(toMimicking.ask(query, false, silent));
        assertEquals(Set.of(), theirs.differencesTo(ours, false), () -> what + "\n    consul   " + theirs + "\n    gatepost " + ours);
    }

    @Test
    void bothShuffle() {
        for (DnsClient each : List.of(toConsul, toMimicking, toStrict)) {
            Set<String> firsts = IntStream.range(0, 40)
                    .mapToObj(i -> DnsReply.of(each.ask(query("many.service", Type.A, WAYS.getFirst(), false, i), false, false)))
                    .map(reply -> reply.answers().getFirst().rdataToString())
                    .collect(Collectors.toSet());
            assertTrue(firsts.size() > 10, () -> "of 40 answers begin differently: " + firsts.size());
        }
    }

    @Test
    void theDocumentSaysWhatDiffers() throws IOException {
        Path readme = Files.exists(Path.of("dns/README.md")) ? Path.of("dns/README.md") : Path.of("../dns/README.md");
        assertTrue(Files.readString(readme).contains(Divergence.table()), () -> "dns/README.md should hold:\n" + Divergence.table());
    }

    /// Asks everything and gives what no divergence explains.
    private static String unexplained(DnsClient gatepost, List<Divergence> divergences) {
        Map<String, String> unexplained = new LinkedHashMap<>(); // one for each name and type
        Map<String, Integer> met = new TreeMap<>();
        int asked = 0;
        for (boolean many : new boolean[] {false, true}) {
            for (String relative : many ? ComparedCatalog.manyNames() : ComparedCatalog.names()) {
                for (int type : TYPES) {
                    for (Way way : WAYS) {
                        for (boolean mixedCase : new boolean[] {false, true}) {
                            byte[] query = query(relative, type, way, mixedCase, asked++);
                            boolean silent = relative.startsWith("long.");
                            DnsReply theirs = DnsReply.of(toConsul.ask(query, way.stream, silent));
                            DnsReply ours = DnsReply.of(gatepost.ask(query, way.stream, false));
                            var question = new Question(relative, type, way, many, theirs, ours);
                            judge(question, many && !way.stream, divergences, met).ifPresent(what -> unexplained.putIfAbsent(question.name + question.type, what));
                        }
                    }
                }
            }
        }
        divergences.stream().filter(each -> !met.containsKey(each.consul())).forEach(each -> unexplained.put(each.consul(), "never met: " + each));
        return unexplained.values().stream().limit(MOST_SHOWN).collect(Collectors.joining("\n"));
    }

    private static Optional<String> judge(Question question, boolean sample, List<Divergence> divergences, Map<String, Integer> met) {
        Set<Aspect> differences = question.consul.differencesTo(question.gatepost, sample);
        if (differences.isEmpty()) {
            return Optional.empty();
        }
        for (Divergence each : divergences) {
            if (each.applies().test(question)) {
                met.merge(each.consul(), 1, Integer::sum);
                differences.removeAll(each.aspects());
            }
        }
        return differences.isEmpty() ? Optional.empty() : Optional.of(differences + " " + question);
    }

    private static byte[] query(String relative, int type, Way way, boolean mixedCase, int id) {
        try {
            String text = relative.endsWith(".") ? relative : relative.isEmpty() ? "consul." : relative + ".consul.";
            var message = new Message(id & 0xffff);
            message.getHeader().setFlag(org.xbill.DNS.Flags.RD);
            message.addRecord(Record.newRecord(Name.fromString(mixedCase ? mixed(text) : text), type, DClass.IN), Section.QUESTION);
            if (way.edns > 0) {
                message.addRecord(new OPTRecord(way.edns, 0, 0), Section.ADDITIONAL);
            }
            return message.toWire();
        } catch (IOException e) {
            throw new AssertionError(relative, e);
        }
    }

    /// Every second letter as a capital.
    private static String mixed(String name) {
        var text = new StringBuilder(name);
        for (int i = 0; i < name.length(); i += 2) {
            text.setCharAt(i, name.substring(i, i + 1).toUpperCase(Locale.ROOT).charAt(0));
        }
        return text.toString();
    }
}
