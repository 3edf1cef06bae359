"""A device that takes updates: two slots, a loader that starts the active one, and at most one thing that it does wrong.

usage: updatable.py run OPTIONS      the device; `updatable.py run --help` lists them
       hand.py control WORD          the laboratory's hand on it: check, restore, power-off, power-on, power-cycle, link-cycle, state; for tests
                                     also check-and-wait, wait, wait-for-image

It polls a manifest (JSON: version, url, size, sha256; or a SUIT envelope) by HTTP or CoAP, asks a server of Mender, hears it from a broker
(MQTT), is told by an LwM2M server, or knows nothing but a file (TFTP). It downloads the image, checks it, writes it to the slot that is not
active, starts anew from there, and tells its version at /api/status and in a banner. An image may also be put in at its own page
(POST /update, field "image", with a login). Its maker's images are written to images/ when it starts. FLAWS says what one device
does wrong; in everything else it is as the sound one.
"""
import argparse
import email.utils
import json
import pathlib
import socket
import threading
import time
import urllib.parse

import updatable_archives as archives
import updatable_images as images
import updatable_suit as suit
from updatable_fetch import Client, PowerCut
from updatable_images import BadImage, CutShort, Refused
from updatable_coaps import CoapsClient, PskClient, session_for
from updatable_flaws import FLAWS
from updatable_front import Front
from updatable_lwm2m import Lwm2m
from updatable_maker import write_images
from updatable_mender import Mender
from updatable_other import Announcements, CoapClient, TftpClient
from updatable_slots import Slots
from updatable_tftp import Recovery
from updatable_told import Notice

LARGEST_MANIFEST, LARGEST_IMAGE, LARGEST_BY_COAP, NO_BOUND, KEPT = 64 << 10, 1 << 20, 64 << 10, 1 << 50, 2 << 20
IN_PLACE = ("installs-before-verifying", "not-taken-back")
STARTS_IN = 0.3  # seconds without a port while it starts anew
LINK_AWAY = 1.5  # seconds


def largest(address):
    return LARGEST_BY_COAP if address.startswith(("coap:", "coaps:", "tftp:")) else LARGEST_IMAGE


