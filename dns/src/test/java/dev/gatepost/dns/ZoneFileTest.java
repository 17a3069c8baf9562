package dev.gatepost.dns;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ZoneFileTest {
    private static final DomainName ORIGIN = DomainName.of("example.com");

    @Test
    void readsEveryKindOfRecord() throws Exception {
        ZoneFile zone = ZoneFile.read("""
                $TTL 5m
                @       IN SOA ns hostmaster 7 3600 600 86400 30
                        IN NS  ns
                        IN MX  10 mail
                ns      IN A   10.0.0.1
                www 60  IN CNAME ns
                *.qa    IN AAAA fd00::1
                _x._tcp IN SRV 1 2 443 ns
                txt     IN TXT "a" "b"
                $ORIGIN sub.example.com.
                a       IN A 10.0.0.2
                a   10  IN A 10.0.0.3
                """, ORIGIN, Duration.ofSeconds(2));
        assertEquals(7, zone.soa().orElseThrow().soa().serial());
        assertEquals(
                Map.of(
                        "example.com.", "NS ns.example.com. 300, MX \\# 20 000a046d61696c076578616d706c6503636f6d00 300",
                        "ns.example.com.", "A 10.0.0.1 300",
                        "www.example.com.", "CNAME ns.example.com. 60",
                        "*.qa.example.com.", "AAAA fd00:0:0:0:0:0:0:1 300",
                        "_x._tcp.example.com.", "SRV 1 2 443 ns.example.com. 300",
                        "txt.example.com.", "TXT \\# 4 01610162 300",
                        "a.sub.example.com.", "A 10.0.0.2 A 10.0.0.3 10"),
                zone.records().entrySet().stream().collect(Collectors.toMap(each -> each.getKey().toString(), each -> text(each.getValue()))));
        Rdata.Srv srv = (Rdata.Srv) Objects.requireNonNull(zone.records().get(DomainName.of("_x._tcp.example.com"))).getFirst().records().getFirst();
        assertEquals(List.of(InetAddress.ofLiteral("10.0.0.1")), srv.glue());
    }

    @Test
    void needsNoStartOfAuthority() throws Exception {
        ZoneFile zone = ZoneFile.read("* A 10.0.0.1\n", ORIGIN, Duration.ofSeconds(2));
        assertEquals(Optional.empty(), zone.soa());
        assertEquals("A 10.0.0.1 2", text(zone.records().values().iterator().next()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '!', textBlock = """
            a A 10.0.0.1;b A 10.0.0.300          ! 2 ! Invalid address: 10.0.0.300 (expected: NAME [TTL] TYPE DATA
            a A 10.0.0.1;;b NONSENSE x           ! 3 ! NONSENSE
            $INCLUDE /etc/passwd                 ! 1 ! INCLUDE
            a A 10.0.0.1;$GENERATE 1-90 h$ A ::1 ! 2 ! $GENERATE
            ;;other.test. A 10.0.0.1;a A ::      ! 3 ! other.test. (expected: a name at or below example.com.)
            a A 10.0.0.1;a CH TXT x              ! 2 ! class CH (expected: IN)
            a CNAME b;a A 10.0.0.1;b A 10.0.0.1  ! 2 ! a.example.com. has a CNAME and 1 other
            @ SOA a b (1 2;3 4 5);x SOA a b 1 2 3 4 5 ! 3 ! SOA at x.example.com.
            ; nothing                            ! 0 ! no record
            """)
    void saysWhereAndWhatIsWrong(String text, int line, String reason) {
        ZoneFile.Malformed malformed =
                assertThrows(ZoneFile.Malformed.class, () -> ZoneFile.read(text.replace(";", "\n").replace("\n nothing", ""), ORIGIN, Duration.ofSeconds(2)));
        assertTrue(malformed.reason().contains(reason), malformed::reason);
        assertEquals(line, malformed.line());
    }

    private static String text(List<RRset> sets) {
        return sets.stream()
                .map(set -> set.records().stream().map(each -> RRType.name(each.type()) + " " + each.text()).collect(Collectors.joining(" ")) + " " + set.ttl().toSeconds())
                .collect(Collectors.joining(", "));
    }
}
