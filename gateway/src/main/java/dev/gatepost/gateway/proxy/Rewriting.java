package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.FieldEdit;
import dev.gatepost.gateway.route.PathEdit;
import java.util.List;
import java.util.Locale;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// What routes with more than the usual options change in a request or response. Works on text, since few routes do this.
final class Rewriting {
    private static final String REPLACED_PATH = "X-Replaced-Path";

    private Rewriting() {}

    /// The URL that the client asked for, without a port that its scheme implies.
    static String url(RequestHead head, boolean secure) {
        byte[] b = head.bytes();
        int to = head.port == (secure ? 443 : 80) ? head.hostTo : head.authorityTo;
        return (secure ? "https://" : "http://") + text(b, head.authorityFrom, to) + text(b, head.originFrom, head.originTo);
    }

    private static String text(byte[] bytes, int from, int to) {
        return new String(bytes, from, to - from, ISO_8859_1);
    }

    /// The forwarded target of a route that edits the path.
    ///
    /// @param plain the target after `strip` and `prepend`, its query included
    static String target(String plain, List<PathEdit> edits) {
        int question = plain.indexOf('?');
        String path = question < 0 ? plain : plain.substring(0, question);
        return PathEdit.applyAll(edits, path).path() + (question < 0 ? "" : plain.substring(question));
    }

    /// As [ForwardedFields#apply(RequestHead, ClientConnection, byte[], RequestIds)], with what the edits took from the path
    /// and what it was before they replaced it.
    static void forwardEdited(RequestHead head, ClientConnection client, RouteState route, RequestIds ids) {
        Scratch plain = new Scratch();
        HeadWriter.plainTarget(plain, head, route);
        String target = text(plain.bytes, 0, plain.end);
        int question = target.indexOf('?');
        PathEdit.Edited edited = PathEdit.applyAll(route.edits, question < 0 ? target : target.substring(0, question));
        byte[] stripped = (text(route.strip, 0, route.strip.length) + edited.stripped()).getBytes(ISO_8859_1);
        drop(head.fields, REPLACED_PATH);
        ForwardedFields.apply(head, client, stripped, ids);
        if (!edited.replaced().isEmpty()) {
            head.fields.add(REPLACED_PATH, edited.replaced());
        }
    }

    static void apply(List<FieldEdit> edits, FieldSection fields, boolean secure) {
        for (FieldEdit edit : edits) {
            if (secure || !edit.tlsOnly()) {
                if (!edit.adds()) {
                    drop(fields, edit.name());
                }
                edit.value().ifPresent(value -> fields.add(edit.name(), value));
            }
        }
    }

    private static void drop(FieldSection fields, String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        for (int i = 0; i < fields.count(); i++) {
            if (fields.isNamed(i, lower)) {
                fields.drop(i);
            }
        }
    }
}
