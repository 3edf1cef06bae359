"""Runs of the probe `update` against emulated devices that take updates, and what must come of them."""
import contextlib
import os
import pathlib
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


def examine(work, name, tried, falls_for, edits=(), beside=None, untried=()):
    """`untried`: attacks that are asked for and have no form there."""
    observation, all_units = run(work, name, [*tried, *untried], check=[EXIT_FAILED, EXIT_OPEN], edits=edits, beside=beside)
    facts = observation["facts"]
    control = facts["update.control"][0]
    assert control["accepted"] and control["first"]["version_before"] == "2.4.0" and control["last"]["version_after"] == "2.5.0", (name, control)
    attempts = {one["attack"]: one for one in facts["update.attempts"]}
    assert set(attempts) == set(tried), (name, set(attempts) ^ set(tried), facts["update.not_tried"])
    held = {id for id, one in attempts.items() if one["held"]}
    assert held == HELD.get(name.split("/")[1], set()), (name, held, attempts)
    # The genuine image may come to its end after an interruption: that is no finding.
    found = {id for id, one in attempts.items() if one["installed"] and (not one["image"]["genuine"] or one["against"] == "transport")}
    found |= held & {"endless"}
    assert found == set(falls_for), (name, found, falls_for, attempts)
    for id, one in attempts.items():
        assert one["offered"] and one["seen"] and one["alive"] and one["version_before"] and one["version_after"], (name, one)
        assert one["evidence"] in [artifact["sha256"] for artifact in observation["artifacts"]], (name, id)
    channel = bool(set(falls_for) & set(CHANNEL))
    assert (verdict_of(all_units, CHANNELS) == "fail") == channel, (name, verdict_of(all_units, CHANNELS))
    assert (verdict_of(all_units, ATTACKS) == "fail") == bool(falls_for and not channel), (name, verdict_of(all_units, ATTACKS))
    assert (verdict_of(all_units, MECHANISMS) == "fail") == bool(falls_for), (name, verdict_of(all_units, MECHANISMS))
    return facts
