"""Passwords that are changed, each web interface with one flaw: exactly that is found, and the password is the old one afterwards, as curl
sees too."""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import SOURCE, emulated, inside, need, port, side_by_side  # noqa: E402

need("curl")
DEVICE, SECRET = "deviant/web-defects", "Wm4-kP7x-Tz2q"
ALL = {"blank", "short", "listed", "repeated", "sequence", "username", "previous"}
SOUND = {"taken": True, "old_refused": True, "own": True, "other": False, "wrong": False, "empty": False, "weak": set()}
EXPECTED = {
    "sound": {},
    "old-password": {"old_refused": False},
    "old-sessions": {"other": True},
    "no-old": {"wrong": True, "empty": True},
    "any-password": {"weak": ALL},
    "refuses-all": None,
}


def look(device, name):
    done = inside(device, [os.environ["ASSAY"], "probe", "password_change", device["address"], "--library", SOURCE / "testplans", "--json",
                           "--pace", "fast", "--dut", device["dut"], "--endpoint", f"tcp/{port(device, name)}"], timeout=280)
    start = done.stdout.find("{")
    assert start >= 0, f"{name}: {done.stdout[-2000:]}"
    seen = json.loads(done.stdout[start:])
    assert seen["completion"] == "completed", (name, seen["error"])
    assert SECRET not in done.stdout, f"{name}: the password stands in the facts"
    return seen


def lets_in(device, name, password):
    page = inside(device, ["curl", "-s", "-i", "-d", f"user=admin&pass={password}",
                           f"http://{device['address']}:{port(device, name)}/login"]).stdout
    return "/home.html" in page


def one(device, name):
    seen = look(device, name)
    facts, differs = seen["facts"], EXPECTED[name]
    assert facts["password.restored"] is True, (name, seen["unobserved"])
    assert lets_in(device, name, SECRET), f"{name}: curl does not get in with the password of the DUT file"
    if differs is None:
        assert facts["password.change"]["taken"] is False and "password.weak" in seen["unobserved"], (name, facts)
        return
    assert facts["password.again"] is True, (name, facts)
    found = {"taken": facts["password.change"]["taken"], "old_refused": facts["password.change"]["old_refused"],
             "own": facts["password.sessions"]["own"], "other": facts["password.sessions"]["other"],
             "wrong": facts["password.old_asked"]["wrong_taken"], "empty": facts["password.old_asked"]["empty_taken"],
             "weak": {weak["kind"] for weak in facts["password.weak"] if weak["taken"]}}
    expected = {**SOUND, **differs}
    found["own"] = expected["own"] = None  # the hub gives the one that changed it a new session
    assert found == expected, f"{name}: {[(key, found[key], expected[key]) for key in found if found[key] != expected[key]]}"


with emulated(DEVICE) as device:
    side_by_side(*[lambda name=name: one(device, name) for name in EXPECTED], at_once=3)
