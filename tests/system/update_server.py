"""An update server for tests of the emulated devices, which is not our own: a JSON manifest and an image, or the device API of
Eclipse hawkBit (DDI), over TLS with the certificate that is wanted. Standard library only."""
import concurrent.futures
import ctypes
import hashlib
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time

NAME = "updates.example"
ENDLESS, DRIPS = 8 << 20, 40  # bytes, and tenths of a second: more than any device may take


def certificates(work):
    """The laboratory's certificates, made with openssl; the device trusts `trust`."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=work, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def make(name, subject, alternative, issuer=None, dates=()):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
                "-subj", "/CN=" + subject)
        (work / (name + ".ext")).write_text("basicConstraints=critical,CA:TRUE\n" if not alternative else "subjectAltName=" + alternative + "\n")
        by = ["-CA", issuer + ".crt", "-CAkey", issuer + ".key", "-CAcreateserial"] if issuer else ["-signkey", name + ".key"]
        openssl("x509", "-req", "-in", name + ".csr", "-out", name + ".crt", "-extfile", name + ".ext", *by, *(dates or ("-days", "30")))
    for authority in ("trust", "stranger"):
        make(authority, "Authority " + authority, "")
    right = f"DNS:{NAME},IP:127.0.0.1"
    make("server", NAME, right, "trust")
    make("wrong-name", "elsewhere.example", "DNS:elsewhere.example", "trust")
    make("unknown-authority", NAME, right, "stranger")
    make("self-signed", NAME, right)
    # A certificate of the past: openssl x509 makes it with a negative number of days only.
    make("expired", NAME, right, "trust", ("-days", "-1"))
    for signer in ("maker", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", signer + ".key", "-out", signer + ".crt", "-subj", "/CN=" + signer,
                "-days", "30", "-addext", "extendedKeyUsage=emailProtection")


def manifest(server, data, version="2.5.0", url=None, **more):
    return json.dumps({"version": version, "url": url or server.url("/image"), "size": len(data), "sha256": hashlib.sha256(data).hexdigest(),
                       **more}).encode()


def listening(at, netns):
    if netns:
        with open(netns, "rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):  # CLONE_NEWNET
                raise OSError(ctypes.get_errno(), "setns")
    return socket.create_server(at)


def server_for(device):
    """Where a running emulated device was pointed at."""
    return Server(pathlib.Path(device["folder"]) / "certificates", device["address"], int(device["tester_ports"]["updates"].split("/")[1]),
                  device["tester"], device["netns"])


def isolations():
    """Those in which this process can be the server: of another user's namespaces it cannot open a socket."""
    return ["loopback", "root_namespaces"] if os.geteuid() == 0 else ["loopback"]


