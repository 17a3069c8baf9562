package dev.gatepost.dns;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/// Functions of the C library that Netty does not offer.
final class SystemCall {
    private SystemCall() {}

    /// @param signature must be that of the C declaration: nothing can check it
    @SuppressWarnings("restricted") // this module is where native access is meant to be: the launcher enables it
    static MethodHandle of(String name, FunctionDescriptor signature, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), signature, options);
    }
}
