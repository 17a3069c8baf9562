package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.Peer.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// fabio, with its defaults.
final class FabioPeer {
    private static final Set<String> KNOWN = Set.of(
            "strip", "prepend", "proto", "weight", "redirect", "host", "allow", "deny", "register", "pxyproto", "auth", "tlsskipverify", "grpcservername");
    private static final Set<String> PROTOCOLS = Set.of("http", "https", "grpc", "grpcs");
    private static final String FREEZES = "freezes its table";

    private FabioPeer() {}

    /// By default one passing check of the instance's own is enough, however many others are critical; without any it is
    /// never routed.
    static boolean serves(Instance instance) {
        boolean nodeFails = instance.checks().stream().anyMatch(check -> isOfNode(check) && check.status() != Health.PASSING);
        boolean maintained = instance.health() == Health.MAINTENANCE;
        return !nodeFails && !maintained && instance.checks().stream().anyMatch(check -> !isOfNode(check) && check.status() == Health.PASSING);
    }

    private static boolean isOfNode(Check check) {
        return check.id().equals("serfHealth") || check.id().startsWith("_node_maintenance");
    }

    static Seen see(FabioDialect.Tag tag) {
        Map<String, String> options = new TreeMap<>();
        for (String word : tag.options().isEmpty() ? new String[0] : tag.options().split("\\s+", -1)) {
            int equals = word.indexOf('=');
            options.put(equals < 0 ? word : word.substring(0, equals), equals < 0 ? "" : word.substring(equals + 1));
        }
        if (tag.source().isEmpty() || tag.source().chars().anyMatch(Character::isWhitespace)) {
            return new Seen(FREEZES, false, List.of("fabio can't read the route that it makes of this and keeps its last table for good; Gatepost rejects the tag alone"));
        }
        if (!options.getOrDefault("weight", "0").matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?")) {
            return new Seen(FREEZES, false, List.of("fabio can't read weight=%s and keeps its last table for good; Gatepost rejects the tag alone".formatted(options.get("weight"))));
        }
        String proto = options.getOrDefault("proto", "http");
        if (tag.source().startsWith(":") || proto.startsWith("tcp")) {
            return new Seen("TCP on " + tag.source(), true, List.of());
        }
        List<String> why = new ArrayList<>();
        options.keySet().stream().filter(name -> !KNOWN.contains(name)).forEach(name -> why.add("fabio ignores option %s".formatted(name)));
        addresses(options, why);
        String source = tag.source().contains("/") ? tag.source() : tag.source() + "/";
        if (options.containsKey("redirect")) {
            return redirect(source, options.getOrDefault("redirect", ""), why);
        }
        if (!PROTOCOLS.contains(proto)) {
            why.add("fabio knows no proto=%s and speaks HTTP".formatted(proto));
        }
        return new Seen(proto.equals("http") || !PROTOCOLS.contains(proto) ? source : source + " by " + proto, true, why);
    }

    /// @param rejected why Gatepost rejects the line; empty where it doesn't
    static Seen see(FabioCommands.Line line, List<Rejected> rejected) {
        boolean unreadable = rejected.stream().anyMatch(each -> each.reason().contains(FabioCommands.SYNTAX_ERROR));
        return unreadable
                ? new Seen(FREEZES, false, List.of("fabio can't read %s and keeps its last table for good; Gatepost rejects the line".formatted(line.place())))
                : new Seen("obeys it", false, List.of());
    }

    private static Seen redirect(String source, String value, List<String> why) {
        String[] parts = value.split(",", -1);
        if (parts.length != 2) {
            why.add("fabio reads redirect=%s only with exactly one comma, and forwards instead".formatted(value));
            return new Seen(source, true, why);
        }
        if (!parts[0].matches("3\\d\\d")) {
            why.add("fabio knows no status %s and forwards to the redirect's URL instead".formatted(parts[0]));
            return new Seen("forwards to " + parts[1], false, why);
        }
        if (!parts[1].contains("$path") && parts[1].indexOf('?') < 0) {
            why.add("fabio drops the request's query where the URL has no $path, Gatepost passes it on");
        }
        return new Seen(source + " redirects " + parts[0], true, why);
    }

    private static void addresses(Map<String, String> options, List<String> why) {
        if (options.containsKey("allow") && options.containsKey("deny")) {
            why.add("fabio enforces neither allow nor deny when both are given: everybody is admitted");
            return;
        }
        for (String name : List.of("allow", "deny")) {
            String value = options.getOrDefault(name, "");
            for (String item : value.isEmpty() ? new String[0] : value.split(",", -1)) {
                if (!item.startsWith("ip:") || !isBlock(item.substring("ip:".length()))) {
                    why.add("fabio leaves %s out of %s and goes on without it".formatted(item, name));
                }
            }
        }
    }

    private static boolean isBlock(String text) {
        try {
            return Cidr.parse(text).prefixLength() >= 0;
        } catch (IllegalArgumentException _) {
            return false;
        }
    }
}
