@NullMarked
package dev.gatepost.gateway.config;

import org.jspecify.annotations.NullMarked;
