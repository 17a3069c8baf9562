package dev.gatepost.gateway.proxy;

import io.netty.handler.codec.DecoderException;
import java.io.IOException;
import javax.net.ssl.SSLException;

/// A connection that ended by its peer, or by the network between: nobody's bug. What else goes wrong in a pipeline is one.
final class LostConnection {
    private LostConnection() {}

    static boolean is(Throwable problem) {
        // What is no TLS comes wrapped by Netty's decoder.
        return problem instanceof IOException || (problem instanceof DecoderException && problem.getCause() instanceof SSLException);
    }
}
