"""The load generators, and what one run of each has to say."""

import base64
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from processes import Failed

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}


@dataclass(frozen=True)
class Outcome:
    """One run against one server; latencies in ms, None where the tool cannot tell."""

    requests: int
    failed: int
    seconds: float
    p50: float | None
    p99: float | None


def run(processes, command, seconds, stdin=None):
    """Runs a generator on the load core (inherited from this process) and returns what it printed."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=processes.folder,
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds + 30,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} did not end within {seconds + 30} s") from None
    if done.returncode != 0:
        raise Failed(f"{command[0]} ended with exit code {done.returncode}: {' | '.join(done.stdout.strip().splitlines()[-5:])}")
    return done.stdout


def quantiles(sorted_values):
    return [sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * q))] for q in (0.50, 0.99)]


def find(pattern, text, what):
    match = re.search(pattern, text)
    if not match:
        raise Failed(f"{what}: cannot read its output: {' | '.join(text.strip().splitlines()[-5:])}")
    return match


def h2load(processes, url, connections, streams, seconds, rate=None, http1=False, body=None):
    """h2load; at a fixed rate with every latency on record, else as fast as the server goes. Instead of a URL a file with one a line."""
    command = ["h2load", "-t1", "-c", connections, "-m", streams, "--tls13-ciphers=TLS_AES_128_GCM_SHA256"]
    if http1:
        command.append("--h1")
    log = processes.folder / "h2load.log"
    log.unlink(missing_ok=True)
    if rate:
        # Connections are opened over one request interval, so that their requests spread instead of arriving in one burst.
        command += ["-n", rate * seconds, f"--rps={rate / connections:.4f}", "-r", max(1, round(rate / streams / 1000)), "--rate-period=1ms"]
        command += [f"--log-file={log}"]
    else:
        command += ["-D", seconds]
    command += ["-i", url] if isinstance(url, Path) else [url]
    text = run(processes, command, seconds)
    done, succeeded = map(int, find(r"requests: .*?, (\d+) done, (\d+) succeeded", text, "h2load").groups())
    good = int(find(r"status codes: (\d+) 2xx", text, "h2load").group(1))
    data = int(find(r"\((\d+)\) data", text, "h2load").group(1))
    took = find(r"finished in ([\d.]+)(us|ms|s|m),", text, "h2load")
    if body and succeeded and data < succeeded * body:
        raise Failed(f"h2load: {data} body bytes in {succeeded} responses (expected: {body} in each)")
    p50 = p99 = None
    if rate and log.exists():
        micros = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
        p50, p99 = (micro / 1000 for micro in quantiles(micros))
    return Outcome(done, done - good, float(took.group(1)) * UNITS[took.group(2)] / 1000, p50, p99)


def h2load_log(processes, url, connections, seconds, rate):
    """HTTP/1.1 at a fixed rate: when each request began and how long it took, in us."""
    log = processes.folder / "h2load.log"
    log.unlink(missing_ok=True)
    text = run(processes, ["h2load", "-t1", "--h1", "-c", connections, "-n", rate * seconds, f"--rps={rate / connections:.4f}",
                           "-r", max(1, rate // 1000), "--rate-period=1ms", f"--log-file={log}", url], seconds)
    done = int(find(r"requests: .*?, (\d+) done", text, "h2load").group(1))
    good = int(find(r"status codes: (\d+) 2xx", text, "h2load").group(1))
    if good < rate * seconds:
        raise Failed(f"h2load: {good} of {done} requests succeeded (expected: {rate * seconds})")
    return [(int(fields[0]), int(fields[2])) for fields in (line.split("\t") for line in log.read_text().splitlines())]


def wrk(processes, url, connections, seconds):
    """wrk: as fast as the server goes, over HTTP/1.1."""
    return wrk_bytes(processes, url, connections, seconds)[0]


def wrk_bytes(processes, url, connections, seconds, script=None):
    """The same, perhaps with a script, and how many bytes it read."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"] + (["-s", script] if script else [])
    text = run(processes, [*command, url], seconds)
    read, size = find(r" requests in [^,]*, ([\d.]+)([KMGT]?)B read", text, "wrk").groups()
    requests, took, unit = find(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", text, "wrk").groups()
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", text)))
    for errors in re.findall(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text):
        failed += sum(map(int, errors))
    percentile = {q: float(value) * UNITS[unit] for q, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)", text)}
    outcome = Outcome(int(requests), failed, float(took) * UNITS[unit] / 1000, percentile.get("50"), percentile.get("99"))
    return outcome, float(read) * 1024 ** " KMGT".index(size or " ")


def dns_over_https(processes, port, queries, seconds, rate=None):
    """h2load with a GET for each line of dnsperf's file (RFC 8484 section 4.1): dnsperf's own client waits for Nagle's algorithm."""
    uris = processes.folder / f"queries-{port}.uris"
    if not uris.exists():
        names = [line.split()[0] for line in queries.read_text().splitlines()]
        uris.write_text("".join(f"https://127.0.0.1:{port}/dns-query?dns={base64.urlsafe_b64encode(address_query(name)).decode().rstrip('=')}\n" for name in names))
    return h2load(processes, uris, 8, 8, seconds, rate)


def address_query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return struct.pack(">6H", 0, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


def dnsperf(processes, port, queries, seconds, rate=None, clients=8, outstanding=64, transport="udp", edns=False):
    """dnsperf; every latency is on record at a fixed rate, where the extra output does not disturb. With EDNS it takes answers of 4,096 bytes."""
    command = ["dnsperf", "-s", "127.0.0.1", "-p", port, "-d", queries, "-l", seconds, "-c", clients, "-T", 1, "-q", outstanding, "-t", 2, "-m", transport, *(["-e"] if edns else [])]
    if rate:
        command += ["-Q", rate, "-v"]
    text = run(processes, command, seconds)
    completed = int(find(r"Queries completed:\s+(\d+)", text, "dnsperf").group(1))
    sent = int(find(r"Queries sent:\s+(\d+)", text, "dnsperf").group(1))
    noerror = re.search(r"NOERROR (\d+) \(", text)
    took = float(find(r"Run time \(s\):\s+([\d.]+)", text, "dnsperf").group(1))
    p50 = p99 = None
    if rate:
        millis = sorted(float(line.rsplit(" ", 1)[1]) * 1000 for line in text.splitlines() if line.startswith("> NOERROR"))
        if millis:
            p50, p99 = quantiles(millis)
    return Outcome(completed, sent - (int(noerror.group(1)) if noerror else 0), took, p50, p99)
