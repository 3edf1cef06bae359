"""A TLS 1.2 server of script that has weaknesses no packaged stack can be given any more: as much of the handshake as
they need, byte by byte. `serve(port, key, certificate, weakness)`; "" is a server without any of them."""

import os
import socket
import struct
import threading

SUITE = 0x002F
HEARTBEAT, TICKET, RENEGOTIATION, VERSIONS = 15, 35, 0xFF01, 43
CCS, ALERT, HANDSHAKE, HEARTBEATS = 20, 21, 22, 24
UNEXPECTED_MESSAGE, BAD_RECORD_MAC, DECRYPT_ERROR, PROTOCOL_VERSION, HANDSHAKE_FAILURE = 10, 20, 51, 70, 40
MEMORY = b"PRIVATE-MEMORY-OF-THE-DEVICE " * 600


def integers(der):
    """The numbers of an RSAPrivateKey (RFC 8017, A.1.2)."""
    def head(at):
        size = der[at + 1]
        if size < 0x80:
            return at + 2, size
        count = size & 0x7F
        return at + 2 + count, int.from_bytes(der[at + 2:at + 2 + count], "big")
    at, _ = head(0)
    out = []
    while at < len(der):
        at, size = head(at)
        out.append(int.from_bytes(der[at:at + size], "big"))
        at += size
    return out


def record(kind, body):
    return struct.pack(">BHH", kind, 0x0303, len(body)) + body


def message(kind, body):
    return struct.pack(">I", kind << 24 | len(body)) + body


def alert(number):
    return record(ALERT, bytes([2, number]))


class Hello:
    def __init__(self, body):
        self.version = struct.unpack(">H", body[4:6])[0]
        at = 38
        self.session_id = body[at + 1:at + 1 + body[at]]
        at += 1 + body[at]
        size = struct.unpack(">H", body[at:at + 2])[0]
        self.suites = struct.unpack(f">{size // 2}H", body[at + 2:at + 2 + size])
        at += 2 + size
        at += 1 + body[at]
        self.extensions = {}
        at += 2
        while at + 4 <= len(body):
            kind, size = struct.unpack(">HH", body[at:at + 4])
            self.extensions[kind] = body[at + 4:at + 4 + size]
            at += 4 + size


class Connection:
    def __init__(self, stream, key, certificate, weakness):
        self.stream, self.weakness, self.certificate = stream, weakness, certificate
        self.modulus, self.exponent = key[1], key[3]
        self.exchanged = self.early = self.changed = False

    def read(self):
        """Type and body of the next record; nothing at the end of the stream."""
        head = self.take(5)
        kind, _, size = struct.unpack(">BHH", head)
        return kind, self.take(size)

    def take(self, size):
        out = b""
        while len(out) < size:
            part = self.stream.recv(size - len(out))
            if not part:
                raise EOFError
            out += part
        return out

    def run(self):
        try:
            kind, body = self.read()
            if kind != HANDSHAKE or not self.flight(Hello(body)):
                return
            while self.answer(*self.read()):
                pass
        except (EOFError, OSError, struct.error, IndexError):
            pass
        finally:
            self.stream.close()

    def refuse(self, number):
        self.stream.sendall(alert(number))
        return False

    def flight(self, hello):
        offered = hello.extensions.get(VERSIONS)
        if hello.version < 0x0303 or (offered and b"\x03\x03" not in [offered[at:at + 2] for at in range(1, len(offered), 2)]):
            return self.refuse(PROTOCOL_VERSION)
        if SUITE not in hello.suites:
            return self.refuse(HANDSHAKE_FAILURE)
        extensions = b""
        if HEARTBEAT in hello.extensions:
            extensions += struct.pack(">HHB", HEARTBEAT, 1, 1)
        if RENEGOTIATION in hello.extensions or 0xFF in hello.suites:
            extensions += struct.pack(">HHB", RENEGOTIATION, 1, 0)
        answer = b"\x03\x03" + os.urandom(32) + b"\0" + struct.pack(">HB", SUITE, 0)
        answer += struct.pack(">H", len(extensions)) + extensions if extensions else b""
        chain = len(self.certificate).to_bytes(3, "big") + self.certificate
        self.stream.sendall(record(HANDSHAKE, message(2, answer) + message(11, len(chain).to_bytes(3, "big") + chain) +
                                   message(14, b"")))
        return True

    def answer(self, kind, body):
        if kind == HEARTBEATS:
            return self.beat(body)
        if kind == CCS:
            if not self.exchanged and self.weakness != "ccs":
                return self.refuse(UNEXPECTED_MESSAGE)
            if self.changed:
                return self.refuse(BAD_RECORD_MAC)  # the second one is taken for an encrypted record
            self.changed = True
            return True
        if kind == HANDSHAKE and self.changed:
            return self.refuse(BAD_RECORD_MAC)
        if kind == HANDSHAKE and body[0] == 16:
            self.exchanged = True
            return self.exchange(body[6:])
        return False if kind == ALERT else self.refuse(UNEXPECTED_MESSAGE)

    def beat(self, body):
        claimed = struct.unpack(">H", body[1:3])[0]
        if claimed + 19 <= len(body):
            self.stream.sendall(record(HEARTBEATS, b"\x02" + body[1:3] + body[3:3 + claimed] + b"p" * 16))
        elif self.weakness == "heartbleed":
            claimed = min(claimed, 16000)
            payload = (body[3:] + MEMORY)[:claimed]
            self.stream.sendall(record(HEARTBEATS, struct.pack(">BH", 2, claimed) + payload + b"p" * 16))
        return True

    def exchange(self, secret):
        size = len(self.certificate) and (self.modulus.bit_length() + 7) // 8
        block = pow(int.from_bytes(secret, "big"), self.exponent, self.modulus).to_bytes(size, "big")
        right = block[:2] == b"\0\2" and block.find(0, 2) == size - 49 and block[-48:-46] == b"\3\3"
        return right or self.weakness != "robot" or self.refuse(DECRYPT_ERROR)


def accept(listener, handle):
    while True:
        try:
            stream, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=handle, args=(stream,), daemon=True).start()


def listen(port, handle):
    listener = socket.create_server(("127.0.0.1", port))
    threading.Thread(target=accept, args=(listener, handle), daemon=True).start()


def serve(port, key_der, certificate_der, weakness=""):
    key = integers(key_der)
    listen(port, lambda stream: Connection(stream, key, certificate_der, weakness).run())


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def ticketbleed(port, behind):
    """A real server at port `behind`, and in front of it one that says 32 bytes of session id whatever was sent."""
    def handle(stream):
        with stream, socket.create_connection(("127.0.0.1", behind)) as server:
            first = stream.recv(65536)
            try:
                hello = Hello(first[5:])
            except (struct.error, IndexError):
                hello = None
            if hello and hello.extensions.get(TICKET) and len(hello.session_id) == 16:
                answer = b"\x03\x03" + os.urandom(32) + b"\x20" + hello.session_id + MEMORY[:16] + struct.pack(">HB", hello.suites[0], 0)
                stream.sendall(record(HANDSHAKE, message(2, answer)) + record(CCS, b"\1") + record(HANDSHAKE, os.urandom(40)))
                stream.recv(65536)
                return
            server.sendall(first)
            back = threading.Thread(target=pump, args=(server, stream), daemon=True)
            back.start()
            pump(stream, server)
            back.join()
    listen(port, handle)
