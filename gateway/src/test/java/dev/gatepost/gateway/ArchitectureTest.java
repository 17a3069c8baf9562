package dev.gatepost.gateway;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Which part may know which: the arrows of the README's Layout. A new arrow is a decision, taken here and there.
final class ArchitectureTest {
    private static final String ROOT = "dev.gatepost.";

    /// What each part may use of the others; the root package composes all.
    private static final Map<String, Set<String>> ARROWS = Map.ofEntries(
            Map.entry("dns", Set.of("dns.access")),
            Map.entry("dns.access", Set.of()),
            Map.entry("dns.forward", Set.of("dns")),
            Map.entry("admin", Set.of()),
            Map.entry("gateway.config", Set.of()),
            Map.entry("gateway.catalog", Set.of("gateway.config", "gateway.tls")),
            Map.entry("gateway.route", Set.of("gateway.catalog", "gateway.config")),
            Map.entry("gateway.zone", Set.of("gateway.catalog", "gateway.config", "dns")),
            Map.entry("gateway.tls", Set.of("gateway.config")),
            Map.entry("gateway.fragment", Set.of("gateway.catalog", "gateway.tls", "gateway.config", "gateway.route", "gateway.zone", "dns")),
            Map.entry("gateway.accesslog", Set.of("gateway.config", "dns")),
            Map.entry("gateway.proxy", Set.of("gateway.route", "gateway.tls", "gateway.accesslog", "gateway.config")),
            Map.entry("gateway", Set.of("gateway.config", "gateway.catalog", "gateway.route", "gateway.fragment", "gateway.zone", "gateway.tls", "gateway.accesslog", "gateway.proxy", "dns", "dns.access", "dns.forward", "admin")));

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.gatepost");

    @Test
    void everyPackageIsAPartOfTheLayout() {
        Set<String> parts = CLASSES.stream().map(ArchitectureTest::part).collect(Collectors.toCollection(TreeSet::new));
        parts.removeAll(ARROWS.keySet());
        assertEquals(Set.of(), parts, "packages that the Layout doesn't know");
        assertTrue(CLASSES.size() > 50, () -> "looks at the whole program: " + CLASSES.size());
    }

    @Test
    void everyDependencyFollowsAnArrow() {
        List<String> strays = CLASSES.stream()
                .flatMap(from -> from.getDirectDependenciesFromSelf().stream())
                .filter(dependency -> isOurs(dependency.getTargetClass()))
                .filter(dependency -> !follows(part(dependency.getOriginClass()), part(dependency.getTargetClass())))
                .map(dependency -> "%s uses %s (expected: %s knows %s only): %s".formatted(
                        part(dependency.getOriginClass()),
                        part(dependency.getTargetClass()),
                        part(dependency.getOriginClass()),
                        new TreeSet<>(ARROWS.getOrDefault(part(dependency.getOriginClass()), Set.of())),
                        dependency.getDescription()))
                .distinct()
                .sorted()
                .toList();
        assertTrue(strays.isEmpty(), () -> String.join("\n", strays));
    }

    @Test
    void theArrowsHaveNoCycle() {
        Set<String> placed = new TreeSet<>();
        for (boolean moved = true; moved; ) {
            moved = ARROWS.entrySet().stream()
                    .filter(arrow -> placed.containsAll(arrow.getValue()))
                    .map(Map.Entry::getKey)
                    .filter(part -> !placed.contains(part))
                    .toList()
                    .stream()
                    .map(placed::add)
                    .reduce(false, Boolean::logicalOr);
        }
        assertEquals(new TreeSet<>(ARROWS.keySet()), placed, "parts that can be built one after the other");
    }

    private static boolean follows(String from, String to) {
        return from.equals(to) || ARROWS.getOrDefault(from, Set.of()).contains(to);
    }

    private static boolean isOurs(JavaClass type) {
        return type.getPackageName().startsWith(ROOT);
    }

    private static String part(JavaClass type) {
        return type.getPackageName().substring(ROOT.length());
    }
}
