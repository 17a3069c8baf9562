package dev.gatepost.gateway;

import dev.gatepost.gateway.ConsulDifferenceTest.Question;
import dev.gatepost.gateway.DnsReply.Aspect;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/// Something that Gatepost answers differently from Consul 1.8 on purpose.
///
/// @param consul   what Consul answers
/// @param gatepost what Gatepost answers
/// @param why      RFC or issue
/// @param aspects  what of an answer it excuses
/// @param applies  to which questions
record Divergence(String consul, String gatepost, String why, Set<Aspect> aspects, Predicate<Question> applies) {
    private static final Divergence LONG_METADATA = new Divergence(
            "no answer at all when a value of the node's metadata is longer than 255 bytes",
            "the value as several character-strings",
            "RFC 1035 section 3.3.14",
            Set.of(Aspect.SILENCE),
            each -> each.name().startsWith("long."));
    private static final Divergence UNKNOWN_STATUS = new Divergence(
            "a check with a status that it doesn't know counts as passed",
            "counts as critical",
            "the gate's rule, for both halves",
            EnumSet.allOf(Aspect.class),
            each -> each.name().startsWith("unk."));

    static final List<Divergence> OF_THE_MIMIC = List.of(LONG_METADATA, UNKNOWN_STATUS);
    static final List<Divergence> OF_STRICT = List.of(LONG_METADATA, UNKNOWN_STATUS);
}
