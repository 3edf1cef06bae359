"""A web interface with a form: whoever logs in gets a new session. Its token is known to whoever knows the number of the login.

usage: secret_web.py PORT USER PASSWORD FILE
FILE says how many sessions there were.
"""
import hashlib
import http.server
import pathlib
import re
import socket
import sys
import threading
import urllib.parse

PORT, USER, PASSWORD, FILE = int(sys.argv[1]), *sys.argv[2:4], pathlib.Path(sys.argv[4])
FORM = ('<html><head><title>Vault</title></head><body><form method="post" action="/login"><input name="user">'
        '<input type="password" name="pass"><input type="submit" name="go" value="Sign in"></form>{note}</body></html>')
HOME = "<html><body><table><tr><td>Uptime</td><td>12 days</td></tr></table><p>Your session is {token}</p></body></html>"
LOCK, INSIDE = threading.Lock(), set()


def token(number):
    return hashlib.sha256(b"vault session %d" % number).hexdigest()[:24]


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 20

    def log_message(self, *arguments):
        pass

    def reply(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        found = re.search(r"sid=(\w+)", self.headers.get("Cookie", ""))
        if found and found.group(1) in INSIDE:
            self.reply(200, HOME.format(token=found.group(1)))
        elif self.path == "/":
            self.reply(200, FORM.format(note=""))
        else:
            self.reply(302, "", [("Location", "/")])

    def do_POST(self):
        fields = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode(), keep_blank_values=True))
        if (fields.get("user"), fields.get("pass")) != (USER, PASSWORD):
            self.reply(200, FORM.format(note="<p>Wrong user name or password.</p>"))
            return
        with LOCK:
            own = token(len(INSIDE))
            INSIDE.add(own)
            FILE.write_text(f"{len(INSIDE)}\n")
        self.reply(302, "", [("Location", "/"), ("Set-Cookie", f"sid={own}; Path=/; HttpOnly")])


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


Server(("::", PORT), Handler).serve_forever()
