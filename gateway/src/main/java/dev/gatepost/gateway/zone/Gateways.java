package dev.gatepost.gateway.zone;

import dev.gatepost.dns.Rdata;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Which services' names answer the gateways' addresses rather than their instances', and where the gateways are.
///
/// @param answers   whether they do, of some services
/// @param addresses known without a catalog
/// @param services  whose healthy instances are gateways as well
/// @param httpPort  where clients reach HTTP; 0 for not at all
/// @param httpsPort the same of HTTPS
public record Gateways(ByService<Boolean> answers, List<InetAddress> addresses, List<String> services, int httpPort, int httpsPort) {
    public static final Gateways NONE = new Gateways(Map.of(), List.of(), List.of(), 0, 0);
    private static final String TAG = "gatepost.dns-answer=";
    private static final String META = "gatepost-dns-answer";
    private static final List<String> PROTOCOLS = List.of("h2", "http/1.1");
    private static final int USUAL_PORT = 443;

    public Gateways {
        addresses = List.copyOf(addresses);
        services = List.copyOf(services);
    }

    /// @param answers by service name or `prefix*`
    public Gateways(Map<String, Boolean> answers, List<InetAddress> addresses, List<String> services, int httpPort, int httpsPort) {
        this(new ByService<>(answers), addresses, services, httpPort, httpsPort);
    }

    /// Whether a service's names are to answer the gateways' addresses: its own word first, that of the first instance that
    /// has one, then the configuration's.
    boolean standFor(String service, List<Instance> instances) {
        return instances.stream().flatMap(each -> word(each).stream()).findFirst().or(() -> answers.of(service)).orElse(false);
    }

    private static Optional<Boolean> word(Instance instance) {
        return Stream.concat(
                        instance.tags().stream().filter(tag -> tag.startsWith(TAG)).map(tag -> tag.substring(TAG.length())),
                        Optional.ofNullable(instance.meta().get(META)).stream())
                .filter(word -> word.equals("gateway") || word.equals("instances"))
                .map(word -> word.equals("gateway"))
                .findFirst();
    }

    /// Where clients may go now; none where nobody knows.
    List<InetAddress> at(Snapshot snapshot, Names names, HealthRule health, Withheld withheld) {
        var all = new ArrayList<InetAddress>(addresses);
        for (String each : services) {
            Service service = snapshot.services().get(each);
            List<Instance> healthy = service == null ? List.of() : service.instances().stream().filter(instance -> health.admits(instance.health())).toList();
            for (Instance instance : withheld.leave(each, healthy)) {
                if (Locator.of(instance, names) instanceof Locator.Addresses(var ips, _, _)) {
                    all.addAll(ips);
                }
            }
        }
        return withheld.leave(all.stream().distinct().toList());
    }

    /// The gateways in the place of a service's instances, so that all that is said of those is said of them.
    ///
    /// @param instances one at least
    List<Instance> inPlaceOf(List<Instance> instances, List<InetAddress> gateways) {
        Instance first = instances.getFirst();
        int port = httpPort > 0 ? httpPort : httpsPort;
        return gateways.stream()
                .map(each -> new Instance(
                        "gateway-" + each.getHostAddress(), first.service(), first.node(), each.getHostAddress(), port,
                        List.of(), Map.of(), Map.of(), new Weights(1, 1), List.of()))
                .toList();
    }

    /// How HTTPS is reached there (RFC 9460), if it is.
    Optional<Rdata.Svcb> https(List<InetAddress> gateways) {
        return httpsPort == 0 || gateways.isEmpty()
                ? Optional.empty()
                : Optional.of(Rdata.Svcb.https(PROTOCOLS, httpsPort == USUAL_PORT ? 0 : httpsPort, gateways));
    }
}
