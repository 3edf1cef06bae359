"""The TCP of a microcontroller, all of it in this script: a device that breaks under load, and says what it was put through.

usage: mcu.py ADDRESS STATS READY slow=N:MS dies=N burst=MS back=S then=silent|refuses PORT…
slow=N:MS  above N new connections in a second every answer comes MS milliseconds late (0: never)
dies=N     above N new connections in a second it falls silent (0: never)
burst=MS   it falls silent at a second new connection within MS milliseconds (0: never)
then=      what that looks like: silent, or refuses when only its services are gone
back=S     so many seconds later it starts again, and refuses everywhere for a second, until its services run (0: never)

A new connection is a SYN, whatever becomes of it. The kernel's own TCP must be shut off (nftables), this one speaks IPv4 over
the raw link. STATS is a JSON file, written anew all the time; READY is made when it listens.
"""
import collections
import heapq
import json
import os
import pathlib
import signal
import socket
import struct
import sys
import time

FIN, SYN, RST, ACK = 1, 2, 4, 16
SO_TIMESTAMPNS = 35
STARTS_FOR = 1.0
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Segment:
    """One TCP segment of a frame, or None for everything else."""

    @staticmethod
    def parse(frame, address):
        if len(frame) < 54 or frame[12:14] != b"\x08\0" or frame[23] != 6 or frame[30:34] != address:
            return None
        at = 14 + (frame[14] & 15) * 4
        end = 14 + struct.unpack("!H", frame[16:18])[0]
        if len(frame) < at + 20 or end > len(frame):
            return None
        self = Segment()
        self.to_mac, self.from_mac, self.peer, self.own = frame[0:6], frame[6:12], frame[26:30], address
        self.peer_port, self.port, self.sequence, self.acknowledged = struct.unpack("!HHII", frame[at:at + 12])
        self.flags = frame[at + 13]
        self.data = frame[at + (frame[at + 12] >> 4) * 4:end]
        self.length = len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)
        return self

    def answer(self, flags, sequence, data=b""):
        tcp = struct.pack("!HHIIBBHHH", self.port, self.peer_port, sequence, (self.sequence + self.length) & 0xffffffff, 5 << 4, flags,
                          4096, 0, 0) + data
        pseudo = self.own + self.peer + struct.pack("!HH", 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, self.own, self.peer)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        return self.from_mac + self.to_mac + b"\x08\0" + ip + tcp


class Device:
    def __init__(self, address, stats, settings, ports):
        self.address, self.stats_file, self.ports = socket.inet_aton(address), stats, ports
        self.slow_above, self.late = (float(word) for word in settings["slow"].split(":"))
        self.dies_above, self.burst, self.back = (float(settings[name]) for name in ("dies", "burst", "back"))
        self.refuses = settings["then"] == "refuses"
        self.link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x800))
        self.link.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.link.bind(("eth0", 0))
        self.arrivals = collections.deque()
        self.waiting = []  # (when, number, frame) to be sent
        self.connections = {}  # (peer's port, own port) -> "half" or "open"
        self.dead_until = self.starts_until = 0.0
        self.stats = dict.fromkeys(("syns", "deaths", "most_in_a_second", "most_half_open", "most_open", "accepted", "ended_by_fin",
                                    "ended_by_reset", "never_opened", "heard_while_dead"), 0)

    def run(self):
        told = 0.0
        while True:
            now = time.time()
            while self.waiting and self.waiting[0][0] <= now:
                self.link.send(heapq.heappop(self.waiting)[2])
            if now - told > 0.2:
                told = now
                self.tell()
            self.link.settimeout(min(0.2, max(0.001, self.waiting[0][0] - now)) if self.waiting else 0.2)
            try:
                frame, extra, _, source = self.link.recvmsg(2048, 64)
            except (TimeoutError, socket.timeout):
                continue
            segment = Segment.parse(frame, self.address)
            if segment and source[2] != socket.PACKET_OUTGOING:
                seconds, nanoseconds = struct.unpack("ll", extra[0][2][:16])
                self.take(segment, seconds + nanoseconds / 1e9)

    def tell(self):
        self.stats["open_now"] = len(self.connections)
        part = self.stats_file.with_suffix(".part")
        part.write_text(json.dumps(self.stats))
        part.rename(self.stats_file)

    def take(self, segment, now):
        if now < self.dead_until:
            self.stats["heard_while_dead"] += 1
            if self.refuses and segment.flags & SYN and not segment.flags & ACK:
                self.send(segment.answer(RST | ACK, 0), now)
        elif segment.flags & SYN and not segment.flags & ACK:
            self.new_connection(segment, now)
        else:
            self.go_on(segment, now)

    def new_connection(self, segment, now):
        self.stats["syns"] += 1
        gap = now - self.arrivals[-1] if self.arrivals else 1.0
        self.arrivals.append(now)
        while now - self.arrivals[0] > 1.0:
            self.arrivals.popleft()
        rate = len(self.arrivals)
        self.stats["most_in_a_second"] = max(self.stats["most_in_a_second"], rate)
        if (self.dies_above and rate > self.dies_above) or (self.burst and gap < self.burst / 1000):
            self.die(now)
            return
        if segment.port in self.ports and now >= self.starts_until:
            self.connections[(segment.peer_port, segment.port)] = "half"
            self.count()
            self.send(segment.answer(SYN | ACK, 1000), now)
        else:
            self.send(segment.answer(RST | ACK, 0), now)

    def go_on(self, segment, now):
        key = (segment.peer_port, segment.port)
        state = self.connections.get(key)
        if state is None:
            return
        if segment.flags & RST:
            self.stats["never_opened" if state == "half" else "ended_by_reset"] += 1
            del self.connections[key]
            return
        if state == "half":
            self.connections[key] = "open"
            self.stats["accepted"] += 1
            self.count()
        if segment.flags & FIN:
            self.stats["ended_by_fin"] += 1
            del self.connections[key]
            self.send(segment.answer(FIN | ACK, segment.acknowledged), now)
        elif segment.data:
            self.send(segment.answer(ACK, segment.acknowledged, ANSWER), now)

    def count(self):
        states = list(self.connections.values())
        self.stats["most_half_open"] = max(self.stats["most_half_open"], states.count("half"))
        self.stats["most_open"] = max(self.stats["most_open"], len(states))

    def send(self, frame, now):
        slow = self.slow_above and len(self.arrivals) > self.slow_above
        heapq.heappush(self.waiting, (now + (self.late / 1000 if slow else 0), self.stats["syns"], frame))

    def die(self, now):
        self.stats["deaths"] += 1
        self.dead_until = now + self.back if self.back else float("inf")
        self.starts_until = self.dead_until + STARTS_FOR
        self.arrivals.clear()
        self.waiting.clear()
        self.connections.clear()


def main():
    address, stats, ready, *rest = sys.argv[1:]
    settings = dict(word.split("=") for word in rest if "=" in word)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    device = Device(address, pathlib.Path(stats), settings, {int(word) for word in rest if "=" not in word})
    pathlib.Path(ready).touch()
    device.run()


if __name__ == "__main__":
    main()
