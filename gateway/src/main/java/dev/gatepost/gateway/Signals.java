package dev.gatepost.gateway;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/// POSIX signals. The JDK has no public API for them: by default SIGTERM ends with 143 and SIGHUP ends the process as
/// well. `sun.misc.Signal` of jdk.unsupported is what everyone uses and JEP 260 keeps; by reflection, since the
/// compiler's warning about it can't be switched off in one place.
final class Signals {
    private Signals() {}

    /// Runs `action` on a thread of its own each time the signal arrives, in place of what the JVM does with it.
    ///
    /// @param name without SIG, e.g. `TERM`
    static void on(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            MethodHandle run = MethodHandles.lookup().findVirtual(Runnable.class, "run", MethodType.methodType(void.class)).bindTo(action);
            Object handling = MethodHandleProxies.asInterfaceInstance(handler, MethodHandles.dropArguments(run, 0, signal));
            signal.getMethod("handle", signal, handler).invoke(null, signal.getConstructor(String.class).newInstance(name), handling);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JDK has no sun.misc.Signal (expected: the module jdk.unsupported)", e);
        }
    }
}
