package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Mimic;
import dev.gatepost.dns.QueryRecord;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.Rcode;
import dev.gatepost.dns.Rdata;
import dev.gatepost.dns.Responder;
import dev.gatepost.gateway.catalog.ConsulLookup.Wanted;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.zone.ConsulMessage.ResourceRecord;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/// Answers as the DNS interface of Consul 1.8 does, its quirks included, from the same catalog: the profile `consul-1.8`.
/// Costs in proportion to the instances of a service, as the original does, if less of it.
final class ConsulProfile implements Mimic {
    private static final DomainName ARPA = DomainName.of("arpa");
    private static final int DEEPEST_ALIAS = 3;
    private static final int MOST_ALIASED = 5;

    private final ZoneSettings settings;
    private final Names names;
    private final ConsulIndex index;
    private final ServiceRecords.Surroundings around;

    ConsulProfile(ZoneSettings settings, ConsulIndex index, ServiceRecords.Surroundings around) {
        this.around = around;
        this.settings = settings;
        this.names = new Names(settings.domain(), settings.alternativeDomain());
        this.index = index;
    }

    @Override
    public int answer(byte[] in, int length, boolean stream, Recursion recursion, byte[] out, QueryRecord record) {
        return switch (ConsulQuery.verdict(in, length)) {
            case IGNORE -> {
                record.rcode = -1;
                yield Responder.DROPPED;
            }
            case FORMAT_ERROR -> headerOnly(in, out, Rcode.FORMERR, record);
            case NOT_IMPLEMENTED -> headerOnly(in, out, Rcode.NOTIMP, record);
            case ANSWER -> {
                ConsulQuery query = ConsulQuery.read(in, length).orElseThrow();
                record.type = query.type();
                var outside = new ConsulRecursion(recursion);
                Optional<ConsulMessage> reply = reply(query, stream, outside);
                if (outside.isWaiting() || (reply.isEmpty() && (outside.isAvailable() || isLate(query)))) {
                    yield Responder.OUTSIDE;
                }
                yield write(query, reply.orElseGet(() -> refused(query)), in, out, record);
            }
        };
    }

    /// Empty for a name that is left to others.
    private Optional<ConsulMessage> reply(ConsulQuery query, boolean stream, ConsulRecursion outside) {
        boolean forwards = outside.isAvailable();
        var reply = new ConsulMessage(query.question());
        reply.recursionAvailable = forwards;
        if (query.name().isWithin(ARPA)) {
            pointer(query, reply);
            return reply.answers.isEmpty() ? forwards ? Optional.empty() : Optional.of(failed(query)) : Optional.of(reply);
        }
        if (domainOf(query.name()).isEmpty() || (query.type() == RRType.DS && forwards)) {
            return Optional.empty();
        }
        if (isLate(query)) {
            return Optional.empty();
        }
        switch (query.type()) {
            case RRType.SOA -> {
                reply.answers.add(soa());
                nameServers(reply.authority, reply.additional);
            }
            case RRType.NS -> nameServers(reply.answers, reply.additional);
            case RRType.AXFR -> reply.rcode = Rcode.NOTIMP;
            default -> new Look(query.name(), query.type(), query.payload(), stream, DEEPEST_ALIAS, outside).into(reply);
        }
        return Optional.of(reply);
    }

    // ---- kinds of names -----------------------------------------------------------------------------------------

    /// One look for a name, which may lead to another, `depth` more aliases at most.
    private final class Look {
        private final DomainName name;
        private final int type;
        private final OptionalInt edns;
        private final boolean stream;
        private final int depth;
        private final ConsulRecursion outside;

        Look(DomainName name, int type, OptionalInt edns, boolean stream, int depth, ConsulRecursion outside) {
            this.outside = outside;
            this.name = name;
            this.type = type;
            this.edns = edns;
            this.stream = stream;
            this.depth = depth;
        }

