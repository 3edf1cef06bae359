"""An agent beside an updater that does not fetch by itself: it polls a JSON manifest, downloads, and hands over what it got."""
import json
import pathlib
import subprocess
import sys
import threading

from updatable_fetch import Client, PowerCut
from updatable_images import Refused, digest_of
from updater_hub import Hub

HAND = pathlib.Path(__file__).resolve().parent / "hand.py"
LARGEST = 8 << 20


class Agent(Hub):
    def __init__(self, options):
        self.words = None
        super().__init__(options)
        self.client = Client(options.server, options.source, options.trust, f"{options.model} (serial {options.serial})", 10,
                             self.flaw if self.flaw == "no-tls-verification" else "sound")

    def last_words(self):
        return self.words

    def cut_power(self):
        self.client.cut.set()
        self.client.hang_up()
        super().cut_power()

    def start(self):
        self.client.cut.clear()
        super().start()

    def check(self):
        """Looks for an update now; returns when it was refused, or runs."""
        try:
            manifest = self.read_manifest()
            data = self.get(manifest["url"], LARGEST)
            if len(data) != manifest["size"] or digest_of(data) != manifest["sha256"]:
                raise Refused("the download is not what was announced")
            self.install(data)
        except (Refused, PowerCut) as refused:
            self.words = {"result": "refused", "reason": str(refused)[:300]}
        return json.dumps(self.status())

    def read_manifest(self):
        try:
            manifest = json.loads(self.get(self.options.manifest, 64 << 10))
            return {"url": str(manifest["url"]), "size": int(manifest["size"]), "sha256": str(manifest["sha256"])}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refused("the manifest cannot be read") from None

    def get(self, url, limit):
        pieces = []
        self.client.get(url, limit, pieces.append)
        return b"".join(pieces)

    def poll(self):
        """Says to the control loop, which does one thing at a time, that it is time to look."""
        while not threading.Event().wait(self.options.poll):
            subprocess.run([sys.executable, "-I", "-S", "-B", HAND, self.folder / "control", "check"], stdout=subprocess.DEVNULL, check=False)

    def run(self):
        if self.options.poll:
            threading.Thread(target=self.poll, daemon=True).start()
        super().run({"check": self.check})


def add_options(run, serial):
    """What every device of this kind is started with."""
    for name in ("folder", "listen", "maker", "maker-key", "other", "other-key", "trust", "manifest", "server"):
        run.add_argument("--" + name, required=True)
    run.add_argument("--http", type=int, required=True)
    run.add_argument("--banner", type=int, default=0)
    run.add_argument("--source", default="", help="address its own connections come from")
    run.add_argument("--model", default="hub")
    run.add_argument("--version", default="2.4.0")
    run.add_argument("--serial", default=serial)
    run.add_argument("--poll", type=float, default=3.0, help="seconds between two looks for an update; 0: only when it is told to")
