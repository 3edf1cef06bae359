"""The scripted device as an LwM2M client (OMA LwM2M 1.1): it registers and keeps its registration up, and its firmware is object 5,
by address or put in block-wise.

Resources: /3/0/3 the version that runs; /5/0/0 the image, /5/0/1 where it is, /5/0/2 install it, /5/0/3 state (0 idle, 1 downloading, 2
downloaded, 3 updating), /5/0/5 result (0 none, 1 done, 4 connection lost, 5 the image is wrong, 7 the address is wrong, 8 failed), /5/0/7 the
version of what is there, /5/0/9 how it comes (2: both ways). An empty address and an image of one zero byte give up what is there.
Requests are taken from the server's address alone. CoAP is RFC 7252, blocks RFC 7959.
"""
import os
import socket
import struct
import threading
import time

from updatable_fetch import PowerCut
from updatable_images import Refused

GET, POST, PUT = 1, 2, 3
CREATED, CHANGED, CONTENT, CONTINUE = 65, 68, 69, 95
BAD_REQUEST, NOT_FOUND, NOT_ALLOWED, TOO_LARGE = 128, 132, 133, 141
LOCATION, URI_PATH, BLOCK1, QUERY, CONTENT_FORMAT = 8, 11, 27, 15, 12
LARGEST, LIFETIME, RETRY, PUSH_ENDS = 64 << 10, 60, 2, 5  # bytes, seconds
ROOM = 2 << 20  # bytes, that this script spends on an image without a bound


def message(kind, code, number, token=b"", options=(), payload=b""):
    out, last = struct.pack("!BBH", 0x40 | kind << 4 | len(token), code, number) + token, 0
    for option, value in sorted(options, key=lambda one: one[0]):
        delta, length, extra = option - last, len(value), b""
        parts = []
        for part in (delta, length):
            parts.append(part if part < 13 else 13)
            extra += bytes([part - 13]) if part >= 13 else b""
        out += bytes([parts[0] << 4 | parts[1]]) + extra + value
        last = option
    return out + (b"\xff" + payload if payload else b"")


class Message:
    """One datagram; ValueError when it is none."""

    def __init__(self, data):
        if len(data) < 4 or data[0] >> 6 != 1 or data[0] & 15 > 8:
            raise ValueError("not CoAP")
        self.kind, self.code, self.number = data[0] >> 4 & 3, data[1], struct.unpack("!H", data[2:4])[0]
        at = 4 + (data[0] & 15)
        self.token, self.options, self.payload, option = data[4:at], [], b"", 0
        while at < len(data):
            if data[at] == 0xff:
                self.payload = data[at + 1:]
                break
            fields, at = [data[at] >> 4, data[at] & 15], at + 1
            for i, field in enumerate(fields):
                size = {13: 1, 14: 2}.get(field, 0)
                if field == 15 or at + size > len(data):
                    raise ValueError("a broken option")
                if size:
                    fields[i] = int.from_bytes(data[at:at + size], "big") + (13 if size == 1 else 269)
                    at += size
            option += fields[0]
            self.options.append((option, data[at:at + fields[1]]))
            at += fields[1]

    def path(self):
        return "/" + "/".join(value.decode("latin-1") for option, value in self.options if option == URI_PATH)

    def block1(self):
        """(number, more, size) or None."""
        for option, value in self.options:
            if option == BLOCK1:
                field = int.from_bytes(value, "big")
                return field >> 4, bool(field & 8), 16 << (field & 7)
        return None


