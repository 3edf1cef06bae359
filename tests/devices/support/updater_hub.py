"""A device around a real updater of the distribution: two slots, a status page, and a loader that starts anew with what was installed.

usage: updater_hub.py swupdate OPTIONS      the device; --help lists the options
       hand.py control WORD                the laboratory's hand on it: restore, power-cycle, wait, state

The updater itself does all that is looked at: it polls, downloads, checks and writes. This script makes its configuration, and is what
a boot loader and an init system are around it. The maker's images are written to images/. FLAWS says what is wrong with one setup.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading

import swupdate_images
from updatable_front import Front

FLAWS = {
    "sound": "nothing",
    "no-tls-verification": "the update server's certificate is not looked at",
    "no-downgrade-check": "it is not told what runs, so any version is newer",
    "any-model": "the maker's images say that they fit every model",
    "never-activates": "what was installed is never started",
}
HAND = pathlib.Path(__file__).resolve().parent / "hand.py"
STARTS_IN = 0.3
# The last act of swupdate. A test may have it take its time.
INSTALLED = """if [ -e "{folder}/slow" ]; then touch "{folder}/installing"; sleep 2; rm "{folder}/installing"; fi
exec {tell}
"""


class Hub:
    """The slots, the power and the status. What differs between updaters is in start_updater() and last_words()."""

    def __init__(self, options):
        self.options, self.flaw = options, options.flaw
        self.folder = pathlib.Path(options.folder)
        self.flash = self.folder / "flash"
        self.changed, self.turn = threading.Condition(), threading.Lock()
        self.installed, self.process, self.confirm = 0, None, False
        self.front = Front(self)
        if not (self.flash / "active").exists():
            self.factory()

    def factory(self):
        shutil.rmtree(self.flash, ignore_errors=True)
        for slot in "ab":
            (self.flash / slot).mkdir(parents=True)
        (self.flash / "a/release").write_text(self.options.version + "\n")
        self.choose("a")

    def choose(self, slot):
        """One rename, so that whoever reads meanwhile finds the old choice or the new."""
        part = self.flash / "active.part"
        part.write_text(slot)
        part.rename(self.flash / "active")

    def active(self):
        return (self.flash / "active").read_text()

    def other(self):
        return "b" if self.active() == "a" else "a"

    def version(self):
        return (self.flash / self.active() / "release").read_text().strip()[:32]

    def takes_uploads(self):
        return False  # of the updater's own page this script knows nothing

    def status(self):
        return {"model": self.options.model, "version": self.version(), "serial": self.options.serial, "slot": self.active(),
                "installed": self.installed, "last": self.last_words()}

    def start(self):
        with self.changed:
            (self.folder / "updater.log").write_bytes(b"")
            self.process = self.start_updater()
            self.front.open()
            self.changed.notify_all()

    def stop(self):
        with self.changed:
            self.front.close()
            if self.process:
                self.process.kill()
                self.process.wait()
                self.process = None

    def cut_power(self):
        """In the middle of whatever goes on: all processes of the updater are killed at once."""
        if self.process:
            self.process.kill()

    def is_installing(self):
        return False

    def power_cycle(self):
        if self.is_installing():
            (self.folder / "cut-while-installing").touch()  # for a test to see
        self.cut_power()
        with self.turn, self.changed:
            self.stop()
            self.start()
        return "done"

    def restore(self):
        with self.changed:
            self.stop()
            self.factory()
            self.installed, self.confirm = 0, False
            self.start()
        return "done"

    def has_installed(self):
        """The updater's last act. It is answered before it is ended, or it would wait for itself."""
        with self.changed:
            self.installed += 1
            self.changed.notify_all()
        if self.flaw != "never-activates":
            threading.Thread(target=self.start_anew, daemon=True).start()
        return "done"

    def start_anew(self):
        with self.changed:
            if not self.installed:  # it was restored since
                return
            self.stop()
            self.choose(self.other())
            self.confirm = True
            threading.Event().wait(STARTS_IN)  # nothing else is done meanwhile, not even a restore
            self.start()

    def run(self, more=()):
        """One word a connection; the answer comes when it is done. Everything has its turn but the power, which waits for nobody."""
        orders = {**dict(more), "restore": self.restore, "power-cycle": self.power_cycle, "installed": self.has_installed,
                  "state": lambda: json.dumps(self.status())}
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "control"))
            listener.listen(8)
            self.start()
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self.obey, args=(connection, orders), daemon=True).start()

    def obey(self, connection, orders):
        with connection:
            connection.settimeout(5)
            try:
                word = connection.recv(64).decode().strip()
                order = orders.get(word, lambda: "no such word")
                if word == "power-cycle":
                    answer = order()
                else:
                    with self.turn:
                        answer = order()
                connection.sendall((answer + "\n").encode())
            except OSError:
                pass


