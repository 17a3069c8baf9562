@NullMarked
package dev.gatepost.gateway.proxy;

import org.jspecify.annotations.NullMarked;