class Device:
    def __init__(self, options):
        self.options, self.flaw = options, options.flaw
        self.folder = pathlib.Path(options.folder)
        self.maker = images.load_key(options.maker_key)
        self.public = images.public_der(self.maker)
        self.slots = Slots(self.folder / "flash", options.model, options.version, falls_back=self.flaw != "activates-first")
        self.front = Front(self)
        self.notice = Notice(self.folder, options.tell, options.source)
        self.changed = threading.Condition()
        self.asked_to_check, self.waiting_upload, self.on, self.busy = False, None, False, False
        self.client, self.received = None, 0
        self.ears, self.announced = None, None
        self.announced_by = urllib.parse.urlsplit(options.manifest) if options.manifest.startswith(("mqtt:", "mqtts:", "lwm2m:", "lwm2ms:")) else None
        self.lwm2m = Lwm2m(self, options.lwm2m, session_for) if options.lwm2m else None
        self.recovery = Recovery(self, options.tftp) if options.tftp else None
        self.mender = Mender(self) if options.manifest.startswith("mender:") else None
        self.cut, self.link = threading.Event(), threading.Event()
        self.link.set()
        self.state, self.last, self.attempts = "idle", None, 0

    # what it tells

    def status(self):
        return {"model": self.options.model, "version": self.slots.version(), "serial": self.options.serial, "slot": self.slots.active(),
                "state": self.state, "attempts": self.attempts, "last": self.last}

    def version(self):
        return self.slots.version()

    def takes_uploads(self):
        return self.options.page == "on"

    def identity(self):
        return f"{self.options.model}/{self.slots.version()} (serial {self.options.serial})"

    def tell(self, result, reason, version):
        if self.mender:
            self.mender.report(result, reason)
        if self.lwm2m:
            self.lwm2m.end(result)
        with self.changed:
            self.last = {"result": result, "reason": reason, "version": version, "attempt": self.attempts}
            self.changed.notify_all()

    # power

    def power_on(self):
        with self.changed:
            if not self.on and self.slots.start():
                self.cut.clear()
                self.client = self.make_client()
                self.client.link = self.link
                if self.lwm2m:
                    self.lwm2m.open()
                elif self.announced_by:
                    self.ears = Announcements(self.options.server, self.announced_by.port, self.options.source,
                                              self.announced_by.path.lstrip("/"),
                                              self.options.trust if self.announced_by.scheme == "mqtts" else "", self.hear)
                if self.recovery:
                    self.recovery.open()
                self.state = "idle"
                self.front.open()
                self.notice.show(self.slots.version())
                self.on = True
            self.changed.notify_all()

    def power_off(self):
        with self.changed:
            self.on = False
            self.cut.set()
            self.front.close()
            self.deafen()
            if self.client:
                self.client.cut.set()
                self.client.hang_up()
            self.changed.notify_all()
            if threading.current_thread() is not threading.main_thread():
                self.changed.wait_for(lambda: not self.busy, 10)

    def lose_link(self):
        """Nothing comes and nothing is answered for a while; no connection ends by that."""
        downloading = self.state == "downloading" and self.received > 0
        self.link.clear()
        if downloading and self.flaw == "bricks-without-link":
            self.slots.erase()
            self.power_off()
        time.sleep(LINK_AWAY)
        self.link.set()

    def make_client(self, address=""):
        options = self.options
        scheme = urllib.parse.urlsplit(address or options.manifest).scheme
        if options.psk:
            return PskClient(options.server, options.source, options.psk, options.patience, self.flaw)
        if scheme == "coaps":
            return CoapsClient(options.server, options.source, options.trust, options.patience, self.flaw)
        if scheme in ("coap", "tftp"):
            client = CoapClient if scheme == "coap" else TftpClient
            return client(options.server, options.source, options.patience, self.flaw)
        return Client(options.server, options.source, options.trust, self.identity(), options.patience, self.flaw)

    def hear(self, message):
        """What the broker announced is the manifest, and a reason to look at once; nothing is an announcement taken back."""
        with self.changed:
            self.announced = message.strip() or None
        self.ask_to_check()

    def deafen(self):
        self.notice.clear()
        for one in (self.lwm2m, self.recovery):
            if one:
                one.close()
        if self.ears:
            self.ears.end()
            self.ears = None

    def start_anew(self):
        self.deafen()
        self.front.close()
        self.on = False
        self.cut.wait(STARTS_IN)
        if not self.cut.is_set():
            self.power_on()

    def restore(self):
        if self.flaw == "bricks-for-good" and not self.slots.startable():
            return "it does not answer"
        self.power_off()
        with self.changed:
            self.slots.restore()
            if self.lwm2m:
                self.lwm2m.forget()
            self.last, self.attempts, self.asked_to_check, self.waiting_upload, self.announced = None, 0, False, None, None
        self.power_on()
        return "done"

    def ask_to_check(self):
        with self.changed:
            self.asked_to_check = True
            self.changed.notify_all()

    def check_and_wait(self):
        """Its status when what was found has been refused or installed, and it has started anew."""
        with self.changed:
            self.ask_to_check()
            return self.wait()

    def wait(self):
        with self.changed:
            self.changed.wait_for(lambda: not (self.busy or self.asked_to_check or self.waiting_upload), 60)
        return self.status()

    def wait_for_image(self):
        """Until some of an image has come and is where this device puts it."""
        with self.changed:
            self.changed.wait_for(lambda: self.state == "downloading" and self.received > 0, 60)
        return self.status()

    # updates

    def run(self):
        """Looks for an update at every poll, and when it is asked to."""
        poll = None if self.flaw == "asks-only-when-told" else self.options.poll
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.on and (self.asked_to_check or self.waiting_upload), poll)
                if not self.on or self.announced_by and not self.announced and not self.waiting_upload:
                    self.asked_to_check = False
                    self.changed.notify_all()
                    continue
                upload, self.waiting_upload, self.asked_to_check = self.waiting_upload, None, False
                self.attempts += 1
                self.busy = True
            try:
                self.update(upload)
            except PowerCut:
                pass
            with self.changed:
                self.state, self.busy = "idle", False
                self.changed.notify_all()

    def update(self, upload):
        version = ""
        try:
            if upload is not None:
                image, version = upload, upload.version
            elif self.options.manifest.startswith("tftp:"):
                image = self.checked(self.get(self.options.manifest, largest(self.options.manifest)))
            elif not self.options.manifest:
                return  # it only takes what it is given
            else:
                manifest = self.mender.poll() if self.mender else self.read_manifest()
                if manifest is None:
                    return
                version = manifest["version"]
                if self.nothing_new(version):
                    return
                image = self.download(manifest)
            self.install(image)
        except archives.OutOfMemory:
            self.power_off()  # it hangs until somebody starts it anew
        except Refused as refused:
            if self.refuse(refused, version):
                self.power_off()

    def refuse(self, refused, version=""):
        """Whether it dies of that."""
        if self.flaw == "not-taken-back" and isinstance(refused, CutShort):
            self.start_anew()
            return False
        self.slots.take_back()
        self.tell("refused", str(refused), version)
        dies = self.flaw in ("bricks-on-bad-image", "bricks-for-good") and isinstance(refused, BadImage)
        if dies:
            self.slots.erase()
        return dies

    def nothing_new(self, version):
        """The manifest is only a hint, so what it calls old is not even fetched."""
        # What waits for the next start is not fetched again: that start might come while it is written.
        waits = self.flaw == "activates-at-restart"
        ours = images.parts_of_version(self.slots.next_version() if waits else self.slots.version())
        theirs = images.parts_of_version(version)
        if theirs > ours or self.flaw == "no-downgrade-check" and theirs != ours or self.flaw == "same-version-accepted" and theirs == ours:
            return False
        if theirs < ours:
            self.tell("refused", "the version offered is older than what is installed", version)
        elif self.mender:
            self.mender.end("already-installed")
        return True

    def read_manifest(self):
        self.state = "looking"
        text = self.announced if self.announced_by else self.get(self.options.manifest, LARGEST_MANIFEST)
        if self.options.metadata == "signed":
            self.check_metadata(text)
        if self.options.format == "suit":
            return suit.opened(text, self.maker.public_key(), self.options.model, self.flaw)
        try:
            manifest = json.loads(text)
            version, url, size, digest = (manifest[key] for key in ("version", "url", "size", "sha256"))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refused("the manifest cannot be read") from None
        if not (isinstance(version, str) and isinstance(url, str) and isinstance(digest, str) and isinstance(size, int)):
            raise Refused("the manifest cannot be read")
        allowed = "coaps://" if self.options.manifest.startswith("coaps:") else ("https://", "coap://")
        if not url.startswith(allowed) and self.flaw != "image-over-http":
            raise Refused("the image is not offered over https")
        return manifest

    def check_metadata(self, text):
        if self.flaw != "unsigned-metadata-accepted":
            self.check_signature(text)
        try:
            expires = int(json.loads(text)["expires"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refused("the manifest does not say how long it holds") from None
        now = time.time()
        if self.flaw == "time-from-server":
            now = email.utils.parsedate_to_datetime(self.client.date).timestamp()
        if expires < now and self.flaw != "replayed-metadata-accepted":
            raise Refused("the manifest has expired")

    def check_signature(self, manifest):
        try:
            signature = self.get(self.options.manifest + ".sig", 4096)
        except Refused:
            if self.flaw == "missing-signature-accepted":
                return
            raise
        if not images.is_signed_by(self.public, manifest, signature):
            raise Refused("the manifest is not signed by the maker")

    def get(self, url, limit, write=lambda at, chunk: None):
        """All that came, as far as there is room: who has no bound loses the rest and reads on."""
        held, self.received = bytearray(), 0

        def take(chunk):
            if len(held) < KEPT:
                write(len(held), chunk)
                held.extend(chunk)
                with self.changed:
                    self.received = len(held)
                    self.changed.notify_all()
        self.client.get(url, NO_BOUND if self.flaw == "no-size-bound" else limit, take)
        return bytes(held)

    def get_image(self, url):
        in_place = {"write": self.slots.write_in_place} if self.flaw in IN_PLACE else {}
        return self.get(url, largest(url), **in_place)

    def download(self, manifest):
        self.state, self.received = "downloading", 0
        if manifest.get("integrated") is not None:
            return suit.Payload(manifest, manifest["integrated"], self.flaw)
        data = self.get_image(manifest["url"])
        if self.flaw == "excess-cut-off":
            data = data[:manifest["size"]]
        if self.options.format == "suit":
            return suit.Payload(manifest, data, self.flaw)
        image = self.read_image(data)
        if self.mender:
            manifest |= {"size": len(data), "sha256": images.digest_of(data)}  # it is told neither
        if self.flaw != "truncated-accepted" or image.is_whole():
            if len(data) != manifest["size"]:
                raise Refused("the size is not what was announced")
            if images.digest_of(data) != manifest["sha256"].lower():
                raise Refused("the digest is not what was announced")
        image.check_target(self.options.model, self.slots.version(), manifest["version"], self.flaw)
        image.check(self.public, self.flaw)
        if self.flaw == "checks-one-installs-another":
            image = self.read_image(self.get(manifest["url"], largest(manifest["url"])))
        return image

    def read_image(self, data):
        if self.options.format == "swu":
            return archives.Archive(data, self.folder / "flash/staging", self.flaw)
        return images.Image(data)

    def fetch_from(self, address):
        """What an LwM2M server sent it to."""
        if self.announced_by.scheme == "lwm2ms" and not address.startswith("coaps:") and self.flaw != "image-over-http":
            raise Refused("no address of a download inside DTLS")
        self.client = self.make_client(address)
        return self.get_image(address)

    def checked(self, data):
        """An image that came without a manifest."""
        image = self.read_image(data)
        self.check(image)
        return image

    def check(self, image):
        image.check_target(self.options.model, self.slots.version(), None, self.flaw)
        image.check(self.public, "no-signature-check" if self.flaw == "upload-unchecked" else self.flaw)

    def while_uploaded(self, at, chunk):
        if self.flaw in IN_PLACE:
            self.slots.write_in_place(at, chunk)

    def take_upload(self, data):
        """Why it is refused, for the page to tell, or nothing; installing is for the other thread. `data`: None where it ended early."""
        try:
            if data is None and self.cut.is_set():
                return "it has no power any more"
            if data is None:
                raise CutShort("the upload was cut short")
            image = self.checked(data)
        except archives.OutOfMemory:
            self.power_off()  # it hangs until somebody starts it anew
            return "there is not enough memory"
        except Refused as refused:
            if self.refuse(refused):
                self.power_off()
            return str(refused)
        self.install_later(image)
        return ""

    def install_later(self, image):
        with self.changed:
            self.waiting_upload = image
            self.changed.notify_all()

    def install(self, image):
        self.state = "installing"
        if self.flaw == "only-says-so":
            return self.tell("installed", "", image.version)
        piece = self.options.install_seconds / 8
        for _ in self.slots.write(image, in_place=self.flaw in IN_PLACE):
            if self.flaw == "activates-first":
                self.slots.activate()
            if self.cut.wait(piece):
                raise PowerCut
        if self.flaw == "never-activates":
            return self.tell("installed", "it will be used after the next start", image.version)
        self.slots.activate()
        self.tell("installed", "", image.version)
        return None if self.flaw == "activates-at-restart" else self.start_anew()


def control(device, listener):
    """One word a connection; the answer comes when it is done."""
    orders = {"check-and-wait": lambda: json.dumps({**device.check_and_wait(), "on": device.on}),
              "wait-for-image": lambda: json.dumps({**device.wait_for_image(), "on": device.on}),
              "wait": lambda: json.dumps({**device.wait(), "on": device.on}),
              "check": lambda: device.ask_to_check() or "done", "restore": device.restore,
              "power-off": lambda: device.power_off() or "done", "power-on": lambda: device.power_on() or "done",
              "power-cycle": lambda: device.power_off() or device.power_on() or "done", "link-cycle": lambda: device.lose_link() or "done",
              "state": lambda: json.dumps({**device.status(), "on": device.on})}
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            try:
                word = connection.recv(64).decode().strip()
                connection.sendall((orders.get(word, lambda: "no such word")() + "\n").encode())
            except OSError:
                pass


def parse():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run")
    for name in ("folder", "listen", "maker-key", "trust", "manifest", "server"):
        run.add_argument("--" + name, required=True)
    run.add_argument("--source", default="", help="address its own connections come from")
    run.add_argument("--http", type=int, required=True)
    run.add_argument("--banner", type=int, default=0)
    run.add_argument("--lwm2m", type=int, default=0, help="UDP port of its LwM2M client; 0: it is none")
    run.add_argument("--psk", default="", help="IDENTITY:KEY of DTLS; empty: certificates")
    run.add_argument("--tftp", type=int, default=0, help="UDP port of its recovery's TFTP server; 0: there is none")
    run.add_argument("--tell", default="", help="HOST:PORT:TOPIC[:NAME:PASSWORD] of a broker that it tells its version")
    run.add_argument("--login", default="admin:Kd7-wP3z-Hq9t")
    run.add_argument("--flaw", choices=FLAWS, default="sound")
    run.add_argument("--model", default="hub")
    run.add_argument("--version", default="2.4.0")
    run.add_argument("--serial", default="EX-UPD-0001")
    run.add_argument("--page", choices=("on", "off"), default="on", help="its own page takes images")
    run.add_argument("--payload", choices=("beside", "integrated"), default="beside", help="where that of an envelope is")
    run.add_argument("--format", choices=("raw", "swu", "suit"), default="raw", help="kind of image")
    run.add_argument("--metadata", choices=("plain", "signed"), default="plain")
    run.add_argument("--poll", type=float, default=3.0, help="seconds between two looks for an update")
    run.add_argument("--patience", type=float, default=5.0, help="seconds that a download may take")
    run.add_argument("--install-seconds", type=float, default=0.4)
    return parser.parse_args()


def main():
    options = parse()
    device = Device(options)
    write_images(device)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(device.folder / "control"))
    listener.listen(8)
    threading.Thread(target=control, args=(device, listener), daemon=True).start()
    device.power_on()
    device.run()


if __name__ == "__main__":
    main()
