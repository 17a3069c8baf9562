package dev.gatepost.gateway;

import dev.gatepost.gateway.ConsulDifferenceTest.Question;
import dev.gatepost.gateway.DnsReply.Aspect;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static dev.gatepost.gateway.DnsReply.Aspect.ADDITIONAL;
import static dev.gatepost.gateway.DnsReply.Aspect.ANSWER;
import static dev.gatepost.gateway.DnsReply.Aspect.AUTHORITATIVE;
import static dev.gatepost.gateway.DnsReply.Aspect.AUTHORITY;
import static dev.gatepost.gateway.DnsReply.Aspect.OPT;
import static dev.gatepost.gateway.DnsReply.Aspect.RCODE;
import static dev.gatepost.gateway.DnsReply.Aspect.RECURSION;
import static dev.gatepost.gateway.DnsReply.Aspect.SILENCE;
import static dev.gatepost.gateway.DnsReply.Aspect.SIZE;
import static dev.gatepost.gateway.DnsReply.Aspect.TRUNCATED;
import static dev.gatepost.gateway.DnsReply.Aspect.TTL;

/// Something that Gatepost answers differently from Consul 1.8 on purpose.
///
/// @param consul   what Consul answers
/// @param gatepost what Gatepost answers
/// @param why      RFC or issue
/// @param aspects  what of an answer it excuses
/// @param applies  to which questions
record Divergence(String consul, String gatepost, String why, Set<Aspect> aspects, Predicate<Question> applies) {
    private static final Set<String> WITHOUT_RECORDS = Set.of(
            "", "node", "service", "query", "addr", "connect", "ingress", "dc1", "service.dc1", "node.dc1", "v1.db.service");

    private static final Divergence LONG_METADATA = new Divergence(
            "no answer at all when a value of the node's metadata is longer than 255 bytes",
            "the value as several character-strings",
            "RFC 1035 section 3.3.14",
            Set.of(SILENCE),
            each -> each.name().startsWith("long."));
    private static final Divergence UNKNOWN_STATUS = new Divergence(
            "a check with a status that it doesn't know counts as passed",
            "counts as critical, as it does for the gate",
            "one health rule for both halves",
            EnumSet.allOf(Aspect.class),
            each -> each.name().startsWith("unk."));

    static final List<Divergence> OF_THE_MIMIC = List.of(
            LONG_METADATA,
            UNKNOWN_STATUS,
            new Divergence(
                    "the client's own EDNS size, and the SOA's owner in lower case",
                    "1232, and the client's spelling, for names that Consul is asked for",
                    "formed by the responder: RFC 6891 section 6.2.3, RFC 4343 section 4.1",
                    Set.of(OPT, AUTHORITY),
                    each -> lower(each.consul().facts(Section.AUTHORITY).toString()).equals(lower(each.gatepost().facts(Section.AUTHORITY).toString()))
                            && each.name().matches(".*\\.(query|connect|ingress|dc9)")));

