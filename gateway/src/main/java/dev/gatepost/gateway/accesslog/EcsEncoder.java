package dev.gatepost.gateway.accesslog;

import dev.gatepost.dns.QueryRecord;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/// Encodes records as one JSON line each, in the nested form of the Elastic Common Schema, without allocating.
/// What is not known is left out: an index refuses `"-"` where it expects an address or a number.
///
/// `@timestamp` is when the exchange ended, which is when the line is written: an upgraded connection may have begun hours
/// ago. `event.start` says when it began. `event.outcome` is a failure from status 400 on, as in the nginx integration,
/// for a gRPC status other than 0, and for any rcode but NOERROR. Fields that ECS has no name for are under `gatepost`, whose `schema` counts their changes.
///
/// Owned by one thread.
public final class EcsEncoder {
    static final int SCHEMA = 3;

    /// No line is longer, its newline included.
    public static final int MAX_BYTES = JsonLine.MAX_BYTES;

    private static final byte[] TIMESTAMP = ascii("{\"@timestamp\":\"");
    private static final byte[] TYPE_ACCESS = ascii(",\"type\":[\"access\"],\"outcome\":\"");
    private static final byte[] TYPE_DENIED = ascii(",\"type\":[\"access\",\"denied\"],\"outcome\":\"");
    private static final byte[] TYPE_DNS = ascii(",\"type\":[\"protocol\",\"info\"],\"outcome\":\"");
    private static final byte[] TYPE_DNS_DENIED = ascii(",\"type\":[\"protocol\",\"info\",\"denied\"],\"outcome\":\"");
    private static final byte[] SUCCESS = ascii("success\",\"duration\":");
    private static final byte[] FAILURE = ascii("failure\",\"duration\":");
    private static final byte[] START = ascii(",\"start\":\"");
    private static final byte[] CLIENT_IP = ascii(",\"client\":{\"ip\":\"");
    private static final byte[] NETWORK_HTTP = ascii(",\"network\":{\"protocol\":\"http\",\"transport\":\"tcp\"}");
    private static final byte[] HTTP = ascii(",\"http\":{");
    private static final byte[] HTTP_REQUEST = ascii("\"request\":{\"body\":{\"bytes\":");
    private static final byte[] HTTP_RESPONSE = ascii(",\"response\":{\"status_code\":");
    private static final byte[] BODY = ascii(",\"body\":{\"bytes\":");
    private static final byte[] BYTES = ascii(",\"bytes\":");
    private static final byte[] METHOD = ascii(",\"method\":\"");
    private static final byte[] REQUEST_ID = ascii(",\"id\":\"");
    private static final byte[] REFERRER = ascii(",\"referrer\":\"");
    private static final byte[] MIME_TYPE = ascii(",\"mime_type\":\"");
    private static final byte[] DOMAIN = ascii(",\"domain\":\"");
    private static final byte[] PORT = ascii(",\"port\":");
    private static final byte[] ORIGINAL = ascii(",\"original\":\"");
    private static final byte[] PATH = ascii(",\"path\":\"");
    private static final byte[] QUERY = ascii(",\"query\":\"");
    private static final byte[] USER_AGENT = ascii(",\"user_agent\":{\"original\":\"");
    private static final byte[] TRACE = ascii(",\"trace\":{\"id\":\"");
    private static final byte[] SPAN = ascii(",\"span\":{\"id\":\"");
    private static final byte[] ERROR = ascii(",\"error\":{\"type\":\"");
    private static final byte[] ERROR_MESSAGE = ascii("\",\"message\":\"");
    private static final byte[] CLOSE_TEXT_OBJECT = ascii("\"}");
    private static final byte[] GATEPOST = ascii(",\"gatepost\":{\"schema\":" + SCHEMA + ",\"revision\":");
    private static final byte[] GRPC_STATUS = ascii(",\"grpc_status\":");
    private static final byte[] ATTEMPT_COUNT = ascii(",\"attempt_count\":");
    private static final byte[] ATTEMPTS = ascii(",\"attempts\":[");
    private static final byte[] REUSED_ATTEMPT = ascii(",\"reused_conn\":true");
    private static final byte[] NEW_ATTEMPT = ascii(",\"reused_conn\":false");
    private static final byte[] QUEUE_MS = ascii(",\"queue_ms\":");
    private static final byte[] CONNECT_MS = ascii(",\"connect_ms\":");
    private static final byte[] TTFB_MS = ascii(",\"ttfb_ms\":");
    private static final byte[] DURATION_MS = ascii(",\"duration_ms\":");
    private static final byte[] RESULT = ascii(",\"result\":\"");
    private static final byte[] REUSED = ascii(",\"reused_connection\":true");
    private static final byte[] CONNECTED = ascii(",\"reused_connection\":false");
    private static final byte[] HEALTHY = ascii(",\"healthy_instances\":");
    private static final byte[] TIMING = ascii(",\"timing\":{");
    private static final byte[] ACCEPT_US = ascii("\"accept_us\":");
    private static final byte[] TLS_US = ascii("\"tls_us\":");
    private static final byte[] HEADERS_US = ascii("\"headers_us\":");
    private static final byte[] REQUEST_BODY_US = ascii("\"request_body_us\":");
    private static final byte[] QUEUE_US = ascii("\"queue_us\":");
    private static final byte[] CONNECT_US = ascii("\"connect_us\":");
    private static final byte[] UPSTREAM_TLS_US = ascii("\"upstream_tls_us\":");
    private static final byte[] TTFB_US = ascii("\"ttfb_us\":");
    private static final byte[] BODY_US = ascii("\"body_us\":");
    private static final byte[] TRUNCATED = ascii(",\"truncated\":true");
    private static final byte[] END = ascii("}}\n");

