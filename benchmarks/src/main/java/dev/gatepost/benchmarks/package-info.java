/// JMH benchmarks, one class a question.
@NullMarked
package dev.gatepost.benchmarks;

import org.jspecify.annotations.NullMarked;
