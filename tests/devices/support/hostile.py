"""Listeners that misbehave in one way, so that every probe can be shown to survive it.

usage: hostile.py MODE ADDRESS PORT…
silent          accepts, never says anything, never closes
closes          accepts and closes at once
resets          accepts and resets (RST by SO_LINGER 0)
drip            one byte every 100 ms, for ever
random          random bytes, 256 KiB, then waits
endless_banner  printable bytes without a line end, as fast as they are read, for ever
giant_header    an HTTP answer whose one header has 100 MB
"""
import os
import selectors
import socket
import struct
import sys
import time

LINE = b"A" * 65536
DRIP = b"220 welcome to this very slow device. "
HEADER_START = b"HTTP/1.1 200 OK\r\nX-Fill: "
HEADER_SIZE = 100 * 1000 * 1000
HEADER_END = b"\r\nContent-Length: 0\r\n\r\n"
MAX_OPEN = 512


def drip():
    at = 0
    while True:
        yield DRIP[at % len(DRIP):][:1]
        at += 1


def random_bytes():
    for _ in range(64):
        yield os.urandom(4096)


def endless_banner():
    while True:
        yield LINE


def giant_header():
    yield HEADER_START
    for _ in range(HEADER_SIZE // len(LINE)):
        yield LINE
    yield LINE[:HEADER_SIZE % len(LINE)]
    yield HEADER_END


def silence():
    return iter(())


SOURCES = {"silent": silence, "drip": drip, "random": random_bytes, "endless_banner": endless_banner, "giant_header": giant_header}


class Peer:
    """One connection: what is still to be sent, and from when on."""

    def __init__(self, source):
        self.source = source
        self.left = b""
        self.next_at = 0.0


def listen(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind((address, port))
    server.listen(256)
    server.setblocking(False)
    return server


class Device:
    def __init__(self, mode, address, ports):
        self.mode = mode
        self.selector = selectors.DefaultSelector()
        self.peers = {}
        for port in ports:
            self.selector.register(listen(address, port), selectors.EVENT_READ, None)

    def run(self):
        while True:
            wait = 0.02 if self.mode == "drip" and self.peers else None
            for key, events in self.selector.select(wait):
                if key.data is None:
                    self.accept(key.fileobj)
                elif events & selectors.EVENT_READ and not self.drain(key.fileobj):
                    self.drop(key.fileobj)
                elif events & selectors.EVENT_WRITE:
                    self.send(key.fileobj, key.data)
            self.wake_drips()

    def accept(self, server):
        try:
            connection, _ = server.accept()
        except OSError:
            return
        if self.mode == "resets":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.mode in ("resets", "closes") or len(self.peers) >= MAX_OPEN:
            connection.close()
            return
        connection.setblocking(False)
        peer = Peer(SOURCES[self.mode]())
        self.peers[connection] = peer
        events = selectors.EVENT_READ | (0 if self.mode == "silent" else selectors.EVENT_WRITE)
        self.selector.register(connection, events, peer)

    def drain(self, connection):
        """Takes what the other side says without answering it. False when it has gone."""
        try:
            return bool(connection.recv(65536))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def send(self, connection, peer):
        try:
            if not peer.left:
                peer.left = next(peer.source)
            peer.left = peer.left[connection.send(peer.left):]
        except StopIteration:
            self.selector.modify(connection, selectors.EVENT_READ, peer)
            return
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection)
            return
        if self.mode == "drip":
            peer.next_at = time.monotonic() + 0.1
            self.selector.modify(connection, selectors.EVENT_READ, peer)

    def wake_drips(self):
        if self.mode != "drip":
            return
        now = time.monotonic()
        for connection, peer in self.peers.items():
            if peer.next_at and peer.next_at <= now:
                peer.next_at = 0.0
                self.selector.modify(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, peer)

    def drop(self, connection):
        if connection in self.peers:
            del self.peers[connection]
            self.selector.unregister(connection)
            connection.close()


def main():
    mode, address, ports = sys.argv[1], sys.argv[2], [int(port) for port in sys.argv[3:]]
    if mode not in SOURCES and mode not in ("resets", "closes"):
        sys.exit("unknown mode " + mode)
    Device(mode, address, ports).run()


if __name__ == "__main__":
    main()
