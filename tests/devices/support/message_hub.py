"""Hubs that are set up and changed by messages: CoAP (RFC 7252) of its own making, MQTT by mosquitto with the hub behind it. One flaw for
each port.

usage: message_hub.py ADDRESS FOLDER CERTIFICATE KEY (coap|coaps|mqtt|mqtts|mqttpsk|mqttpsk13):PORT=FLAW[,FLAW]…
sound         none
old-password  the old password goes on beside the new one
any-password  every password will do
no-old        the change does not ask for the old password
factory       not set up yet: nothing but the set-up works
factory-open  not set up yet, and everybody may change the setting until it is
blocks        none; the name stands at the end of a long text, which is given in blocks (RFC 7959)
coaps is CoAP inside DTLS with a pre-shared key, by OpenSSL; mqtts and mqttpsk are MQTT inside TLS with CERTIFICATE and with pre-shared keys;
mqttpsk13 speaks TLS 1.3 alone. Where a key is asked for, a hub that is not set up yet is set up by the account of its label.
"""
import collections
import ctypes
import functools
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import string
import subprocess
import sys
import threading
import time

from web_hub import weak

USER, PASSWORD = "admin", "Wm4-kP7x-Tz2q"
LABEL, LABEL_KEY = "label", "Bq6-tR3w-Hn8v"
GET, POST, PUT = 1, 2, 3
CREATED, CHANGED, CONTENT, BAD, UNAUTHORIZED, NOT_FOUND = 0x41, 0x44, 0x45, 0x80, 0x81, 0x84
URI_PATH, URI_QUERY, BLOCK2 = 11, 15, 23


Lab = collections.namedtuple("Lab", "folder certificate key")


class Hub:
    def __init__(self, flaws):
        self.flaws, self.name = set(flaws), "Hub 2"
        self.ready = not self.flaws & {"factory", "factory-open"}
        self.passwords = [PASSWORD] if self.ready else []
        self.introduction = "the name of this hub is " * 20 if "blocks" in self.flaws else ""

    @property
    def open(self):
        return not self.ready and "factory-open" in self.flaws

    def admits(self, user, password):
        return self.open or (user == USER and password in self.passwords)

    def suits(self, password, old=""):
        return "any-password" in self.flaws or not weak(password, USER, old)

    def set_up(self, password):
        if self.ready or not self.suits(password):
            return False
        self.ready, self.passwords = True, [password]
        return True

    def change(self, old, new):
        """By whoever is logged in."""
        if not self.suits(new, self.passwords[-1]) or ("no-old" not in self.flaws and old not in self.passwords):
            return False
        self.passwords = [*(self.passwords if "old-password" in self.flaws else []), new]
        return True


def members(payload):
    try:
        body = json.loads(payload)
        return body if isinstance(body, dict) else {}
    except ValueError:
        return {}


# CoAP

def options(data):
    """Of a message behind its token: [(number, value)], payload."""
    found, number, at = [], 0, 0
    while at < len(data) and data[at] != 0xFF:
        delta, length = data[at] >> 4, data[at] & 15
        at += 1
        sizes = []
        for part in (delta, length):
            if part == 13:
                part, at = data[at] + 13, at + 1
            elif part == 14:
                part, at = int.from_bytes(data[at:at + 2], "big") + 269, at + 2
            sizes.append(part)
        number += sizes[0]
        found.append((number, data[at:at + sizes[1]]))
        at += sizes[1]
    return found, data[at + 1:]


def coap_answer(hub, method, path, query, payload, inside):
    """Code and payload. `inside`: the session has shown the key of the account."""
    said = members(payload)
    user, password = (USER, hub.passwords[-1] if hub.passwords else "") if inside else (query.get("user", ""), query.get("pass", ""))
    if path == "setup" and method == POST:
        return (CREATED if hub.set_up(str(said.get("password", ""))) else BAD), "" if hub.ready else "choose a better one"
    if not hub.admits(user, password):
        return UNAUTHORIZED, ""
    if path == "name" and method == GET:
        return CONTENT, hub.introduction + hub.name
    if path == "name" and method == PUT:
        hub.name = payload[:64]
        return CHANGED, ""
    if path == "password" and method == PUT:
        return (CHANGED, "done") if hub.change(str(said.get("old", "")), str(said.get("new", ""))) else (BAD, "not taken")
    return NOT_FOUND, ""


SIZE_64 = 2


