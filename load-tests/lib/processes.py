"""The processes of one run: started pinned to a core, stopped by pid at the end whatever happens."""

import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Failed(Exception):
    """The run cannot go on; the message says why."""


def require(packages):
    """Ends the script with the packages to install when a tool is missing; `packages` maps a tool to its Debian package."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = {package for tool, package in packages.items() if not shutil.which(tool, path=path)}
    if missing:
        sys.exit(f"missing tools; on Debian: apt-get install --no-install-recommends {' '.join(sorted(missing))}")
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        sys.exit("needs Linux and two cores: one for the server under test, one for the load and the origin")
    os.environ["PATH"] = path


given_ports = set()


def free_port():
    """A loopback port free for TCP and UDP right now and not given before, below those that outgoing connections are given."""
    while True:
        port = random.randrange(20000, 32000)
        if port in given_ports:
            continue
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            given_ports.add(port)
            return port


class Processes:
    """A context: a temporary folder, and what was started in it."""

    def __init__(self, server_core, load_core, keep):
        self.server_core = server_core
        self.load_core = load_core
        self.keep = keep
        self.started = []

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-load-"))
        # Everything of ours that is not the server under test, this script included, stays on the load core.
        os.sched_setaffinity(0, {self.load_core})
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for _, process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
        for _, process in reversed(self.started):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.keep:
            print(f"configurations and logs kept in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self, name, command, under_test, stdout=None, env=None):
        """Starts it in a session of its own: Ctrl-C reaches this script alone, which then stops everything in order."""
        core = self.server_core if under_test else self.load_core
        parent = os.getpid()

        def prepare():
            os.sched_setaffinity(0, core if isinstance(core, set) else {core})
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        output = self.folder / f"{name}.out"
        with open(stdout or output, "ab") as out, open(output, "ab") as err:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=prepare,
            )
        self.started.append((name, process))
        return process

    def stop(self, process):
        """Ends one of them before the others, in order."""
        self.started = [each for each in self.started if each[1] is not process]
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def check_alive(self):
        for name, process in self.started:
            if process.poll() is not None:
                raise Failed(f"{name} ended with exit code {process.returncode}: {self.tail(name)}")

    def tail(self, name):
        output = self.folder / f"{name}.out"
        lines = output.read_text(errors="replace").strip().splitlines() if output.exists() else []
        return " | ".join(lines[-5:]) or "no output"

    def await_true(self, what, condition, seconds):
        deadline = time.monotonic() + seconds
        while True:
            self.check_alive()
            try:
                if condition():
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise Failed(f"{what}: not within {seconds} s; {' / '.join(self.tail(name) for name, _ in self.started)}")
            time.sleep(0.05)


def family(pid):
    """A process and all that descend from it."""
    pids = [pid]
    for parent in pids:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pids += [int(child) for child in task.read_text().split()]
            except OSError:
                pass
    return pids


def cpu_seconds(pid):
    """User and system time of the process, its threads and its children, ended children included."""
    ticks = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        if member == pid:
            ticks += int(fields[13]) + int(fields[14])
    return ticks / TICKS


def cpu_clock(pid):
    """Seconds of CPU that the process has used, to the microsecond: the difference of two tells what a moment cost."""
    return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) makes it


def rss_mib(pid):
    return sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) for member in family(pid)) * PAGE_MIB


def core_times(core):
    """(busy, total) of one core, in ticks."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            fields = [int(field) for field in line.split()[1:9]]
            idle = fields[3] + fields[4]
            return sum(fields) - idle, sum(fields)
    raise Failed(f"no core {core}")
