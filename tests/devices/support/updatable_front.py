"""What the scripted device shows on the network: a status page with an upload, a small API, and a banner that tells the version."""
import base64
import contextlib
import hmac
import http.server
import json
import re
import socket
import socketserver
import threading


LARGEST_UPLOAD = 2 << 20
PAGE = "<!doctype html><title>Hub</title><h1>Hub {version}</h1>\n"
FORM = "<form method=post action=/update enctype=multipart/form-data><input type=file name=image><button>Update</button></form>\n"


def listen(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind((address, port))
    server.listen(64)
    return server


class Server(socketserver.ThreadingMixIn, socketserver.BaseServer):
    """A server on a socket that listens already, whose open connections end with it."""
    daemon_threads, block_on_close = True, False

    def __init__(self, sock, handler, device):
        super().__init__(sock.getsockname(), handler)
        self.socket, self.device, self.open, self.lock = sock, device, set(), threading.Lock()
        self.server_name, self.server_port = "", 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def fileno(self):
        return self.socket.fileno()

    def get_request(self):
        connection, peer = self.socket.accept()
        with self.lock:
            self.open.add(connection)
        return connection, peer

    def shutdown_request(self, request):
        self.close_request(request)

    def close_request(self, request):
        with self.lock:
            self.open.discard(request)
        try:
            request.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        request.close()

    def handle_error(self, request, client_address):
        pass

    def end(self):
        self.shutdown()
        self.socket.close()
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def wait_for_link(device):
    """Nobody hears anything of a device without a link."""
    if link := getattr(device, "link", None):
        link.wait()


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version, timeout, server_version, sys_version = "HTTP/1.1", 10, "hub", ""

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json", **headers):
        data = (json.dumps(body) + "\n" if kind == "application/json" else body).encode()
        self.close_connection = True
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), "Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        device = self.server.device
        wait_for_link(device)
        if self.path == "/api/status":
            self.answer(200, device.status())
        elif self.path == "/":
            self.answer(200, PAGE.format(version=device.version()) + FORM * device.takes_uploads(), "text/html")
        else:
            self.answer(404, {"error": "there is nothing here"})

    def do_POST(self):
        device = self.server.device
        if self.path == "/api/check" and hasattr(device, "ask_to_check"):
            device.ask_to_check()
            self.answer(202, {"result": "looking"})
        elif self.path == "/update" and device.takes_uploads():
            self.upload(device)
        else:
            self.answer(404, {"error": "there is nothing here"})

    def has_login(self, device):
        wanted = b"Basic " + base64.b64encode(device.options.login.encode())
        return device.flaw == "upload-without-login" or hmac.compare_digest(self.headers.get("Authorization", "").encode(), wanted)

    def hang_up(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def body(self, device, length):
        """All of it, as far as there is room, or None where it ends early or takes too long."""
        patience = 600 if device.flaw == "no-timeout" else device.options.patience
        self.connection.settimeout(patience)
        watchdog = threading.Timer(patience, self.hang_up)
        watchdog.daemon = True
        watchdog.start()
        held, count = bytearray(), 0
        with contextlib.suppress(OSError):
            while count < length and (chunk := self.rfile.read1(min(length - count, 65536))):
                count += len(chunk)
                if len(held) < LARGEST_UPLOAD:
                    device.while_uploaded(len(held), chunk)
                    held.extend(chunk)
        watchdog.cancel()
        return bytes(held) if count == length else None

    def upload(self, device):
        length = self.headers.get("Content-Length", "")
        if not self.has_login(device):
            return self.answer(401, {"error": "who are you?"}, **{"WWW-Authenticate": 'Basic realm="Hub"'})
        if not length.isdigit() or int(length) > LARGEST_UPLOAD and device.flaw != "no-size-bound":
            return self.answer(413, {"error": "that is too large"})
        form = self.body(device, int(length))
        data = None if form is None else field(self.headers.get("Content-Type", ""), form, b"image")
        refused = "there is no image in the form" if form is not None and data is None else device.take_upload(data)
        if refused:
            return self.answer(422, {"result": "refused", "error": refused})
        return self.answer(202, {"result": "installing"})


def field(kind, body, name):
    """The content of one field of a multipart form (RFC 7578), or None."""
    boundary = re.search(r'boundary="?([^";]{1,70})"?', kind)
    if not kind.startswith("multipart/form-data") or not boundary:
        return None
    for part in body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if b'name="' + name + b'"' in head:
            return content.removesuffix(b"\r\n")
    return None


class Banner(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(5)
        wait_for_link(self.server.device)
        self.request.sendall(f"SSH-2.0-hub_{self.server.device.version()}\r\n".encode())
        try:
            self.request.recv(256)
        except OSError:
            pass


class Front:
    """`device` has options, status() and version(), and where takes_uploads() take_upload() and a flaw."""

    def __init__(self, device):
        self.device, self.servers = device, []

    def open(self):
        options = self.device.options
        self.servers = [Server(listen(options.listen, options.http), Pages, self.device)]
        if options.banner:
            self.servers.append(Server(listen(options.listen, options.banner), Banner, self.device))

    def close(self):
        for server in self.servers:
            server.end()
        self.servers = []
