"""Passwords that are changed, each web interface with one flaw: exactly that is found, and the password is the old one afterwards, as curl
sees too. One that takes 8 characters fails the plan whose rule is 10, and no other."""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import FEW_GUESSES, SOURCE, assay, emulated, folder, inside, need, port, run, side_by_side, with_pace  # noqa: E402

need("curl")
DEVICE, SECRET = "deviant/web-defects", "Wm4-kP7x-Tz2q"
ALL = {"blank", "short", "listed", "repeated", "sequence", "one_class", "doubled", "username", "previous"}
SOUND = {"taken": True, "old_refused": True, "own": True, "other": False, "wrong": False, "empty": False, "weak": set()}
EXPECTED = {
    "sound": {},
    "old-password": {"old_refused": False},
    "old-sessions": {"other": True},
    "no-old": {"wrong": True, "empty": True},
    "any-password": {"weak": ALL},
    "refuses-all": None,
    "eight": {"weak": {"short"}},
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


def dut_of(device, name):
    """The DUT file with this one interface, of a gateway."""
    head, rest = pathlib.Path(device["dut"]).read_text().split("web:\n")
    entries, tail = rest.split("standard:")
    place = f"tcp/{port(device, name)}"
    own = next(entry for entry in entries.split("  - port: ") if entry.startswith(place + "\n"))
    lines = [f"      port: {place}" if line.startswith("      port: [") else line for line in tail.split("\n")]
    head = head.replace("product_class: other", "product_class: router, managed: retail")
    # The list of factory logins needs its own share of the wrong ones.
    head = with_pace(head, "{profile: fast, login_attempts_per_account: 500}")
    return head + "web:\n  - port: " + own + "standard:" + "\n".join(lines)


def verdict(device, name, plan):
    """Of the requirement on changes, and the reason."""
    with folder() as work:
        (work / "dut.yaml").write_text(dut_of(device, name))
        run({**device, "dut": work / "dut.yaml"}, work / "out", "--set", "ports.tcp=1-1024", *FEW_GUESSES, plan=plan)
        assay("report", work / "out", "--format", "json")
        report = json.loads((work / "out/report.json").read_text())
    found = next(one for one in report["requirements"] if one["id"] == "EN303645@2.1.1:5.1-4")
    return found["verdict"], found["because"]


with emulated(DEVICE) as device:
    side_by_side(*[lambda name=name: one(device, name) for name in EXPECTED], at_once=3)
    short, sound = side_by_side(*[lambda name=name: verdict(device, name, "cls-iot-gateway/1") for name in ("eight", "sound")])
    elsewhere = verdict(device, "eight", "cls-iot/1")  # not beside the other one, which changes the same password
    assert short[0] == "fail" and "takes a password that is weak (short, 9 characters)" in short[1], short
    assert sound[0] != "fail" and elsewhere[0] != "fail", (sound, elsewhere)