        void into(ConsulMessage reply) {
            List<String> labels = labels(name);
            int kindAt = labels.size() - 1;
            while (kindAt >= 0 && !Names.KINDS.contains(labels.get(kindAt)) && !(type == RRType.SRV && labels.get(kindAt).startsWith("_"))) {
                kindAt--;
            }
            if (kindAt < 0) {
                noSuchName(reply);
                return;
            }
            boolean implied = !Names.KINDS.contains(labels.get(kindAt)); // `_web._tcp.consul`
            String kind = implied ? "service" : labels.get(kindAt);
            List<String> parts = labels.subList(0, implied ? kindAt + 1 : kindAt);
            List<String> suffix = labels.subList(kindAt + 1, labels.size());
            if (parts.isEmpty() || (suffix.size() > 1 && !kind.equals("addr"))) {
                noSuchName(reply);
                return;
            }
            Optional<String> datacenter = suffix.stream().findFirst();
            switch (kind) {
                case "service" -> service(parts, datacenter, reply);
                case "node" -> node(String.join(".", parts), datacenter, reply);
                case "addr" -> address(parts, reply);
                default -> noSuchName(reply);
            }
        }

        private void service(List<String> parts, Optional<String> datacenter, ConsulMessage reply) {
            boolean rfc2782 = parts.size() == 2 && parts.get(0).startsWith("_") && parts.get(1).startsWith("_");
            String service = rfc2782 ? parts.get(0).substring(1) : parts.getLast();
            String tag = rfc2782 ? parts.get(1).substring(1) : String.join(".", parts.subList(0, parts.size() - 1));
            boolean anyTag = tag.isEmpty() || (rfc2782 && tag.equals("tcp"));
            List<Instance> healthy = new ArrayList<>(shown(service, anyTag).stream()
                    .filter(each -> datacenter.isEmpty() || datacenter.get().equalsIgnoreCase(each.node().datacenter()))
                    .filter(each -> anyTag || ServiceRecords.hasTag(tag).test(each))
                    .filter(each -> settings.health().admits(each.health()))
                    .toList());
            if (healthy.isEmpty()) {
                noSuchName(reply);
                return;
            }
            List<Instance> instances = new ArrayList<>(around.gate().withheld().leave(service, healthy));
            Collections.shuffle(instances, ThreadLocalRandom.current());
            int ttl = seconds(settings.ttls().ofService(service));
            if (type == RRType.SRV) {
                services(instances, ttl, reply);
            } else {
                addresses(instances, ttl, reply);
            }
            if (reply.answers.isEmpty() && instances.size() < healthy.size() && type != RRType.SRV) {
                addresses(healthy, ttl, reply);
            }
            if (stream) {
                reply.trimForTcp(type);
            } else {
                reply.trimForUdp(edns.orElse(0));
            }
            if (reply.answers.isEmpty()) {
                reply.authority.add(soa());
            }
        }

        /// The gateways in place of the instances, where they are answered.
        private List<Instance> shown(String service, boolean whole) {
            List<Instance> instances = index.service(service);
            return whole && !instances.isEmpty() && new ServiceRecords(settings).answersGateways(service, instances, around)
                    ? settings.gateways().inPlaceOf(instances, around.gateways())
                    : instances;
        }

        /// Each different address once; an alias only where nobody has an address, and then one.
        private void addresses(List<Instance> instances, int ttl, ConsulMessage reply) {
            Optional<DomainName> alias = Optional.empty();
            Set<Rdata> seen = new HashSet<>();
            for (Instance each : instances) {
                Found found = find(each, ttl);
                if (found.answers.isEmpty() || !seen.add(found.answers.getFirst().rdata())) {
                    continue;
                }
                if (!(found.answers.getFirst().rdata() instanceof Rdata.Cname(var target))) {
                    reply.answers.addAll(found.answers);
                } else if (alias.isEmpty()) {
                    alias = Optional.of(target);
                }
            }
            if (reply.answers.isEmpty() && alias.isPresent()) {
                reply.answers.add(new ResourceRecord(name, ttl, new Rdata.Cname(alias.get())));
                reply.answers.addAll(led(alias.get(), ttl));
            }
        }

