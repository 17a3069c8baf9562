package dev.gatepost.gateway;

import dev.gatepost.gateway.config.GatewayConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// At which addresses clients reach this gateway, as far as that can be told from here.
final class OwnAddresses {
    /// Addresses for documentation, which are routed as any other of the outside is, and to which nothing is sent.
    private static final List<String> ANYWHERE = List.of("192.0.2.1", "2001:db8::1");
    private static final int ANY_PORT = 53;

    private OwnAddresses() {}

    /// Where the listeners are; for one that listens everywhere, the addresses that this machine has towards the outside.
    static List<InetAddress> of(GatewayConfig config) {
        Optional<InetAddress> listening = config.https().map(GatewayConfig.Https::address)
                .or(() -> config.http().map(GatewayConfig.Http::address))
                .map(InetSocketAddress::getAddress);
        return listening.stream().flatMap(address -> address.isAnyLocalAddress() ? towardsOutside() : Stream.of(address)).toList();
    }

    private static Stream<InetAddress> towardsOutside() {
        return ANYWHERE.stream().map(InetAddress::ofLiteral).flatMap(outside -> {
            try (DatagramSocket socket = new DatagramSocket()) {
                socket.connect(outside, ANY_PORT);
                InetAddress own = socket.getLocalAddress();
                return own.isAnyLocalAddress() || own.isLoopbackAddress() || own.isLinkLocalAddress() ? Stream.empty() : Stream.of(own);
            } catch (IOException | UncheckedIOException _) {
                return Stream.empty(); // no way there
            }
        });
    }

    static Optional<InetAddress> literal(String address) {
        try {
            return Optional.of(InetAddress.ofLiteral(address));
        } catch (IllegalArgumentException _) {
            return Optional.empty(); // a host name
        }
    }

    /// Which of the addresses are this machine's.
    static Set<InetAddress> amongst(List<InetAddress> addresses) {
        Set<InetAddress> own = new LinkedHashSet<>();
        for (InetAddress each : addresses) {
            try {
                if (NetworkInterface.getByInetAddress(each) != null) {
                    own.add(each);
                }
            } catch (SocketException _) {
                // not to be told
            }
        }
        return own;
    }
}
