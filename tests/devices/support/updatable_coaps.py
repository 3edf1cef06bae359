"""How the scripted device fetches by CoAP inside DTLS: with certificates by openssl's s_client as the line and CoAP's own blocks (RFC 7959)
said here, with a key that both sides know by libcoap's client over GnuTLS. Every name leads to the laboratory's server.
"""
import os
import select
import socket
import struct
import subprocess
import threading
import time
import urllib.parse

from updatable_archives import OutOfMemory
from updatable_fetch import PowerCut
from updatable_images import Refused
from updatable_lwm2m import Message, message
from updatable_other import CoapClient

GET, CONTENT, URI_PATH, BLOCK2, SIZE2, BLOCK = 1, 69, 11, 23, 28, 6  # BLOCK: 1024 bytes
LARGEST_DATAGRAM = 4096
PIECE = 1024  # bytes, in which s_client prints a record that is longer


class Line:
    """One session of DTLS. What is written to s_client is a record, and what it prints is one."""

    def __init__(self, words):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.lock = threading.Lock()

    def send(self, data):
        try:
            with self.lock:
                os.write(self.process.stdin.fileno(), data)
                time.sleep(0.02)  # s_client makes one record of what it reads at once
        except OSError:
            raise Refused("the session ended") from None

    def receive(self, within):
        """Nothing when nothing came."""
        if not select.select([self.process.stdout], [], [], max(within, 0))[0]:
            return b""
        data = os.read(self.process.stdout.fileno(), LARGEST_DATAGRAM)
        if not data:
            raise Refused("no session, or it ended")
        rest = data
        while len(rest) == PIECE and select.select([self.process.stdout], [], [], 0.5)[0]:
            rest = os.read(self.process.stdout.fileno(), PIECE)
            data += rest
        return data

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class SessionSocket:
    """What an LwM2M client uses of a socket, with a session of DTLS in its place; one that ended is made anew."""

    def __init__(self, words, peer, renewed):
        """`renewed` is told of every session after the first."""
        self.words, self.peer, self.renewed = words, peer, renewed
        self.lock, self.line, self.closed = threading.Lock(), None, threading.Event()

    def current(self):
        with self.lock:
            if self.line and self.line.process.poll() is not None:
                self.line.end()
                self.line = None
                self.session_ended()
                self.closed.wait(0.3)
                self.renewed()
            if self.closed.is_set():
                raise OSError("closed")
            self.line = self.line or Line(self.words)
            return self.line

    def session_ended(self):
        pass

    def sendto(self, data, _):
        try:
            self.current().send(data)
        except (Refused, ValueError) as error:
            raise OSError(str(error)) from None

    def recvfrom(self, _):
        try:
            data = self.current().receive(0.1)
        except (Refused, ValueError) as error:
            raise OSError(str(error)) from None
        if not data:
            raise TimeoutError
        return data, self.peer

    def close(self):
        self.closed.set()
        with self.lock:
            if self.line:
                self.line.end()
                self.line = None


class FallingBack(SessionSocket):
    """Speaks in clear where no session comes about, and tries for one again where nobody answers that."""

    def __init__(self, words, peer, renewed, source):
        super().__init__(words, peer, renewed)
        self.plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.plain.bind((source, 0))
        self.plain.settimeout(0.1)
        self.heard, self.in_clear, self.unanswered = False, False, 0

    def session_ended(self):
        self.in_clear, self.unanswered, self.heard = not self.heard, 0, False

    def sendto(self, data, peer):
        if not self.in_clear:
            return super().sendto(data, peer)
        self.unanswered += 1
        self.in_clear = self.unanswered < 2
        return self.plain.sendto(data, self.peer)

    def recvfrom(self, most):
        if self.in_clear:
            received = self.plain.recvfrom(most)
            self.unanswered = 0
        else:
            received = super().recvfrom(most)
            self.heard = True
        return received

    def close(self):
        super().close()
        self.plain.close()


def session_for(options, port, address, renewed):
    """With a key where there is one, else with certificates, from a port of its own."""
    server = (options.server, address.port)
    words = ["openssl", "s_client", "-dtls1_2", "-connect", f"{server[0]}:{server[1]}", "-bind", f"{options.source}:{port}", "-quiet",
             "-nocommands", "-verify_quiet", "-servername", address.hostname]
    if options.psk:
        identity, key = options.psk.split(":", 1)
        words += ["-cipher", "PSK", "-psk_identity", identity, "-psk", key.encode().hex()]
    else:
        words += how_to_verify(options.trust, address.hostname, options.flaw)
    if options.flaw == "falls-back-to-http":
        return FallingBack(words, server, renewed, options.source)
    return SessionSocket(words, server, renewed)


