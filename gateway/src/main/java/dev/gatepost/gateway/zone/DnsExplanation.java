package dev.gatepost.gateway.zone;

import dev.gatepost.dns.Answer;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.Rcode;
import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// Why a question is answered as it is: the answer itself, and every instance of the service that was asked for.
///
/// @param rcode      `NOERROR`, `NXDOMAIN`, `REFUSED`
/// @param outcome    in one word: `answer`, `nodata`, `nxdomain`, `refused`
/// @param answers    as a client gets them, one record a line
/// @param service    the service that the name means; empty for another kind of name
/// @param considered its instances, used or passed over
/// @param why        the outcome in a sentence
public record DnsExplanation(
        String name,
        String type,
        String rcode,
        String outcome,
        List<String> answers,
        List<String> authority,
        Optional<String> service,
        List<Considered> considered,
        String why,
        long revision) {

    /// @param instance `NODE/ID`
    /// @param answered whether it is in the answer
    /// @param why      what keeps it out, with the ids of the checks; empty when nothing does
    public record Considered(String instance, String address, int port, String health, boolean answered, String why) {}

    /// What a name below the domain asks for.
    private record Wanted(String service, Optional<String> tag, Optional<String> datacenter) {}

    static DnsExplanation of(ServiceZone zone, DomainName name, int type) {
        Answer answer = Answer.of(zone.zone(), name, type);
        Optional<Wanted> wanted = wanted(zone.records().names(), name);
        List<Instance> instances = wanted.map(w -> instances(zone, w.service)).orElse(List.of());
        boolean anyAddress = instances.stream()
                .filter(i -> zone.records().settings().health().admits(i.health()))
                .anyMatch(i -> Locator.of(i, zone.records().names()) instanceof Locator.Addresses);
        boolean gateways = wanted.filter(w -> !instances.isEmpty() && answersGateways(zone, w, name)).isPresent();
        List<Considered> considered = wanted.map(w -> {
            List<Instance> left = left(zone, w, instances);
            return instances.stream().map(i -> consider(zone, w, i, type, anyAddress, gateways, left)).toList();
        }).orElse(List.of());
        String outcome = outcome(answer);
        return new DnsExplanation(
                name.toString(),
                RRType.name(type),
                Rcode.name(answer.rcode()),
                outcome,
                answer.answers(),
                answer.authority(),
                wanted.map(Wanted::service),
                considered,
                why(zone, name, type, outcome, wanted, considered),
                zone.zone().revision());
    }

    private static String outcome(Answer answer) {
        return switch (answer.rcode()) {
            case Rcode.NOERROR -> answer.answers().isEmpty() ? "nodata" : "answer";
            case Rcode.NXDOMAIN -> "nxdomain";
            default -> "refused";
        };
    }

    private static String why(ServiceZone zone, DomainName name, int type, String outcome, Optional<Wanted> wanted, List<Considered> considered) {
        long answered = considered.stream().filter(Considered::answered).count();
        return switch (outcome) {
            case "answer" -> considered.isEmpty()
                    ? "the zone has " + RRType.name(type) + " records or an alias at this name"
                    : wanted.filter(w -> answersGateways(zone, w, name)).map(_ -> inPlace(zone, name, considered.size()))
                            .orElseGet(() -> answered + " of " + considered.size() + " instances answered" + notTheGateway(zone, wanted));
            case "nodata" -> considered.isEmpty()
                    ? "the name exists and has no " + RRType.name(type) + " records"
                    : "the service is registered; none of its " + considered.size() + " instances can be answered to " + RRType.name(type);
            case "nxdomain" -> leftOut(zone, wanted)
                    .or(() -> wanted.map(w -> considered.isEmpty() ? "no service '" + w.service + "' is registered" : "no instance of '" + w.service + "' has this tag or datacenter"))
                    .orElse("no such name in " + zone.zone().origin(name).map(origin -> origin.name().toString()).orElse("the zone"));
            default -> "not a name of ours, and nothing to forward it to";
        };
    }

    private static String inPlace(ServiceZone zone, DomainName name, int instances) {
        String host = ServiceRecords.host(name);
        String said = "the gateway's addresses in place of " + instances + " instances, as dns.answer says";
        return zone.around().gate().hosts().serve(host) ? said : said + "; no route serves the host " + host + ", so that requests for it get 404";
    }

    /// Why a service's own instances are answered though it should be the gateway.
    private static String notTheGateway(ServiceZone zone, Optional<Wanted> wanted) {
        return wanted.filter(w -> w.tag.isEmpty())
                .map(w -> w.service)
                .filter(service -> zone.records().settings().gateways().standFor(service, instances(zone, service)))
                .map(service -> "; dns.answer says gateway, but "
                        + (zone.around().gateways().isEmpty() ? "no gateway's address is known (dns.gateway)" : "no route leads to this service"))
                .orElse("");
    }

    private static boolean answersGateways(ServiceZone zone, Wanted wanted, DomainName name) {
        return zone.records().answersGateways(wanted.service, instances(zone, wanted.service), zone.around())
                && (wanted.tag.isEmpty() || zone.around().gate().hosts().serve(ServiceRecords.host(name)));
    }

    private static Optional<String> leftOut(ServiceZone zone, Optional<Wanted> wanted) {
        return wanted.flatMap(w -> zone.leftOut().entrySet().stream()
                .filter(each -> each.getKey().equalsIgnoreCase("service " + w.service))
                .map(each -> "service left out: " + each.getValue())
                .findFirst());
    }

    private static List<Instance> instances(ServiceZone zone, String service) {
        return zone.snapshot().services().values().stream()
                .filter(each -> each.name().equalsIgnoreCase(service))
                .map(Service::instances)
                .flatMap(List::stream)
                .toList();
    }

    /// Of the healthy instances that are asked for those that the gate leaves.
    private static List<Instance> left(ServiceZone zone, Wanted wanted, List<Instance> instances) {
        return zone.around().gate().withheld().leave(wanted.service, instances.stream()
                .filter(each -> zone.records().settings().health().admits(each.health()))
                .filter(each -> wanted.tag.isEmpty() || ServiceRecords.hasTag(wanted.tag.get()).test(each))
                .filter(each -> wanted.datacenter.isEmpty() || wanted.datacenter.get().equalsIgnoreCase(each.node().datacenter()))
                .toList());
    }

    private static Considered consider(
            ServiceZone zone, Wanted wanted, Instance instance, int type, boolean anyAddress, boolean gateways, List<Instance> left) {
        Optional<String> passedOver = gateways
                ? Optional.of("the gateway answers for it")
                : passedOver(zone, wanted, instance, type, anyAddress).or(() -> withheld(zone, instance, left));
        return new Considered(
                instance.key(),
                instance.address(),
                instance.port(),
                instance.health().name().toLowerCase(Locale.ROOT),
                passedOver.isEmpty(),
                passedOver.orElse(""));
    }

    private static Optional<String> passedOver(ServiceZone zone, Wanted wanted, Instance instance, int type, boolean anyAddress) {
        if (wanted.tag.filter(tag -> !ServiceRecords.hasTag(tag).test(instance)).isPresent()) {
            return Optional.of("has no tag '" + wanted.tag.get() + "'");
        }
        if (wanted.datacenter.filter(dc -> !dc.equalsIgnoreCase(instance.node().datacenter())).isPresent()) {
            return Optional.of("is in datacenter '" + instance.node().datacenter() + "'");
        }
        if (!zone.records().settings().health().admits(instance.health())) {
            return Optional.of(instance.checks().stream()
                    .filter(check -> !zone.records().settings().health().admits(check.status()))
                    .map(DnsExplanation::failing)
                    .collect(Collectors.joining(", ")));
        }
        return switch (Locator.of(instance, zone.records().names())) {
            case Locator.Nowhere(var reason) -> Optional.of(reason);
            case Locator.HostName(var name) -> anyAddress && type != RRType.SRV
                    ? Optional.of("has the host name " + name + " where others have addresses")
                    : Optional.empty();
            case Locator.Addresses addresses -> {
                boolean has = switch (type) {
                    case RRType.A -> addresses.v4().isPresent();
                    case RRType.AAAA -> addresses.v6().isPresent();
                    case RRType.SRV, RRType.ANY -> true;
                    default -> false;
                };
                yield has ? Optional.empty() : Optional.of("has no " + RRType.name(type) + " record");
            }
        };
    }

    private static Optional<String> withheld(ServiceZone zone, Instance instance, List<Instance> left) {
        return left.contains(instance) ? Optional.empty() : zone.around().gate().withheld().why(instance).map(why -> "the gate passes it over: " + why);
    }

    private static String failing(Check check) {
        return "check '" + check.id() + "' is " + check.status().name().toLowerCase(Locale.ROOT);
    }

    /// Reads `[TAG.]SERVICE.service[.DC]`, `_SERVICE._TAG.service[.DC]` and `_SERVICE._TAG[.DC]` below the domain.
    private static Optional<Wanted> wanted(Names names, DomainName name) {
        if (!name.isWithin(names.domain()) || name.equals(names.domain())) {
            return Optional.empty();
        }
        String text = name.toString().substring(0, name.toString().length() - names.domain().toString().length() - 1);
        List<String> labels = Arrays.asList(text.toLowerCase(Locale.ROOT).split("\\.", -1));
        int kind = labels.lastIndexOf("service");
        boolean short2782 = kind < 0 && labels.size() >= 2 && labels.size() <= 3 && labels.get(0).startsWith("_") && labels.get(1).startsWith("_");
        int end = short2782 ? 2 : kind;
        if (end < 1 || labels.size() - end > 2) {
            return Optional.empty();
        }
        int rest = end + (short2782 ? 0 : 1);
        Optional<String> datacenter = rest < labels.size() ? Optional.of(labels.get(rest)) : Optional.empty();
        List<String> parts = new ArrayList<>(labels.subList(0, end));
        if (parts.size() == 2 && parts.stream().allMatch(part -> part.length() > 1 && part.startsWith("_"))) {
            String tag = parts.get(1).substring(1);
            return Optional.of(new Wanted(parts.get(0).substring(1), tag.equals("tcp") ? Optional.empty() : Optional.of(tag), datacenter));
        }
        String service = parts.removeLast();
        return Optional.of(new Wanted(service, parts.isEmpty() ? Optional.empty() : Optional.of(String.join(".", parts)), datacenter));
    }
}
