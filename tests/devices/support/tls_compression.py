"""A TLS 1.2 server that compresses where a client offers it (RFC 3749), which no packaged stack does any more. It finishes no handshake.

usage: tls_compression.py ADDRESS PORT CERTIFICATE KEY
"""
import pathlib
import socket
import ssl
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system/probes"))
import tls_device  # noqa: E402

DEFLATE = 1


class Compressing(tls_device.Connection):
    def read(self):
        kind, self.last = super().read()
        return kind, self.last

    def offers_deflate(self):
        at = 38
        at += 1 + self.last[at]
        at += 2 + struct.unpack(">H", self.last[at:at + 2])[0]
        return DEFLATE in self.last[at + 1:at + 1 + self.last[at]]

    def flight(self, hello):
        """As that of the class, with the compression in the ServerHello."""
        plain = struct.pack(">HB", tls_device.SUITE, 0)
        packed = struct.pack(">HB", tls_device.SUITE, DEFLATE if self.offers_deflate() else 0)
        stream, self.stream = self.stream, Rewriting(self.stream, plain, packed)
        try:
            return super().flight(hello)
        finally:
            self.stream = stream


class Rewriting:
    def __init__(self, stream, plain, packed):
        self.stream, self.plain, self.packed = stream, plain, packed

    def sendall(self, data):
        # The ServerHello is the first message: record and message head, version, random, no session id, then these bytes.
        at = 5 + 4 + 2 + 32 + 1
        if data[at:at + len(self.plain)] == self.plain:
            data = data[:at] + self.packed + data[at + len(self.plain):]
        self.stream.sendall(data)


def main(address, port, certificate, key):
    der = subprocess.run(["openssl", "rsa", "-in", key, "-traditional", "-outform", "DER"], check=True, capture_output=True).stdout
    with open(certificate) as file:
        pem = file.read()
    end = "-----END CERTIFICATE-----\n"
    chain = ssl.PEM_cert_to_DER_cert(pem[:pem.index(end) + len(end)])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, int(port)), family=family, dualstack_ipv6=family == socket.AF_INET6, backlog=64)
    numbers = tls_device.integers(der)
    tls_device.accept(listener, lambda stream: Compressing(stream, numbers, chain, "").run())


main(*sys.argv[1:])
