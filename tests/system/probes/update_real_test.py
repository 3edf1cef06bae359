"""The probe against real updaters: RAUC and swupdate refuse signers of the past unless their setup lets them, and survive a cut of the power
(all their processes are killed) at any time of the download."""
import json
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import assay, emulated, need, side_by_side, skip  # noqa: E402

POWER = ["power-10", "power-50", "power-90", "power-installing"]
SIGNERS = ["expired-signer", "revoked-signer"]
# Device -> what is tried on it, and what of that it falls for.
DEVICES = {
    "rauc/sound": ([*SIGNERS, *POWER], []),
    "rauc/expired-signer-accepted": (SIGNERS, ["expired-signer"]),
    "rauc/revoked-signer-accepted": (SIGNERS, ["revoked-signer"]),
    "swupdate/sound": ([*SIGNERS, *POWER], ["revoked-signer"]),  # it reads no list of revoked certificates, whatever its setup
}


def examine(name):
    tried, falls_for = DEVICES[name]
    began = time.monotonic()
    with emulated(name, "loopback") as device:
        home = pathlib.Path(device["folder"])
        if "power-installing" in tried:
            (home / "slow").touch()  # so that there is a middle
        # A trigger that returns when all is over would leave no time for a cut: the device looks by itself.
        dut = pathlib.Path(device["dut"]).with_name("edited.yaml")
        dut.write_text(re.sub(r"\n    trigger: [^\n]*", "", pathlib.Path(device["dut"]).read_text()))
        done = assay("probe", "update", device["address"], "--dut", dut, "--json", "--set", "attacks=" + ",".join(tried), "--set",
                     "mechanism=UM-1", check=0, timeout=300)
        hit = (home / "cut-while-installing").exists()  # the updater itself was running when the power went
    facts = json.loads(done.stdout)["facts"]
    control = facts["update.control"][0]
    assert control["accepted"] and control["last"]["version_after"] == "2.5.0", (name, control)
    attempts = {one["attack"]: one for one in facts["update.attempts"]}
    missing = {one["attack"]: one["why"] for one in facts["update.not_tried"] if one["attack"] in tried}
    assert set(attempts) == set(tried), (name, missing)
    found = {id for id, one in attempts.items() if one["installed"] and not one["image"]["genuine"]}
    assert found == set(falls_for), (name, found, attempts)
    assert hit == ("power-installing" in tried), (name, hit, attempts)
    assert facts["update.bricked"] == [], (name, facts["update.bricked"])
    for id, one in attempts.items():
        assert one["offered"] and one["power_cut"] == (True if id in POWER else None), (name, id, one)
        assert one["seen"] and one["alive"] and one["version_after"] in ("2.4.0", "2.5.0"), (name, id, one)
        if id in SIGNERS and id not in falls_for:
            # swupdate gives its server no reason; that it is the time shows the other signer of the same authority, which it takes.
            words = "certificate" if name.startswith("rauc") else "failure"
            assert one["refused"] == "after download" and words in str(one["reported"]), (name, id, one)
    print(name, "%.0f s" % (time.monotonic() - began), flush=True)


need("rauc", "dbus-daemon", "gdbus", "mksquashfs", "swupdate", "openssl")
if os.geteuid() != 0 or not pathlib.Path("/dev/loop-control").exists():
    skip("RAUC mounts bundles through a loop device, which only root may do")
side_by_side(*[lambda name=name: examine(name) for name in DEVICES], at_once=4)
print(len(DEVICES), "devices")
