package dev.gatepost.dns;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;

/// Why an answer is what it is: RFC 8914.
class ExtendedErrorsTest {
    private final Zone zone = TestZones.sample();

    @ParameterizedTest
    @CsvSource({
        "web.service.consul., A, IN, NOERROR, -",
        "web.service.consul., MX, IN, NOERROR, -",
        "nothing.consul., A, IN, NXDOMAIN, -",
        "down.service.consul., A, IN, NOERROR, '0 known, but there is nothing to point at now'",
        "www.example.com., A, IN, REFUSED, '20 not a name of ours, and nobody is asked about others'",
        "web.service.consul., A, CH, REFUSED, '21 class IN only'",
        "consul., AXFR, IN, REFUSED, '21 no zone transfers'",
        "consul., TYPE200, IN, NOTIMP, '21 no such operation'"
    })
    void saysWhy(String name, String type, String queryClass, String rcode, String expected) throws Exception {
        Message answer = ask(zone, name, Type.value(type), DClass.value(queryClass), 1232);
        assertEquals(rcode, Rcode.name(answer.getRcode()));
        assertEquals(expected, why(answer));
    }

    @Test
    void saysThatItKnowsNothingYet() throws Exception {
        Message answer = ask(zone.incomplete(), "nothing.consul.", Type.A, DClass.IN, 1232);
        assertEquals(Rcode.SERVFAIL, answer.getRcode());
        assertEquals("14 no complete catalog yet", why(answer));
    }

    @Test
    void saysThatItIsStaleBeforeAllElse() throws Exception {
        assertEquals("3 ", why(ask(zone.asStale(), "down.service.consul.", Type.A, DClass.IN, 1232)));
    }

    private static Message ask(Zone zone, String name, int type, int queryClass, int size) throws Exception {
        Message query = Message.newQuery(Record.newRecord(Name.fromString(name), type, queryClass));
        query.addRecord(new OPTRecord(size, 0, 0), Section.ADDITIONAL);
        byte[] bytes = query.toWire();
        byte[] out = new byte[Responder.MAX_MESSAGE];
        var responder = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD);
        int length = responder.answer(zone, bytes, bytes.length, false, out);
        return new Message(Arrays.copyOf(out, length == Responder.OUTSIDE ? responder.refuse(bytes) : length));
    }

    private static String why(Message answer) {
        List<EDNSOption> errors = answer.getOPT().getOptions(EDNSOption.Code.EDNS_EXTENDED_ERROR);
        if (errors.isEmpty()) {
            return "-";
        }
        var error = (ExtendedErrorCodeOption) errors.getFirst();
        return error.getErrorCode() + " " + (error.getText() == null ? "" : error.getText());
    }
}
