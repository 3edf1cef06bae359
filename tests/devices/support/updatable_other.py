"""How the scripted device hears of updates and fetches them where it is not by HTTP: CoAP in blocks (RFC 7959), TFTP (RFC 1350), and
announcements by MQTT with the download behind them. The protocols are libcoap's, curl's and mosquitto's clients; this is what a device does
around them.
"""
import subprocess
import threading
import urllib.parse

from updatable_fetch import PowerCut
from updatable_images import Refused


class ProgramClient:
    """Fetches with the client of somebody else, with a bound on size and time."""
    SCHEME, PORT = "", 0

    def __init__(self, server, source, patience, flaw):
        self.server, self.source, self.flaw = server, source, flaw
        self.patience = 600 if flaw == "no-timeout" else patience
        self.cut = threading.Event()
        self.process = None

    def hang_up(self):
        if self.process:
            self.process.kill()

    def get(self, url, limit, take):
        address = urllib.parse.urlsplit(url)
        if address.scheme != self.SCHEME or not address.hostname:
            raise Refused("no address of a download: " + ascii(url[:80]))
        numeric = f"{self.SCHEME}://{self.server}:{address.port or self.PORT}{address.path or '/'}"
        self.process = subprocess.Popen(self.words(numeric), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        late = threading.Event()
        watchdog = threading.Timer(self.patience, lambda: (late.set(), self.hang_up()))
        watchdog.daemon = True
        watchdog.start()
        try:
            if self.cut.is_set():
                self.hang_up()
            self.read(limit, take)
        finally:
            watchdog.cancel()
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        if self.cut.is_set():
            raise PowerCut
        if late.is_set():
            raise Refused("the server is too slow")

    def read(self, limit, take):
        count = 0
        while chunk := self.process.stdout.read1(65536):
            count += len(chunk)
            if count > limit:
                raise Refused("the download is too large")
            take(chunk)


class CoapClient(ProgramClient):
    SCHEME, PORT = "coap", 5683

    def words(self, url):
        return ["coap-client-openssl", "-a", self.source, "-B", str(int(self.patience) + 1), "-b", "1024", "-v", "3", "-o", "-", url]


class TftpClient(ProgramClient):
    SCHEME, PORT = "tftp", 69

    def words(self, url):
        return ["curl", "-sS", "--interface", self.source, "-m", str(int(self.patience) + 1), "-o", "-", url]


class Announcements:
    """Listens to a topic and gives every message to heard(). When the broker is away it tries again, as mosquitto_sub does."""

    def __init__(self, server, port, source, topic, trust, heard):
        """`trust`: the authority of a broker with TLS, or nothing."""
        self.words = ["mosquitto_sub", "-h", server, "-p", str(port), "-A", source, "-t", topic, "-q", "1", "-F", "%p"]
        self.words += ["--cafile", trust] if trust else []
        self.heard, self.process, self.ended = heard, None, threading.Event()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while not self.ended.wait(0.3):
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if self.ended.is_set():
                self.process.kill()
            while line := self.process.stdout.readline(65536):
                self.heard(line)
            self.process.wait()
            self.process.stdout.close()

    def end(self):
        self.ended.set()
        if self.process:
            self.process.kill()
