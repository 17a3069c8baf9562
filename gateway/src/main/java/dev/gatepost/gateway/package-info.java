/// Composition and life cycle: the command line, the wiring, start, drain and stop.
@NullMarked
package dev.gatepost.gateway;

import org.jspecify.annotations.NullMarked;
