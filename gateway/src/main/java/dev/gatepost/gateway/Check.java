package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.FileCatalog;
import dev.gatepost.gateway.catalog.ServicesReading;
import dev.gatepost.gateway.config.ConfigReader;
import dev.gatepost.gateway.config.ConfigReading;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.config.Problem;
import dev.gatepost.gateway.tls.CertificateLoad;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.RejectedCertificate;
import dev.gatepost.gateway.tls.UpstreamTls;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `gatepost check`: everything that is wrong with a configuration and the files it names, found without starting
/// anything or talking to anyone.
final class Check {
    private Check() {}

    static int run(Path file, Map<String, String> environment) {
        List<String> problems = problems(file, environment);
        problems.forEach(System.err::println);
        if (!problems.isEmpty()) {
            return Main.PROBLEM;
        }
        System.out.println(file + ": no problem found");
        return Main.DONE;
    }

    static List<String> problems(Path file, Map<String, String> environment) {
        ConfigReading reading = ConfigReader.read(Optional.of(file), environment);
        List<String> problems = new ArrayList<>();
        Optional<GatewayConfig> config = switch (reading) {
            case ConfigReading.Valid valid -> Optional.of(valid.config());
            case ConfigReading.Invalid invalid -> {
                invalid.problems().stream().map(Problem::toString).forEach(problems::add);
                yield invalid.readable();
            }
        };
        config.flatMap(GatewayConfig::https).ifPresent(https -> problems.addAll(certificateProblems(https)));
        config.ifPresent(readable -> problems.addAll(upstreamTlsProblems(readable.upstreams())));
        config.flatMap(GatewayConfig::dns).ifPresent(dns -> problems.addAll(localNameProblems(dns.forwarding())));
        config.flatMap(readable -> readable.catalog().file()).ifPresent(services -> problems.addAll(catalogProblems(services)));
        return problems;
    }

    private static List<String> upstreamTlsProblems(GatewayConfig.Upstreams upstreams) {
        try (UpstreamTls _ = UpstreamTls.of(upstreams)) {
            return List.of();
        } catch (IOException e) {
            return List.of(String.valueOf(e.getMessage()));
        }
    }

    private static List<String> localNameProblems(GatewayConfig.Dns.Forwarding forwarding) {
        try {
            return Forwarding.rejected(forwarding);
        } catch (IOException e) {
            return List.of(String.valueOf(e.getMessage()));
        }
    }

    private static List<String> catalogProblems(Path services) {
        return switch (FileCatalog.read(services)) {
            case ServicesReading.Valid _ -> List.of();
            case ServicesReading.Invalid invalid -> invalid.problems().stream().map(Problem::toString).toList();
        };
    }

    private static List<String> certificateProblems(GatewayConfig.Https https) {
        if (https.certificates().isEmpty()) {
            return List.of(); // said where the configuration was read
        }
        List<RejectedCertificate> rejected = switch (Certificates.load(https.certificates(), https.ticketKeys(), InstantSource.system())) {
            case CertificateLoad.Unusable unusable -> unusable.problems();
            case CertificateLoad.Usable usable -> {
                usable.certificates().close();
                yield usable.rejected();
            }
        };
        return rejected.stream().map(RejectedCertificate::message).toList();
    }
}
