package dev.gatepost.gateway.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

/// What a person is told about a configuration that is wrong: word for word.
final class ConfigProblemsTest {
    private static final String GOOD = "http: { address: 127.0.0.1:8080 }\nconsul: { address: 'http://127.0.0.1:8500' }\n";

    @TempDir Path folder;

    private Path file = Path.of("gatepost.yaml");

    @BeforeEach
    void chooseFile() throws IOException {
        folder = folder.toRealPath();
        file = folder.resolve("gatepost.yaml");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        "htps: {}                                  | 3:1: htps: unknown key (nearest known: https)",
        "dns: { adress: 127.0.0.1:53 }             | 3:8: dns.adress: unknown key (nearest known: dns.address)",
        "ttl: 2s                                   | 3:1: ttl: unknown key (nearest known: dns.ttl)",
        "trusted-proxy: []                         | 3:1: trusted-proxy: unknown key (nearest known: trusted-proxies)",
        "timeouts: { conect: 2s }                  | 3:13: timeouts.conect: unknown key (nearest known: timeouts.connect)",
        "http: { address: 127.0.0.1:81 }           | 3:1: http: given twice (first: line 1)",
        "threads: 0                                | 3:10: threads: 0 (expected: a number from 1 to 1024)",
        "threads: many                             | 3:10: threads: many (expected: a number from 1 to 1024)",
        "threads: [1]                              | 3:10: threads: a list (expected: a number from 1 to 1024)",
        "timeouts: 5s                              | 3:11: timeouts: 5s (expected: a mapping with response-header, connect, request-header, stream, idle, total, upgraded)",
        "timeouts: { connect: 2 }                  | 3:22: timeouts.connect: 2 (expected: a duration such as 250ms, 2s, 5m or 1h, >= 1ms)",
        "timeouts: { connect: -1s }                | 3:22: timeouts.connect: -1s (expected: a duration such as 250ms, 2s, 5m or 1h, >= 1ms)",
        "timeouts: { connect: 0s }                 | 3:22: timeouts.connect: 0s (expected: a duration such as 250ms, 2s, 5m or 1h, >= 1ms)",
        "timeouts: { connect: 1s x }               | 3:22: timeouts.connect: 1s x (expected: a duration such as 250ms, 2s, 5m or 1h, >= 1ms)",
        "limits: { headers: 64KB }                 | 3:20: limits.headers: 64KB (expected: a size such as 512B, 64KiB or 10MiB, from 1KiB to 16MiB)",
        "limits: { headers: 2GiB }                 | 3:20: limits.headers: 2GiB (expected: a size such as 512B, 64KiB or 10MiB, from 1KiB to 16MiB)",
        "limits: { header: 128KiB }                | 3:19: limits.header: 131072B (expected: at most limits.headers, 65536B)",
        "admin: { address: 127.0.0.1 }             | 3:19: admin.address: 127.0.0.1 (expected: HOST:PORT, [IPV6]:PORT or :PORT)",
        "admin: { address: 127.0.0.1:99999 }       | 3:19: admin.address: 127.0.0.1:99999 (expected: HOST:PORT, [IPV6]:PORT or :PORT)",
        "admin: { address: '::1:9090' }            | 3:19: admin.address: ::1:9090 (expected: HOST:PORT, [IPV6]:PORT or :PORT)",
        "admin: { address: no.such.host.invalid:9 } | 3:19: admin.address: no.such.host.invalid:9 (expected: HOST:PORT, [IPV6]:PORT or :PORT; the name no.such.host.invalid has no address here)",
        "admin: {}                                 | 3:1: admin.address: missing (expected: HOST:PORT, [IPV6]:PORT or :PORT, or no admin section at all)",
        "admin: { address: ':8080' }                 | 3:19: admin.address: :8080 (expected: an address that http.address does not use)",
        "https: { address: ':8443' }                 | 3:1: https.certificates: none (expected: at least one { certificate: FILE, key: FILE })",
        "dns: { address: ':53', ttl: 500ms }         | 3:29: dns.ttl: 500ms (expected: whole seconds such as 0s, 2s or 5m, up to 3650d)",
        "dns: { address: ':53', domain: a..b }       | 3:32: dns.domain: a..b (expected: a domain name such as consul or example.com)",
        "dns: { address: ':53', profile: loose }     | 3:33: dns.profile: loose (expected: strict or consul-1.8)",
        "dns: { address: ':53', forward: [{ zone: '.', to: [ns1] }] } | 3:52: dns.forward[0].to[0]: ns1 (expected: IP, IP:PORT, [IPV6]:PORT or tls://IP[:PORT][#NAME])",
        "dns: { address: '127.0.0.1:53', forward: [{ zone: '.', to: [127.0.0.1] }] } | 3:42: dns.forward: 127.0.0.1:53 (expected: another server than dns.address, this one)",
        "dns: { address: ':53', forward: [{ zone: a, to: [10.0.0.2] }, { zone: a, to: [10.0.0.3] }] } | 3:33: dns.forward: a twice (expected: each zone once, with all its servers)",
        "dns: { address: ':53', forward: [{ zone: '.' }] } | 3:34: dns.forward[0]: a mapping (expected: { zone: \".\", to: [10.0.0.2] })",
        "dns: { address: ':53', answer: both }       | 3:32: dns.answer[0]: both (expected: one of: instances, gateway)",
        "dns: { address: ':53', answer: [{ service: web, answer: me }] } | 3:57: dns.answer[0].answer: me (expected: one of: instances, gateway)",
        "dns: { address: ':53', gateway: [0.0.0.0] } | 3:34: dns.gateway[0]: 0.0.0.0 (expected: an IP address, or the name of a service)",
        "dns: { address: ':53', gateway: [10.0.0.256] } | 3:34: dns.gateway[0]: 10.0.0.256 (expected: an IP address, or the name of a service)",
        "access-log: { format: clf }               | 3:23: access-log.format: clf (expected: one of: ecs)",
        "access-log: { output: syslog }            | 3:23: access-log.output: syslog (expected: stdout, file:PATH, tcp://HOST:PORT or none)",
        "routes: { health: critical }              | 3:19: routes.health: critical (expected: one of: passing, warning)",
        "routes: { dialects: [nginx] }             | 3:22: routes.dialects[0]: nginx (expected: one of: gatepost, fabio, traefik)",
        "routes: { default-host: qa.example.com }  | 3:25: routes.default-host: qa.example.com (expected: empty, or a host such as {service}.qa.example.com)",
        "trusted-proxies: [10.0.0.0/33]            | 3:19: trusted-proxies[0]: 10.0.0.0/33 (expected: an address or block such as 10.0.0.0/8 or fd00::/8)",
        "catalog: { file: services.yaml }          | 3:18: catalog.file: services.yaml (expected: a readable YAML file; there is no FOLDER/services.yaml)",
        "catalog: { file: . }                      | 3:18: catalog.file: . (expected: a readable YAML file; FOLDER is a folder)",
        "http                                      | 4:1: not YAML: could not find expected ':'",
    })
    void namesThePlaceTheValueAndWhatWasExpected(String line, String problem) {
        assertEquals(List.of(file + ":" + problem.replace("FOLDER", folder.toString())), problems(GOOD + line.strip() + "\n", Map.of()));
    }

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        "GATEPOST_DNS_TLT | 2s | GATEPOST_DNS_TLT: unknown variable (nearest known: GATEPOST_DNS_TTL)",
        "GATEPOST_THREADS | 0 | GATEPOST_THREADS: threads: 0 (expected: a number from 1 to 1024)",
        "GATEPOST_TRUSTED_PROXIES | 10.0.0.0/8,x | GATEPOST_TRUSTED_PROXIES: trusted-proxies[1]: x (expected: an address or block such as 10.0.0.0/8 or fd00::/8)",
        "GATEPOST_CONSUL_ADDRESS | ftp://x | GATEPOST_CONSUL_ADDRESS: consul.address: ftp://x (expected: http://HOST:PORT or https://HOST:PORT)",
        "GATEPOST_CONSUL_ADDRESS | http://me:secret@x | GATEPOST_CONSUL_ADDRESS: consul.address: http://(not shown)@x (expected: http://HOST:PORT or https://HOST:PORT)",
        "GATEPOST_CONSUL_TOKEN | a b | GATEPOST_CONSUL_TOKEN: consul.token: (not shown) (expected: text without blanks)",
        "CONSUL_CACERT | /no/such.pem | CONSUL_CACERT: consul.ca-certificate: /no/such.pem (expected: a readable PEM file; there is no /no/such.pem)",
        "CONSUL_HTTP_SSL_VERIFY | maybe | CONSUL_HTTP_SSL_VERIFY: maybe (expected: true or false)",
        "CONSUL_HTTP_TOKEN_FILE | /no/such | CONSUL_HTTP_TOKEN_FILE: consul.token-file: /no/such (expected: a readable file; there is no /no/such)",
    })
    void namesTheVariableThatIsWrong(String variable, String value, String problem) {
        assertEquals(List.of(problem), problems(GOOD, Map.of(variable, value)));
    }

    @Test
    void refusesConsulOnAUnixSocketClearly() {
        assertEquals(
                List.of("CONSUL_HTTP_ADDR: consul.address: unix:///run/consul.sock (expected: http://HOST:PORT or https://HOST:PORT; Unix sockets are not supported)"),
                problems("http: { address: ':0' }", Map.of("CONSUL_HTTP_ADDR", "unix:///run/consul.sock")));
    }

    @Test
    void listsAllProblemsInTheOrderOfTheFileAndThenTheEnvironment() {
        String text = """
                dns:
                  ttl: never
                threads: none
                http: { adress: x }
                """;
        assertEquals(
                List.of(
                        file + ":1:1: dns.address: missing (expected: HOST:PORT, [IPV6]:PORT or :PORT, or no dns section at all)",
                        file + ":2:8: dns.ttl: never (expected: whole seconds such as 0s, 2s or 5m, up to 3650d)",
                        file + ":3:10: threads: none (expected: a number from 1 to 1024)",
                        file + ":4:9: http.adress: unknown key (nearest known: http.address)",
                        "GATEPOST_X: unknown variable (nearest known: GATEPOST_DNS_TTL)"),
                problems(text, Map.of("GATEPOST_CATALOG_FILE", "/dev/null", "GATEPOST_X", "1")));
    }

    @Test
    void namesEachMissingCertificateAndKey() {
        String text = GOOD + """
                https:
                  address: 127.0.0.1:8443
                  certificates:
                    - { certificate: edge.pem, key: edge.key }
                    - certs
                    - { certificate: ., kee: x }
                """;
        assertEquals(
                List.of(
                        file + ":6:22: https.certificates[0].certificate: edge.pem (expected: a readable PEM file, or a folder of them; there is no " + folder + "/edge.pem)",
                        file + ":6:37: https.certificates[0].key: edge.key (expected: a readable PEM file; there is no " + folder + "/edge.key)",
                        file + ":7:7: https.certificates[1]: certs (expected: { certificate: FILE, key: FILE }, or a readable file that holds both, or a folder; there is no " + folder + "/certs)",
                        file + ":8:25: https.certificates[2].kee: unknown key (nearest known: https.certificates[2].key)"),
                problems(text, Map.of()));
    }

    @Test
    void wantsSomethingToServeAndSomethingToServeItFrom() {
        List<String> both = List.of(
                file + ": nothing to serve (expected: at least one of http.address, https.address, dns.address)",
                file + ": nothing to read services from (expected: consul.address, catalog.file or both)");
        assertEquals(both, problems("", Map.of()));
        assertEquals(both, problems("admin: { address: ':9090' }", Map.of()));
        assertEquals(both.stream().map(line -> line.replace(file.toString(), "environment")).toList(), lines(ConfigReader.read(Optional.empty(), Map.of())));
    }

    @Test
    void saysWhatAnUnquotedAddressNeeds() {
        String port = problems("http: { address: :8080 }\n", Map.of()).getFirst();
        assertEquals(" (an address that starts with : needs quotes: \":53\")", port.substring(port.indexOf(" (an")));
        String problem = problems("http:\n  address: [::]:8080\n", Map.of()).getFirst();
        assertEquals(" (an address that starts with [ needs quotes: \"[::]:53\")", problem.substring(problem.indexOf(" (an")));
    }

    @Test
    void survivesADocumentThatIsMadeToBlowUp() {
        StringBuilder laughs = new StringBuilder("a0: &a0 [x]\n");
        for (int i = 1; i < 40; i++) {
            laughs.append("a%d: &a%d [%s]\n".formatted(i, i, "*a" + (i - 1)));
        }
        assertFalse(problems(laughs.toString(), Map.of()).isEmpty());
        assertFalse(problems("threads: &t [*t]", Map.of()).isEmpty());
        assertFalse(problems("a: " + "[".repeat(10_000), Map.of()).isEmpty());
        assertFalse(problems("a: !!javax.script.ScriptEngineManager [x]", Map.of()).isEmpty());
    }

    @Test
    void saysThatTheFileIsMissingAFolderOrNotText() throws IOException {
        assertEquals(List.of(file + ": there is no such file"), lines(ConfigReader.read(Optional.of(file), Map.of())));
        assertEquals(List.of(folder + ": a folder (expected: a YAML file)"), lines(ConfigReader.read(Optional.of(folder), Map.of())));
        Files.write(file, new byte[] {'a', ':', ' ', (byte) 0xff});
        assertEquals(List.of(file + ": not text (expected: YAML in UTF-8)"), lines(ConfigReader.read(Optional.of(file), Map.of())));
    }

    private List<String> problems(String text, Map<String, String> environment) {
        return lines(ConfigReader.read(text, file, environment));
    }

    private static List<String> lines(ConfigReading reading) {
        return assertInstanceOf(ConfigReading.Invalid.class, reading).problems().stream().map(Problem::toString).toList();
    }
}