class Server:
    """The update server: what it does for the next attack is in `offer`."""

    def __init__(self, work, peer, port=0, address="127.0.0.1", netns=""):
        self.work, self.peer, self.offer, self.asked, self.told = work, peer, {}, [], []
        self.sent, self.finished = 0, threading.Event()
        self.finished_deployment = threading.Event()
        self.address = address
        with concurrent.futures.ThreadPoolExecutor(1) as elsewhere:  # a thread of its own may be in another network, and its sockets stay
            self.listener = elsewhere.submit(listening, (address, port), netns).result()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def start(self, **offer):
        self.offer, self.asked, self.told, self.sent = offer, [], [], 0
        self.finished.clear()
        self.finished_deployment.clear()

    def url(self, path, scheme="https", host=NAME):
        return f"{scheme}://{host}:{self.port}{path}"

    def accept(self):
        while True:
            try:
                connection, peer = self.listener.accept()
            except OSError:
                return
            assert peer[0] == self.peer, ("who is this?", peer)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(10)
        try:
            hello = connection.recv(1, socket.MSG_PEEK) == b"\x16"
            if hello != self.offer.get("tls", True) and not self.offer.get("both"):
                return
            if hello:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                name = self.work / self.offer.get("certificate", "server")
                context.load_cert_chain(f"{name}.crt", f"{name}.key")
                connection = context.wrap_socket(connection, server_side=True)
            text = b""
            while b"\r\n\r\n" not in text and (piece := connection.recv(4096)):
                text += piece
            if text:
                self.answer(connection, text.split()[1].decode(), self.body(connection, text))
        except (OSError, ValueError, KeyError):  # the last: nothing is offered
            pass
        finally:
            connection.close()
            self.finished.set()

    def body(self, connection, text):
        """What a request brings with it, of a known length."""
        head, _, body = text.partition(b"\r\n\r\n")
        length = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if b"expect: 100-continue" in head.lower():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while length and len(body) < length[0] and (piece := connection.recv(4096)):
            body += piece
        return body

    def answer(self, connection, path, body):
        self.asked.append(path)
        if "/controller/v1/" in path:
            return self.hawkbit(connection, path, body)
        if path == "/v1/update.json":
            return self.send(connection, self.offer["manifest"])
        if path == "/v1/update.json.sig":
            return self.send(connection, self.offer["signature"])
        if path == "/image" and "redirect" in self.offer:
            return connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {self.offer['redirect']}\r\nContent-Length: 0\r\n\r\n".encode())
        number = sum(1 for one in self.asked if one.startswith("/image")) - 1
        data = self.offer["images"][min(number, len(self.offer["images"]) - 1)]
        return {"endless": self.endless, "slow": self.slow, "half": self.stop_half_way}.get(self.offer.get("way"), self.send)(connection, data)

    def send(self, connection, data):
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)

    def endless(self, connection, data):
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while self.sent < ENDLESS:
            connection.sendall(data)
            self.sent += len(data)

    def slow(self, connection, data):
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode())
        end = time.monotonic() + DRIPS / 10
        connection.settimeout(0.1)
        while time.monotonic() < end:
            connection.sendall(data[:1])
            data = data[1:]
            try:  # the device says nothing more: what can be read is its end, and until then a tenth of a second passes
                if not connection.recv(1):
                    return
            except (TimeoutError, ssl.SSLWantReadError):
                self.sent += 1

    def stop_half_way(self, connection, data):
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:len(data) // 2])
        connection.recv(1)

    def hawkbit(self, connection, path, body):
        """The device API: what is to be done, the one deployment that is open, and what the device says of it."""
        base = self.url(path.split("/deploymentBase")[0].split("/configData")[0], host=self.address)
        number = self.offer.get("deployment", 0)
        if path.endswith("/feedback"):
            # swupdate puts lines of its log in without escaping them: tabs, and anything else.
            said = [re.search(rb'"%s" ?: ?"(\w+)"' % key, body) for key in (b"execution", b"finished")]
            execution, finished = (found[1].decode() if found else "" for found in said)
            self.told.append({"status": {"execution": execution, "result": {"finished": finished}}, "text": body.decode(errors="replace")})
            if self.told[-1]["status"]["execution"] == "closed":
                self.offer = {**self.offer, "deployment": 0}
                self.finished_deployment.set()
            return self.send(connection, b"")
        if path.endswith("/configData"):
            return self.send(connection, b"")
        if "/deploymentBase/" in path:
            return self.send(connection, json.dumps(self.deployment(base, number)).encode())
        links = {"deploymentBase": {"href": f"{base}/deploymentBase/{number}"}} if number else {}
        return self.send(connection, json.dumps({"config": {"polling": {"sleep": "00:00:01"}}, "_links": links}).encode())

    def deployment(self, base, number):
        data = self.offer["images"][0]
        artifact = {"filename": "image.swu", "size": len(data), "_links": {"download": {"href": self.url("/image", host=self.address)}},
                    "hashes": {kind: hashlib.new(kind, data).hexdigest() for kind in ("sha1", "md5", "sha256")}}
        chunk = {"part": "bApp", "name": "hub", "version": self.offer["version"], "artifacts": [artifact]}
        return {"id": str(number), "deployment": {"download": "forced", "update": "forced", "chunks": [chunk]}}
