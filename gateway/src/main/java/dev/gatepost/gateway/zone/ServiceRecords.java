package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The names of one service or one node, and the records at each: pure functions of what the catalog says of it.
record ServiceRecords(ZoneSettings settings, Names names) {
    /// Of answers that lack what the gate withholds.
    static final Duration SHORT_TTL = Duration.ofSeconds(1);

    ServiceRecords(ZoneSettings settings) {
        this(settings, new Names(settings.domain(), settings.alternativeDomain()));
    }

    /// Every name of a service. A name whose instances are all unhealthy is there, without records: it exists, so the answer
    /// is NODATA, which nobody takes for the end of the service.
    ///
    /// @param service   one label, in any spelling
    /// @param instances of all services of that name, whatever their case; at least one
    Map<DomainName, List<RRset>> ofService(String service, List<Instance> instances, Surroundings around) {
        var names = new ServiceNames(service, around, instances.isEmpty() || !answersGateways(service, instances, around));
        names.add("", instances);
        for (String datacenter : datacenters(instances.stream().map(Instance::node))) {
            names.add(datacenter, instances.stream().filter(i -> i.node().datacenter().equalsIgnoreCase(datacenter)).toList());
        }
        return names.records;
    }

    /// What is beside the catalog at one moment.
    ///
    /// @param gateways where clients may go in place of instances
    record Surroundings(GateView gate, List<InetAddress> gateways) {
        static final Surroundings NONE = new Surroundings(GateView.NONE, List.of());
    }

    /// Whether the names of a service answer the gateways' addresses: it is to be so, the gateways' addresses are known, and
    /// a route leads to the service, since the gate would have nothing else to say to its clients than 404.
    boolean answersGateways(String service, List<Instance> instances, Surroundings around) {
        return !around.gateways.isEmpty()
                && settings.gateways().standFor(service, instances)
                && around.gate.hosts().leadTo(service.toLowerCase(Locale.ROOT));
    }

    static String host(DomainName name) {
        String text = name.toString().toLowerCase(Locale.ROOT);
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }

    /// The names of one service in the making.
    private final class ServiceNames {
        private final Map<DomainName, List<RRset>> records = new LinkedHashMap<>();
        private final String service;
        private final Surroundings around;
        private final boolean ofInstances;
        private final Duration ttl;

        ServiceNames(String service, Surroundings around, boolean ofInstances) {
            this.service = service;
            this.around = around;
            this.ofInstances = ofInstances;
            this.ttl = settings.ttls().ofService(service);
        }

        void add(String datacenter, List<Instance> instances) {
            DomainName plain = names.under("service", datacenter).child(service);
            List<RRset> all = ofInstances ? answered(instances) : ofGateways(instances, plain);
            records.put(plain, all);
            addRfc2782("_tcp", datacenter, all);
            for (String tag : tags(instances)) {
                if (tag.length() + plain.length() + 2 > DomainName.MAX_LENGTH) {
                    continue;
                }
                DomainName name = plain.prependLabels(tag);
                List<Instance> some = instances.stream().filter(hasTag(tag)).toList();
                // Who asks for some of the instances wants those, unless the gate knows them by that name.
                List<RRset> tagged = ofInstances || !around.gate.hosts().serve(host(name)) ? answered(some) : ofGateways(some, name);
                records.put(name, tagged);
                if (!tag.equals("tcp") && tag.length() < DomainName.MAX_LABEL && Names.isLabel(tag)) {
                    addRfc2782("_" + tag, datacenter, tagged);
                }
            }
        }

        private List<RRset> answered(List<Instance> instances) {
            return ServiceRecords.this.records(service, ttl, instances, around.gate.withheld());
        }

        private List<RRset> ofGateways(List<Instance> instances, DomainName name) {
            Gateways gateways = settings.gateways();
            List<RRset> sets = ServiceRecords.this.records(ttl, gateways.inPlaceOf(instances, around.gateways), false);
            return https(name, around).map(svcb -> {
                Optional<DomainName> byPort = byPort(name, svcb.port());
                byPort.ifPresent(other -> records.put(other, RRset.of(ttl, List.of(svcb.at(name)))));
                return Stream.concat(sets.stream(), RRset.of(ttl, List.of(svcb)).stream()).toList();
            }).orElse(sets);
        }

    /// `_web._tcp.service.consul` answers as `web.service.consul` does, `_web._tcp.consul` to SRV alone (RFC 2782).
    private void addRfc2782(String protocol, String datacenter, List<RRset> sets) {
        if (service.length() == DomainName.MAX_LABEL) {
            return;
        }
        records.put(names.under("service", datacenter).child(protocol).child("_" + service), sets.stream().filter(set -> set.type() != RRType.HTTPS).toList());
        records.put(names.within(datacenter).child(protocol).child("_" + service), sets.stream().filter(set -> set.type() == RRType.SRV).toList());
    }
    }

    /// How a name that answers the gateways' addresses is reached by HTTPS, where the gate serves it so.
    Optional<Rdata.Svcb> https(DomainName name, Surroundings around) {
        return settings.gateways().https(around.gateways).filter(_ -> around.gate.hosts().serveSecurely(host(name)));
    }

