package dev.gatepost.dns;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;

/// What the zone answers to one question, in words: for people, not for the hot path. It asks the responder that answers
/// clients and reads its bytes, so it can't tell another story.
///
/// @param rcode   REFUSED for a name that the zone leaves to others
/// @param answers one record a line, in presentation format
public record Answer(int rcode, List<String> answers, List<String> authority, List<String> additional) {

    /// Asks for everything, as a client that comes by TCP does.
    public static Answer of(Zone zone, DomainName name, int type) {
        byte[] query = ByteBuffer.allocate(Query.HEADER + name.length() + 4)
                .position(4)
                .putShort((short) 1)
                .position(Query.HEADER)
                .put(name.wire())
                .putShort((short) type)
                .putShort((short) Query.CLASS_IN)
                .array();
        byte[] out = new byte[Responder.MAX_MESSAGE];
        var responder = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD);
        int length = responder.answer(zone, query, query.length, true, out);
        if (length == Responder.OUTSIDE) {
            length = responder.refuse(query);
        }
        try {
            var message = new Message(Arrays.copyOf(out, length));
            return new Answer(
                    message.getRcode(), lines(message, Section.ANSWER), lines(message, Section.AUTHORITY), lines(message, Section.ADDITIONAL));
        } catch (IOException e) {
            throw new IllegalStateException("unreadable answer to " + name + " " + RRType.name(type), e);
        }
    }

    private static List<String> lines(Message message, int section) {
        return message.getSection(section).stream().map(record -> record.toString().replace('\t', ' ')).toList();
    }
}
