"""A device around the real RAUC: an agent polls a JSON manifest and downloads, RAUC checks the bundle, writes the other slot and chooses it.

usage: rauc_hub.py run OPTIONS         the device; --help lists the options
       hand.py control WORD           the laboratory's hand on it: check, restore, power-cycle, state

RAUC runs as a service on a message bus of its own, with the "custom" boot loader, which is this script's file flash/primary. Slots are
files. It mounts bundles, so it needs root. The maker's bundles are written to images/. FLAWS says what is wrong with one setup.
"""
import argparse
import datetime
import os
import pathlib
import random
import shutil
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from updatable_fetch import PowerCut
from updatable_images import Refused
from updater_agent import Agent, add_options

FLAWS = {
    "sound": "nothing",
    "no-downgrade-check": "no handler compares the versions",
    "expired-signer-accepted": "the time that a bundle tells of itself is believed (use-bundle-signing-time)",
    "revoked-signer-accepted": "the list of revoked certificates is not looked at (check-crl)",
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
# A test holds an installation where the bundle is mounted and nothing is written yet, or has it take its time there.
NEWER = """#!/bin/sh
while [ -e "{folder}/hold" ]; do touch "{folder}/held"; sleep 0.05; done
if [ -e "{folder}/slow" ]; then sleep 2; fi
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
path={folder}/keyring.pem
use-bundle-signing-time={believes}
check-crl={looks}
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
        self.services, self.installer = [], None
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
        word = {True: "true", False: "false"}
        write_keyring(self.folder / "keyring.pem", self.options)
        setup = {"folder": self.folder, "flash": self.flash, "model": self.options.model, "handler": handler, "version": self.version(),
                 "believes": word[self.flaw == "expired-signer-accepted"], "looks": word[self.flaw != "revoked-signer-accepted"],
                 "activate": "false" if self.flaw == "never-activates" else "true"}
        for name, text in (("bus.conf", BUS), ("system.conf", SYSTEM), ("backend.sh", BACKEND), ("newer.sh", NEWER)):
            path = self.folder / name
            path.write_text(text.format(**setup))
            path.chmod(0o755)
        (self.folder / "mnt").mkdir(exist_ok=True)

    def start_updater(self):
        self.choose((self.flash / "primary").read_text().strip())
        self.write_setup()
        for left in (self.folder / "mnt").iterdir():  # a cut of the power would have ended the mounts too
            if os.path.ismount(left):
                subprocess.run(["umount", "--lazy", left], check=True, stdin=subprocess.DEVNULL)
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

    def is_installing(self):
        return self.installer is not None and self.installer.poll() is None

    def cut_power(self):
        super().cut_power()
        for one in [*self.services, self.installer]:
            if one:
                one.kill()

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
        self.installer = subprocess.Popen(["rauc", "install", *options, bundle], env=self.environment, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out, _ = self.installer.communicate(timeout=60)
        if self.client.cut.is_set():
            raise PowerCut
        if self.installer.returncode:
            said = [line.split("LastError: ")[-1] for line in out.decode(errors="replace").splitlines() if "LastError" in line]
            raise Refused(said[0] if said else f"rauc ended with {self.installer.returncode}")
        self.installed += 1
        self.words = {"result": "installed", "reason": ""}
        if (self.flash / "primary").read_text().strip() != self.active():
            self.stop()
            self.start()


def revocations(certificate, key, *revoked):
    """What an authority says of the certificates that it takes back (CRL)."""
    authority = x509.load_pem_x509_certificate(pathlib.Path(certificate).read_bytes())
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateRevocationListBuilder().issuer_name(authority.subject).last_update(now - datetime.timedelta(days=800))
            .next_update(now + datetime.timedelta(days=30)))
    for one in revoked:
        serial = x509.load_pem_x509_certificate(pathlib.Path(one).read_bytes()).serial_number
        made = made.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial)
                                            .revocation_date(now - datetime.timedelta(days=1)).build())
    secret = serialization.load_pem_private_key(pathlib.Path(key).read_bytes(), None)
    return made.sign(secret, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def write_keyring(path, options):
    """The maker's own certificate, its authority for tests, and what both say of revoked ones."""
    texts = [pathlib.Path(one).read_bytes() for one in (options.maker, options.authority)]
    texts += [revocations(options.maker, options.maker_key), revocations(options.authority, options.authority_key, options.revoked)]
    path.write_bytes(b"".join(texts))


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
    run = verbs.add_parser("run")
    add_options(run, "EX-RAUC-0001")
    for name in ("authority", "authority-key", "revoked"):
        run.add_argument("--" + name, required=True)
    run.add_argument("--flaw", choices=FLAWS, default="sound")
    return parser.parse_args()


def main():
    options = parse()
    write_bundles(pathlib.Path(options.folder) / "images", options)
    Rauc(options).run()


if __name__ == "__main__":
    main()
