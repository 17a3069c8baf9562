@NullMarked
package dev.gatepost.gateway.catalog;

import org.jspecify.annotations.NullMarked;
