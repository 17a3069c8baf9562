package dev.gatepost.gateway.fragment;

import java.time.Instant;
import java.util.Optional;

/// How a source of fragments stands at this moment.
///
/// @param address     the folder, of the file system or of Consul's KV store
/// @param confirmedAt when it was last read whole; empty before the first time
/// @param lastError   why it can't be read; empty when it can
public record FragmentStatus(String address, int fragments, Optional<Instant> confirmedAt, Optional<String> lastError) {}
