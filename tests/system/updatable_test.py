"""What each variant of the emulated device that takes updates falls for, told without our own update probe: this script is the
update server. The sound one takes the genuine image and holds against everything; each flawed one falls for its own and for
nothing else."""
import base64
import gzip
import json
import pathlib
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from common import SOURCE, emulated, folder, inside, need, port, side_by_side, skip
from update_server import DRIPS, ENDLESS, Server, certificates, isolations, manifest, server_for

sys.path.insert(0, str(SOURCE / "tests/devices/support"))
try:
    import updatable_archives as archives
    import updatable_images as images
    from updatable_flaws import FLAWS, OTHER_WAYS
    from updatable_suit import FLAWS as ENVELOPES
except ImportError as missing:
    skip(f"{missing}: python3-cryptography is not installed")
LOGIN = "admin:Kd7-wP3z-Hq9t"
BAD_IMAGES = {"header-bit", "payload-bit", "signature-bit", "no-signature", "other-key", "other-content", "truncated-50", "truncated-90",
              "appended"}
FALLS = {
    "sound": set(),
    "no-signature-check": {"header-bit", "signature-bit", "other-key", "other-content", "upload-other-key"},
    "header-only-check": {"header-bit", "payload-bit", "signature-bit", "other-key", "other-content", "upload-other-key"},
    "signature-over-header": {"payload-bit", "signature-bit"},
    "optional-signature": {"no-signature"},
    "any-key": {"other-key", "upload-other-key"},
    "no-downgrade-check": {"older", "upload-older"},
    "same-version-accepted": {"same"},
    "manifest-version-believed": {"older-called-newer"},
    "any-model": {"other-model", "other-component"},
    "any-component": {"other-component"},
    "truncated-accepted": {"truncated-50", "truncated-90", "no-signature"},
    "trailing-data-accepted": {"appended"},
    "no-tls-verification": {"unknown-authority", "self-signed", "wrong-name", "expired-server"},
    "wrong-name-accepted": {"wrong-name"},
    "expired-server-accepted": {"expired-server"},
    "redirect-to-http": {"redirect-to-http"},
    "redirect-elsewhere": {"redirect-elsewhere"},
    "falls-back-to-http": {"plain-http"},
    "image-over-http": {"image-over-http"},
    "no-size-bound": {"endless"},
    "no-timeout": {"slow"},
    "installs-before-verifying": {"power-cut"},
    "not-taken-back": {"power-cut", "upload-cut"},
    "checks-one-installs-another": {"second-differs"},
    "never-activates": {"genuine", "upload"},
    "only-says-so": {"genuine", "upload"},
    "asks-only-when-told": set(),  # tests/system/probes/update_watch_test.py is about it
    "bricks-on-bad-image": BAD_IMAGES,
    "bricks-for-good": {"payload-bit"},  # nothing else can be tried
    "upload-without-login": {"upload-without-login"},
    "upload-unchecked": {"upload-other-key"},
    "files-not-compared": {"payload-changed"},
    "unlisted-files-accepted": {"path-in-name"},
    "unpacks-before-verifying": {"path-in-name"},
    "unpacks-without-bound": {"bomb"},
    "unsigned-metadata-accepted": {"unsigned-metadata"},
    "activates-at-restart": set(),  # tests/system/probes/update_test.py is about it
    "missing-signature-accepted": set(),  # tests/system/probes/update_metadata_test.py is about these three
    "time-from-server": set(),
    "bricks-without-link": set(),
    "replayed-metadata-accepted": {"replayed-metadata"},
}


