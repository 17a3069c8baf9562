@NullMarked
package dev.gatepost.gateway.accesslog;

import org.jspecify.annotations.NullMarked;
