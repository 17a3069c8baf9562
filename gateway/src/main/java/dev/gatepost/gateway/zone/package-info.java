@NullMarked
package dev.gatepost.gateway.zone;

import org.jspecify.annotations.NullMarked;