def block(body, wish):
    """The options and the payload of the block that is wished for: its number, a bit, and three of the size, which is 64 bytes here."""
    at = (wish >> 4) << (4 + (wish & 7))
    mark = (at // 64) << 4 | (8 if at + 64 < len(body) else 0) | SIZE_64
    return bytes([0xD0 | 2, BLOCK2 - 13]) + mark.to_bytes(2, "big") + b"\xff" + body[at:at + 64]


def coap_reply(hub, data, inside):
    """The answer to a datagram: in it where it is about the setting, else apart from its acknowledgement; b"": none."""
    if len(data) < 4 or data[0] >> 6 != 1 or data[0] & 15 > 8 or data[1] == 0:
        return []
    kind, token = data[0] >> 4 & 3, data[4:4 + (data[0] & 15)]
    found, payload = options(data[4 + len(token):])
    path = "/".join(value.decode(errors="replace") for number, value in found if number == URI_PATH)
    query = dict(value.decode(errors="replace").partition("=")[::2] for number, value in found if number == URI_QUERY)
    code, body = coap_answer(hub, data[1], path, query, payload.decode(errors="replace"), inside)
    body = body.encode()
    if hub.introduction and data[1] == GET and code == CONTENT:
        body = block(body, next((int.from_bytes(value, "big") for number, value in found if number == BLOCK2), SIZE_64))
    else:
        body = b"\xff" + body if body else b""
    if kind == 0 and path == "password":
        return [b"\x60\x00" + data[2:4], bytes([0x50 | len(token), code]) + secrets.token_bytes(2) + token + body]
    return [bytes([(0x60 if kind == 0 else 0x50) | len(token), code]) + data[2:4] + token + body]


def serve_coap(hub, address, port, _):
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, port))
    seen = {}
    while True:
        data, sender = server.recvfrom(2048)
        if (sender, data) not in seen:  # a request that is sent again is answered again, and not obeyed again
            seen = {(sender, data): coap_reply(hub, data, False)}
        for answer in seen[(sender, data)]:
            server.sendto(answer, sender)


class Dtls:
    """Sessions of DTLS with pre-shared keys, by OpenSSL over memory: `openssl s_server` is lost to a client with a wrong key."""

    def __init__(self, key_of):
        self.ssl, self.crypto = ctypes.CDLL("libssl.so.3"), ctypes.CDLL("libcrypto.so.3")
        for library, names in ((self.ssl, ("DTLS_server_method", "SSL_CTX_new", "SSL_new")), (self.crypto, ("BIO_new", "BIO_s_mem"))):
            for name in names:
                getattr(library, name).restype = ctypes.c_void_p
        self.crypto.BIO_ctrl.restype = self.crypto.BIO_ctrl_pending.restype = ctypes.c_long

        def give_key(_, identity, key, longest):
            word = key_of(identity.decode(errors="replace"))
            ctypes.memmove(key, word, len(word))
            return len(word) if len(word) <= longest else 0
        self.callback = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint)(give_key)
        self.context = ctypes.c_void_p(self.ssl.SSL_CTX_new(ctypes.c_void_p(self.ssl.DTLS_server_method())))
        self.ssl.SSL_CTX_set_cipher_list(self.context, b"PSK")
        self.ssl.SSL_CTX_set_psk_server_callback(self.context, self.callback)

    def session(self):
        session = ctypes.c_void_p(self.ssl.SSL_new(self.context))
        pipes = [ctypes.c_void_p(self.crypto.BIO_new(ctypes.c_void_p(self.crypto.BIO_s_mem()))) for _ in range(2)]
        for pipe in pipes:
            self.crypto.BIO_ctrl(pipe, 130, ctypes.c_long(-1), None)  # BIO_set_mem_eof_return
        self.ssl.SSL_set_bio(session, *pipes)
        self.ssl.SSL_set_options(session, ctypes.c_uint64(0x1000))  # SSL_OP_NO_QUERY_MTU
        self.ssl.SSL_ctrl(session, 17, ctypes.c_long(1280), None)   # SSL_set_mtu
        self.ssl.SSL_set_accept_state(session)
        return session, *pipes

    def hear(self, session, datagram, answers):
        """What the session says to a datagram; `answers` gives those to what stands in it."""
        ssl, source, sink = session
        self.crypto.BIO_write(source, datagram, len(datagram))
        buffer = ctypes.create_string_buffer(4096)
        size = self.ssl.SSL_read(ssl, buffer, len(buffer))
        out = [self.taken(sink)]
        for answer in answers(buffer.raw[:size]) if size > 0 else []:
            self.ssl.SSL_write(ssl, answer, len(answer))
            out.append(self.taken(sink))
        return [said for said in out if said]

    def taken(self, sink):
        buffer = ctypes.create_string_buffer(max(self.crypto.BIO_ctrl_pending(sink), 1))
        size = self.crypto.BIO_read(sink, buffer, len(buffer))
        return buffer.raw[:max(size, 0)]


def serve_coaps(hub, address, port, _):
    dtls = Dtls(lambda user: hub.passwords[-1].encode() if user == USER and hub.passwords else secrets.token_bytes(16))
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, port))
    sessions = {}
    while True:
        data, sender = server.recvfrom(4096)
        if len(data) > 13 and data[0] == 22 and data[3:5] == b"\0\0" and sender not in sessions:
            sessions = dict(list(sessions.items())[-20:])
            sessions[sender] = dtls.session()
        for said in dtls.hear(sessions[sender], data, lambda inside: coap_reply(hub, inside, True)) if sender in sessions else []:
            server.sendto(said, sender)


# MQTT

