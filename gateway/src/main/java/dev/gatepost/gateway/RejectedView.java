package dev.gatepost.gateway;

import dev.gatepost.gateway.fragment.PemFragment;
import dev.gatepost.gateway.route.Rejected;
import java.util.List;
import java.util.stream.Stream;

/// What was registered or configured and could not be used, wherever it was found.
///
/// @param kind     `tag`, `meta`, `kv`, `file`, `certificate` or `name`
/// @param instance whose it is; empty where it is nobody's
/// @param reason   the value, the place and what was expected
record RejectedView(String kind, String service, String instance, String text, String reason) {

    static List<RejectedView> all(Gateway gateway) {
        GatewayState state = gateway.state();
        return Stream.of(
                        state.routes().rejected().stream().map(RejectedView::of),
                        state.fragments().rejected().stream()
                                .map(fragment -> new RejectedView(fragment.medium(), "", "", fragment.source(), fragment.reason())),
                        gateway.certificates().isPresent() ? Stream.<RejectedView>empty() : state.fragments().certificates().stream().map(RejectedView::unused),
                        state.names().leftOut().entrySet().stream()
                                .map(name -> new RejectedView("name", name.getKey(), "", "", name.getValue())),
                        gateway.certificates().stream()
                                .flatMap(certificates -> certificates.rejected().stream())
                                .map(certificate -> new RejectedView("certificate", "", "", certificate.file().toString(), certificate.reason())))
                .flatMap(each -> each)
                .toList();
    }

    private static RejectedView unused(PemFragment certificate) {
        return new RejectedView("certificate", "", "", certificate.source(), "nobody is served it (expected: https.address, where HTTPS listens)");
    }

    private static RejectedView of(Rejected rejected) {
        return new RejectedView(rejected.kind(), rejected.service(), rejected.instance(), rejected.text(), rejected.reason());
    }
}
