"""The scripted device that takes updates by CoAP in blocks, from libcoap's server, as object 5 of LwM2M, and by announcements of a mosquitto
broker with a download behind them: the genuine update is taken, each variant falls for its own and for nothing else."""
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

from common import SOURCE, emulated, folder, need, port, side_by_side, skip
from update_server import certificates, manifest, server_for

sys.path.insert(0, str(SOURCE / "tests/devices/support"))
try:
    import updatable_images as images
except ImportError as missing:
    skip(f"{missing}: python3-cryptography is not installed")
FALLS = {"sound": set(), "no-signature-check": {"header-bit", "other-key"}, "no-downgrade-check": {"older"}, "any-model": {"other-model"},
         "manifest-version-believed": {"older-called-newer"}}
TLS = {"sound": set(), "no-tls-verification": {"unknown-authority"}}


def tell(home, word):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(90)
        connection.connect(str(home / "control"))
        connection.sendall(word.encode())
        text = connection.makefile().read()
        return json.loads(text) if text.startswith("{") else text.strip()


def offers(home, other):
    def image(name):
        return (home / f"images/{name}.img").read_bytes()
    genuine = image("hub-2.5.0")
    return {"genuine": (genuine, "2.5.0"), "older": (image("hub-2.3.0"), "2.3.0"), "older-called-newer": (image("hub-2.3.0"), "2.9.0"),
            "other-model": (image("plug-2.5.0"), "2.5.0"), "other-key": (images.make(other, "hub", "2.5.0"), "2.5.0"),
            "header-bit": (genuine[:256] + b"\1" + genuine[257:], "2.5.0"), "payload-bit": (genuine[:700] + b"\0\0" + genuine[702:], "2.5.0"),
            "truncated": (genuine[:2000], "2.5.0")}


def until_listening(process, kind, at):
    """A daemon that does not tell when it listens is asked until it does."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert process.poll() is None, "it ended"
        done = subprocess.run(["ss", "-Hln" + kind, "src", at], stdout=subprocess.PIPE, check=True)
        if done.stdout.strip():
            return
        time.sleep(0.05)
    raise AssertionError("it does not listen: " + at)


class Coap:
    """libcoap's example server, which takes what is put into it."""

    def __init__(self, device, work):
        self.port = device["tester_ports"]["updates"].split("/")[1]
        self.server = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "coap-server-openssl", "-A", "127.0.0.1", "-p", self.port, "-d", "8"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.work = work
        until_listening(self.server, "u", "127.0.0.1:" + self.port)

    def put(self, name, data):
        path = self.work / f"{self.port}-{name}"
        path.write_bytes(data)
        subprocess.run(["coap-client-openssl", "-m", "put", "-b", "512", "-B", "20", "-f", path, f"coap://127.0.0.1:{self.port}/{name}"], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=40)

    def clear(self):
        """It polls by itself too: nothing is offered until it is restored."""
        self.put("update", b"{}")

    def offer(self, home, data, version, _):
        text = {"version": version, "url": f"coap://updates.example:{self.port}/image", "size": len(data), "sha256": images.digest_of(data)}
        self.put("image", data)
        self.put("update", json.dumps(text).encode())
        return tell(home, "check-and-wait")

    def close(self):
        self.server.kill()
        self.server.wait()


