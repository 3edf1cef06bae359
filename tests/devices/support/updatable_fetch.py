"""How the scripted device downloads: HTTP and HTTPS, with a bound on size and time, and the transport flaws it may have.

The laboratory's network has one server. Whatever name an address has, its connections go there; numbers are taken as they are.
"""
import http.client
import ipaddress
import socket
import ssl
import threading
import urllib.parse

from updatable_images import CutShort, Refused

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for
REDIRECTS = 3


class PowerCut(Exception):
    """The device has no power any more."""


class Connection(http.client.HTTPConnection):
    """Goes to the laboratory's server from the device's own address; with `tls`, a name is asked for and checked."""

    def __init__(self, url, client, tls):
        super().__init__(url.hostname, url.port or (443 if url.scheme == "https" else 80), timeout=client.patience)
        self.client, self.tls = client, tls

    def connect(self):
        self.sock = socket.create_connection((self.client.address_of(self.host), self.port), self.timeout, (self.client.source, 0))
        self.client.opened(self.sock)
        if self.tls:
            self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.host)
            self.client.opened(self.sock)


class Client:
    def __init__(self, server, source, trust, identity, patience, flaw):
        self.server, self.source, self.identity, self.flaw = server, source, identity, flaw
        self.patience = 600 if flaw == "no-timeout" else patience
        self.tls = ssl.create_default_context(cafile=trust)
        if flaw in ("no-tls-verification", "wrong-name-accepted"):
            self.tls.check_hostname = False
        if flaw == "no-tls-verification":
            self.tls.verify_mode = ssl.CERT_NONE
        if flaw == "expired-server-accepted":
            self.tls.verify_flags |= NO_CHECK_TIME
        self.cut, self.link = threading.Event(), None
        self.socket, self.date = None, None
        self.method, self.body, self.headers = "GET", None, {}  # of every request

    def address_of(self, host):
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            return self.server

    def opened(self, connected):
        self.socket = connected
        if self.cut.is_set():
            self.hang_up()

    def hang_up(self):
        """Whatever waits for the server stops waiting."""
        try:
            if self.socket:
                self.socket.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass

    def get(self, url, limit, take):
        """Gives the body to take() in pieces as it comes."""
        for _ in range(REDIRECTS + 1):
            url = urllib.parse.urlsplit(url) if isinstance(url, str) else url
            if url.scheme not in ("http", "https") or not url.hostname:
                raise Refused("no address of a download: " + ascii(url.geturl()[:80]))
            further = self.fetch(url, limit, take)
            if further is None:
                return
            url = self.allowed(url, urllib.parse.urlsplit(urllib.parse.urljoin(url.geturl(), further)))
        raise Refused("too many redirects")

    def allowed(self, url, target):
        if target.scheme != url.scheme and self.flaw != "redirect-to-http":
            raise Refused("a redirect away from https is not followed")
        if target.hostname != url.hostname and self.flaw != "redirect-elsewhere":
            raise Refused("a redirect to another host is not followed")
        return target

    def fetch(self, url, limit, take):
        """Returns where a redirect leads, or None when all has been taken."""
        late = threading.Event()
        watchdog = threading.Timer(self.patience, lambda: (late.set(), self.hang_up()))
        watchdog.daemon = True
        watchdog.start()
        try:
            return self.exchange(url, limit, take)
        except (OSError, http.client.HTTPException) as error:
            if self.cut.is_set():
                raise PowerCut from None
            if late.is_set() or isinstance(error, TimeoutError):
                raise Refused("the server is too slow") from None
            raise Refused("download failed: " + said(error)) from None
        finally:
            watchdog.cancel()

    def exchange(self, url, limit, take):
        try:
            return self.ask(Connection(url, self, self.tls if url.scheme == "https" else None), url, limit, take)
        except (ssl.SSLError, ConnectionError):
            if self.flaw != "falls-back-to-http":
                raise
            return self.ask(Connection(url, self, None), url, limit, take)

    def ask(self, connection, url, limit, take):
        path = (url.path or "/") + ("?" + url.query if url.query else "")
        try:
            connection.request(self.method, path, self.body,
                               {"User-Agent": self.identity, "Accept": "*/*", "Connection": "close", **self.headers})
            answer = connection.getresponse()
            self.date = answer.getheader("Date")  # that the server told last
            if answer.status in (301, 302, 303, 307, 308) and answer.getheader("Location"):
                return answer.getheader("Location")
            if answer.status not in (200, 204):
                raise Refused(f"the server answered {answer.status}")
            if answer.length is not None and answer.length > limit:
                raise Refused("the download is too large")
            self.read(answer, limit, take)
        finally:
            connection.close()
        return None

    def read(self, answer, limit, take):
        count = 0
        while chunk := self.piece(answer):
            count += len(chunk)
            if self.cut.is_set():
                raise PowerCut
            if count > limit:
                raise Refused("the download is too large")
            take(chunk)
        if self.cut.is_set():
            raise PowerCut
        if answer.length:
            raise CutShort("the download was cut short")

    def piece(self, answer):
        """Nothing comes while the link is gone, and the connection does not end by that."""
        if self.link:
            self.link.wait()
        return answer.read1(65536)


def said(error):
    return " ".join(ascii(str(error) or type(error).__name__).strip("'\"").split())[:120]
