"""One run that guesses at the logins of a device and attacks its updates, whose version an account of the same real SSH server reads, on one small
budget of wrong logins: the dictionary stops one short, the version is read to the end, and the server counts no more wrong logins than it may."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_FAILED, EXIT_OPEN, assay, emulated, folder, journal, need, port, side_by_side  # noqa: E402
from update_runs import edited, library, observed  # noqa: E402

PLAN = """assay: plan/1
id: guessed/1
title: Logins and updates
scheme: {name: guessed, owner: tests, document: none, read: false}
standard: EN303645@2.1.1
method: TS103701@1.1.1
cases_from: [ASSAY@1]
requirements:
  - {id: "EN303645@2.1.1:5.1-1", modality: shall, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}
  - {id: "EN303645@2.1.1:5.3-2", modality: shall, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}
parameters: {}
"""
BUDGET = 3  # the dictionary has more passwords for root
EDITS = [("version_at: {mqtt: {port: tcp/1883, login: admin, topic: hub/version, pointer: /version}}",
          "version_at: {ssh: {port: tcp/22, login: shell, command: 'cat FOLDER/version'}}"),
         ("profile: fast,", f"profile: fast, login_attempts_per_account: {BUDGET},")]


def observations(out, probe):
    found = [event["data"]["observation"] for event in journal(out) if event["type"] == "observation"]
    return [one for one in found if one["invocation"]["probe"] == probe]


need("mosquitto", "mosquitto_pub", "mosquitto_sub", "dropbear", "dropbearkey", "snmpd")
if os.geteuid() != 0:
    print("programs of the device cannot change groups: a login by SSH ends at once")
    sys.exit(77)


def run(work, *extra):
    """What was recorded, and how many wrong logins of the account the server counted."""
    out = work / f"run-{len(extra)}"
    with emulated("updatable-told/sound") as device:
        done = assay("run", "--plan", "guessed/1", "--dut", edited(device, EDITS), "-o", out, "-q", "--capture", "off", *extra, timeout=400,
                     env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
        log = (pathlib.Path(device["dut"]).parent / "log/sshd.log").read_text()
        ssh = f"tcp/{port(device, 'ssh')}"
    assert done.returncode in (EXIT_OPEN, EXIT_FAILED), (done.stdout, done.stderr)
    (guessed,) = [one for one in observations(out, "credentials") if one["invocation"]["endpoint"] == ssh]
    assert guessed["facts"]["credentials.dialect"] == "ssh-password", guessed["facts"]
    return out, sum("Bad password attempt" in line and "'root'" in line for line in log.splitlines())


def both(work):
    out, wrong = run(work, "--allow", "destructive", "--attacks", "older")
    facts = observed(out)["facts"]
    control, (older,) = facts["update.control"][0], facts["update.attempts"]
    assert control["accepted"] and (control["last"]["version_before"], control["last"]["version_after"]) == ("2.4.0", "2.5.0"), control
    assert older["installed"] is False and older["version_after"] == "2.4.0", older
    assert wrong == BUDGET - 1, wrong


def logins_alone(work):
    out, wrong = run(work)
    assert not observations(out, "update") and wrong == BUDGET, wrong


with folder() as work:
    library(work)
    (work / "testplans/schemes/guessed").mkdir()
    (work / "testplans/schemes/guessed/1.yaml").write_text(PLAN)
    side_by_side(lambda: both(work), lambda: logins_alone(work))
