"""What each edge must do before it is measured, asked of it once."""

import http.client
import json
import ssl
import subprocess

from edges import BODY
from processes import Failed


def get(mode, port, path):
    """One request over HTTP/1.1 (also where the load is h2); returns status, body, headers and the TLS cipher."""
    context = ssl._create_unverified_context()
    if mode == "h2":
        return get_h2(port, path)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5) if mode == "h1" else http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        cipher = connection.sock.cipher()[:2] if mode == "tls" and connection.sock else None
        return response.status, response.read().decode(), dict(response.getheaders()), cipher
    finally:
        connection.close()


def get_h2(port, path):
    """The same by curl, since Python's library speaks no h2."""
    done = subprocess.run(
        ["curl", "-sk", "--http2", "--max-time", "5", "-D-", f"https://127.0.0.1:{port}{path}"], capture_output=True, check=False)
    if done.returncode != 0:
        raise OSError(f"curl ended with exit code {done.returncode}")
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    if not first.startswith("HTTP/2 "):
        raise Failed(f"port {port}: {first} (expected: HTTP/2)")
    return int(first.split()[1]), body, dict(field.split(": ", 1) for field in fields if ": " in field), None


def check_duties(mode, server, seconds, processes):
    """Waits until the server proxies, then makes sure that it does everything the others do."""
    processes.await_true(f"{server.name} proxies", lambda: get(mode, server.port, "/")[0] == 200, seconds)
    status, body, headers, cipher = get(mode, server.port, "/")
    if (status, body) != (200, BODY):
        raise Failed(f"{server.name}: {status} {body!r} (expected: 200 and the origin's body)")
    seen = get(mode, server.port, "/duties")[1].split("|")
    wanted = ["127.0.0.1", "http" if mode == "h1" else "https", f"127.0.0.1:{server.port}", str(server.port)]
    if seen[:4] != wanted or not seen[4]:
        raise Failed(f"{server.name}: the origin saw forwarded headers {seen} (expected: {wanted} and a request id)")
    if not any(name.lower() == "x-request-id" for name in headers):
        raise Failed(f"{server.name}: no X-Request-Id in the response")
    processes.await_true(f"{server.name} logs what it proxied", lambda: last_status(server.log) == "200", 5)
    return cipher


def last_status(log):
    """The status in the last line, None before there is one; a server may have refused requests before it knew the origin."""
    lines = log.read_text().splitlines()
    return str(json.loads(lines[-1])["http"]["response"]["status_code"]) if lines else None
