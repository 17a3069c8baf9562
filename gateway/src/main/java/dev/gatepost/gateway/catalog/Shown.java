package dev.gatepost.gateway.catalog;

/// A service as its own endpoint shows it.
///
/// @param filtered there may be instances that the token may not see
/// @param index    where a question for what is newer goes on
record Shown(Service service, boolean filtered, long index) {
    static Shown of(String name, ConsulClient.Answer answer) throws ConsulFailure {
        return new Shown(ConsulJson.service(name, answer.body()), answer.filtered(), answer.index());
    }
}
