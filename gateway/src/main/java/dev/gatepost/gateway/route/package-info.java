@NullMarked
package dev.gatepost.gateway.route;

import org.jspecify.annotations.NullMarked;
