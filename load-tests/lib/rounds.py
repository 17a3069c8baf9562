"""Measuring: every server in turn under every load, round after round, and the table of the medians."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loads import Outcome
from processes import core_times, cpu_seconds, rss_mib


@dataclass(frozen=True)
class Server:
    """A running server under test.

    log   the file in which every request leaves its lines; None: it has none
    lines that each request leaves
    peer  the Gatepost with the same duties, to which its CPU is compared
    admin the port where it says whether it is ready; None: it does not say
    """

    name: str
    pid: int
    port: int
    log: Path | None = None
    lines: int = 1
    peer: str = "gatepost"
    note: str = ""
    admin: int | None = None


@dataclass(frozen=True)
class Load:
    """A way to drive a server; `slack` is how many requests may be in flight, hence logged but not counted, when it stops."""

    name: str
    drive: Callable[[Server, int], Outcome]
    slack: int = 0


@dataclass(frozen=True)
class Sample:
    """What one run showed; CPU in us of user and system time per request."""

    rate: float
    cpu: float
    p50: float | None
    p99: float | None
    rss: float
    server_core: float
    load_core: float


@dataclass
class Rounds:
    processes: object
    servers: list
    loads: list
    unit: str
    faults: list = field(default_factory=list)
    samples: dict = field(default_factory=dict)

    def run(self, rounds, seconds, warm_up, say):
        for server in self.servers:
            say(f"warm-up: {server.name}")
            for load in reversed(self.loads):
                self.once(server, load, warm_up)
        self.faults.clear()
        for number in range(rounds):
            # Another server begins each round, so that none always follows the same neighbour.
            order = self.servers[number % len(self.servers):] + self.servers[: number % len(self.servers)]
            for load in self.loads:
                for server in order:
                    sample = self.once(server, load, seconds)
                    self.samples.setdefault((load.name, server.name), []).append(sample)
                    say(f"round {number + 1}/{rounds}, {load.name}: {server.name} {sample.cpu:.2f} us/{self.unit}")

    def once(self, server, load, seconds):
        self.processes.check_alive()
        if server.log:
            os.truncate(server.log, 0)
        cores = [core_times(self.processes.server_core), core_times(self.processes.load_core)]
        cpu = cpu_seconds(server.pid)
        outcome = load.drive(server, seconds)
        busy = [
            100 * (after[0] - before[0]) / max(1, after[1] - before[1])
            for before, after in zip(cores, [core_times(self.processes.server_core), core_times(self.processes.load_core)])
        ]
        self.check(server, load, outcome)
        # Read only now: what a server puts off (flushing its log) is work for these requests as well.
        cpu = cpu_seconds(server.pid) - cpu
        return Sample(
            rate=outcome.requests / outcome.seconds,
            cpu=cpu * 1e6 / max(1, outcome.requests),
            p50=outcome.p50,
            p99=outcome.p99,
            rss=rss_mib(server.pid),
            server_core=busy[0],
            load_core=busy[1],
        )

    def check(self, server, load, outcome):
        if outcome.failed:
            self.faults.append(f"{server.name}, {load.name}: {outcome.failed} of {outcome.requests} {self.unit}s failed")
        if not server.log:
            return
        deadline = time.monotonic() + 5
        while (lines := count_lines(server.log)) < outcome.requests * server.lines and time.monotonic() < deadline:
            time.sleep(0.1)
        if not outcome.requests <= lines / server.lines <= outcome.requests + load.slack:
            self.faults.append(f"{server.name}, {load.name}: {lines} log lines for {outcome.requests} {self.unit}s")

    def report(self, heading):
        """The table, the sentences to quote, and what was not as it should be."""
        columns = ["load", "server", f"{self.unit}/s", f"CPU us/{self.unit}", "min..max", "x gatepost", "p50 ms", "p99 ms", "RSS MiB", "load core"]
        rows, quotes, limited = [], [], []
        for load in self.loads:
            for server in self.servers:
                reference = self.median(load.name, server.peer, "cpu")
                cpus = [sample.cpu for sample in self.samples[load.name, server.name]]
                cpu = statistics.median(cpus)
                busy = self.median(load.name, server.name, "load_core")
                rows.append([
                    load.name,
                    server.name,
                    f"{self.median(load.name, server.name, 'rate'):,.0f}",
                    f"{cpu:.2f}",
                    f"{min(cpus):.2f}..{max(cpus):.2f}",
                    f"{cpu / reference:.2f}" if reference else "-",
                    millis(self.median(load.name, server.name, "p50")),
                    millis(self.median(load.name, server.name, "p99")),
                    f"{self.median(load.name, server.name, 'rss'):.0f}",
                    f"{busy:.0f} %",
                ])
                if reference and server.name != server.peer and not server.name.startswith("gatepost"):
                    quotes.append(f"{reference / cpu:.2f} x {server.name} ({load.name})")
                if self.median(load.name, server.name, "server_core") < 90 <= busy:
                    limited.append(f"{server.name} ({load.name})")
        text = [heading, "", *aligned(columns, rows)]
        notes = [f"{server.name}: {server.note}" for server in self.servers if server.note]
        text += ["", *notes] if notes else []
        if quotes:
            text += ["", f"Gatepost's CPU per {self.unit}: " + ", ".join(quotes) + "."]
        if limited:
            text += [f"The load core was the limit, so the {self.unit}s/s are the load's and not the server's: {', '.join(limited)}."]
        text += ["", *(f"WRONG: {fault}" for fault in self.faults)] if self.faults else [f"Every {self.unit} was answered rightly and left its log line."]
        return "\n".join(text)

    def median(self, load, server, what):
        values = [value for sample in self.samples.get((load, server), []) if (value := getattr(sample, what)) is not None]
        return statistics.median(values) if values else None


def count_lines(path):
    with open(path, "rb", buffering=0) as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def millis(value):
    return "-" if value is None else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def aligned(columns, rows):
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    lines = ["  ".join(cell.ljust(width) if i < 2 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in [columns, *rows]]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]
