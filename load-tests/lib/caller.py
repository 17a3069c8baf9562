"""A client that calls at a fixed rate over HTTPS, by HTTP/1.1 or HTTP/2, and accounts for every request: answered rightly, or how it failed.

    python3 caller.py JSON        see `Plan`; prints a JSON object, see `Account`, and ends with its standard input

An end in good order costs no request: after `Connection: close` or GOAWAY it connects anew, and what a GOAWAY gives back is asked again.
Nothing else is asked twice, though clients in the field would: whatever breaks off, is refused or says anything but 200 and the right body is a failure."""

import asyncio
import json
import os
import random
import re
import ssl
import sys
import threading
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field

CLOSE = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
END_STREAM, ACK = 0x1, 0x1
AGENT = b"gatepost-caller"
LAST_STREAM = 1 << 30


@dataclass(frozen=True)
class Plan:
    """http1; how many requests at which rate over how many connections, each of which carries so many before it is replaced; the most
    that wait on one connection; `targets`: paths, each with the bodies that are right; `names`: to ask for by SNI, in turn."""

    http1: bool
    port: int
    authority: str
    names: list
    targets: list
    requests: int
    rate: float
    connections: int
    each: int
    at_once: int
    patience: float


@dataclass
class Account:
    """What became of the requests; `serials`: the certificates seen, by the name asked for."""

    answered: int = 0
    failures: Counter = field(default_factory=Counter)
    given_back: int = 0
    connections: int = 0
    ended: int = 0
    serials: dict = field(default_factory=dict)
    millis: array = field(default_factory=lambda: array("f"))

    def over(self):
        return self.answered + sum(count for kind, count in self.failures.items() if not kind.startswith("connection: "))

    def end(self, target, asked_at, status, body):
        if status != 200:
            self.failures[f"{target[0]}: {status}"] += 1
        elif body.decode(errors="replace").strip() not in target[1]:
            self.failures[f"{target[0]}: the body of another"] += 1
        else:
            self.answered += 1
            self.millis.append((time.monotonic() - asked_at) * 1000)


