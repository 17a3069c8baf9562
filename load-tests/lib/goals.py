"""The goals that the figures of a run are held against, each told as met or not."""


def tell(what, value, limit, unit):
    """One line; returns whether the goal is met."""
    if value is None or limit is None:
        print(f"goal: {what}: not measured", flush=True)
        return False
    met = value <= limit
    print(f"goal: {what}: {value:,.2f} {unit} (at most {limit:,.2f}): {'met' if met else 'NOT met'}", flush=True)
    return met


def tell_cpu(rounds, load, factor):
    """Gatepost's CPU per unit against the better of its peers in the same rounds."""
    peers = {server.name: rounds.median(load, server.name, "cpu") for server in rounds.servers if server.name != "gatepost"}
    ours = rounds.median(load, "gatepost", "cpu")
    if not peers or ours is None:
        return True
    best = min(peers, key=peers.get)
    return tell(f"CPU per {rounds.unit}, {load}, over {best}'s", ours / peers[best], factor, "x")