class Lwm2m:
    """A server to register at; libcoap's client says what it would say. The image is fetched, or put in where `pushed` says so."""

    def __init__(self, device, work):
        self.device, self.registered = f"{device['address']}:{port(device, 'lwm2m')}", threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", int(device["tester_ports"]["updates"].split("/")[1])))
        threading.Thread(target=self.serve, daemon=True).start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            number = free.getsockname()[1]
        self.files = Coap({"tester_ports": {"updates": f"udp/{number}"}}, work)
        assert self.registered.wait(30), "it does not register"

    def serve(self):
        """2.01 Created with a Location-Path for every registration (RFC 7252, 5.2.1)."""
        while True:
            try:
                data, peer = self.socket.recvfrom(2048)
            except OSError:
                return
            if data[1] == 2 and b"ep=EX-UPD-0001" in data and b"</5/0>" in data:
                self.socket.sendto(bytes([0x60 | data[0] & 15, 65]) + data[2:4 + (data[0] & 15)] + b"\x82rd\x011", peer)
                self.registered.set()

    def ask(self, method, path, *words):
        done = subprocess.run(["coap-client-openssl", "-a", "127.0.0.1", "-m", method, "-B", "30", "-o", "-", *words, f"coap://{self.device}{path}"],
                              check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        return done.stdout.decode().strip()

    def clear(self):
        pass  # it only does what it is told

    def offer(self, home, data, version, _):
        pushed = version == "2.3.0" or len(data) < 3000 or images.digest_of(data)[0] in "0123456"
        if pushed:
            path = self.files.work / f"{self.files.port}-pushed"
            path.write_bytes(data)
            self.ask("put", "/5/0/0", "-b", "512", "-f", path)
        else:
            self.files.put("image", data)
            self.ask("put", "/5/0/1", "-e", f"coap://updates.example:{self.files.port}/image")
        end = time.monotonic() + 60
        while (state := self.ask("get", "/5/0/3")) == "1":
            assert time.monotonic() < end, "it downloads for ever"
        assert state in "02" and (state == "2" or self.ask("get", "/5/0/5") == "5"), state
        if state == "2":
            self.ask("post", "/5/0/2")
            after = tell(home, "wait")
            assert self.ask("get", "/3/0/3") == after["version"] and self.ask("get", "/5/0/5") == "1", after
        return tell(home, "wait")

    def close(self):
        self.socket.close()
        self.files.close()


class Mqtt:
    """A broker, and the server that it sends the device to."""

    def __init__(self, device, work):
        self.port = device["tester_ports"]["broker"].split("/")[1]
        config = work / f"{self.port}.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self.broker = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "mosquitto", "-c", config], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.server = server_for(device)
        until_listening(self.broker, "t", "127.0.0.1:" + self.port)

    def clear(self):
        pass  # each announcement is taken back at the end of its offer

    def offer(self, home, data, version, certificate):
        """Retained, so that it is heard whenever the device comes; what it did with it is told by its count of attempts."""
        before = tell(home, "state")["attempts"]
        self.server.start(images=[data], certificate=certificate)
        self.publish(manifest(self.server, data, version))
        end = time.monotonic() + 60
        while (state := tell(home, "wait"))["attempts"] == before:
            assert time.monotonic() < end, "it was not heard"
            time.sleep(0.05)
        self.publish(b"")
        return state

    def publish(self, message):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", self.port, "-t", "updates/hub", "-q", "1", "-r", "-m", message], check=True,
                       stdin=subprocess.DEVNULL, timeout=40)

    def close(self):
        self.broker.kill()
        self.broker.wait()
        self.server.listener.close()


def examine(work, other, kind, flaw, expected):
    found = set()
    with emulated(f"updatable-{kind.__name__.lower()}/{flaw}", "loopback") as device:
        home, lab = pathlib.Path(device["folder"]), kind(device, work)
        try:
            table = {name: (*one, "server") for name, one in offers(home, other).items()}
            if kind is Mqtt:
                table["unknown-authority"] = (*table["genuine"][:2], "unknown-authority")
            if kind is Lwm2m:
                del table["older-called-newer"]  # nothing but the image tells the version
            for name, (data, version, certificate) in table.items():
                lab.clear()
                assert tell(home, "restore") == "done", (flaw, name)
                if lab.offer(home, data, version, certificate)["version"] != "2.4.0":
                    found.add(name)
        finally:
            lab.close()
    assert found == expected | {"genuine"}, (kind.__name__, flaw, "took", sorted(found), "and must take", sorted(expected | {"genuine"}))


need("coap-server-openssl", "coap-client-openssl", "mosquitto", "mosquitto_pub", "mosquitto_sub", "ss", "setpriv", "openssl")
with folder() as work:
    certificates(work)
    other = images.load_key(work / "other.key")
    jobs = [lambda flaw=flaw, kind=kind: examine(work, other, kind, flaw, FALLS[flaw]) for kind in (Coap, Mqtt) for flaw in FALLS]
    jobs += [lambda flaw=flaw: examine(work, other, Lwm2m, flaw, FALLS[flaw]) for flaw in FALLS if flaw != "manifest-version-believed"]
    jobs.append(lambda: examine(work, other, Mqtt, "no-tls-verification", TLS["no-tls-verification"]))
    side_by_side(*jobs, at_once=6)
print(len(jobs), "devices")
