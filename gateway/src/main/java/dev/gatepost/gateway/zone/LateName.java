package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.gateway.catalog.ConsulLookup.Wanted;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// A name that no snapshot answers: a prepared query, a gateway of the mesh, something in a datacenter that is said.
///
/// @param tag of a service's instances; empty for all of them
record LateName(Wanted wanted, String tag) {

    /// Empty for a name of another kind.
    static Optional<LateName> of(Names names, DomainName name) {
        Optional<DomainName> domain = Stream.concat(names.alternative().stream(), Stream.of(names.domain())).filter(name::isWithin).findFirst();
        if (domain.isEmpty() || name.length() <= domain.get().length() + 1) {
            return Optional.empty();
        }
        String text = name.toString().toLowerCase(Locale.ROOT);
        List<String> labels = Arrays.asList(text.substring(0, text.length() - domain.get().toString().length() - 1).split("\\.", -1));
        int kindAt = labels.size() - 1;
        while (kindAt >= 0 && !Names.KINDS.contains(labels.get(kindAt))) {
            kindAt--;
        }
        if (kindAt < 0) {
            boolean rfc2782 = labels.size() == 3 && labels.get(0).startsWith("_") && labels.get(1).startsWith("_");
            return rfc2782 ? service(labels.subList(0, 2), labels.get(2)) : Optional.empty();
        }
        List<String> parts = labels.subList(0, kindAt);
        List<String> suffix = labels.subList(kindAt + 1, labels.size());
        if (parts.isEmpty() || suffix.size() > 1) {
            return Optional.empty();
        }
        String datacenter = suffix.isEmpty() ? "" : suffix.getFirst();
        return switch (labels.get(kindAt)) {
            case "query" -> Optional.of(new LateName(new Wanted.Query(String.join(".", parts), datacenter), ""));
            case "connect" -> Optional.of(new LateName(new Wanted.Connect(parts.getLast(), datacenter), ""));
            case "ingress" -> Optional.of(new LateName(new Wanted.Ingress(parts.getLast(), datacenter), ""));
            case "service" -> datacenter.isEmpty() ? Optional.empty() : service(parts, datacenter);
            case "node" -> datacenter.isEmpty() ? Optional.empty() : Optional.of(new LateName(new Wanted.OnNode(String.join(".", parts), datacenter), ""));
            default -> Optional.empty();
        };
    }

    private static Optional<LateName> service(List<String> parts, String datacenter) {
        boolean rfc2782 = parts.size() == 2 && parts.get(0).startsWith("_") && parts.get(1).startsWith("_");
        String tag = rfc2782 ? parts.get(1).substring(1) : String.join(".", parts.subList(0, parts.size() - 1));
        String service = rfc2782 ? parts.get(0).substring(1) : parts.getLast();
        return Optional.of(new LateName(new Wanted.Service(service, datacenter), rfc2782 && tag.equals("tcp") ? "" : tag));
    }

    /// Whether the catalog would answer it, were the datacenter its own.
    boolean ofService() {
        return wanted instanceof Wanted.Service || wanted instanceof Wanted.OnNode;
    }
}
