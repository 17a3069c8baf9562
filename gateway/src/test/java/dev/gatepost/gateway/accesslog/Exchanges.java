package dev.gatepost.gateway.accesslog;

import dev.gatepost.dns.QueryRecord;
import java.nio.charset.StandardCharsets;

/// Records as the proxy and the DNS server fill them.
final class Exchanges {
    /// 2026-11-22T16:41:48.123456Z.
    static final long START = 1_795_365_708_123_456_789L;

    private Exchanges() {}

    static ExchangeRecord typical() {
        ExchangeRecord exchange = new ExchangeRecord();
        exchange.connection = new ConnectionLabel(
                "192.0.2.7", 51_234, "198.51.100.1", 8443, "https", "1.3", "TLS_AES_128_GCM_SHA256", "shop.example.com", "h2", true);
        exchange.route = new RouteLabel("shop.example.com/api", "shop.example.com/api", "tag");
        exchange.startEpochNanos = START;
        exchange.durationNanos = 2_345_678;
        set(exchange.method, "GET");
        set(exchange.target, "/api/items?page=2");
        set(exchange.authority, "shop.example.com:8443");
        set(exchange.referrer, "https://shop.example.com/");
        set(exchange.userAgent, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        set(exchange.requestId, "0190f7b2c4d87e31");
        set(exchange.traceId, "4bf92f3577b34da6a3ce929d0e0e4736");
        set(exchange.spanId, "00f067aa0ba902b7");
        set(exchange.requestMimeType, "application/x-www-form-urlencoded");
        set(exchange.clientIp, "203.0.113.9");
        set(exchange.responseMimeType, "application/json");
        exchange.protocol = ExchangeRecord.Protocol.H2;
        exchange.httpVersion = 20;
        exchange.status = 200;
        exchange.requestBytes = 412;
        exchange.responseBytes = 1893;
        exchange.responseBodyBytes = 1742;
        Attempt refused = exchange.attempt(new EndpointLabel("web", "web-2", "node-b", "dc1", "10.0.0.6", 9001));
        refused.result = Cause.UPSTREAM_CONNECT_REFUSED;
        refused.queueNanos = 1_250_000;
        refused.durationNanos = 80_000;
        Attempt answered = exchange.attempt(new EndpointLabel("web", "web-1", "node-a", "dc1", "10.0.0.5", 9001));
        answered.reusedConnection = true;
        answered.firstByteNanos = 1_900_000;
        answered.durationNanos = 12_345_678;
        exchange.reusedConnection = true;
        exchange.revision = 41;
        exchange.healthyInstances = 3;
        exchange.acceptNanos = 3_100_000;
        exchange.tlsNanos = 2_900_000;
        exchange.requestHeaderNanos = 12_000;
        exchange.requestBodyNanos = 40_999;
        exchange.queueNanos = 1_250_000;
        exchange.connectNanos = 250_000;
        exchange.upstreamTlsNanos = 200_000;
        exchange.firstByteNanos = 1_900_000;
        exchange.bodyNanos = 17_000;
        return exchange;
    }

    static QueryRecord query() {
        QueryRecord query = new QueryRecord();
        query.startEpochNanos = START;
        query.durationNanos = 8_500;
        query.clientAddress = new byte[] {(byte) 192, 0, 2, 7};
        query.clientPort = 40_001;
        name(query, "Web", "service", "consul");
        query.id = 4711;
        query.type = 33;
        query.queryClass = 1;
        query.rcode = 0;
        query.answers = 2;
        query.queryBytes = 44;
        query.responseBytes = 140;
        query.revision = 41;
        return query;
    }

    static void set(Slice slice, String text) {
        set(slice, text.getBytes(StandardCharsets.UTF_8));
    }

    /// Somewhere inside a larger array, as slices are.
    static void set(Slice slice, byte[] bytes) {
        byte[] larger = new byte[bytes.length + 20];
        java.util.Arrays.fill(larger, (byte) '#');
        System.arraycopy(bytes, 0, larger, 9, bytes.length);
        slice.set(larger, 9, 9 + bytes.length);
    }

    static void name(QueryRecord query, String... labels) {
        byte[] message = new byte[12 + 256];
        int at = 12;
        for (String label : labels) {
            byte[] bytes = label.getBytes(StandardCharsets.ISO_8859_1);
            message[at++] = (byte) bytes.length;
            System.arraycopy(bytes, 0, message, at, bytes.length);
            at += bytes.length;
        }
        query.query = message;
        query.nameFrom = 12;
        query.nameTo = at + 1;
    }
}
