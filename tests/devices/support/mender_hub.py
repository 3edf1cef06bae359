"""A device around the real Mender client. Used alone: an agent polls a JSON manifest and downloads, `mender install` checks and writes.
With --managed: `mender daemon` asks a server of Mender for everything, and nothing is between the two.

usage: mender_hub.py run OPTIONS         the device; --help lists the options
       hand.py control WORD             the laboratory's hand on it: check, restore, power-cycle, state

The artifact is for the update module "single-file" and goes to flash/incoming, from where the boot takes it to the other slot. The client
knows no older and newer, a server chooses for it; here the agent compares the name, and the managed device takes what it is given. Its data lie in mender/, and it wants
/etc/mender/artifact_info, so the device needs an /etc of its own. The maker's artifacts are written to images/.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

from updatable_images import Refused, parts_of_version
from updater_agent import Agent, add_options

FLAWS = {
    "sound": "nothing",
    "unsigned-accepted": "no key is set, so no signature is asked for",
    "no-downgrade-check": "the agent does not compare the versions",
    "never-activates": "what was installed is never started",
    "no-tls-verification": "the agent does not look at the server's certificate",
}


class Mender(Agent):
    def factory(self):
        super().factory()
        (self.flash / "incoming").mkdir()
        data = self.folder / "mender"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        (data / "device_type").write_text(f"device_type={self.options.model}\n")
        settings = {"DeviceTypeFile": str(data / "device_type"), "DBus": {"Enabled": False}}
        if self.flaw != "unsigned-accepted":
            settings["ArtifactVerifyKey"] = str(self.folder / "images/maker.pub.pem")
        (data / "mender.conf").write_text(json.dumps(settings))
        self.words = None

    def start_updater(self):
        """There is no service: the loader takes what came to the other slot, and that is all."""
        incoming = self.flash / "incoming/release"
        if incoming.exists() and self.flaw != "never-activates":
            shutil.move(incoming, self.flash / self.other() / "release")
            self.choose(self.other())

    def mender(self, *words):
        data = self.folder / "mender"
        return subprocess.run(["mender", "--no-syslog", "--config", data / "mender.conf", "--data", data, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=60, check=False)

    def install(self, data):
        artifact = self.folder / "download.mender"
        artifact.write_bytes(data)
        if self.flaw != "no-downgrade-check":
            self.compare(artifact)
        done = self.mender("install", artifact)
        with open(self.folder / "updater.log", "a", encoding="utf-8") as log:
            log.write(done.stdout)
        if done.returncode:
            said = re.findall(r'level=error msg="(.*)"', done.stdout)
            raise Refused(said[-1][:300] if said else f"mender ended with {done.returncode}")
        self.mender("commit")
        self.installed += 1
        self.words = {"result": "installed", "reason": ""}
        self.stop()
        self.start()

    def compare(self, artifact):
        shown = subprocess.run(["mender-artifact", "read", artifact], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True, errors="replace", timeout=60, check=False).stdout
        name = re.search(r"Name: +[a-z]+-([0-9.]{1,16})$", shown, re.M)
        if not name:
            raise Refused("the artifact cannot be read")
        if parts_of_version(name[1]) <= parts_of_version(self.version()):
            raise Refused(f"{name[1]} is not newer than {self.version()}")


class Managed(Mender):
    """The daemon polls; whoever puts the client into a product says by a script how the device is known (here its serial)."""

    def factory(self):
        """All but its own key, which takes a slow machine seconds to make."""
        key = self.folder / "mender/mender-agent.pem"
        kept = key.read_bytes() if key.exists() else None
        super().factory()
        if kept:
            key.write_bytes(kept)
            key.chmod(0o600)
        path = self.folder / "mender/mender.conf"
        settings = json.loads(path.read_text()) | {
            "ServerURL": self.options.managed, "ServerCertificate": self.options.trust, "SkipVerify": self.flaw == "no-tls-verification",
            "UpdatePollIntervalSeconds": 1, "InventoryPollIntervalSeconds": 3600, "RetryPollIntervalSeconds": 1}
        path.write_text(json.dumps(settings))
        identity = self.folder / "identity"
        identity.mkdir(exist_ok=True)
        (identity / "mender-device-identity").write_text(f"#!/bin/sh\necho serial={self.options.serial}\n")
        (identity / "mender-device-identity").chmod(0o755)

    def start_updater(self):
        super().start_updater()
        data = self.folder / "mender"
        script = f'mount --bind "{self.folder}/identity" /usr/share/mender/identity && exec "$@"'
        words = ["unshare", "-m", "sh", "-c", script, "sh", "mender", "--no-syslog", "--config", data / "mender.conf", "--data", data, "daemon"]
        with open(self.folder / "updater.log", "ab") as log:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        threading.Thread(target=self.watch, args=(process,), daemon=True).start()
        return process

    def watch(self, process):
        """Starts anew once the client has put an image in place, committed it and told the server so."""
        while process.poll() is None:
            threading.Event().wait(0.1)
            _, committed, after = self.said().partition("-> update-after-commit")
            if committed and "-> idle" in after and (self.flash / "incoming/release").exists():
                with self.changed:
                    if self.process is process:
                        self.installed += 1
                        self.stop()
                        self.start()
                return

    def said(self):
        return (self.folder / "updater.log").read_text(errors="replace")

    def last_words(self):
        wrong = re.findall(r'level=error msg="((?:[^"\\]|\\.)*)"', self.said())
        return {"result": "refused" if wrong else "", "reason": wrong[0][:300] if wrong else ""}


def write_artifacts(folder, flash, options):
    folder.mkdir(exist_ok=True)
    subprocess.run(["openssl", "pkey", "-in", options.maker_key, "-pubout", "-out", folder / "maker.pub.pem"], check=True, stdin=subprocess.DEVNULL)
    keys = {"": None}
    for name, key in (("maker", options.maker_key), ("other", options.other_key)):
        keys[name] = folder / (name + ".key")  # mender-artifact reads the old form alone
        subprocess.run(["openssl", "rsa", "-traditional", "-in", key, "-out", keys[name]], check=True, stdin=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    for name, model, version, key in (("hub-2.3.0", options.model, "2.3.0", "maker"), ("hub-2.4.0", options.model, "2.4.0", "maker"),
                                      ("hub-2.5.0", options.model, "2.5.0", "maker"), ("plug-2.5.0", "plug", "2.5.0", "maker"),
                                      ("other-key-hub-2.5.0", options.model, "2.5.0", "other"), ("unsigned-hub-2.5.0", options.model, "2.5.0", "")):
        content = folder / name
        content.mkdir()
        for file, text in (("release", version + "\n"), ("filename", "release"), ("dest_dir", f"{flash}/incoming"), ("permissions", "644")):
            (content / file).write_text(text)
        words = ["mender-artifact", "write", "module-image", "-T", "single-file", "-t", model, "-n", f"{model}-{version}", "-o", folder / (name + ".mender")]
        for file in ("release", "filename", "dest_dir", "permissions"):
            words += ["-f", content / file]
        subprocess.run(words + (["-k", keys[key]] if key else []), check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(folder)})
        shutil.rmtree(content)
    for name in ("maker", "other"):
        keys[name].unlink()


def parse():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run")
    add_options(run, "EX-MEND-0001")
    run.add_argument("--managed", default="", help="the server of Mender that it asks; empty: an agent polls instead")
    run.add_argument("--flaw", choices=FLAWS, default="sound")
    return parser.parse_args()


def main():
    options = parse()
    folder = pathlib.Path(options.folder)
    write_artifacts(folder / "images", folder / "flash", options)
    (Managed if options.managed else Mender)(options).run()


if __name__ == "__main__":
    main()