    private static final byte[] SOURCE_IP = ascii(",\"source\":{\"ip\":\"");
    private static final byte[] ADDRESS_PORT = ascii("\",\"port\":");
    private static final byte[] DESTINATION_BYTES = ascii(",\"destination\":{\"bytes\":");
    private static final byte[] SERVICE = ascii(",\"service\":{\"name\":\"gatepost\"}");
    private static final byte[] NETWORK_DNS_UDP = ascii(",\"network\":{\"protocol\":\"dns\",\"transport\":\"udp\"}");
    private static final byte[] NETWORK_DNS_TCP = ascii(",\"network\":{\"protocol\":\"dns\",\"transport\":\"tcp\"}");
    private static final byte[] DNS_ANSWER = ascii(",\"dns\":{\"type\":\"answer\",\"id\":\"");
    private static final byte[] DNS_QUERY = ascii(",\"dns\":{\"type\":\"query\",\"id\":\"");
    private static final byte[] OP_CODE = ascii("\",\"op_code\":");
    private static final byte[] RESPONSE_CODE = ascii(",\"response_code\":");
    private static final byte[] QUESTION = ascii(",\"question\":{\"name\":\"");
    private static final byte[] QUESTION_TYPE = ascii("\",\"type\":");
    private static final byte[] CLASS_IN = ascii(",\"class\":\"IN\"}");
    private static final byte[] CLASS_CH = ascii(",\"class\":\"CH\"}");
    private static final byte[] CLASS = ascii(",\"class\":\"CLASS");
    private static final byte[] DNS_ANSWERS = ascii(",\"answers\":");
    private static final byte[] DNS_SAMPLE = ascii(",\"sample\":");
    private static final byte[] DNS_TRUNCATED = ascii(",\"truncated\":true");
    private static final byte[] DNS_STALE = ascii(",\"stale\":true");
    private static final byte[] DNS_UPSTREAM = ascii(",\"upstream\":\"");
    private static final byte[] OVER_DNS = member("protocol", "dns");
    private static final byte[] OVER_TLS = member("protocol", "dot");
    private static final byte[] OVER_HTTPS = member("protocol", "doh");
    private static final byte[] FROM_ZONE = dnsSource("zone");
    private static final byte[] FROM_CACHE = dnsSource("cache");
    private static final byte[] FROM_FORWARD = dnsSource("forward");
    private static final byte[] FROM_NOBODY = dnsSource("none");

    private static final int REFUSED = 5;