def hex_key(word):
    """As mosquitto writes the key that a word stands for: what is hex already stands for its bytes."""
    return word if len(word) % 2 == 0 and all(letter in string.hexdigits for letter in word) else word.encode().hex()


class Broker:
    """mosquitto, with the accounts and rights that the hub wants. `kind`: in clear (mqtt), inside TLS (mqtts), or with pre-shared keys (mqttpsk, mqttpsk13)."""

    def __init__(self, kind, hub, address, port, lab):
        self.kind, self.hub, self.address, self.port, self.certificate = kind, hub, address, port, lab.certificate
        self.keyed = kind.startswith("mqttpsk")
        self.folder = pathlib.Path(lab.folder) / f"mqtt{port}"
        self.folder.mkdir(parents=True)
        self.own = secrets.token_hex(12)
        self.write()
        keys = f"psk_hint hub\npsk_file {self.folder}/accounts\nuse_identity_as_username true"
        login = {"mqtt": f"password_file {self.folder}/accounts",
                 "mqtts": f"certfile {lab.certificate}\nkeyfile {lab.key}\npassword_file {self.folder}/accounts",
                 "mqttpsk": keys, "mqttpsk13": keys + "\ntls_version tlsv1.3"}[kind]
        (self.folder / "conf").write_text(f"allow_anonymous true\npersistence false\nlistener {port} {address}\n{login}\nacl_file {self.folder}/rights\n" + ("user root\n" if os.getuid() == 0 else ""))
        self.process = subprocess.Popen([shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin"), "-c", self.folder / "conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write(self):
        # A name has one password here, so old-password is no flaw of this one.
        known = [("hub", self.own), *((USER, word) for word in self.hub.passwords[-1:])]
        known += [(LABEL, LABEL_KEY)] if self.keyed and not self.hub.ready else []
        accounts = self.folder / "accounts"
        accounts.write_text("".join(f"{name}:{hex_key(word)}\n" for name, word in known) if self.keyed else "")
        for name, word in known if not self.keyed else []:
            subprocess.run(["mosquitto_passwd", "-b", accounts, name, word], check=True, capture_output=True)
        rights = ["topic readwrite hub/name/#", "topic readwrite hub/name"] if self.hub.open else []
        set_up = ["topic write hub/setup", "topic read hub/setup/result"]
        (self.folder / "rights").write_text("\n".join([*set_up, *rights, f"user {USER}", "topic readwrite hub/#", "user hub", "topic readwrite hub/#",
                                                       f"user {LABEL}", *set_up]) + "\n")

    def reload(self):
        self.write()
        self.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)

    def login(self):
        inside = {"mqtts": ["--cafile", self.certificate, "--insecure"]}.get(self.kind, [])
        account = ["--psk-identity", "hub", "--psk", hex_key(self.own)] if self.keyed else ["-u", "hub", "-P", self.own]
        return ["-h", self.address, "-p", str(self.port), *inside, *account]

    def say(self, topic, text, *more):
        subprocess.run(["mosquitto_pub", *self.login(), "-t", topic, "-m", text, "-q", "1", *more], check=True, timeout=20)


def serve_mqtt(kind, hub, address, port, lab):
    broker = Broker(kind, hub, address, port, lab)
    while True:
        time.sleep(0.1)
        listener = subprocess.Popen(["mosquitto_sub", *broker.login(), "-t", "hub/setup", "-t", "hub/password", "-t", "hub/name/set", "-F", "%t %p", "-q", "1"],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        broker_up = subprocess.run(["mosquitto_pub", *broker.login(), "-t", "hub/name", "-m", hub.name, "-r"], stderr=subprocess.DEVNULL).returncode == 0
        while broker_up and (line := listener.stdout.readline()):
            topic, _, payload = line.rstrip("\n").partition(" ")
            said = members(payload)
            new = str(said.get("password" if topic == "hub/setup" else "new", ""))
            if topic == "hub/name/set":
                hub.name = payload[:64]
                broker.say("hub/name", hub.name, "-r")
                continue
            # mosquitto's accounts have no empty password.
            done = new and (hub.set_up(new) if topic == "hub/setup" else hub.ready and hub.change(str(said.get("old", "")), new))
            if done:
                broker.reload()
            broker.say(topic + "/result", "accepted" if done else "refused")
        listener.kill()
        listener.wait()


SERVERS = {"coap": serve_coap, "coaps": serve_coaps, **{kind: functools.partial(serve_mqtt, kind) for kind in ("mqtt", "mqtts", "mqttpsk", "mqttpsk13")}}


def main():
    address, lab = ("0.0.0.0" if sys.argv[1] == "::" else sys.argv[1]), Lab(*sys.argv[2:5])
    for entry in sys.argv[5:]:
        place, _, flaws = entry.partition("=")
        kind, _, port = place.partition(":")
        threading.Thread(target=SERVERS[kind], args=(Hub(flaws.split(",")), address, int(port), lab), daemon=True).start()
    pathlib.Path(lab.folder, "started").write_text("up\n")
    threading.Event().wait()


if __name__ == "__main__":
    main()