    static final List<Divergence> OF_STRICT = List.of(
            LONG_METADATA,
            UNKNOWN_STATUS,
            new Divergence(
                    "TTL 0 on everything unless configured",
                    "2 s, 1 s on negative answers",
                    "RFC 2308 section 5; consul#84, #2301, #4713, #10577",
                    Set.of(TTL),
                    each -> each.gatepost().ttls().stream().allMatch(ttl -> ttl == 1 || ttl == 2)),
            new Divergence(
                    "the client's own EDNS size",
                    "1232, which passes without fragments",
                    "RFC 6891 section 6.2.3; DNS flag day 2020",
                    Set.of(OPT),
                    each -> each.gatepost().opt().isPresent() == each.consul().opt().isPresent() || each.consul().rcode().equals("REFUSED")),
            new Divergence(
                    "NXDOMAIN for names that have names below them: the domain itself, `service`, `dc1`, `_db._tcp` asked for A",
                    "NOERROR without records",
                    "RFC 8020; RFC 9156; consul#6579",
                    Set.of(RCODE, ANSWER, AUTHORITY, ADDITIONAL),
                    each -> negative(each.consul(), "NXDOMAIN")
                            && each.gatepost().rcode().equals("NOERROR")
                            && Set.of("NS").containsAll(each.gatepost().types(Section.ANSWER))
                            && (WITHOUT_RECORDS.contains(each.name()) || each.name().startsWith("_"))),
            new Divergence(
                    "NXDOMAIN for a service without a healthy instance",
                    "NOERROR without records, so that nobody remembers its end",
                    "RFC 8020; consul#743",
                    Set.of(RCODE, AUTHORITY),
                    each -> negative(each, "NXDOMAIN", "NOERROR") && Set.of("allcrit.service", "maint.service").contains(each.name())),
            new Divergence(
                    "no SOA with the empty answer of a node",
                    "SOA with every negative answer",
                    "RFC 2308 section 2.2",
                    Set.of(AUTHORITY),
                    each -> negative(each, "NOERROR", "NOERROR") && each.consul().section(Section.AUTHORITY).isEmpty()),
            new Divergence(
                    "NOERROR for a node that isn't there, asked for anything but addresses and TXT",
                    "NXDOMAIN",
                    "RFC 8020 section 2",
                    Set.of(RCODE, AUTHORITY),
                    each -> negative(each, "NOERROR", "NXDOMAIN") && each.name().contains(".node")),
            new Divergence(
                    "NXDOMAIN for `_db._tcp` asked for ANY",
                    "its SRV records",
                    "RFC 2782; RFC 8482 section 4.1",
                    Set.of(RCODE, ANSWER, AUTHORITY, ADDITIONAL),
                    each -> each.type() == Type.ANY && each.name().startsWith("_") && each.gatepost().types(Section.ANSWER).equals(Set.of("SRV"))),
            new Divergence(
                    "an alias to itself for a service whose address is its own name, when the client spells it otherwise",
                    "its node's address",
                    "RFC 4343 section 3",
                    Set.of(ANSWER, AUTHORITY, ADDITIONAL),
                    each -> each.name().equals("self.service")),
            new Divergence(
                    "an alias for the types that a service has no addresses of, when one of its instances is a host name",
                    "none beside addresses",
                    "RFC 1034 section 3.6.2",
                    Set.of(ANSWER, AUTHORITY),
                    each -> each.name().equals("mixed.service") && negative(each.gatepost(), "NOERROR")),
            new Divergence(
                    "the aliases of a loop, over and over",
                    "each once",
                    "RFC 1034 section 3.6.2",
                    Set.of(ANSWER, ADDITIONAL, TTL, SIZE),
                    each -> each.name().equals("loop1.service")),
            new Divergence(
                    "the domain's SOA with every negative answer",
                    "that of the closest zone: every kind of name and datacenter is one, and may be delegated",
                    "RFC 2308 section 3; consul#3439, #7524",
                    Set.of(AUTHORITY),
                    each -> each.consul().soaOwner().isPresent() && each.gatepost().soaOwner().filter(owner -> below(each, owner)).isPresent()),
            new Divergence(
                    "SOA and NS for any name at all, with Consul's servers",
                    "at the top of each zone, with `ns`",
                    "RFC 1034 section 4.2.1; RFC 2308 section 2",
                    Set.of(RCODE, ANSWER, AUTHORITY, ADDITIONAL, SIZE),
                    each -> each.type() == Type.SOA || each.type() == Type.NS),
            new Divergence(
                    "everything it has for ANY",
                    "one set of records",
                    "RFC 8482 section 4.1",
                    Set.of(ANSWER, AUTHORITY, ADDITIONAL, SIZE, TRUNCATED),
                    each -> each.type() == Type.ANY && each.gatepost().types(Section.ANSWER).size() == 1),
            new Divergence(
                    "addresses for TXT, and for any type below `addr`; PTR for any type",
                    "records of the type, or none",
                    "RFC 1034 section 3.7.1; consul#10393",
                    Set.of(ANSWER, AUTHORITY, ADDITIONAL, SIZE),
                    each -> each.consul().answers().stream().noneMatch(record -> record.getType() == each.type() || record.getType() == Type.CNAME)
                            && negative(each.gatepost(), "NOERROR")),
            new Divergence(
                    "node metadata as additional TXT, in every answer",
                    "when it is asked for",
                    "consul#4354, #5271, #6567",
                    Set.of(ADDITIONAL),
                    each -> withoutText(each.consul()).equals(each.gatepost().facts(Section.ADDITIONAL)) && each.consul().types(Section.ADDITIONAL).contains("TXT")),
            new Divergence(
                    "three answers to a client without EDNS, and without TC whatever was cut; larger than the client allows with a client subnet",
                    "all that fit, with TC where that isn't all",
                    "RFC 2181 section 9; consul#3355, #9945",
                    Set.of(ANSWER, ADDITIONAL, SIZE, TRUNCATED),
                    each -> each.many() && !each.way().stream() && !each.gatepost().answers().isEmpty() && each.gatepost().size() <= Math.max(512, Math.min(1232, each.way().edns()))),
            new Divergence(
                    "the tagged IPv6 address alone for SRV",
                    "both families",
                    "RFC 2782",
                    Set.of(ANSWER, ADDITIONAL),
                    each -> each.type() == Type.SRV && Set.of("lan.service", "onlan.service").contains(each.name())),
            new Divergence(
                    "A and metadata behind an alias, whatever was asked for",
                    "what was asked for; an alias has no records beside it",
                    "RFC 1034 sections 3.6.2 and 4.3.2",
                    Set.of(ANSWER, AUTHORITY, ADDITIONAL),
                    each -> !each.gatepost().answers().isEmpty()
                            && each.gatepost().answers().getFirst().getType() == Type.CNAME
                            && each.gatepost().answers().stream().allMatch(record -> record.getType() == Type.CNAME || record.getType() == each.type())),
            new Divergence(
                    "an address name in lower case and under the domain, whatever was asked for",
                    "in the client's spelling",
                    "RFC 4343 section 4.1",
                    Set.of(ANSWER),
                    each -> each.name().contains(".addr")
                            && each.consul().facts(Section.ANSWER).stream().map(Divergence::lower).collect(Collectors.toSet())
                                    .equals(each.gatepost().facts(Section.ANSWER).stream().map(Divergence::lower).collect(Collectors.toSet()))),
            new Divergence(
                    "an address name in any datacenter, with anything behind; an empty answer for a wrong number of digits",
                    "NXDOMAIN",
                    "RFC 1034 section 4.3.2",
                    Set.of(RCODE, ANSWER, AUTHORITY, ADDITIONAL),
                    each -> each.name().contains(".addr") && negative(each.gatepost(), "NXDOMAIN")),
            new Divergence(
                    "any beginning of a node's id that is unique at the moment",
                    "the whole id",
                    "RFC 1034 section 4.3.2: names don't end when others begin",
                    Set.of(RCODE, ANSWER, AUTHORITY, ADDITIONAL),
                    each -> each.name().equals("40e4a748.node") && negative(each.gatepost(), "NXDOMAIN")),
            new Divergence(
                    "SERVFAIL for a reverse name that it doesn't know",
                    "NXDOMAIN in private networks, REFUSED in public ones",
                    "RFC 6303; consul#1800, #20679",
                    Set.of(RCODE, AUTHORITATIVE, RECURSION, AUTHORITY),
                    each -> each.name().endsWith(".arpa.") && each.consul().rcode().equals("SERVFAIL")),
            new Divergence(
                    "NXDOMAIN for the name server's own name",
                    "its address",
                    "RFC 1034 section 4.2.1",
                    Set.of(RCODE, ANSWER, AUTHORITY),
                    each -> each.name().equals("ns")));

    /// The table of the README: generated, so that it can't say something else than the tests.
    static String table() {
        return Stream.concat(
                        Stream.of("| Consul 1.8 | Gatepost | why |", "|---|---|---|"),
                        OF_STRICT.stream().map(each -> "| %s | %s | %s |".formatted(
                                each.consul, each.gatepost + (OF_THE_MIMIC.contains(each) ? "; with `consul-1.8` as well" : ""), each.why)))
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private static boolean negative(Question question, String consul, String gatepost) {
        return negative(question.consul(), consul) && negative(question.gatepost(), gatepost);
    }

    /// No answer, and a SOA where that is ours to say.
    private static boolean negative(DnsReply reply, String rcode) {
        return reply.rcode().equals(rcode) && reply.answers().isEmpty();
    }

    private static boolean below(Question question, String owner) {
        return lower(question.question()).endsWith(lower(owner));
    }

    private static Set<String> withoutText(DnsReply reply) {
        return reply.section(Section.ADDITIONAL).stream()
                .filter(record -> record.getType() != Type.TXT)
                .map(DnsReply::fact)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
