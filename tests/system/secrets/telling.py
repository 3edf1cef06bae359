"""A device that tells its password in pieces, or what was made with it, to whoever logs in.

usage: telling.py ADDRESS PASSWORD PAGE_PORT ECHO_PORT DIGEST_PORT CAMERA_PORT
The page shows the password over two writes, in other capitals and with codes for a terminal; the command line echoes what is typed one
character a packet, writes an asterisk over each of a password, and has the password backwards and in capitals in its banner; the digest pages
prove in Authentication-Info that the device knows the password too (RFC 7616, 3.5), that of HTTP in base64.
"""
import base64
import hashlib
import http.server
import os
import re
import socket
import socketserver
import sys
import threading
import time

ADDRESS, PASSWORD, PORTS = sys.argv[1], sys.argv[2], [int(port) for port in sys.argv[3:]]
USER = "maker"
PAUSE = 0.03  # longer than a read of the probe needs


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *arguments):
        pass

    def reply(self, status, header, *parts):
        self.send_response(status)
        self.send_header(*header)
        self.send_header("Content-Length", str(sum(map(len, parts))))
        self.end_headers()
        for part in parts if self.command != "HEAD" else ():
            self.wfile.write(part)
            self.wfile.flush()
            time.sleep(PAUSE)


class Page(Web):
    def do_GET(self):
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            self.reply(401, ("WWW-Authenticate", 'Basic realm="hub"'), b"no")
            return
        word, half = PASSWORD.encode(), len(PASSWORD) // 2
        others = [word.upper(), word.lower(), word.capitalize(), word.hex(" ").upper().encode(), b"\x1b[0m".join(word[at:at + 1] for at in range(len(word)))]
        self.reply(200, ("Content-Type", "text/html"), b"<html>" + b"x" * 1400 + b"<p>Your key: " + word[:half],
                   word[half:] + b"</p><pre>" + b"\n".join(others) + b"</pre></html>")

    do_HEAD = do_GET


def proof_of(given, method, written=str):
    """The device's own proof for a right login, its digits as they are `written`; nothing for a wrong one."""
    part = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
    if part.get("username") != USER or "cnonce" not in part:
        return None
    known = md5(f"{USER}:hub:{PASSWORD}") + f":{part['nonce']}:{part['nc']}:{part['cnonce']}:auth:"
    right = part["response"] == md5(known + md5(f"{method}:{part['uri']}"))
    return f'rspauth="{written(md5(known + md5(":" + part["uri"])))}", cnonce="{part["cnonce"]}", nc={part["nc"]}, qop=auth' if right else None


def challenge():
    return f'Digest realm="hub", nonce="{os.urandom(8).hex()}", qop="auth", algorithm=MD5'


class Digest(Web):
    def do_GET(self):
        proof = proof_of(self.headers.get("Authorization", ""), self.command, lambda digits: base64.b64encode(bytes.fromhex(digits)).decode())
        self.reply(*((200, ("Authentication-Info", proof), b"inside") if proof else (401, ("WWW-Authenticate", challenge()), b"no")))

    do_HEAD = do_GET


class Camera(socketserver.StreamRequestHandler):
    timeout = 20

    def handle(self):
        while (first := self.rfile.readline(4096).decode("latin-1").split()):
            headers = {}
            while (line := self.rfile.readline(4096).decode("latin-1").strip()):
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            proof = proof_of(headers.get("authorization", ""), "DESCRIBE")
            body = "v=0\r\ns=Camera\r\n" if proof else ""
            head = ["RTSP/1.0 200 OK", "Authentication-Info: " + proof] if proof else ["RTSP/1.0 401 Unauthorized", "WWW-Authenticate: " + challenge()]
            if first[0] != "DESCRIBE":
                head, body = ["RTSP/1.0 405 Method Not Allowed"], ""
            self.wfile.write("\r\n".join([*head, "CSeq: " + headers.get("cseq", "0"), f"Content-Length: {len(body)}", "", body]).encode())


class Echo(socketserver.BaseRequestHandler):
    """A login of telnet, and behind it a command line that knows `echo`."""

    def say(self, words):
        self.request.sendall(words)

    def line(self, over=b""):
        typed = b""
        while (one := self.request.recv(1)) not in (b"\r", b"\n") or not typed:
            if not one:
                raise OSError
            if one == b"\xff":
                self.request.recv(2)
            elif one not in b"\0\r\n":
                typed += one
                self.say(one)
                self.say(over)
                time.sleep(PAUSE / 3)
        self.say(b"\r\n")
        return typed

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.say(b"Hub, made of " + PASSWORD[::-1].encode() + b", " + PASSWORD.upper().encode() + b"\r\nlogin: ")
            while True:
                user = self.line()
                self.say(b"Password: ")
                if (user, self.line(b"\x1b[0m\b*")) == (USER.encode(), PASSWORD.encode()):
                    break
                time.sleep(0.2)
                self.say(b"Login incorrect\r\nlogin: ")
            while True:
                self.say(b"# ")
                words = self.line().decode("latin-1")
                if words.startswith("exit"):
                    return
                self.say(re.sub(r"'|\"", "", words.partition("echo ")[2]).encode("latin-1") + b"\r\n")
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


for port, handler in list(zip(PORTS, (Page, Echo, Digest, Camera)))[1:]:
    threading.Thread(target=Server((ADDRESS, port), handler).serve_forever, daemon=True).start()
Server((ADDRESS, PORTS[0]), Page).serve_forever()
