package dev.gatepost.gateway.catalog;

import java.util.ArrayList;
import java.util.List;

/// What the token may see, told from how much it gets to see: a weak one gets no error but short lists. Newer versions of
/// Consul say that a list is short; and no catalog is without nodes and without its servers' own service. Confined to one
/// thread.
final class ConsulRights {
    static final String SERVICES = "service_prefix \"\" { policy = \"read\" }";
    static final String NODES = "node_prefix \"\" { policy = \"read\" }";

    private boolean namesHeard;
    private boolean nodesHeard;
    private boolean namesShort;
    private boolean nodesShort;
    private boolean weakAtTheStart;

    /// @param filtered as Consul says
    void names(boolean empty, boolean filtered) {
        weakAtTheStart |= !namesHeard && filtered;
        namesHeard = true;
        namesShort = empty || filtered;
    }

    /// @param filtered as Consul says
    void nodes(boolean empty, boolean filtered) {
        weakAtTheStart |= !nodesHeard && filtered;
        nodesHeard = true;
        nodesShort = empty || filtered;
    }

    /// Whether an answer is short for want of rights that were there at the start: it takes nothing away. A token that
    /// never saw all is believed.
    boolean lost(boolean filtered) {
        return filtered && !weakAtTheStart;
    }

    /// Lines of an ACL policy that the token must lack; none before both lists were heard.
    List<String> missing() {
        List<String> missing = new ArrayList<>();
        if (!namesHeard || !nodesHeard) {
            return missing;
        }
        if (namesShort) {
            missing.add(SERVICES);
        }
        if (nodesShort) {
            missing.add(NODES);
        }
        return missing;
    }
}