class Lwm2m:
    def __init__(self, device, port, make_session):
        """`make_session` makes what stands for a socket where it speaks DTLS."""
        self.device, self.port, self.server, self.make_session = device, port, None, make_session
        self.socket, self.closed, self.ears, self.location, self.wake = None, threading.Event(), None, None, threading.Event()
        self.forget()

    def forget(self):
        self.device.slots.take_back()
        self.state, self.result, self.image, self.came, self.address, self.last_block = 0, 0, None, bytearray(), "", 0

    def end(self, result):
        """What it was told to install is installed, or not."""
        if self.state == 3:
            self.state, self.result = 0, 1 if result == "installed" else 8

    def open(self):
        """After each start: what was being done is over, and it registers anew."""
        if self.state == 3:
            self.result = 1 if self.image and self.image.version == self.device.version() else 8
        self.state, self.image, self.came, self.location = 0, None, bytearray(), None
        options = self.device.options
        self.server = (options.server, self.device.announced_by.port)
        self.closed = threading.Event()
        if self.device.announced_by.scheme == "lwm2ms":
            self.socket = self.make_session(options, self.port, self.device.announced_by, self.wake.set)
        else:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((options.source, self.port))
            self.socket.settimeout(0.1)
        self.ears = threading.Thread(target=self.listen, args=(self.socket, self.closed), daemon=True)
        self.ears.start()
        threading.Thread(target=self.register, args=(self.socket, self.closed), daemon=True).start()

    def close(self):
        self.closed.set()
        self.wake.set()
        if self.socket:
            self.ears.join()
            self.socket.close()
            self.socket = None

    def register(self, sock, closed):
        """Until it is answered; then the registration is kept up, and made anew where the server does not know it any more."""
        queries = (f"ep={self.device.options.serial}", f"lt={LIFETIME}", "lwm2m=1.1", "b=U")
        links = b"</1/0>,</3/0>,</5/0>"
        whole = [(URI_PATH, b"rd"), (CONTENT_FORMAT, bytes([40])), *[(QUERY, one.encode()) for one in queries]]
        number = struct.unpack("!H", os.urandom(2))[0]
        while True:
            self.wake.clear()
            location, self.location = self.location, None
            options, payload = ([(URI_PATH, one) for one in location], b"") if location else (whole, links)
            try:
                sock.sendto(message(0, POST, number, b"R", options, payload), self.server)
            except OSError:
                pass  # nobody is there yet
            if closed.wait(RETRY):
                return
            if location and self.location:
                self.location = location  # an update names no place
            number = number + 1 & 0xffff
            if self.location:
                self.wake.wait(LIFETIME / 3)  # or until its session is another
            if closed.is_set():
                return

    def registered(self, answer):
        """The answer to a registration, or to its update."""
        if answer.code in (CREATED, CHANGED):
            self.location = [value for option, value in answer.options if option == LOCATION] or [b"rd"]

    def listen(self, sock, closed):
        answered = (None, b"")
        while not closed.is_set():
            try:
                data, peer = sock.recvfrom(4096)
            except OSError:  # nothing came, or somebody is not there
                self.push_ends()
                continue
            try:
                request = Message(data)
            except (ValueError, IndexError):
                continue
            if peer == self.server and request.kind == 2 and request.token == b"R":
                self.registered(request)
            if peer[0] != self.server[0] or not 1 <= request.code <= 7:
                continue
            if answered[0] != (peer, request.number):
                code, options, payload = self.answer(request)
                answered = ((peer, request.number), message(2, code, request.number, request.token, options, payload))
            try:
                sock.sendto(answered[1], peer)
            except OSError:
                continue

    def answer(self, request):
        readable = {"/3/0/0": self.device.options.model, "/3/0/3": self.device.version(), "/5/0/1": self.address,
                    "/5/0/3": str(self.state), "/5/0/5": str(self.result), "/5/0/7": self.image.version if self.image else "", "/5/0/9": "2"}
        path = request.path()
        if request.code == GET and path in readable:
            return CONTENT, [(CONTENT_FORMAT, b"")], readable[path].encode()
        if request.code == PUT and path == "/5/0/1":
            return self.go_to(request.payload.decode("latin-1"))
        if request.code == PUT and path == "/5/0/0":
            return self.take(request)
        if request.code == POST and path == "/5/0/2":
            if self.state != 2:
                return NOT_ALLOWED, [], b""
            self.state = 3
            self.device.install_later(self.image)
            return CHANGED, [], b""
        return NOT_ALLOWED if path in readable or path.startswith("/5/0/") else NOT_FOUND, [], b""

    def go_to(self, address):
        """An empty address gives up what is there."""
        if self.state == 3 or self.state == 1 and address:
            return NOT_ALLOWED, [], b""
        if self.state == 1 and self.device.client:
            self.device.client.hang_up()
        self.forget()
        if address:
            self.state, self.address = 1, address
            threading.Thread(target=self.fetch, args=(address,), daemon=True).start()
        return CHANGED, [], b""

    def fetch(self, address):
        try:
            data = self.device.fetch_from(address)
        except PowerCut:
            return
        except Refused as refused:
            if self.address == address:  # else it was given up meanwhile
                self.state, self.result = 0, 7 if "no address" in str(refused) else 4
            self.device.refuse(refused)
            return
        if self.address == address:
            twice = self.device.flaw == "checks-one-installs-another"
            self.look_at(data, (lambda: self.device.fetch_from(address)) if twice else None)

    def push_ends(self):
        """Who put in half an image and says no more has lost the connection."""
        if self.state == 1 and not self.address and time.monotonic() - self.last_block > PUSH_ENDS:
            self.state, self.result, self.came = 0, 4, bytearray()
            self.device.refuse(Refused("the image did not come to its end"))

    def take(self, request):
        """The image itself, in blocks."""
        number, more, size = request.block1() or (0, False, 1024)
        if self.state == 3 or self.state == 1 and self.address:
            return NOT_ALLOWED, [], b""
        block = [(BLOCK1, value) for option, value in request.options if option == BLOCK1]
        if number == 0:
            self.forget()
            if request.payload == b"\0" and not more:
                return CHANGED, block, b""
            self.state = 1
        self.last_block = time.monotonic()
        if number * size != len(self.came) or self.state != 1:
            return BAD_REQUEST, block, b""
        if self.device.flaw == "installs-before-verifying":
            self.device.slots.write_in_place(len(self.came), request.payload)
        self.came += request.payload
        if len(self.came) > (ROOM if self.device.flaw == "no-size-bound" else LARGEST):
            self.forget()
            return TOO_LARGE, block, b""
        if more:
            return CONTINUE, block, b""
        self.look_at(bytes(self.came))
        return CHANGED, block, b""

    def look_at(self, data, again=None):
        """`again` fetches what is installed, when what was checked is another one."""
        image = None
        try:
            image = self.device.read_image(data)
            self.device.check(image)
            self.image, self.state, self.result = self.device.read_image(again()) if again else image, 2, 0
        except Refused as refused:
            stays = image if self.device.flaw == "installs-what-it-refused" else None
            self.state, self.result, self.image = 2 if stays else 0, 5, stays
            if self.device.refuse(refused):
                threading.Thread(target=self.device.power_off, daemon=True).start()  # it ends the thread that says so
        except PowerCut:
            pass
