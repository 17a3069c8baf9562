package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.RequestFacts;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The request whose route is being looked for, as conditions see it. One per event loop, since a look-up never waits.
final class MatchedRequest implements RequestFacts {
    private RequestHead head = new RequestHead();
    private boolean secure;
    private byte[] path = {};
    private int pathLength;
    private InetAddress client = InetAddress.getLoopbackAddress();

    /// Turns to another request.
    ///
    /// @param newPath holds the normalised path up to `length`
    MatchedRequest of(RequestHead newHead, boolean newSecure, byte[] newPath, int length, InetAddress address) {
        head = newHead;
        secure = newSecure;
        path = newPath;
        pathLength = length;
        client = address;
        return this;
    }

    @Override
    public boolean secure() {
        return secure;
    }

    @Override
    public String method() {
        return head.methodName();
    }

    @Override
    public String host() {
        byte[] b = head.bytes();
        int to = head.hostTo;
        if (to > head.authorityFrom && b[to - 1] == '.') {
            to--;
        }
        return new String(b, head.authorityFrom, to - head.authorityFrom, ISO_8859_1).toLowerCase(Locale.ROOT);
    }

    @Override
    public String path() {
        return new String(path, 0, pathLength, ISO_8859_1);
    }

    @Override
    public String query() {
        int from = head.pathTo + 1;
        return from >= head.originTo ? "" : new String(head.bytes(), from, head.originTo - from, ISO_8859_1);
    }

    @Override
    public boolean anyField(String name, Predicate<String> test) {
        FieldSection fields = head.fields;
        for (int i = 0; i < fields.count(); i++) {
            if (fields.isNamed(i, name) && test.test(fields.value(i))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Optional<InetAddress> client() {
        return Optional.of(client);
    }
}
