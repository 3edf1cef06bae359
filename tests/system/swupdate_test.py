"""A device whose updates are done by the real swupdate takes the genuine image from a hawkBit server (ours is played by this script) and
at its own page, and refuses what it must; each wrong setup of it falls for its own and for nothing else."""
import json
import pathlib
import socket
import time

from common import emulated, inside, need, port, side_by_side
from update_server import isolations, server_for

FALLS = {
    "sound": set(),
    "no-tls-verification": {"unknown-authority", "wrong-name", "expired"},
    "no-downgrade-check": {"older", "same"},
    "any-model": {"other-model"},
    "never-activates": {"genuine", "page-genuine"},
}
OTHERS = {"genuine", "older", "other-model", "other-key", "payload-bit", "wrong-name"}  # the sound one is shown them all


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def offers(home):
    """Attack -> image, the version the server calls it, and the server's certificate."""
    image = {name: (home / f"images/{name}.swu").read_bytes() for name in
             ("hub-2.3.0", "hub-2.4.0", "hub-2.5.0", "plug-2.5.0", "other-key-hub-2.5.0")}
    genuine = image["hub-2.5.0"]
    signature = genuine.index(b"sw-description.sig\0")
    unsigned = genuine[:signature] + genuine[signature:].replace(b"sw-description.sig\0", b"sw-description.old\0", 1)
    out = {"genuine": genuine, "older": image["hub-2.3.0"], "same": image["hub-2.4.0"], "other-model": image["plug-2.5.0"],
           "other-key": image["other-key-hub-2.5.0"], "description-bit": flipped(genuine, genuine.index(b"version = ") + 12),
           "signature-bit": flipped(genuine, signature + 900), "payload-bit": flipped(genuine, genuine.index(b"app\0\0") + 1000),
           "no-signature": unsigned, "truncated": genuine[:len(genuine) // 2]}
    out = {name: (data, "server") for name, data in out.items()}
    return out | {name: (genuine, name) for name in ("unknown-authority", "wrong-name", "expired")}


class Hub:
    def __init__(self, device):
        self.device, self.home = device, pathlib.Path(device["folder"])
        self.server = server_for(device)
        self.number = 0

    def tell(self, word):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(self.home / "control"))
            connection.sendall(word.encode())
            return connection.makefile().read().strip()

    def state(self):
        return json.loads(self.tell("state"))

    def log(self):
        return (self.home / "updater.log").read_text(errors="replace")

    def until(self, what, done, within=60):
        """The updater is a foreign program: reading its log and its status is how one hears of it."""
        end = time.monotonic() + within
        while not done():
            assert time.monotonic() < end, (what, self.device["name"], self.server.told[-2:], self.log()[-2000:])
            time.sleep(0.05)

    def settled(self):
        """It has said how the deployment ended, and runs what it should, or it has refused the server twice."""
        if "never-activates" in self.device["name"] and self.state()["installed"]:
            return True  # it says how it ended when it is started anew
        if not self.server.finished_deployment.is_set():
            # swupdate 2022.12 now and then stops between a refusal and its report of it: its log has the refusal.
            log = self.log()
            return "Image invalid or corrupted" in log or log.count("Channel get operation failed") >= 2
        return not self.has_success() or self.state()["slot"] != "a"

    def has_success(self):
        return any(one["status"]["result"]["finished"] == "success" for one in self.server.told)


def fell(hub, name, data, certificate):
    assert hub.tell("restore") == "done"
    assert hub.state()["version"] == "2.4.0", name
    hub.number += 1
    hub.server.start(images=[data], version="2.5.0", deployment=hub.number, certificate=certificate)
    hub.until(name, hub.settled)
    if name == "same":
        return hub.state()["installed"] > 0
    if name == "genuine":
        return hub.state()["version"] != "2.5.0"
    return hub.state()["version"] != "2.4.0"


def at_its_page(hub, data):
    """Put in by whoever reaches the page."""
    assert hub.tell("restore") == "done"
    hub.server.start(images=[], version="", deployment=0)
    image = hub.home / "upload.swu"
    image.write_bytes(data)
    # Its answer has a broken head (swupdate 2022.12), which curl minds; it is started anew, so the page may come in a moment.
    inside(hub.device, ["curl", "-s", "-m", "60", "--retry", "30", "--retry-delay", "1", "--retry-connrefused", "-F", f"file=@{image}",
                    f"http://{hub.device['address']}:{port(hub.device, 'page')}/upload"])
    hub.until("upload", lambda: "Image invalid or corrupted" in hub.log() or hub.state()["installed"])
    hub.until("upload", lambda: not hub.state()["installed"] or hub.state()["version"] == "2.5.0" or "never-activates" in hub.device["name"])
    return hub.state()["version"] != "2.4.0"


def examine(flaw, isolation="loopback"):
    found = set()
    with emulated("swupdate/" + flaw, isolation) as device:
        hub = Hub(device)
        table = offers(hub.home)
        for name, (data, certificate) in table.items():
            if (flaw == "sound" and isolation == "loopback" or name in OTHERS | FALLS[flaw]) and fell(hub, name, data, certificate):
                found.add(name)
        if not at_its_page(hub, table["genuine"][0]):
            found.add("page-genuine")
        if at_its_page(hub, table["other-key"][0]):
            found.add("page-other-key")
        hub.server.listener.close()
    print(flaw, sorted(found), flush=True)
    return flaw, found


need("swupdate", "openssl", "curl")
for flaw, found in side_by_side(*[lambda flaw=flaw: examine(flaw) for flaw in FALLS], at_once=3):
    assert found == FALLS[flaw], (flaw, "fell for", sorted(found), "and must for", sorted(FALLS[flaw]))
for isolation in isolations()[1:]:
    assert examine("sound", isolation) == ("sound", set())
print(len(FALLS), "devices")