def how_to_verify(trust, name, flaw):
    """Words of s_client."""
    words = [] if flaw == "no-tls-verification" else ["-CAfile", trust, "-verify_return_error"]
    if flaw not in ("no-tls-verification", "wrong-name-accepted"):
        words += ["-verify_hostname", name]
    return words + ["-no_check_time"] * (flaw == "expired-server-accepted")


def message_of(data):
    """Nothing when it is none."""
    try:
        return Message(data) if data else None
    except (ValueError, IndexError):
        return None


def number_of(answer, wanted):
    """Of an option; 0 without."""
    return next((int.from_bytes(value, "big") for option, value in answer.options if option == wanted), 0)


def block_of(answer):
    field = number_of(answer, BLOCK2)
    return field >> 4, bool(field & 8)


class CoapsClient:
    """As CoapClient, for coaps addresses. Where the flaw allows it, coap addresses are followed too."""

    def __init__(self, server, source, trust, patience, flaw):
        self.server, self.source, self.trust, self.flaw = server, source, trust, flaw
        self.patience, self.cut = patience, threading.Event()
        self.plain, self.line = CoapClient(server, source, patience, flaw), None

    def hang_up(self):
        self.plain.cut = self.cut
        self.plain.hang_up()
        if self.line:
            self.line.process.kill()

    def words(self, address):
        words = ["openssl", "s_client", "-dtls1_2", "-connect", f"{self.server}:{address.port or 5684}", "-bind", f"{self.source}:0",
                 "-servername", address.hostname, "-quiet", "-nocommands", "-verify_quiet"]
        return words + how_to_verify(self.trust, address.hostname, self.flaw)

    def get(self, url, limit, take):
        address = urllib.parse.urlsplit(url)
        if address.scheme == "coap" and self.flaw == "image-over-http":
            return self.plain.get(url, limit, take)
        if address.scheme != "coaps" or not address.hostname:
            raise Refused("no address of a download: " + ascii(url[:80]))
        try:
            return self.fetch(address, limit, take)
        except Refused:
            if self.flaw != "falls-back-to-http":
                raise
            return self.plain.get(url.replace("coaps:", "coap:", 1), limit, take)

    def fetch(self, address, limit, take):
        self.line = Line(self.words(address))
        try:
            number, more, count, end = 0, True, 0, time.monotonic() + self.patience
            while more:
                answer = self.ask(address.path, number, end)
                if answer.code != CONTENT or block_of(answer)[0] != number:
                    raise Refused(f"the server answered {answer.code >> 5}.{answer.code & 31:02}")
                if self.flaw == "reserves-what-is-said" and number_of(answer, SIZE2) > limit:
                    raise OutOfMemory
                count += len(answer.payload)
                if count > limit:
                    raise Refused("the download is too large")
                take(answer.payload)
                more, number = block_of(answer)[1], number + 1
        finally:
            self.line.end()
            self.line = None
            if self.cut.is_set():
                raise PowerCut

    def ask(self, path, number, end):
        id_, token = os.urandom(2), os.urandom(4)
        options = [(URI_PATH, part.encode()) for part in path.strip("/").split("/")]
        options.append((BLOCK2, (number << 4 | BLOCK).to_bytes(3, "big").lstrip(b"\0")))
        request = message(0, GET, struct.unpack("!H", id_)[0], token, options)
        self.line.send(request)  # once: what s_client prints has no bounds, and two answers in one piece could not be told apart
        while (now := time.monotonic()) < end:
            answer = message_of(self.line.receive(end - now))
            if answer and answer.token == token and answer.code >= 64:
                return answer
        raise Refused("the server is too slow")


class PskClient(CoapClient):
    """libcoap's client with a key; it speaks no CoAP in clear."""
    SCHEME, PORT = "coaps", 5684

    def __init__(self, server, source, psk, patience, flaw):
        super().__init__(server, source, patience, flaw)
        self.identity, self.key = psk.split(":", 1)

    def words(self, url):
        return ["coap-client-gnutls", "-u", self.identity, "-k", self.key] + super().words(url)[1:]