class Connection(asyncio.Protocol):
    """One connection; `waiting` are the requests that it has not answered, by stream."""

    def __init__(self, caller):
        self.caller, self.account = caller, caller.account
        self.transport, self.pending = None, b""
        self.waiting = {}
        self.left = random.randint(caller.plan.each // 2, caller.plan.each * 3 // 2)
        self.lost = asyncio.Event()

    def connection_made(self, transport):
        self.transport = transport

    def has_room(self):
        return self.left > 0 and len(self.waiting) < self.caller.plan.at_once and not self.transport.is_closing()

    def answered(self, stream, status, body):
        target, asked_at = self.waiting.pop(stream)
        self.account.end(target, asked_at, status, body)
        self.close_when_done()

    def close_when_done(self):
        if self.left <= 0 and not self.waiting:
            self.transport.close()

    def ends(self):
        """The gate ends it, in good order."""
        self.account.ended += 1
        self.left = 0

    def expire(self, now):
        if any(now - asked_at > self.caller.plan.patience for _, asked_at in self.waiting.values()):
            self.fail("not answered in time")

    def fail(self, how):
        self.account.failures[how] += len(self.waiting)
        self.waiting.clear()
        self.left = 0
        self.transport.abort()

    def connection_lost(self, problem):
        if self.waiting:
            self.fail("closed before the response" if problem is None else f"{type(problem).__name__} before the response")
        elif self.left > 0:
            self.account.ended += 1
        self.lost.set()


class Http1(Connection):
    alpn = "http/1.1"

    def ask(self, target):
        self.left -= 1
        self.waiting[1] = target, time.monotonic()
        self.transport.write(b"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n\r\n" % (target[0].encode(), self.caller.plan.authority.encode(), AGENT))

    def data_received(self, data):
        self.pending += data
        head, found, body = self.pending.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        if not found or not self.waiting:
            return
        if not length:
            self.fail(f"a response without a length: {head[:80]!r}")
        elif len(body) >= int(length.group(1)):
            self.pending = b""
            if CLOSE.search(head + b"\r\n"):
                self.ends()
            self.answered(1, int(head[9:12]), body)


class Http2(Connection):
    alpn = "h2"

    def connection_made(self, transport):
        super().connection_made(transport)
        self.stream, self.responses = 1, {}
        # No dynamic table, so that a field section means the same by itself; windows that need no care.
        settings = b"".join(number.to_bytes(2) + value.to_bytes(4) for number, value in ((1, 0), (2, 0), (4, 1 << 20)))
        transport.write(PREFACE + frame(SETTINGS, 0, 0, settings) + frame(8, 0, 0, ((1 << 31) - 1 - 65535).to_bytes(4)))

    def ask(self, target):
        self.left -= 1
        self.waiting[self.stream] = target, time.monotonic()
        self.responses[self.stream] = [0, b""]
        fields = b"\x82\x87\x04" + text(target[0].encode()) + b"\x01" + text(self.caller.plan.authority.encode()) + b"\x0f\x2b" + text(AGENT)
        self.transport.write(frame(HEADERS, 0x5, self.stream, fields))
        self.stream += 2

    def data_received(self, data):
        self.pending += data
        at = 0
        while len(self.pending) - at >= 9:
            end = at + 9 + int.from_bytes(self.pending[at:at + 3])
            if end > len(self.pending):
                break
            self.frame(self.pending[at + 3], self.pending[at + 4], int.from_bytes(self.pending[at + 5:at + 9]), self.pending[at + 9:end])
            at = end
        self.pending = self.pending[at:]

    def frame(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            self.transport.write(frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            self.transport.write(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.goaway(int.from_bytes(payload[:4]) & 0x7fffffff, int.from_bytes(payload[4:8]))
        elif stream in self.waiting:
            self.response(kind, flags, stream, payload)

    def response(self, kind, flags, stream, payload):
        response = self.responses[stream]
        if kind == RST_STREAM:
            target, _ = self.waiting.pop(stream)
            del self.responses[stream]
            self.account.failures[f"{target[0]}: RST_STREAM {int.from_bytes(payload)}"] += 1
            self.close_when_done()
            return
        if kind == HEADERS:
            response[0] = response[0] or status(payload)
        elif kind == DATA:
            response[1] += payload
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            del self.responses[stream]
            self.answered(stream, *response)

    def goaway(self, last, code):
        if code:
            self.fail(f"GOAWAY {code}")
            return
        if self.left > 0:
            self.ends()
        for stream in [each for each in self.waiting if each > last]:
            self.caller.again.append(self.waiting.pop(stream)[0])
            self.account.given_back += 1
        self.close_when_done()


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def text(value):
    return len(value).to_bytes(1) + value


def status(fields):
    """The first field of a response (RFC 7541): one of the table's, or a literal of that name, whose digits are perhaps in Huffman's code."""
    fields = fields.lstrip(b"\x20")
    if fields[0] & 0x80:
        return {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}[fields[0] & 0x7f]
    value = fields[2:2 + (fields[1] & 0x7f)]
    if not fields[1] & 0x80:
        return int(value)
    bits, digits = int.from_bytes(value), ""
    left = len(value) * 8
    while len(digits) < 3:
        short = bits >> (left - 5) & 0x1f
        digits, left = (digits + str(short), left - 5) if short < 3 else (digits + str((bits >> (left - 6) & 0x3f) - 22), left - 6)
    return int(digits)


class Caller:
    def __init__(self, plan, authorities):
        self.plan, self.account = plan, Account()
        self.protocol = Http1 if plan.http1 else Http2
        self.context = ssl.create_default_context(cafile=authorities)
        self.context.set_alpn_protocols([self.protocol.alpn])
        self.open, self.again = [], []
        self.done = False

    async def keep_connected(self, number):
        """One connection after another."""
        while not self.done:
            number += 1
            name = self.plan.names[number % len(self.plan.names)]
            try:
                async with asyncio.timeout(self.plan.patience):
                    _, connection = await asyncio.get_running_loop().create_connection(
                        lambda: self.protocol(self), "127.0.0.1", self.plan.port, ssl=self.context, server_hostname=name)
            except (OSError, TimeoutError, ssl.CertificateError) as problem:
                self.account.failures[f"connection: {type(problem).__name__} {getattr(problem, 'reason', None) or problem}"] += 1
                await asyncio.sleep(0.1)
                continue
            self.account.connections += 1
            self.account.serials.setdefault(name, set()).add(connection.transport.get_extra_info("peercert")["serialNumber"])
            if connection.transport.get_extra_info("ssl_object").selected_alpn_protocol() != self.protocol.alpn:
                self.account.failures[f"connection: no {self.protocol.alpn} by ALPN"] += 1
            self.open.append(connection)
            await connection.lost.wait()
            self.open.remove(connection)

    async def call(self):
        keeping = [asyncio.create_task(self.keep_connected(number)) for number in range(self.plan.connections)]
        begun, asked, turn, looked = time.monotonic(), 0, 0, 0.0
        while self.account.over() < self.plan.requests:
            now = time.monotonic()
            # What could not be asked in time is asked at the same rate later: a machine that was busy elsewhere owes nobody a burst.
            begun = max(begun, now - (asked + self.plan.rate) / self.plan.rate)
            due = min(self.plan.requests, int((now - begun) * self.plan.rate))
            for _ in range(len(self.open) * self.plan.at_once):
                if not self.open or asked >= due and not self.again:
                    break
                turn += 1
                connection = self.open[turn % len(self.open)]
                if not connection.has_room():
                    continue
                if not self.again:
                    asked += 1
                connection.ask(self.again.pop() if self.again else random.choice(self.plan.targets))
            if now - looked > 0.5:
                looked = now
                for connection in list(self.open):
                    connection.expire(now)
            await asyncio.sleep(0.002)
        self.done = True
        for connection in list(self.open):
            connection.transport.close()
        for task in keeping:
            task.cancel()


def main():
    threading.Thread(target=lambda: os.read(0, 1) or os._exit(1), daemon=True).start()
    given = json.loads(sys.argv[1])
    caller = Caller(Plan(**given["plan"]), given["authorities"])
    begun = time.monotonic()
    asyncio.run(caller.call())
    account = caller.account
    ordered = sorted(account.millis) or [0.0]
    json.dump({
        "answered": account.answered, "failures": account.failures, "given_back": account.given_back, "connections": account.connections, "ended": account.ended,
        "serials": {name: sorted(serials) for name, serials in account.serials.items()}, "seconds": time.monotonic() - begun,
        "p50": ordered[len(ordered) // 2], "p99": ordered[len(ordered) * 99 // 100], "slowest": ordered[-1]}, sys.stdout)


if __name__ == "__main__":
    main()