    private final EcsConstants constants;
    private final QueryMask mask;
    private final JsonLine line = new JsonLine();
    private final UtcClockText clock = new UtcClockText();
    /// The front half of event.id, which is unique, so that a line shipped twice is indexed once.
    private final byte[] id = ascii("\",\"id\":\"" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()));
    private long lines;

    public EcsEncoder(AccessLog.Origin origin) {
        this(origin, QueryMask.NONE);
    }

    EcsEncoder(AccessLog.Origin origin, QueryMask mask) {
        this.mask = mask;
        this.constants = EcsConstants.of(origin);
    }

    /// Writes the line, newline included, from `at` on, and returns where it ends: at most [#MAX_BYTES] further.
    public int encode(ExchangeRecord exchange, byte[] out, int at) {
        line.start(out, at);
        head(exchange.startEpochNanos, exchange.durationNanos);
        line.raw(constants.access());
        line.raw(exchange.cause == Cause.DENIED_IP ? TYPE_DENIED : TYPE_ACCESS);
        event(exchange.status > 0 && exchange.status < 400 && exchange.grpcStatus <= 0, exchange.startEpochNanos, exchange.durationNanos);
        line.raw(exchange.connection.peer());
        client(exchange);
        line.raw(exchange.endpoint.target());
        line.raw(NETWORK_HTTP);
        http(exchange);
        url(exchange);
        text(USER_AGENT, exchange.userAgent, 512, CLOSE_TEXT_OBJECT);
        text(TRACE, exchange.traceId, 64, CLOSE_TEXT_OBJECT);
        text(SPAN, exchange.spanId, 64, CLOSE_TEXT_OBJECT);
        if (!exchange.detail.isEmpty()) {
            line.raw(ERROR);
            line.text(exchange.cause.word(), 64);
            line.raw(ERROR_MESSAGE);
            line.text(exchange.detail, 512);
            line.raw(CLOSE_TEXT_OBJECT);
        }
        gatepost(exchange);
        return line.end();
    }

    private void head(long startEpochNanos, long durationNanos) {
        line.raw(TIMESTAMP);
        clock.write(startEpochNanos + durationNanos, line);
        line.raw('"');
        line.raw(constants.head());
    }

    private void event(boolean success, long startEpochNanos, long durationNanos) {
        line.raw(success ? SUCCESS : FAILURE);
        line.number(durationNanos);
        line.raw(START);
        clock.write(startEpochNanos, line);
        line.raw(id);
        line.hex(lines++, 8);
        line.raw(CLOSE_TEXT_OBJECT);
    }

    private void client(ExchangeRecord exchange) {
        if (exchange.clientIp.isEmpty()) {
            line.raw(exchange.connection.peerAsClient());
        } else {
            text(CLIENT_IP, exchange.clientIp, 64, CLOSE_TEXT_OBJECT);
        }
    }

    private void http(ExchangeRecord exchange) {
        line.raw(HTTP);
        line.raw(HTTP_REQUEST);
        line.number(exchange.requestBodyBytes);
        line.raw('}');
        if (exchange.requestBytes > 0) {
            line.raw(BYTES);
            line.number(exchange.requestBytes);
        }
        text(METHOD, exchange.method, 64);
        text(REQUEST_ID, exchange.requestId, 128);
        mask.applyToUrl(exchange.referrer);
        text(REFERRER, exchange.referrer, 1024);
        text(MIME_TYPE, exchange.requestMimeType, 128);
        line.raw('}');
        if (exchange.status > 0) {
            line.raw(HTTP_RESPONSE);
            line.number(exchange.status);
            if (exchange.responseBytes > 0) {
                line.raw(BYTES);
                line.number(exchange.responseBytes);
            }
            line.raw(BODY);
            line.number(exchange.responseBodyBytes);
            line.raw('}');
            text(MIME_TYPE, exchange.responseMimeType, 128);
            line.raw('}');
        }
        line.raw(HttpVersion.json(exchange.httpVersion));
        line.raw('}');
    }

    private void url(ExchangeRecord exchange) {
        line.raw(exchange.connection.url());
        authority(exchange.authority);
        Slice target = exchange.target;
        mask.applyToUrl(target);
        text(ORIGINAL, target, 2048);
        byte[] bytes = target.array();
        // Only the origin form (RFC 9112 section 3.2.1) has a path and query of its own.
        if (!target.isEmpty() && bytes[target.from()] == '/') {
            int mark = target.from();
            while (mark < target.to() && bytes[mark] != '?') {
                mark++;
            }
            text(PATH, bytes, target.from(), mark, 1024);
            if (mark + 1 < target.to()) {
                text(QUERY, bytes, mark + 1, target.to(), 1024);
            }
        }
        line.raw('}');
    }

    /// `host:port`, where the host may be an IPv6 address in brackets and the port may be anything at all.
    private void authority(Slice authority) {
        byte[] bytes = authority.array();
        int colon = authority.to();
        int port = 0;
        for (int i = authority.to() - 1, scale = 1; i >= authority.from() && authority.to() - i <= 6; i--, scale *= 10) {
            if (bytes[i] == ':') {
                colon = i;
                break;
            }
            if (bytes[i] < '0' || bytes[i] > '9') {
                break;
            }
            port += (bytes[i] - '0') * scale;
        }
        if (colon > authority.from()) {
            text(DOMAIN, bytes, authority.from(), colon, 256);
        }
        if (colon + 1 < authority.to() && port <= 65_535) {
            line.raw(PORT);
            line.number(port);
        }
    }

    private void gatepost(ExchangeRecord exchange) {
        line.raw(GATEPOST);
        line.number(exchange.revision);
        line.raw(exchange.cause.json());
        line.raw(exchange.protocol.json());
        if (exchange.grpcStatus >= 0) {
            line.raw(GRPC_STATUS);
            line.number(exchange.grpcStatus);
        }
        line.raw(exchange.route.json());
        line.raw(exchange.endpoint.datacenter());
        line.raw(ATTEMPT_COUNT);
        line.number(exchange.attempts);
        if (exchange.attempts > 0) {
            attempts(exchange);
            line.raw(exchange.reusedConnection ? REUSED : CONNECTED);
        }
        if (exchange.healthyInstances >= 0) {
            line.raw(HEALTHY);
            line.number(exchange.healthyInstances);
        }
        timing(exchange);
        if (line.truncated()) {
            line.raw(TRUNCATED);
        }
        line.raw(END);
    }

    /// The last one ended as the exchange did.
    private void attempts(ExchangeRecord exchange) {
        int told = Math.min(exchange.attempts, ExchangeRecord.MOST_TRIED);
        line.raw(ATTEMPTS);
        for (int i = 0; i < told; i++) {
            Attempt attempt = exchange.tried(i);
            comma(i > 0);
            line.raw(attempt.endpoint.attempt());
            line.raw(attempt.reusedConnection ? REUSED_ATTEMPT : NEW_ATTEMPT);
            millis(QUEUE_MS, attempt.queueNanos);
            millis(CONNECT_MS, attempt.connectNanos);
            millis(TTFB_MS, attempt.firstByteNanos);
            millis(DURATION_MS, attempt.durationNanos);
            line.raw(RESULT);
            line.text((i == told - 1 ? exchange.cause : attempt.result).word(), 64);
            line.raw(CLOSE_TEXT_OBJECT);
        }
        line.raw(']');
    }

    private void millis(byte[] name, long nanos) {
        if (nanos < 0) {
            return;
        }
        long micros = nanos / 1000;
        int rest = (int) (micros % 1000);
        line.raw(name);
        line.number(micros / 1000);
        line.raw('.');
        line.raw((char) ('0' + rest / 100));
        line.twoDigits(rest % 100);
    }

    private void timing(ExchangeRecord exchange) {
        if (exchange.acceptNanos < 0 && exchange.requestHeaderNanos < 0) {
            return;
        }
        line.raw(TIMING);
        boolean told = micros(ACCEPT_US, exchange.acceptNanos, false);
        told = micros(TLS_US, exchange.tlsNanos, told);
        told = micros(HEADERS_US, exchange.requestHeaderNanos, told);
        told = micros(REQUEST_BODY_US, exchange.requestBodyNanos, told);
        told = micros(QUEUE_US, exchange.queueNanos, told);
        told = micros(CONNECT_US, exchange.connectNanos, told);
        told = micros(UPSTREAM_TLS_US, exchange.upstreamTlsNanos, told);
        told = micros(TTFB_US, exchange.firstByteNanos, told);
        var _ = micros(BODY_US, exchange.bodyNanos, told);
        line.raw('}');
    }

    /// @return whether a phase has been told
    private boolean micros(byte[] name, long nanos, boolean told) {
        if (nanos < 0) {
            return told;
        }
        comma(told);
        line.raw(name);
        line.number(nanos / 1000);
        return true;
    }

    private void comma(boolean needed) {
        if (needed) {
            line.raw(',');
        }
    }

    private void text(byte[] name, Slice value, int cap) {
        text(name, value.array(), value.from(), value.to(), cap);
    }

    private void text(byte[] name, Slice value, int cap, byte[] end) {
        if (!value.isEmpty()) {
            line.raw(name);
            line.text(value, cap);
            line.raw(end);
        }
    }

    private void text(byte[] name, byte[] value, int from, int to, int cap) {
        if (from < to) {
            line.raw(name);
            line.text(value, from, to, cap);
            line.raw('"');
        }
    }

    /// As [#encode(ExchangeRecord, byte[], int)].
    ///
    /// @param sample how many queries the line stands for
    public int encode(QueryRecord query, int sample, byte[] out, int at) {
        line.start(out, at);
        head(query.startEpochNanos, query.durationNanos);
        line.raw(constants.query());
        line.raw(query.rcode == REFUSED ? TYPE_DNS_DENIED : TYPE_DNS);
        event(query.rcode == 0, query.startEpochNanos, query.durationNanos);
        if (query.clientAddress.length == 4 || query.clientAddress.length == 16) {
            line.raw(SOURCE_IP);
            line.address(query.clientAddress);
            line.raw(ADDRESS_PORT);
            line.number(query.clientPort);
            line.raw(BYTES);
            line.number(query.queryBytes);
            line.raw('}');
            line.raw(CLIENT_IP);
            line.address(query.clientAddress);
            line.raw(ADDRESS_PORT);
            line.number(query.clientPort);
            line.raw('}');
        }
        if (query.responseBytes > 0) {
            line.raw(DESTINATION_BYTES);
            line.number(query.responseBytes);
            line.raw('}');
        }
        line.raw(SERVICE);
        line.raw(query.transport == QueryRecord.Transport.UDP ? NETWORK_DNS_UDP : NETWORK_DNS_TCP);
        dns(query);
        line.raw(GATEPOST);
        line.number(query.revision);
        line.raw(switch (query.transport) {
            case UDP, TCP -> OVER_DNS;
            case TLS -> OVER_TLS;
            case HTTPS -> OVER_HTTPS;
        });
        line.raw(switch (query.source) {
            case ZONE -> FROM_ZONE;
            case CACHE -> FROM_CACHE;
            case FORWARD -> FROM_FORWARD;
            case NONE -> FROM_NOBODY;
        });
        if (query.rcode >= 0) {
            line.raw(DNS_ANSWERS);
            line.number(query.answers);
        }
        if (sample > 1) {
            line.raw(DNS_SAMPLE);
            line.number(sample);
        }
        if (query.truncated) {
            line.raw(DNS_TRUNCATED);
        }
        if (query.stale) {
            line.raw(DNS_STALE);
        }
        if (!query.upstream.isEmpty()) {
            line.raw(DNS_UPSTREAM);
            line.text(query.upstream, 128);
            line.raw('"');
        }
        line.raw('}');
        if (line.truncated()) {
            line.raw(TRUNCATED);
        }
        line.raw(END);
        return line.end();
    }

    private void dns(QueryRecord query) {
        boolean answered = query.rcode >= 0;
        line.raw(answered ? DNS_ANSWER : DNS_QUERY);
        line.number(query.id);
        line.raw(OP_CODE);
        line.raw(DnsWords.opcode(query.opcode));
        if (query.nameFrom < query.nameTo) {
            line.raw(QUESTION);
            DnsNameText.write(query.query, query.nameFrom, query.nameTo, line);
            line.raw(QUESTION_TYPE);
            line.raw(DnsWords.type(query.type));
            switch (query.queryClass) {
                case 1 -> line.raw(CLASS_IN);
                case 3 -> line.raw(CLASS_CH);
                default -> {
                    line.raw(CLASS);
                    line.number(query.queryClass);
                    line.raw(CLOSE_TEXT_OBJECT);
                }
            }
        }
        if (answered) {
            line.raw(RESPONSE_CODE);
            line.raw(DnsWords.rcode(query.rcode));
        }
        line.raw('}');
    }

    private static byte[] ascii(String text) {
        return JsonLine.ascii(text);
    }

    private static byte[] member(String name, String value) {
        return new Json().member(name, value).bytes();
    }

    private static byte[] dnsSource(String source) {
        return new Json().open("dns").member("source", source).bytes();
    }

    /// `http.version`; nothing when the request line could not be read.
    private static final class HttpVersion {
        private static final byte[] NONE = {};
        private static final byte[] V10 = member("version", "1.0");
        private static final byte[] V11 = member("version", "1.1");
        private static final byte[] V2 = member("version", "2");

        static byte[] json(int version) {
            return switch (version) {
                case 10 -> V10;
                case 11 -> V11;
                case 20 -> V2;
                default -> NONE;
            };
        }
    }
}
