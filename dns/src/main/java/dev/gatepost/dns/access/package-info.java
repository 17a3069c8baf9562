/// Who is answered, and how often. It knows addresses, and no queries.
@NullMarked
package dev.gatepost.dns.access;

import org.jspecify.annotations.NullMarked;
