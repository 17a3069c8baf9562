/// A DNS server over an immutable zone. It has never heard of Consul or of HTTP.
@NullMarked
package dev.gatepost.dns;

import org.jspecify.annotations.NullMarked;
