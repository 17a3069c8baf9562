package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.Forwarding.HealthCheck;
import dev.gatepost.gateway.route.RouteTable;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The checks that routes ask for by `health-check=`: a request to each of their endpoints from time to time, once for all event
/// loops. For endpoints of which the catalog says nothing, such as those of a file. Only what does not answer 2xx or 3xx twice in a
/// row is passed over, and where that would be all, nobody is.
///
/// Blocking code, a virtual thread an endpoint. The lock is between those and the one that follows the table.
final class ActiveChecks implements AutoCloseable {
    private static final int IN_A_ROW = 2;
    private static final int LONGEST_STATUS_LINE = 1024;

    private record Check(String service, EndpointKey endpoint, HealthCheck what) {}

    private final List<GateLoop> loops;
    private final int timeoutMillis;
    private final Map<Check, Thread> running = new HashMap<>();
    private final Map<Check, Ejection> failing = new HashMap<>();
    private long verdicts;
    private RouteTable followed = RouteTable.EMPTY;

    ActiveChecks(List<GateLoop> loops) {
        this.loops = loops;
        this.timeoutMillis = (int) Math.min(loops.getFirst().settings.timeouts().connect().toMillis(), Integer.MAX_VALUE);
    }

    /// Endpoints whose checks fail, whether or not the gate has had a request for them.
    synchronized List<Ejection> failing() {
        return List.copyOf(failing.values());
    }

    /// How often a check has changed its mind.
    synchronized long verdicts() {
        return verdicts;
    }

    /// Checks what that table asks for, and nothing else any more.
    synchronized void follow(RouteTable table) {
        if (table == followed) {
            return;
        }
        followed = table;
        Set<Check> wanted = new HashSet<>();
        table.forEach(route -> {
            HealthCheck check = route.options().forwarding().healthCheck();
            if (!check.isNone()) {
                route.upstream().endpoints().forEach(endpoint -> wanted.add(new Check(endpoint.service(), EndpointKey.of(endpoint), check)));
            }
        });
        for (Iterator<Map.Entry<Check, Thread>> each = running.entrySet().iterator(); each.hasNext(); ) {
            Map.Entry<Check, Thread> check = each.next();
            if (!wanted.contains(check.getKey())) {
                check.getValue().interrupt();
                tell(check.getKey(), "");
                each.remove();
            }
        }
        wanted.forEach(check -> running.computeIfAbsent(check, _ -> Thread.ofVirtual().name("health-check").start(() -> repeat(check))));
    }

    private void repeat(Check check) {
        int passed = 0;
        int failed = 0;
        boolean failing = false;
        try {
            while (true) {
                String problem = problemOf(check);
                passed = problem.isEmpty() ? passed + 1 : 0;
                failed = problem.isEmpty() ? 0 : failed + 1;
                if (failing ? passed == IN_A_ROW : failed == IN_A_ROW) {
                    failing = !failing;
                    tell(check, problem);
                }
                // Not all gateways and endpoints in the same moment.
                Duration every = check.what().every();
                Thread.sleep(every.toMillis() * 9 / 10 + ThreadLocalRandom.current().nextLong(every.toMillis() / 5 + 1));
            }
        } catch (InterruptedException _) {
            // Nobody asks for it any more.
        }
    }

    private synchronized void tell(Check check, String problem) {
        if (!running.containsKey(check)) {
            // It has been interrupted, and not noticed yet.
            return;
        }
        EndpointKey endpoint = check.endpoint();
        boolean changed = problem.isEmpty()
                ? failing.remove(check) != null
                : failing.put(check, Ejection.byCheck(check.service(), endpoint, problem, System.nanoTime())) == null;
        if (changed) {
            verdicts++;
            String why = failing.entrySet().stream().filter(each -> each.getKey().endpoint().equals(endpoint)).map(each -> each.getValue().why()).findFirst().orElse("");
            for (GateLoop loop : loops) {
                loop.eventLoop.execute(() -> loop.checked(endpoint, why));
            }
        }
    }

    /// Empty when it passes.
    private String problemOf(Check check) throws InterruptedException {
        EndpointKey endpoint = check.endpoint();
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(timeoutMillis);
            socket.connect(new InetSocketAddress(endpoint.host(), endpoint.port()), timeoutMillis);
            String request = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: gatepost-health-check\r\nConnection: close\r\n\r\n"
                    .formatted(check.what().path(), endpoint.authority());
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
            String line = statusLine(new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1)));
            return line.matches("HTTP/1\\.[01] [23]\\d\\d.*") ? "" : "health check %s: %s (expected: 2xx or 3xx)".formatted(check.what().path(), line.isEmpty() ? "no answer" : line);
        } catch (IOException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return "health check %s: %s".formatted(check.what().path(), e.getMessage());
        }
    }

    private static String statusLine(BufferedReader in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\r' && c != '\n' && line.length() < LONGEST_STATUS_LINE; c = in.read()) {
            line.append((char) c);
        }
        return line.toString();
    }

    @Override
    public synchronized void close() {
        running.values().forEach(Thread::interrupt);
        running.clear();
        failing.clear();
    }
}