        private void services(List<Instance> instances, int ttl, ConsulMessage reply) {
            Set<List<String>> seen = new HashSet<>();
            for (Instance each : instances) {
                if (!seen.add(List.of(each.node().name(), ConsulAddress.of(each, type), String.valueOf(each.port())))) {
                    continue;
                }
                Found found = find(each, ttl);
                reply.answers.addAll(found.answers);
                reply.additional.addAll(found.additional);
                reply.additional.addAll(meta(names.ofNode(each.node()), each.node(), ttl));
            }
        }

        private record Found(List<ResourceRecord> answers, List<ResourceRecord> additional) {
            static final Found NOTHING = new Found(List.of(), List.of());
        }

        private Found find(Instance instance, int ttl) {
            String own = ConsulAddress.of(instance, type);
            String node = ConsulAddress.of(instance.node(), type);
            Optional<InetAddress> ownIp = Locator.ip(own);
            Optional<InetAddress> nodeIp = Locator.ip(node);
            if (own.isEmpty() && node.isEmpty()) {
                return Found.NOTHING;
            }
            if (own.isEmpty()) {
                if (nodeIp.isEmpty()) {
                    return alias(instance, node, ttl);
                }
                return node.equals(instance.node().address())
                        ? at(instance, nodeIp.get(), names.ofNode(instance.node()), ttl)
                        : at(instance, nodeIp.get(), spelled(instance, nodeIp.get()), ttl);
            }
            if (ownIp.isPresent()) {
                return at(instance, ownIp.get(), spelled(instance, ownIp.get()), ttl);
            }
            boolean self = Names.isHostName(own) && DomainName.of(own).toString().equals(name.toString());
            return self && nodeIp.isPresent() ? at(instance, nodeIp.get(), names.ofNode(instance.node()), ttl) : alias(instance, own, ttl);
        }

        private Found at(Instance instance, InetAddress ip, DomainName target, int ttl) {
            if (!answers(type, ip)) {
                return Found.NOTHING;
            }
            var address = new Rdata.Address(ip);
            return type == RRType.SRV
                    ? new Found(List.of(srv(instance, target, ttl)), List.of(new ResourceRecord(target, ttl, address)))
                    : new Found(List.of(new ResourceRecord(name, ttl, address)), List.of());
        }

        private Found alias(Instance instance, String hostName, int ttl) {
            if (!Names.isHostName(hostName)) {
                return Found.NOTHING;
            }
            DomainName target = DomainName.of(hostName);
            return type == RRType.SRV
                    ? new Found(List.of(srv(instance, target, ttl)), led(target, ttl))
                    : new Found(List.of(new ResourceRecord(name, ttl, new Rdata.Cname(target))), List.of());
        }

        /// What is behind the alias of a service, with the service's own TTL.
        private List<ResourceRecord> led(DomainName target, int ttl) {
            return follow(target).stream()
                    .filter(each -> each.type() == RRType.CNAME || each.type() == RRType.A || each.type() == RRType.AAAA)
                    .limit(edns.isPresent() ? Long.MAX_VALUE : MOST_ALIASED)
                    .map(each -> new ResourceRecord(each.owner(), ttl, each.rdata()))
                    .toList();
        }

        private ResourceRecord srv(Instance instance, DomainName target, int ttl) {
            return new ResourceRecord(name, ttl, new Rdata.Srv(1, instance.weight(), instance.port(), target, List.of()));
        }

        /// Where an alias leads: to a name of ours, or to one that somebody else is asked about.
        private List<ResourceRecord> follow(DomainName target) {
            if (domainOf(target).filter(domain -> !domain.equals(target)).isEmpty()) {
                return outside.addresses(target);
            }
            if (depth < 1) {
                return List.of();
            }
            var inner = new ConsulMessage(new byte[] {0, 0, 0, 0, 0});
            new Look(target, RRType.ANY, OptionalInt.empty(), false, depth - 1, outside).into(inner);
            return inner.answers;
        }

