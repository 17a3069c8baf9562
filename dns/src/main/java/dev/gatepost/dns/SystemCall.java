package dev.gatepost.dns;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

/// Functions of the C library that Netty does not offer.
final class SystemCall {
    private static final MethodHandle SET_OPTION =
            of("setsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));

    private SystemCall() {}

    /// Sets a socket's option, if the kernel has it and lets us.
    static boolean setOption(int socket, int level, int option, MemorySegment value, int bytes) {
        try {
            return (int) SET_OPTION.invokeExact(socket, level, option, value, bytes) == 0;
        } catch (Throwable e) {
            throw new IllegalStateException("setsockopt", e);
        }
    }

    /// @param signature must be that of the C declaration: nothing can check it
    @SuppressWarnings("restricted") // this module is where native access is meant to be: the launcher enables it
    static MethodHandle of(String name, FunctionDescriptor signature, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), signature, options);
    }
}
