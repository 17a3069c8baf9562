package dev.gatepost.gateway;

import dev.gatepost.gateway.config.ConfigReader;
import dev.gatepost.gateway.config.ConfigReading;
import dev.gatepost.gateway.tls.SelfSigned;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// `gatepost demo`: the main job with nothing installed. A folder with a real configuration, catalog and certificate is
/// made, sample services are started in this process, and the gateway runs on them as `gatepost run` would.
final class Demo {
    private static final int HIGHEST_OFFSET = 65535 - 9090;

    private Demo() {}

    static int run(int portOffset) throws IOException, InterruptedException {
        if (portOffset < -8000 || portOffset > HIGHEST_OFFSET) {
            System.err.println("gatepost: --port-offset: %d (expected: -8000 to %d)".formatted(portOffset, HIGHEST_OFFSET));
            return Main.PROBLEM;
        }
        Path folder = Files.createTempDirectory("gatepost-demo-");
        try (SampleServices services = SampleServices.start()) {
            SelfSigned.write(folder, "demo", List.of("localhost", "*.localhost"));
            Files.writeString(folder.resolve("services.yaml"), services.catalog());
            Path file = Files.writeString(folder.resolve("gatepost.yaml"), configuration(portOffset));
            return switch (ConfigReader.read(Files.readString(file), file, Map.of())) {
                case ConfigReading.Valid valid -> Run.serve(valid.config(), gateway -> {
                    awaitReady(gateway);
                    System.out.println(whatToTry(portOffset, folder));
                });
                case ConfigReading.Invalid invalid -> throw new IllegalStateException("the demo's own configuration: " + invalid.problems());
            };
        } finally {
            delete(folder);
        }
    }

    /// So that a line which is pasted at once finds the catalog read.
    private static void awaitReady(Gateway gateway) {
        long patience = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (gateway.notReady().isPresent() && System.nanoTime() < patience) {
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
    }

    private static String configuration(int offset) {
        return """
                http:   { address: 127.0.0.1:%d }
                https:  { address: 127.0.0.1:%d, certificates: [ { certificate: demo.pem, key: demo.key } ] }
                dns:    { address: 127.0.0.1:%d }
                admin:  { address: 127.0.0.1:%d }
                catalog: { file: services.yaml }
                """.formatted(8080 + offset, 8443 + offset, 8053 + offset, 9090 + offset);
    }

    /// Every line can be pasted into a shell.
    private static String whatToTry(int offset, Path folder) {
        return """

                Gatepost runs with four sample services. Ctrl-C ends it.

                  http   http://127.0.0.1:{http}
                  https  https://127.0.0.1:{https}   self-signed: {folder}/demo.pem
                  dns    127.0.0.1:{dns}, UDP and TCP, *.service.consul
                  admin  http://127.0.0.1:{admin}   a page for the browser

                Two instances of web take turns; echo shows what a service receives; counter has a host of its own;
                sick is registered, but not healthy:

                  curl http://127.0.0.1:{http}/
                  curl -k https://127.0.0.1:{https}/
                  curl --cacert {folder}/demo.pem 'https://localhost:{https}/echo/a?b=c'
                  curl -H 'Host: counter.localhost' http://127.0.0.1:{http}/
                  curl -i http://127.0.0.1:{http}/sick

                Where the services are, with port and by tag or check:

                  dig @127.0.0.1 -p {dns} web.service.consul A
                  dig @127.0.0.1 -p {dns} web.service.consul SRV
                  dig @127.0.0.1 -p {dns} sick.service.consul A

                Why:

                  curl 'http://127.0.0.1:{admin}/api/v1/explain?url=https://localhost/echo/a'
                  curl 'http://127.0.0.1:{admin}/api/v1/dns/explain?name=sick.service.consul&type=A'
                  curl http://127.0.0.1:{admin}/api/v1/state
                  curl http://127.0.0.1:{admin}/metrics

                The catalog is {folder}/services.yaml: change it and ask again. Each answer leaves one line of JSON below.
                """
                .replace("{http}", String.valueOf(8080 + offset))
                .replace("{https}", String.valueOf(8443 + offset))
                .replace("{dns}", String.valueOf(8053 + offset))
                .replace("{admin}", String.valueOf(9090 + offset))
                .replace("{folder}", folder.toString());
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }
}