    /// Under which name a client asks that has a port in its URL (RFC 9460 section 9.1).
    static Optional<DomainName> byPort(DomainName name, int port) {
        String labels = "_" + port + "._https";
        return port == 0 || name.length() + labels.length() + 1 > DomainName.MAX_LENGTH ? Optional.empty() : Optional.of(name.prependLabels(labels));
    }

    /// Those that the gate withholds are left out, and then the answer is a short one, as it may soon change again. A type
    /// that only those left out have is answered all the same.
    private List<RRset> records(String service, Duration ttl, List<Instance> instances, Withheld withheld) {
        List<Instance> healthy = instances.stream().filter(each -> settings.health().admits(each.health())).toList();
        List<Instance> left = withheld.leave(service, healthy);
        boolean nearFirst = settings.locality().prefers(instances, left);
        List<RRset> all = records(ttl, healthy, nearFirst);
        if (left.size() == healthy.size()) {
            return all;
        }
        List<RRset> fewer = records(ttl.compareTo(SHORT_TTL) < 0 ? ttl : SHORT_TTL, left, nearFirst);
        return all.stream().map(set -> fewer.stream().filter(each -> each.type() == set.type()).findFirst().orElse(set)).toList();
    }

    /// A, AAAA and SRV of healthy ones. One without an address counts only when none has one: then the first host name
    /// is the CNAME of all.
    private List<RRset> records(Duration ttl, List<Instance> instances, boolean nearFirst) {
        var addresses = new ArrayList<RRset.Weighted>();
        var services = new ArrayList<RRset.Weighted>();
        Optional<RRset.Weighted> alias = Optional.empty();
        for (Instance each : instances) {
            int weight = each.weight();
            boolean near = nearFirst && settings.locality().isNear(each);
            switch (Locator.of(each, names)) {
                case Locator.Addresses(var ips, var target, var glue) -> {
                    ips.forEach(ip -> addresses.add(new RRset.Weighted(new Rdata.Address(ip), weight, near)));
                    services.add(new RRset.Weighted(new Rdata.Srv(1, weight, each.port(), target, glue), weight, near));
                }
                case Locator.HostName(var name) -> {
                    services.add(new RRset.Weighted(new Rdata.Srv(1, weight, each.port(), name, List.of()), weight, near));
                    alias = alias.or(() -> Optional.of(new RRset.Weighted(new Rdata.Cname(name), weight)));
                }
                case Locator.Nowhere _ -> {}
            }
        }
        // A CNAME comes last: SRV answers in its own right, everything else follows the alias.
        Stream<RRset.Weighted> last = addresses.isEmpty() ? alias.stream() : Stream.of();
        return RRset.weighted(ttl, Stream.of(addresses.stream(), services.stream(), last).flatMap(records -> records).toList());
    }

    /// A node's names: health is no matter, as a machine is where it is.
    Map<DomainName, List<RRset>> ofNode(Node node) {
        Map<DomainName, List<RRset>> records = new LinkedHashMap<>();
        if (!Names.isHostName(node.name())) {
            return records;
        }
        var rdata = new ArrayList<Rdata>();
        switch (Locator.of(node, names)) {
            case Locator.Addresses(var ips, _, _) -> ips.forEach(ip -> rdata.add(new Rdata.Address(ip)));
            case Locator.HostName(var name) -> rdata.add(new Rdata.Cname(name));
            case Locator.Nowhere _ -> {}
        }
        node.meta().entrySet().stream().sorted(Map.Entry.comparingByKey()).map(ServiceRecords::text).forEach(rdata::add);
        List<RRset> sets = RRset.of(settings.ttls().node(), rdata);
        records.put(names.under("node", "").prependLabels(node.name()), sets);
        if (Names.isLabel(node.datacenter())) {
            records.put(names.ofNode(node), sets);
        }
        if (Names.isLabel(node.id())) {
            records.put(names.under("node", "").child(node.id()), sets);
        }
        return records;
    }

    /// `key=value` with the key quoted (RFC 1464); the value alone where the key says that it is one for DNS.
    static Rdata text(Map.Entry<String, String> meta) {
        String key = meta.getKey();
        return new Rdata.Txt(key.startsWith("rfc1035-") ? meta.getValue() : key.replace("`", "``").replace("=", "`=") + "=" + meta.getValue());
    }

    /// Tags that can be asked for, in the order of first appearance; they compare without case.
    static Set<String> tags(List<Instance> instances) {
        var tags = new LinkedHashSet<String>();
        for (Instance instance : instances) {
            for (String tag : instance.tags()) {
                if (Names.isHostName(tag) && !tag.startsWith("_") && !tag.endsWith(".")) {
                    tags.add(tag.toLowerCase(Locale.ROOT));
                }
            }
        }
        return tags;
    }

    static Predicate<Instance> hasTag(String tag) {
        return instance -> instance.tags().stream().anyMatch(tag::equalsIgnoreCase);
    }

    /// Those with a name of one label, in lower case.
    static Set<String> datacenters(Stream<Node> nodes) {
        var datacenters = new LinkedHashSet<String>();
        nodes.map(Node::datacenter).filter(Names::isLabel).forEach(each -> datacenters.add(each.toLowerCase(Locale.ROOT)));
        return datacenters;
    }
}
