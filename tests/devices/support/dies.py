"""A small HTTP server that answers and then dies: all listeners vanish, and packets are dropped where there is a link to cut.

usage: dies.py ADDRESS AFTER_CONNECTIONS AFTER_SECONDS ISOLATION PORT…
The count is of accepted connections (a connect scan of an open port is one); the seconds run from the first of them.
"""
import selectors
import socket
import subprocess
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nServer: frail/1.0\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"


def listen(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind((address, port))
    server.listen(64)
    return server


def answer(connection):
    connection.settimeout(1)
    try:
        if connection.recv(4096):
            connection.sendall(ANSWER)
    except OSError:
        pass
    connection.close()


def main():
    address, most, seconds, isolation = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    selector = selectors.DefaultSelector()
    for port in sys.argv[5:]:
        selector.register(listen(address, int(port)), selectors.EVENT_READ)
    accepted, first = 0, None
    while accepted < most and (first is None or time.monotonic() - first < seconds):
        for key, _ in selector.select(None if first is None else 0.05):
            first = first or time.monotonic()
            accepted += 1
            answer(key.fileobj.accept()[0])
            if accepted >= most:
                break
    if isolation != "loopback":
        subprocess.run(["ip", "link", "set", "eth0", "down"], check=True)


if __name__ == "__main__":
    main()
