package dev.gatepost.gateway;

import java.net.spi.InetAddressResolver;
import java.net.spi.InetAddressResolverProvider;

/// Host names in the configuration mean what they mean to every other program of the machine: the JDK's own resolver asks the
/// C library. dnsjava's jar offers itself in its place to the whole JVM; the first offer on the class path counts, and this
/// is it.
public final class BuiltInResolver extends InetAddressResolverProvider {
    @Override
    public InetAddressResolver get(Configuration configuration) {
        return configuration.builtinResolver();
    }

    @Override
    public String name() {
        return "built-in";
    }
}
