/// Certificates by SNI name: loading, choosing, replacing them, and the TLS contexts that present them.
@NullMarked
package dev.gatepost.gateway.tls;

import org.jspecify.annotations.NullMarked;
