/// Answers for names outside the zone: asks upstreams, and remembers what they said.
@NullMarked
package dev.gatepost.dns.forward;

import org.jspecify.annotations.NullMarked;
