@NullMarked
package dev.gatepost.gateway.fragment;

import org.jspecify.annotations.NullMarked;
