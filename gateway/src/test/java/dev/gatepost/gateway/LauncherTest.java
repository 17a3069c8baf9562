package dev.gatepost.gateway;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// `bin/gatepost` with Java and Maven replaced by scripts that say how they were called.
final class LauncherTest {
    private static final Path LAUNCHER = Path.of("bin", "gatepost").toAbsolutePath();

    @TempDir Path folder;

    private Path jdk = Path.of("jdk");

    @BeforeEach
    void makeJdk() throws IOException {
        folder = folder.toRealPath();
        jdk = jdk("jdk 25", "25.0.3");
    }

    private record Ended(long pid, int exit, List<String> out, String err) {}

    private Path jdk(String name, String version) throws IOException {
        Path home = Files.createDirectories(folder.resolve(name));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"%s\"\n".formatted(version));
        script(home.resolve("bin/java"), "echo $$; echo \"$0\"; for each in \"$@\"; do echo \"$each\"; done");
        return home;
    }

    private static void script(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /// An installed layout: bin beside lib.
    private Path install() throws IOException {
        Path home = Files.createDirectories(folder.resolve("an installation"));
        copyLauncher(home);
        for (String jar : List.of("b.jar", "gatepost.jar", "a.jar")) {
            Files.createDirectories(home.resolve("lib"));
            Files.writeString(home.resolve("lib").resolve(jar), jar);
        }
        return home;
    }

    private static void copyLauncher(Path home) throws IOException {
        Files.createDirectories(home.resolve("bin"));
        Files.copy(LAUNCHER, home.resolve("bin/gatepost"));
    }

    private Ended launch(Path launcher, Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out.txt");
        Path err = folder.resolve("err.txt");
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("GATEPOST_") || name.equals("JAVA_HOME"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "ended");
            return new Ended(process.pid(), process.exitValue(), Files.readAllLines(out), Files.readString(err));
        } finally {
            process.destroyForcibly();
        }
    }

    private Map<String, String> withJdk() {
        return Map.of("GATEPOST_JAVA_HOME", jdk.toString());
    }

    @Test
    void becomesJavaWithASortedClassPathAndTheArgumentsUntouched() throws Exception {
        Path home = install();
        Ended ended = launch(home.resolve("bin/gatepost"), withJdk(), "run", "--config", "with a blank.yaml");
        assertEquals(0, ended.exit(), ended::err);
        assertEquals(String.valueOf(ended.pid()), ended.out().getFirst(), "the same process");
        assertEquals(jdk + "/bin/java", ended.out().get(1));
        int classPath = ended.out().indexOf("-cp");
        assertEquals(
                List.of("-cp", "%1$s/gatepost.jar:%1$s/a.jar:%1$s/b.jar".formatted(home.resolve("lib")), "dev.gatepost.gateway.Main", "run", "--config", "with a blank.yaml"),
                ended.out().subList(classPath, ended.out().size()));
    }

    @Test
    void worksThroughSymbolicLinksAndFromAnyFolder() throws Exception {
        Path home = install();
        Path first = Files.createSymbolicLink(folder.resolve("first"), Path.of("an installation/bin/gatepost"));
        Path second = Files.createSymbolicLink(Files.createDirectories(folder.resolve("links")).resolve("second"), Path.of("../first"));
        for (Path link : List.of(first, second)) {
            Ended ended = launch(link, withJdk(), "version");
            assertTrue(ended.out().contains("%1$s/gatepost.jar:%1$s/a.jar:%1$s/b.jar".formatted(home.resolve("lib"))), () -> ended.out() + ended.err());
        }
    }

    @Test
    void letsJvmOptionsOverrideItsOwn() throws Exception {
        Ended ended = launch(install().resolve("bin/gatepost"), Map.of("GATEPOST_JAVA_HOME", jdk.toString(), "GATEPOST_JAVA_OPTS", "-Xmx64m -Da=b"), "run");
        assertTrue(ended.out().indexOf("-Xmx64m") > ended.out().indexOf("-Xmx512m"), ended.out()::toString);
        assertTrue(ended.out().contains("-Da=b"));
    }

    /// The JVM refuses to choose between two.
    @Test
    void leavesTheCollectorToWhoeverNamesOne() throws Exception {
        Path launcher = install().resolve("bin/gatepost");
        Ended named = launch(launcher, Map.of("GATEPOST_JAVA_HOME", jdk.toString(), "GATEPOST_JAVA_OPTS", "-Da=b -XX:+UseSerialGC"), "run");
        assertFalse(named.out().contains("-XX:+UseG1GC"), named.out()::toString);
        Ended unnamed = launch(launcher, Map.of("GATEPOST_JAVA_HOME", jdk.toString(), "GATEPOST_JAVA_OPTS", "-XX:+UseNUMA -Xlog:gc"), "run");
        assertTrue(unnamed.out().contains("-XX:+UseG1GC"), unnamed.out()::toString);
    }

    @Test
    void refusesAnOldJavaInOneLine() throws Exception {
        Path old = jdk("jdk 21", "21.0.1");
        Ended ended = launch(install().resolve("bin/gatepost"), Map.of("GATEPOST_JAVA_HOME", old.toString()), "version");
        assertEquals(1, ended.exit());
        assertEquals("gatepost: GATEPOST_JAVA_HOME: " + old + " (expected: the folder of a JDK or JRE 25 or newer)\n", ended.err());
    }

    @Test
    void passesOverAnOldJavaHomeAndFindsTheNewestElsewhere() throws Exception {
        Path old = jdk("jdk 17", "17.0.15");
        Path newest = jdk("newest", "99.0.1");
        Path bin = Files.createDirectories(folder.resolve("path"));
        Files.createSymbolicLink(bin.resolve("java"), newest.resolve("bin/java"));
        Ended ended = launch(install().resolve("bin/gatepost"), Map.of("JAVA_HOME", old.toString(), "PATH", bin + ":" + System.getenv("PATH")), "version");
        assertEquals(newest + "/bin/java", ended.out().get(1), ended::err);
    }

    @Test
    void prefersTheRuntimeThatItWasInstalledWith() throws Exception {
        Path home = install();
        Files.move(jdk, home.resolve("runtime"));
        Ended ended = launch(home.resolve("bin/gatepost"), Map.of("JAVA_HOME", jdk("other", "26").toString()), "version");
        assertEquals(home + "/runtime/bin/java", ended.out().get(1), ended::err);
    }

    @Test
    void usesAnAotCacheOnlyWithWhatItWasMadeWith() throws Exception {
        Path home = install();
        Path launcher = home.resolve("bin/gatepost");
        Path cache = home.resolve("lib/gatepost.aot");
        Ended training = launch(launcher, Map.of("GATEPOST_JAVA_HOME", jdk.toString(), "GATEPOST_JAVA_AOT", "train"), "run");
        assertTrue(training.out().contains("-XX:AOTCacheOutput=" + cache), training.out()::toString);
        Files.writeString(cache, "made by the JVM at its end");
        assertTrue(launch(launcher, withJdk(), "run").out().contains("-XX:AOTCache=" + cache));
        assertFalse(launch(launcher, Map.of("GATEPOST_JAVA_HOME", jdk.toString(), "GATEPOST_JAVA_AOT", "off"), "run").out().contains("-XX:AOTCache=" + cache));
        assertFalse(launch(launcher, Map.of("GATEPOST_JAVA_HOME", jdk.toString(), "GATEPOST_JAVA_OPTS", "-XX:+UseSerialGC"), "run").out().contains("-XX:AOTCache=" + cache));
        Files.writeString(home.resolve("lib/a.jar"), "a newer build");
        Ended stale = launch(launcher, withJdk(), "run");
        assertFalse(stale.out().contains("-XX:AOTCache=" + cache));
        assertTrue(stale.err().contains("starting without " + cache), stale::err);
    }

    @Test
    void buildsACheckoutOnlyWhenNothingIsBuiltOrASourceIsNewer() throws Exception {
        Path gateway = folder.resolve("checkout/gateway");
        copyLauncher(gateway);
        Instant past = Instant.now().minusSeconds(100);
        for (String file : List.of("pom.xml", "gateway/pom.xml", "dns/pom.xml", "admin/pom.xml", "gateway/src/main/A", "dns/src/main/A", "admin/src/main/A")) {
            Path path = folder.resolve("checkout").resolve(file);
            Files.createDirectories(path.getParent());
            Files.writeString(path, "");
            Files.setLastModifiedTime(path, FileTime.from(past));
        }
        script(folder.resolve("path/mvn"), "mkdir -p '%1$s/target/lib'; [ -f '%1$s/target/gatepost.jar' ] || touch '%1$s/target/gatepost.jar'; echo \"mvn $*\"".formatted(gateway));
        Map<String, String> environment = Map.of("GATEPOST_JAVA_HOME", jdk.toString(), "PATH", folder.resolve("path") + ":" + System.getenv("PATH"));
        Path launcher = gateway.resolve("bin/gatepost");

        Ended first = launch(launcher, environment, "version");
        assertTrue(first.err().contains("mvn -q -B -f " + gateway + "/../pom.xml -pl gateway -am"), first::err);
        assertTrue(first.out().contains(gateway + "/target/gatepost.jar"), "and starts: " + first.out());
        assertEquals("", launch(launcher, environment, "version").err());

        Files.setLastModifiedTime(folder.resolve("checkout/dns/src/main/A"), FileTime.from(Instant.now().plusSeconds(1)));
        assertTrue(launch(launcher, environment, "version").err().contains("building"));
    }

    @Test
    void aFailedBuildEndsWith1() throws Exception {
        Path gateway = folder.resolve("checkout/gateway");
        copyLauncher(gateway);
        Files.writeString(gateway.resolve("pom.xml"), "");
        script(folder.resolve("path/mvn"), "echo no network; exit 1");
        Ended ended = launch(gateway.resolve("bin/gatepost"), Map.of("GATEPOST_JAVA_HOME", jdk.toString(), "PATH", folder.resolve("path") + ":" + System.getenv("PATH")), "version");
        assertEquals(1, ended.exit());
        assertEquals(List.of("gatepost: building (mvn package, without tests)", "no network", "gatepost: the build failed, see above"), ended.err().lines().toList());
    }
}