class Hub:
    """A device of its own process, and the server that it was pointed at."""

    def __init__(self, work, flaw, metadata="plain", form="raw"):
        self.work, self.flaw, self.folder = work, flaw, work / f"{flaw}-{metadata}-{form}"
        self.folder.mkdir()
        address = "127.%d.%d.%d" % tuple(random.SystemRandom().randint(1, 254) for _ in range(3))
        self.server = Server(work, address)
        with socket.create_server((address, 0)) as free:
            self.page = f"http://{address}:{free.getsockname()[1]}"
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "-B", SOURCE / "tests/devices/support/updatable.py", "run",
             "--folder", self.folder, "--flaw", flaw, "--listen", address, "--http", self.page.rsplit(":", 1)[1], "--source", address,
             "--server", "127.0.0.1", "--maker-key", work / "maker.key", "--trust", work / "trust.crt", "--manifest", self.server.url("/v1/update.json"), "--metadata", metadata, "--format", form, "--poll", "3600",
             "--patience", "1.5", "--install-seconds", "0.05"], stdin=subprocess.DEVNULL)

    def tell(self, word, still=60):
        until = time.monotonic() + still
        while True:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(still)
                try:
                    connection.connect(str(self.folder / "control"))
                except OSError:  # it is starting, and there is nothing else that tells
                    assert self.process.poll() is None and time.monotonic() < until, self.flaw
                    time.sleep(0.02)
                    continue
                connection.sendall(word.encode())
                text = connection.makefile().read()
                return json.loads(text) if text.startswith("{") else text.strip()

    def status(self):
        with urllib.request.urlopen(self.page + "/api/status", timeout=20) as answer:
            return json.load(answer)

    def upload(self, data, login=LOGIN):
        form = b'--x\r\nContent-Disposition: form-data; name="image"; filename="i"\r\n\r\n' + data + b"\r\n--x--\r\n"
        request = urllib.request.Request(self.page + "/update", form, {"Content-Type": "multipart/form-data; boundary=x"})
        if login:
            request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def upload_half(self, data):
        """The connection ends in the middle of the form. What the device told then."""
        host, number = self.page.removeprefix("http://").split(":")
        head = f"POST /update HTTP/1.1\r\nHost: hub\r\nAuthorization: Basic {base64.b64encode(LOGIN.encode()).decode()}\r\n"
        head += f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(data) + 100}\r\n\r\n--x\r\n\r\n"
        with socket.create_connection((host, int(number)), 20) as connection:
            connection.sendall(head.encode() + data[:len(data) // 2])
        until = time.monotonic() + 20
        while (state := self.tell("state"))["on"] and not state["last"]:
            assert time.monotonic() < until, "it did not notice the end"
            time.sleep(0.02)
        return state

    def close(self):
        self.process.kill()
        self.process.wait(10)
        self.server.listener.close()


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def made_images(work):
    maker, other = images.load_key(work / "maker.key"), images.load_key(work / "other.key")
    out = {name + version: images.make(maker, name, version) for name, version in
           (("hub", "2.3.0"), ("hub", "2.4.0"), ("hub", "2.5.0"), ("plug", "2.5.0"), ("hub-radio", "2.5.0"))}
    genuine = out["genuine"] = out["hub2.5.0"]
    out["header-bit"] = flipped(genuine, 256)
    out["payload-bit"] = flipped(genuine, images.HEADER + 100)
    out["signature-bit"] = flipped(genuine, len(genuine) - 100)
    out["no-signature"] = genuine[:-images.TRAILER]
    out["other-key"] = images.make(other, "hub", "2.5.0")
    out["other-content"] = images.make(other, "hub", "2.5.0", 7)[:-images.TRAILER] + genuine[-images.TRAILER:]
    out["truncated-50"], out["truncated-90"] = genuine[:len(genuine) // 2], genuine[:len(genuine) * 9 // 10]
    out["appended"] = genuine + b"more"
    return out


def offers(server, made):
    """Attack -> what the server offers. Every one describes what it really sends, so that only the device's own check can refuse it."""
    def offer(data, version="2.5.0", url=None, **more):
        return {"manifest": manifest(server, data, version, url), "images": [data], **more}
    genuine = made["genuine"]
    out = {name: offer(made[name]) for name in ("genuine", *sorted(BAD_IMAGES))}
    out["older"] = offer(made["hub2.3.0"], "2.3.0")
    out["older-called-newer"] = offer(made["hub2.3.0"], "2.9.0")
    out["same"] = offer(made["hub2.4.0"], "2.4.0")
    out["other-model"] = offer(made["plug2.5.0"])
    out["other-component"] = offer(made["hub-radio2.5.0"])
    for name in ("unknown-authority", "self-signed", "wrong-name"):
        out[name] = offer(genuine, certificate=name)
    out["expired-server"] = offer(genuine, certificate="expired")
    out["plain-http"] = offer(genuine, tls=False)
    out["redirect-to-http"] = offer(genuine, redirect=server.url("/image-2", "http"), both=True)
    out["redirect-elsewhere"] = offer(genuine, redirect=server.url("/image-2", host="127.0.0.1"))
    out["image-over-http"] = offer(genuine, url=server.url("/image", "http"), both=True)
    out["endless"] = {**offer(genuine, way="endless"), "images": [genuine + bytes(60000)]}
    out["slow"] = offer(genuine, way="slow")
    out["second-differs"] = {**offer(genuine), "images": [genuine, made["hub2.3.0"]]}
    return out


def fell(hub, name, offer):
    """Did the device fall for it? It is at 2.4.0 before, and told of nothing else than this offer."""
    server = hub.server
    server.start(**offer)
    after = hub.tell("check-and-wait")
    if name == "endless":
        return server.sent >= ENDLESS
    if name == "slow":
        assert server.finished.wait(20)
        return server.sent >= DRIPS // 2
    if name == "same":
        return (after["last"] or {}).get("result") == "installed"
    if name == "second-differs":
        return after["version"] not in ("2.4.0", "2.5.0")
    if name == "genuine":
        assert after["on"] and after["last"]["result"] == "installed", (hub.flaw, after)
        return after["version"] != "2.5.0"
    return not after["on"] or after["version"] != "2.4.0"


def power_cut(hub, offer):
    """The power goes while half of the image has come."""
    hub.server.start(**offer, way="half")
    hub.tell("check")
    assert hub.tell("wait-for-image")["state"] == "downloading", hub.flaw
    hub.tell("power-cycle")
    return not hub.tell("state")["on"]


def uploads(hub, made):
    """Its own page: the genuine image goes in with a login, and changes the version."""
    def moved(image, login=LOGIN):
        assert hub.tell("restore") == "done", hub.flaw
        code = hub.upload(made[image], login)
        state = hub.tell("wait") if code == 202 else hub.tell("state")
        return state["version"] != "2.4.0"
    found = set()
    if not moved("genuine"):
        found.add("upload")
    for name, image, login in (("upload-without-login", "genuine", ""), ("upload-other-key", "other-key", LOGIN),
                               ("upload-older", "hub2.3.0", LOGIN)):
        if moved(image, login):
            found.add(name)
    assert hub.tell("restore") == "done", hub.flaw
    if not hub.upload_half(made["genuine"])["on"]:
        found.add("upload-cut")
    return found


def examine(work, made, flaw):
    hub = Hub(work, flaw)
    try:
        table = offers(hub.server, made)
        if flaw == "bricks-for-good":
            assert hub.tell("restore") == "done" and not fell(hub, "genuine", table["genuine"])
            assert hub.tell("restore") == "done" and fell(hub, "payload-bit", table["payload-bit"])
            assert hub.tell("restore") != "done" and hub.tell("power-cycle") == "done" and not hub.tell("state")["on"]
            return {"payload-bit"}
        found = set()
        for name, offer in table.items():
            assert hub.tell("restore") == "done", (flaw, name)
            assert hub.status()["version"] == "2.4.0", (flaw, name)
            if fell(hub, name, offer):
                found.add(name)
        assert hub.tell("restore") == "done"
        if power_cut(hub, table["genuine"]):
            found.add("power-cut")
        assert hub.tell("restore") == "done"
        if flaw != "never-activates" and flaw != "only-says-so":  # control first and last
            assert not fell(hub, "genuine", table["genuine"]), flaw
        if flaw != "bricks-on-bad-image":
            found |= uploads(hub, made)
        return found
    finally:
        hub.close()


def examine_metadata(work, made, flaw):
    """The same device, whose manifests are signed and hold for a time."""
    hub = Hub(work, flaw, "signed")
    try:
        maker, other = images.load_key(work / "maker.key"), images.load_key(work / "other.key")
        genuine, found = made["genuine"], set()
        for name, key, expires in (("control", maker, 3600), ("unsigned-metadata", other, 3600), ("replayed-metadata", maker, -60)):
            assert hub.tell("restore") == "done"
            text = manifest(hub.server, genuine, expires=int(time.time()) + expires)
            if fell(hub, name, {"manifest": text, "signature": images.sign(key, text), "images": [genuine]}):
                found.add(name)
        assert "control" in found, "the genuine update is taken"
        return found - {"control"}
    finally:
        hub.close()


def examine_archives(work, made, flaw):
    """The same device, whose images are archives."""
    hub = Hub(work, flaw, form="swu")
    try:
        maker, other = images.load_key(work / "maker.key"), images.load_key(work / "other.key")
        genuine, found = archives.make(maker, "hub", "2.5.0"), set()
        entries, _ = archives.entries_of(genuine)

        def with_payload(content):
            return archives.cpio([(name, content if name == "rootfs.gz" else data) for name, data in entries])
        table = {"control": genuine, "other-key": archives.make(other, "hub", "2.5.0"), "older": archives.make(maker, "hub", "2.3.0"),
                 "other-model": archives.make(maker, "plug", "2.5.0"), "other-component": archives.make(maker, "hub-radio", "2.5.0"),
                 "payload-changed": with_payload(gzip.compress(b"other")),
                 "checksum-wrong": flipped(genuine, len(genuine) // 2), "truncated": genuine[:len(genuine) // 2],
                 "appended": genuine + b"more", "no-signature": archives.cpio([one for one in entries if not one[0].endswith(".sig")]),
                 "path-in-name": archives.cpio([*entries, ("../../outside", b"x")]),
                 "bomb": with_payload(gzip.compress(bytes(2 * archives.ROOM)))}
        for name, data in table.items():
            assert hub.tell("restore") == "done", (flaw, name)
            if fell(hub, name, {"manifest": manifest(hub.server, data), "images": [data]}):
                found.add(name)
            outside = hub.folder / "outside"
            if outside.exists():
                outside.unlink()
                found.add(name)
        assert "control" in found, "the genuine update is taken"
        return found - {"control"}
    finally:
        hub.close()


def emulated_as_described(isolation):
    """`assay emulate` starts the folder's variants, pointed at the tester's port that the DUT file names."""
    for name, falls in (("updatable", False), ("updatable/no-downgrade-check", True)):
        with emulated(name, isolation) as device:
            home, server = pathlib.Path(device["folder"]), server_for(device)
            older = (home / "images/hub-2.3.0.img").read_bytes()
            server.start(manifest=manifest(server, older, "2.3.0"), images=[older])
            tell = [sys.executable, "-B", SOURCE / "tests/devices/support/hand.py", home / "control"]
            said = subprocess.run([*tell, "check-and-wait"], check=True, stdout=subprocess.PIPE, timeout=90).stdout
            server.listener.close()
            version = "2.3.0" if falls else "2.4.0"
            assert json.loads(said)["version"] == version, (name, said)
            page = f"http://{device['address']}:{port(device, 'http')}/api/status"
            assert json.loads(inside(device, ["curl", "-s", page]).stdout)["version"] == version
            assert server.asked, name


need("openssl", "curl", "setpriv")
with folder() as work:
    certificates(work)
    made = made_images(work)
    others = {*ENVELOPES, *OTHER_WAYS}  # tests/system/probes has tests of them, and of some of FALLS
    assert set(FALLS) | others == set(FLAWS), set(FALLS) ^ set(FLAWS)
    packed = ["files-not-compared", "unlisted-files-accepted", "unpacks-before-verifying", "unpacks-without-bound"]
    elsewhere = {*others, "activates-at-restart", "missing-signature-accepted", "time-from-server"}
    plain = [flaw for flaw in FLAWS if "metadata" not in flaw and flaw not in packed and flaw not in elsewhere]
    signed = ["sound", "unsigned-metadata-accepted", "replayed-metadata-accepted"]
    jobs = [lambda flaw=flaw: (flaw, examine(work, made, flaw), FALLS[flaw]) for flaw in plain]
    jobs += [lambda flaw=flaw: (flaw, examine_metadata(work, made, flaw), FALLS[flaw]) for flaw in signed]
    jobs += [lambda flaw=flaw: (flaw, examine_archives(work, made, flaw), FALLS[flaw]) for flaw in ["sound", *packed]]
    jobs += [lambda flaw=flaw, falls=falls: (flaw, examine_archives(work, made, flaw), {falls})
             for flaw, falls in (("no-signature-check", "other-key"), ("optional-signature", "no-signature"))]
    for flaw, found, expected in side_by_side(*jobs, at_once=6):
        assert found == expected, (flaw, "fell for", sorted(found), "and must for", sorted(expected))
for isolation in isolations():
    emulated_as_described(isolation)
print(len(jobs), "devices")
