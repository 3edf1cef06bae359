"""Runs of the probe `update` against emulated devices that take updates, and what must come of them."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_FAILED, EXIT_OPEN, SOURCE, assay, emulated, journal, units  # noqa: E402
from common import port as page_port  # noqa: E402

PLAN = """assay: plan/1
id: updates/1
title: Updates alone
scheme: {name: updates, owner: tests, document: none, read: false}
standard: EN303645@2.1.1
method: TS103701@1.1.1
cases_from: [TS103701@1.1.1, ASSAY@1]
requirements:
  - {id: "EN303645@2.1.1:5.3-2", modality: shall, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}
  - {id: "EN303645@2.1.1:5.3-7", modality: shall, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}
parameters: {}
"""
SERVER = ["self-signed", "unknown-authority", "wrong-name", "expired-certificate"]
CHANNEL = [*SERVER, "no-tls", "redirect-to-http", "image-over-http"]
WORDS = ["older", "older-as-newer"]
TENTHS = [f"flip-tenth-{number}" for number in range(1, 11)]
# Variant -> the attacks that are tried on it, and those of them that it falls for: flaws in how an image is looked at, and
# in how it is fetched over https.
FLAWS = {
    "no-signature-check": (["flip-tenth-5", "flip-tenth-10"], ["flip-tenth-10"]),
    "no-downgrade-check": (["older", "other-model"], ["older"]),
    "any-model": (["older", "other-model"], ["other-model"]),
    "header-only-check": (["flip-tenth-5", "older"], ["flip-tenth-5"]),
    "signature-over-header": (["flip-tenth-5", "older"], ["flip-tenth-5"]),
    "truncated-accepted": (["truncated-50", "appended"], ["truncated-50"]),
    "trailing-data-accepted": (["truncated-50", "appended"], ["appended"]),
}
FETCHING = {
    "no-tls-verification": (CHANNEL, SERVER),
    "wrong-name-accepted": (SERVER, ["wrong-name"]),
    "expired-server-accepted": (SERVER, ["expired-certificate"]),
    "falls-back-to-http": (["self-signed", "no-tls"], ["no-tls"]),
    "redirect-to-http": (["redirect-to-http", "image-over-http"], ["redirect-to-http"]),
    "image-over-http": (["redirect-to-http", "image-over-http"], ["image-over-http"]),
    "manifest-version-believed": (WORDS, ["older-as-newer"]),
    "checks-one-installs-another": (["second-download", "flip-tenth-5"], ["second-download"]),
    "no-size-bound": (["endless", "appended"], ["endless"]),
}
AGAIN = (["same-version", "older"], ["same-version"])
# Variant -> what is tried, and what it does not come back from.
DYING = {
    "installs-before-verifying": (["flip-tenth-5", "cut-50", "power-50"], "power-50"),
    "not-taken-back": (["flip-tenth-5", "cut-50", "power-50"], "cut-50"),
    "bricks-on-bad-image": (["older", "flip-tenth-5", "appended"], "flip-tenth-5"),
    "bricks-for-good": (["older", "flip-tenth-10"], "flip-tenth-10"),
}
# The same where an image comes in blocks by CoAP.
DYING_BLOCKWISE = {
    "installs-before-verifying": (["flip-tenth-10", "power-50", "power-90"], "power-50"),
    "activates-first": (["flip-tenth-10", "cut-50", "power-installing"], "power-installing"),
    "bricks-on-bad-image": DYING["bricks-on-bad-image"],
}
# Downloads that the device was still taking when we ended them.
HELD = {"no-timeout": {"stalled", "slow"}, "no-size-bound": {"endless"}}
ATTACKS, CHANNELS = "ASSAY@1:update-attacks/attacks", "ASSAY@1:update-channel/channel"
MECHANISMS = "TS103701@1.1.1:5.3-2-2/b"


def library(work):
    """The shipped plans, and one more that asks for updates alone."""
    out = work / "testplans"
    out.mkdir()
    for part in (SOURCE / "testplans").iterdir():
        if part.name != "schemes":
            (out / part.name).symlink_to(part)
    shutil.copytree(SOURCE / "testplans/schemes", out / "schemes", symlinks=True)
    (out / "schemes/updates").mkdir()
    (out / "schemes/updates/1.yaml").write_text(PLAN)
    return out


def observed(out):
    for event in journal(out):
        if event["type"] == "observation" and event["data"]["observation"]["invocation"]["probe"] == "update":
            return event["data"]["observation"]
    raise AssertionError("the probe did not run")


def edited(device, edits):
    """The device's DUT file; with changes, written anew beside it."""
    dut = pathlib.Path(device["dut"])
    text = dut.read_text()
    port = device["tester_ports"].get("broker", "").removeprefix("tcp/")
    page = f"{device['address']}:{page_port(device, 'http')}" if "http" in device["endpoints"] else ""
    values = {"PORT": port, "PAGE": page, "FOLDER": str(dut.parent)}
    for old, new in edits:
        for name, value in values.items():
            old, new = old.replace(name, value), new.replace(name, value)
        assert old in text, (old, text)
        text = text.replace(old, new)
    if edits:
        dut = dut.with_name("edited.yaml")
        dut.write_text(text)
    return dut


