"""Gatepost as it is started from a checkout."""

import os
from pathlib import Path

LAUNCHER = Path(os.environ.get("GATEPOST", Path(__file__).parents[2] / "gateway/bin/gatepost"))


def start(processes, config, name="gatepost"):
    """`gatepost run` with this configuration, on the core of the servers under test; the process is the JVM itself."""
    path = processes.file(f"{name}/gatepost.yaml", config)
    return processes.start(name, [LAUNCHER, "run", "--config", path], under_test=True)
