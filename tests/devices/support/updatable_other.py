"""How the scripted device hears of updates and fetches them where it is not by HTTP: CoAP in blocks (RFC 7959), and announcements by MQTT
with the download behind them. The protocols are libcoap's and mosquitto's clients; this is what a device does around them.
"""
import subprocess
import threading
import urllib.parse

from updatable_fetch import PowerCut
from updatable_images import Refused


class CoapClient:
    """Fetches what a coap address names, block by block, with a bound on size and time."""

    def __init__(self, server, source, patience, flaw):
        self.server, self.source, self.flaw = server, source, flaw
        self.patience = 600 if flaw == "no-timeout" else patience
        self.cut = threading.Event()
        self.process = None

    def hang_up(self):
        if self.process:
            self.process.kill()

    def command(self, address):
        if address.scheme != "coap" or not address.hostname:
            raise Refused("no address of a download: " + ascii(address.geturl()[:80]))
        return ["coap-client-openssl"], f"coap://{self.server}:{address.port or 5683}{address.path or '/'}"

    def get(self, url, limit, take):
        program, numeric = self.command(urllib.parse.urlsplit(url))
        words = [*program, "-a", self.source, "-B", str(int(self.patience) + 1), "-b", "1024", "-v", "3", "-o", "-", numeric]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
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
