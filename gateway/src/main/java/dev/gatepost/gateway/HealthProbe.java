package dev.gatepost.gateway;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// The container's health check: asks the admin listener once and exits 0 for a 200, 1 for anything else.
///
/// An image without curl still has a JVM. The class needs nothing but the JDK, so that it starts from the jar alone, in
/// a tenth of a second, while the gateway serves.
public final class HealthProbe {
    private static final int PATIENCE_MILLIS = 2_000;
    private static final String DEFAULT_ADDRESS = "127.0.0.1:9090";

    private HealthProbe() {}

    /// @param args the path to ask for, `/live` when there is none
    public static void main(String[] args) {
        String path = args.length == 0 ? "/live" : args[0];
        InetSocketAddress admin = adminAddress(System.getenv());
        try {
            String status = ask(admin, path);
            System.out.println(path + ": " + status);
            System.exit(isOk(status) ? 0 : 1);
        } catch (IOException e) {
            System.out.println(path + ": no answer from " + admin.getHostString() + ":" + admin.getPort() + " (" + e.getMessage() + ")");
            System.exit(1);
        }
    }

    static boolean isOk(String statusLine) {
        return statusLine.startsWith("HTTP/1.1 200");
    }

    /// Where the environment puts the admin listener; from inside, an address for all interfaces is reached by loopback.
    static InetSocketAddress adminAddress(Map<String, String> environment) {
        String address = environment.getOrDefault("GATEPOST_ADMIN_ADDRESS", DEFAULT_ADDRESS);
        int colon = address.lastIndexOf(':');
        String host = address.substring(0, Math.max(colon, 0)).replace("[", "").replace("]", "");
        if (host.isEmpty() || host.equals("0.0.0.0") || host.equals("*")) {
            host = "127.0.0.1";
        } else if (host.equals("::")) {
            host = "::1";
        }
        return new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1)));
    }

    /// The status line of the answer.
    static String ask(InetSocketAddress admin, String path) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(admin, PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            String request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            BufferedReader answer = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            String statusLine = answer.readLine();
            if (statusLine == null) {
                throw new IOException("closed without an answer");
            }
            return statusLine;
        }
    }
}
