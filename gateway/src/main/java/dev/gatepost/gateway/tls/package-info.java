@NullMarked
package dev.gatepost.gateway.tls;

import org.jspecify.annotations.NullMarked;
