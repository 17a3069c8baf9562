"""One instance of a service, in a process of its own so that it can be killed: answers every request with its name, after a while.

    python3 instance.py NAME MILLISECONDS

Prints its port, and ends with its standard input."""

import select
import socket
import sys
import time
from collections import deque


def main():
    name, delay = sys.argv[1].encode(), int(sys.argv[2]) / 1000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s\n" % (len(name) + 1, name)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    poll.register(0, select.EPOLLIN)
    connections, due = {}, deque()
    while True:
        wait = max(0.0, due[0][0] - time.monotonic()) if due else -1
        for number, _ in poll.poll(wait):
            if number == 0:
                return
            if number == listener.fileno():
                connection, _ = listener.accept()
                connections[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
                continue
            try:
                asked = connections[number].recv(65536).count(b"\r\n\r\n")
            except OSError:
                asked = 0
            if asked:
                due.append((time.monotonic() + delay, connections[number], asked))
            else:
                connections.pop(number).close()
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, connection, asked = due.popleft()
            try:
                connection.sendall(answer * asked)
            except OSError:
                pass


if __name__ == "__main__":
    main()