        private void node(String nodeName, Optional<String> datacenter, ConsulMessage reply) {
            if (!hasNodes(type)) {
                return;
            }
            Optional<Node> found = index.node(nodeName).filter(node -> datacenter.isEmpty() || datacenter.get().equalsIgnoreCase(node.datacenter()));
            if (found.isEmpty()) {
                noSuchName(reply);
                return;
            }
            Node node = found.get();
            int ttl = seconds(settings.ttls().node());
            if (type != RRType.TXT) {
                String address = ConsulAddress.of(node, type);
                Optional<InetAddress> ip = Locator.ip(address);
                if (ip.isPresent() && answers(type, ip.get())) {
                    reply.answers.add(new ResourceRecord(name, ttl, new Rdata.Address(ip.get())));
                } else if (ip.isEmpty() && Names.isHostName(address)) {
                    DomainName target = DomainName.of(address);
                    reply.answers.add(new ResourceRecord(name, ttl, new Rdata.Cname(target)));
                    reply.answers.addAll(follow(target));
                }
            }
            List<ResourceRecord> section = type == RRType.TXT || type == RRType.ANY ? reply.answers : reply.additional;
            section.addAll(meta(name, node, ttl));
        }

        private void address(List<String> parts, ConsulMessage reply) {
            String digits = parts.getFirst();
            if (parts.size() != 1) {
                noSuchName(reply);
                return;
            }
            int bytes = digits.length() / 2;
            if (bytes != 4 && bytes != 16) {
                return;
            }
            try {
                InetAddress address = InetAddress.getByAddress(HexFormat.of().parseHex(digits));
                DomainName owner = settings.domain().prependLabels(String.join(".", labels(name)));
                reply.answers.add(new ResourceRecord(owner, seconds(settings.ttls().node()), new Rdata.Address(address)));
            } catch (IllegalArgumentException | java.net.UnknownHostException _) {
                noSuchName(reply);
            }
        }
    }

    private void pointer(ConsulQuery query, ConsulMessage reply) {
        if (query.type() == RRType.SOA) {
            reply.authority.add(soa());
        }
        index.nodeAt(query.name())
                .map(names::ofNode)
                .or(() -> index.instanceAt(query.name()).map(each -> names.ofService(each.service(), each.node().datacenter()).getLast()))
                .ifPresent(target -> reply.answers.add(new ResourceRecord(query.name(), 0, new Rdata.Ptr(target))));
    }

    /// Up to three of Consul's own servers, with their addresses.
    private void nameServers(List<ResourceRecord> section, List<ResourceRecord> glue) {
        List<Instance> servers = new ArrayList<>(
                index.service("consul").stream().filter(each -> settings.health().admits(each.health())).toList());
        Collections.shuffle(servers, ThreadLocalRandom.current());
        int ttl = seconds(settings.ttls().node());
        servers.stream().filter(each -> each.node().name().matches("[A-Za-z0-9-]+")).limit(3).forEach(each -> {
            DomainName server = names.ofNode(each.node());
            section.add(new ResourceRecord(settings.domain(), ttl, new Rdata.Ns(server, List.of())));
            Locator.ip(ConsulAddress.of(each.node(), RRType.ANY)).ifPresent(ip -> glue.add(new ResourceRecord(server, ttl, new Rdata.Address(ip))));
        });
    }

    private ResourceRecord soa() {
        int negative = seconds(settings.negativeTtl());
        return new ResourceRecord(settings.domain(), negative, new Rdata.Soa(
                settings.domain().child("ns"), settings.domain().child("hostmaster"), System.currentTimeMillis() / 1000, 3600, 600, 86400, negative));
    }

    private void noSuchName(ConsulMessage reply) {
        reply.rcode = Rcode.NXDOMAIN;
        reply.authority.add(soa());
    }

    /// Node metadata as text, in no order.
    private static List<ResourceRecord> meta(DomainName owner, Node node, int ttl) {
        return node.meta().entrySet().stream().map(each -> new ResourceRecord(owner, ttl, ServiceRecords.text(each))).toList();
    }

    private DomainName spelled(Instance instance, InetAddress ip) {
        return names.under("addr", instance.node().datacenter()).child(HexFormat.of().formatHex(ip.getAddress()));
    }