def run(work, name, attacks, *extra, check, edits=(), beside=None, after=lambda device: None):
    """`beside`: what has to be there while it runs, of the device and the folder; `after` looks at the device when it is over."""
    out = pathlib.Path(tempfile.mkdtemp(dir=work)) / name.replace("/", "-")
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(emulated(name, "loopback" if beside else None))
        if beside:
            stack.enter_context(beside(device, work))
        dut = edited(device, edits)
        done = assay("run", "--plan", "updates/1", "--dut", dut, "-o", out, "-q", "--allow", "destructive", "--capture", "off",
                     "--attacks", ",".join(attacks), *extra, timeout=400, env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
        after(device)
    assert done.returncode in check, (name, done.returncode, done.stdout, done.stderr)
    return observed(out), {id: unit for id, unit in units(out)}


def verdict_of(all_units, prefix):
    return next(unit["verdict"] for id, unit in all_units.items() if id.startswith(prefix))


def is_open_for(name, all_units, unit, words):
    """Neither passes nor fails, and for this reason: what was not chosen would leave it open too."""
    reasons = [one["what"] for one in all_units[unit]["open"]]
    assert verdict_of(all_units, unit) == "inconclusive" and any(words in one for one in reasons), (name, unit, words, reasons)


def is_taken(one):
    """What is a finding on an attack that was tried. The genuine image may come to its end after an interruption: that is none."""
    if one["installed"] and (not one["image"]["genuine"] or one["against"] in ("transport", "metadata", "access")):
        return True
    if one["against"] == "transport" and one["fetched"]["downloads"]:
        return True
    again = one["attack"] == "same-version" and one["restarted"] and one["fetched"]["whole"]
    return again or one["attack"] == "endless" and one["held"]


def examine(work, name, tried, falls_for, edits=(), beside=None, untried=(), passes=(), unspoken=()):
    """`untried`: attacks that are asked for and have no form there. `passes`: units all of whose attacks are tried, and refused. `unspoken`: attacks
    that may end in silence, of which nothing can be kept."""
    observation, all_units = run(work, name, [*tried, *untried], check=[EXIT_FAILED, EXIT_OPEN], edits=edits, beside=beside)
    facts = observation["facts"]
    control = facts["update.control"][0]
    assert control["accepted"] and control["first"]["version_before"] == "2.4.0" and control["last"]["version_after"] == "2.5.0", (name, control)
    attempts = {one["attack"]: one for one in facts["update.attempts"]}
    assert set(attempts) == set(tried), (name, set(attempts) ^ set(tried), facts["update.not_tried"])
    held = {id for id, one in attempts.items() if one["held"]}
    assert held == HELD.get(name.split("/")[1], set()), (name, held, attempts)
    found = {id for id, one in attempts.items() if is_taken(one)}
    assert found == set(falls_for), (name, found, falls_for, attempts)
    for id, one in attempts.items():
        assert one["offered"] and one["seen"] and one["alive"] and one["version_before"] and one["version_after"], (name, one)
        kept = [artifact["sha256"] for artifact in observation["artifacts"]]
        assert one["evidence"] in kept or id in unspoken and one["evidence"] is None, (name, id)
    against = {attempts[id]["against"] for id in falls_for}
    assert (verdict_of(all_units, CHANNELS) == "fail") == ("transport" in against), (name, verdict_of(all_units, CHANNELS))
    assert (verdict_of(all_units, ATTACKS) == "fail") == bool(against - {"transport", "access"}), (name, verdict_of(all_units, ATTACKS))
    assert (verdict_of(all_units, MECHANISMS) == "fail") == bool(falls_for), (name, verdict_of(all_units, MECHANISMS))
    for unit in passes:
        assert verdict_of(all_units, unit) == "pass", (name, all_units[unit])
    return facts


def is_inside_dtls(name, facts, falls_for, shared_key):
    """What a connection to our server is like, and that none comes to be with a false one that it does not fall for."""
    assert facts["update.control"][0]["first"]["fetched"]["over"] == "DTLSv1.2", (name, facts["update.control"])
    tls = facts["update.passive"][0]["tls"]
    assert tls["version"] == "DTLSv1.2" and tls["newest_offered"] == "DTLSv1.2" and ("PSK" in tls["cipher"]) == shared_key, (name, tls)
    for one in facts["update.attempts"]:
        if one["attack"] in (*SERVER, "no-tls") and one["attack"] not in falls_for:
            assert one["fetched"]["handshakes"] == 0 and one["fetched"]["bytes"] == 0, (name, one)


def is_told_of(device, *variants):
    """Nothing is planted in the device that no table is about, and the other way round."""
    planted = set(re.findall(r"- {name: ([\w-]+), title:", (SOURCE / "tests/devices" / device / "device.yaml").read_text()))
    assert planted == {"sound", *variants}, (device, planted ^ {"sound", *variants})


def covers(sound, *tables):
    """What is tried on a flawed device is tried on the sound one of its kind as well."""
    untried = {id for table in tables for tried, *_ in table.values() for id in tried} - set(sound)
    assert not untried, untried


def dies(work, name, tried, after, edits=(), beside=None):
    """It does not come back from the attack `after`, and does from each before it: the bundle says so, and nothing more is tried."""
    observation, all_units = run(work, name, tried, check=[EXIT_OPEN, EXIT_FAILED], edits=edits, beside=beside)
    facts = observation["facts"]
    attempts = facts["update.attempts"]
    assert [one["attack"] for one in attempts] == tried[:tried.index(after) + 1], (name, attempts)
    assert all(one["alive"] and not is_taken(one) for one in attempts[:-1]) and attempts[-1]["alive"] is False, (name, attempts)
    restored, bricked = not name.endswith("/bricks-for-good"), facts["update.bricked"]
    assert [(one["mechanism"], one["after"], one["restored"]) for one in bricked] == [("UM-1", after, restored)], (name, bricked)
    assert restored or bricked[0]["how"], (name, bricked)
    untried = {one["attack"]: one["why"] for one in facts["update.not_tried"]}
    assert all("did not come back" in untried[id] for id in tried[tried.index(after) + 1:]), (name, untried)
    for unit in (ATTACKS, CHANNELS, MECHANISMS):
        how = "; its recipe brought it back" if restored else ", and nothing brought it back"
        is_open_for(name, all_units, unit, f"The device did not come back after {after} on UM-1{how}")
    return facts


def takes_none(work, name, says, edits=(), beside=None):
    """It tells success of the genuine update and does not come to run it: nothing is tried, and nothing passes. `says`: the reason on its status
    page; none: the answer to whoever put the image in."""
    observation, all_units = run(work, name, ["older", "appended"], check=[EXIT_OPEN, EXIT_FAILED], edits=edits, beside=beside)
    facts = observation["facts"]
    control = facts["update.control"][0]
    assert not control["accepted"] and control["first"]["version_after"] == "2.4.0" and facts["update.attempts"] == [], (name, facts)
    if says is None:
        assert control["first"]["says_success"], (name, control)
    else:
        said = json.loads(control["first"]["reported"])
        assert said["result"] == "installed" and said["reason"] == says, (name, control)
    for unit in (ATTACKS, CHANNELS, MECHANISMS):
        is_open_for(name, all_units, unit, "The genuine update was not seen to be installed by UM-1 each time")


def without_a_cut(work, name, edits=(), what="power"):
    """The recipe that cuts the power or the link fails: nothing was survived, so the attack was not tried in truth. No unit asks for it by name."""
    fails = (f"{what}: {{cycle: {{exec: '", f"{what}: {{cycle: {{exec: 'exit 3; ")
    observation, _ = run(work, name, [what + "-50"], check=[EXIT_OPEN, EXIT_FAILED], edits=[fails, *edits])
    (tried,) = observation["facts"]["update.attempts"]
    assert not tried["offered"] and tried[what + "_cut"] is False and f"the {what} was not cut" in tried["trouble"], (name, tried)