class Swupdate(Hub):
    """swupdate with its hawkBit client (suricatta), images signed by CMS, its rule on versions, and its own upload page."""

    def configuration(self):
        options, version = self.options, self.version()
        lines = {"public-key-file": self.folder / "trusted.pem", "postupdatecmd": f"sh {self.folder}/installed.sh"}
        if self.flaw != "no-downgrade-check":
            lines |= {"no-downgrading": version, "no-reinstalling": version}
        client = {"tenant": "default", "id": options.serial, "url": options.url, "cafile": options.trust, "interface": options.source}
        text = "globals: {\n" + "".join(f'  {key} = "{value}";\n' for key, value in lines.items()) + "};\nsuricatta: {\n"
        text += "".join(f'  {key} = "{value}";\n' for key, value in client.items() if value)
        text += f"  polldelay = {options.poll};\n  retry = 1;\n  retrywait = 1;\n  connection-timeout = 5;\n"
        text += "  initial-report-resend-period = 1;\n"
        return text + "};\n" + f'identify: ( {{ name = "model"; value = "{options.model}"; }}, {{ name = "version"; value = "{version}"; }} );\n'

    def start_updater(self):
        temporary = self.folder / "updater"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        (self.folder / "trusted.pem").write_text("".join(pathlib.Path(one).read_text() for one in (self.options.maker, self.options.authority)))
        (self.folder / "swupdate.cfg").write_text(self.configuration())
        tell = f"{sys.executable} -I -S -B {HAND} {self.folder}/control installed"
        (self.folder / "installed.sh").write_text(INSTALLED.format(folder=self.folder, tell=tell))
        (self.folder / "installing").unlink(missing_ok=True)
        words = ["swupdate", "-f", self.folder / "swupdate.cfg", "-v", "-e", "stable,copy-" + self.other()]
        # "c 2": what it runs was installed by the last deployment. "x": no look at the certificate, which its file cannot say.
        words += ["-H", self.options.model + ":hub-1.0", "-u", "-c 2 " * self.confirm + "-x" * (self.flaw == "no-tls-verification")]
        if self.options.page:
            words += ["-w", f"-p {self.options.page} -r {self.folder}/page"]
        self.confirm = False
        with open(self.folder / "updater.log", "ab") as log:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "TMPDIR": str(temporary)},
                                    start_new_session=True)

    def is_installing(self):
        return (self.folder / "installing").exists()

    def cut_power(self):
        if self.process:
            try:
                os.killpg(self.process.pid, 9)  # it is several processes
            except ProcessLookupError:
                pass

    def stop(self):
        self.cut_power()
        super().stop()

    def last_words(self):
        text = (self.folder / "updater.log").read_bytes()[-65536:].decode(errors="replace")
        said = re.findall(r"^\[ERROR\] : SWUPDATE failed \[\d+\] (?:ERROR : )?([^\n]*)", text, re.M)
        wrong = [words for words in said[-8:] if "stored update state" not in words]
        return {"result": "refused" if wrong else "", "reason": " / ".join(wrong[-3:])[:300]}


def parse():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("swupdate")
    for name in ("folder", "listen", "maker", "maker-key", "other", "other-key", "authority", "trust", "url"):
        run.add_argument("--" + name, required=True)
    run.add_argument("--http", type=int, required=True)
    run.add_argument("--banner", type=int, default=0)
    run.add_argument("--page", type=int, default=0, help="port of the updater's own upload page; 0: it has none")
    run.add_argument("--source", default="", help="address its own connections come from")
    run.add_argument("--flaw", choices=FLAWS, default="sound")
    run.add_argument("--model", default="hub")
    run.add_argument("--version", default="2.4.0")
    run.add_argument("--serial", default="EX-SWU-0001")
    run.add_argument("--poll", type=int, default=1, help="seconds between two looks for an update")
    return parser.parse_args()


def main():
    options = parse()
    hub = Swupdate(options)
    swupdate_images.write_all(hub.folder / "images", hub.flash, options)
    (hub.folder / "page").mkdir(exist_ok=True)
    hub.run()


if __name__ == "__main__":
    main()