    /// Whether a query of a type gets the address as a record of whatever type that address has.
    private static boolean answers(int type, InetAddress ip) {
        return switch (type) {
            case RRType.A -> ip instanceof Inet4Address;
            case RRType.AAAA -> !(ip instanceof Inet4Address);
            case RRType.SRV, RRType.ANY, RRType.NS, RRType.TXT -> true;
            default -> false;
        };
    }

    /// The labels below the domain in lower case, and as text: what needs an escape matches nothing.
    private List<String> labels(DomainName name) {
        String text = name.toString().toLowerCase(Locale.ROOT);
        int domain = domainOf(name).map(each -> each.toString().length()).orElse(0);
        String relative = text.substring(0, Math.max(0, text.length() - domain - 1));
        return relative.isEmpty() ? List.of() : Arrays.asList(relative.split("(?<!\\\\)\\.", -1));
    }

    private boolean isLate(ConsulQuery query) {
        return settings.late()
                && query.type() != RRType.SOA
                && query.type() != RRType.NS
                && LateName.of(names, query.name()).filter(name -> isElsewhere(name) && (!(name.wanted() instanceof Wanted.OnNode) || hasNodes(query.type()))).isPresent();
    }

    /// Whether nodes are looked for to answer a type.
    private static boolean hasNodes(int type) {
        return type == RRType.A || type == RRType.AAAA || type == RRType.ANY || type == RRType.TXT;
    }

    private boolean isElsewhere(LateName name) {
        String datacenter = name.wanted().datacenter();
        return datacenter.isEmpty() || !name.ofService() || !index.hasDatacenter(datacenter);
    }

    /// The longest of our domains that the name is in.
    private Optional<DomainName> domainOf(DomainName name) {
        return Stream.concat(Stream.of(settings.domain()), settings.alternativeDomain().stream())
                .filter(name::isWithin)
                .max(Comparator.comparingInt(DomainName::length));
    }

    private static int seconds(Duration ttl) {
        return Math.toIntExact(ttl.toSeconds());
    }

    // ---- bytes --------------------------------------------------------------------------------------------------

    private static ConsulMessage refused(ConsulQuery query) {
        var reply = new ConsulMessage(query.question());
        reply.authoritative = false;
        reply.rcode = Rcode.REFUSED;
        return reply;
    }

    /// Consul's answer where it has nobody to ask.
    private static ConsulMessage failed(ConsulQuery query) {
        var reply = new ConsulMessage(query.question());
        reply.authoritative = false;
        reply.recursionAvailable = true;
        reply.rcode = Rcode.SERVFAIL;
        return reply;
    }

    private static int headerOnly(byte[] in, byte[] out, int rcode, QueryRecord record) {
        Arrays.fill(out, 4, 12, (byte) 0);
        out[0] = in[0];
        out[1] = in[1];
        // Whatever was set stays, but for the operation, which a format error takes for a query.
        out[2] = (byte) (0x80 | (in[2] & (rcode == Rcode.FORMERR ? 0x03 : 0x7b)));
        out[3] = (byte) ((in[3] & 0xb0) | rcode);
        record.rcode = rcode;
        record.responseBytes = 12;
        return 12;
    }

    private static int write(ConsulQuery query, ConsulMessage reply, byte[] in, byte[] out, QueryRecord record) {
        byte[] message = reply.encode(true, reply.rcode == Rcode.REFUSED ? new byte[0] : query.opt(false));
        message[0] = in[0];
        message[1] = in[1];
        message[2] |= (byte) (in[2] & 0x78);
        if ((in[2] & 0x78) == 0) {
            message[2] |= (byte) (in[2] & 0x01); // RD
            message[3] |= (byte) (in[3] & 0x10); // CD
        }
        int length = Math.min(message.length, out.length);
        System.arraycopy(message, 0, out, 0, length);
        record.rcode = reply.rcode;
        record.answers = reply.answers.size();
        record.responseBytes = length;
        record.source = reply.rcode == Rcode.REFUSED ? QueryRecord.Source.NONE : QueryRecord.Source.ZONE;
        return length;
    }
}
