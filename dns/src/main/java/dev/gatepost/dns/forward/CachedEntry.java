package dev.gatepost.dns.forward;

import dev.gatepost.dns.RRType;
import dev.gatepost.dns.Rcode;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;

/// An answer in the cache, in words.
///
/// @param state      `fresh`, `stale` (past its TTL and kept for the time that nobody answers) or `failure`
/// @param ttlSeconds that it has left; negative when it is past it
/// @param records    one a line, with the TTLs that the upstream gave
/// @param dnssec     asked with the DO bit
/// @param unchecked  asked with the CD bit
/// @param upstream   who answered; empty for a failure
public record CachedEntry(
        String name,
        String type,
        String rcode,
        String state,
        long ttlSeconds,
        int hits,
        List<String> records,
        boolean dnssec,
        boolean unchecked,
        String upstream,
        String why) {

    static CachedEntry of(QuestionKey key, CachedAnswer answer, long nowNanos) {
        return new CachedEntry(
                key.domainName().toString(),
                key.type() == 0 ? "any type" : RRType.name(key.type()),
                Rcode.name(answer.rcode),
                answer.isFailure() ? "failure" : answer.isFresh(nowNanos) ? "fresh" : "stale",
                -TimeUnit.NANOSECONDS.toSeconds(answer.overdueNanos(nowNanos)),
                answer.hits,
                records(key, answer),
                key.dnssecOk(),
                key.checkingDisabled(),
                answer.upstream,
                answer.words());
    }

    private static List<String> records(QuestionKey key, CachedAnswer answer) {
        int question = AnswerReader.HEADER + key.nameLength() + 4;
        byte[] message = new byte[question + answer.records.length];
        message[2] = (byte) 0x80;
        message[5] = 1;
        message[6] = (byte) (answer.answers >> 8);
        message[7] = (byte) answer.answers;
        message[8] = (byte) (answer.authority >> 8);
        message[9] = (byte) answer.authority;
        System.arraycopy(key.name(), 0, message, AnswerReader.HEADER, key.nameLength());
        // Of no interest to anybody, but a question needs a type.
        message[question - 3] = 1;
        message[question - 1] = 1;
        System.arraycopy(answer.records, 0, message, question, answer.records.length);
        try {
            Message parsed = new Message(message);
            return IntStream.of(Section.ANSWER, Section.AUTHORITY)
                    .boxed()
                    .flatMap(section -> parsed.getSection(section).stream())
                    .map(record -> record.toString().replace('\t', ' '))
                    .toList();
        } catch (IOException e) {
            // Rdata is passed on as it came, for those who may know its type better.
            return List.of(answer.records.length + " bytes (expected: records; " + e.getMessage() + ")");
        }
    }
}
