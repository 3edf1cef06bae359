"""A device around the real RAUC: an agent polls a JSON manifest and downloads, RAUC checks the bundle, writes the other slot and chooses it.

usage: rauc_hub.py run OPTIONS         the device; --help lists the options
       rauc_hub.py tell SOCKET WORD    the laboratory's hand on it: check, restore, power-cycle, state

RAUC runs as a service on a message bus of its own, with the "custom" boot loader, which is this script's file flash/primary. Slots are
files. It mounts bundles, so it needs root. The maker's bundles are written to images/. FLAWS says what is wrong with one setup.
"""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys

from updatable_front import tell
from updatable_images import Refused
from updater_agent import Agent, add_options

FLAWS = {
    "sound": "nothing",
    "no-downgrade-check": "no handler compares the versions",
    "any-model": "bundles are installed with --ignore-compatible",
    "never-activates": "RAUC is told not to activate what it installed",
    "no-tls-verification": "the agent does not look at the server's certificate",
}
SLOT, HEAD = 1 << 20, 32
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>
"""
BACKEND = """#!/bin/sh
case $1 in get-primary) cat "{flash}/primary" ;; set-primary) echo "$2" >"{flash}/primary" ;; get-state) echo good ;; esac
"""
NEWER = """#!/bin/sh
offered=$(sed -n 's/^version=//p' "$RAUC_BUNDLE_MOUNT_POINT/manifest.raucm")
newest=$(printf '%s\\n' "{version}" "$offered" | sort -V | tail -n 1)
if [ "$offered" = "{version}" ] || [ "$newest" != "$offered" ]; then echo "$offered is not newer than {version}"; exit 1; fi
"""
SYSTEM = """[system]
compatible={model}
bootloader=custom
bundle-formats=plain
mountprefix={folder}/mnt
statusfile={folder}/rauc.status
activate-installed={activate}
[handlers]
bootloader-custom-backend={folder}/backend.sh
{handler}[keyring]
path={maker}
[slot.rootfs.0]
device={flash}/a.img
type=raw
bootname=a
[slot.rootfs.1]
device={flash}/b.img
type=raw
bootname=b
"""


def slot_image(name, version):
    """What fills a slot: its first line tells the version."""
    return (version + "\n").encode().ljust(HEAD, b"\0") + random.Random(name).randbytes(64 << 10)


class Rauc(Agent):
    def __init__(self, options):
        self.services = []
        super().__init__(options)

    def factory(self):
        shutil.rmtree(self.flash, ignore_errors=True)
        self.flash.mkdir(parents=True)
        for slot, data in (("a", slot_image(self.options.model, self.options.version)), ("b", b"")):
            (self.flash / (slot + ".img")).write_bytes(data.ljust(SLOT, b"\0"))
        for name in ("primary", "active"):
            (self.flash / name).write_text("a")
        (self.folder / "rauc.status").unlink(missing_ok=True)
        self.words = None

    def active(self):
        return (self.flash / "active").read_text().strip()

    def version(self):
        with open(self.flash / (self.active() + ".img"), "rb") as slot:
            return slot.read(HEAD).split(b"\n")[0].decode("ascii", "replace")

    def write_setup(self):
        handler = "" if self.flaw == "no-downgrade-check" else f"pre-install={self.folder}/newer.sh\n"
        setup = {"folder": self.folder, "flash": self.flash, "model": self.options.model, "maker": self.options.maker, "handler": handler,
                 "version": self.version(), "activate": "false" if self.flaw == "never-activates" else "true"}
        for name, text in (("bus.conf", BUS), ("system.conf", SYSTEM), ("backend.sh", BACKEND), ("newer.sh", NEWER)):
            path = self.folder / name
            path.write_text(text.format(**setup))
            path.chmod(0o755)
        (self.folder / "mnt").mkdir(exist_ok=True)

    def start_updater(self):
        (self.flash / "active").write_text((self.flash / "primary").read_text().strip())
        self.write_setup()
        (self.folder / "bus").unlink(missing_ok=True)
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus"}
        with open(self.folder / "updater.log", "ab") as log:
            # It tells its address when it listens.
            bus = subprocess.Popen(["dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--print-address"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=log)
            bus.stdout.readline()
            self.services = [bus]
            service = subprocess.Popen(["rauc", "-c", self.folder / "system.conf", "--override-boot-slot=" + self.active(), "service"],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        subprocess.run(["gdbus", "wait", "--address", f"unix:path={self.folder}/bus", "--timeout", "20", "de.pengutronix.rauc"], check=True,
                       stdin=subprocess.DEVNULL)
        return service

    def stop(self):
        super().stop()
        for service in self.services:
            service.kill()
            service.wait()
            service.stdout.close()
        self.services = []

    def install(self, data):
        bundle = self.folder / "download.raucb"
        bundle.write_bytes(data)
        options = ["--ignore-compatible"] if self.flaw == "any-model" else []
        done = subprocess.run(["rauc", "install", *options, bundle], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        if done.returncode:
            said = [line.split("LastError: ")[-1] for line in done.stdout.decode(errors="replace").splitlines() if "LastError" in line]
            raise Refused(said[0] if said else f"rauc ended with {done.returncode}")
        self.installed += 1
        self.words = {"result": "installed", "reason": ""}
        if (self.flash / "primary").read_text().strip() != self.active():
            self.stop()
            self.start()

def write_bundles(folder, options):
    folder.mkdir(exist_ok=True)
    maker, other = (options.maker, options.maker_key), (options.other, options.other_key)
    for name, model, version, (certificate, key) in (
            ("hub-2.3.0", options.model, "2.3.0", maker), ("hub-2.4.0", options.model, "2.4.0", maker),
            ("hub-2.5.0", options.model, "2.5.0", maker), ("plug-2.5.0", "plug", "2.5.0", maker),
            ("other-key-hub-2.5.0", options.model, "2.5.0", other)):
        content = folder / name
        content.mkdir()
        (content / "root.img").write_bytes(slot_image(name, version).ljust(SLOT, b"\0"))
        (content / "manifest.raucm").write_text(f"[update]\ncompatible={model}\nversion={version}\n\n[image.rootfs]\nfilename=root.img\n")
        subprocess.run(["rauc", "--cert", certificate, "--key", key, "bundle", content, folder / (name + ".raucb")], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(content)


def parse():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    told = verbs.add_parser("tell")
    told.add_argument("socket")
    told.add_argument("word")
    run = verbs.add_parser("run")
    add_options(run, "EX-RAUC-0001")
    run.add_argument("--flaw", choices=FLAWS, default="sound")
    return parser.parse_args()


def main():
    options = parse()
    if options.verb == "tell":
        sys.exit(tell(options.socket, options.word))
    write_bundles(pathlib.Path(options.folder) / "images", options)
    Rauc(options).run()


if __name__ == "__main__":
    main()
