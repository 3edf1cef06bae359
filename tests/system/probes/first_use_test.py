"""The first use of web interfaces in factory state: one that is sound, one that obeys before it is set up, one that takes any password."""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import SOURCE, emulated, folder, inside, need, port, side_by_side  # noqa: E402

need("curl")
DEVICE = "deviant/web-defects"
EXPECTED = {  # before the set-up, without a login afterwards; weak passwords that were taken
    "factory": ({"before": False, "after": False, "control": True}, set()),
    "factory-open": ({"before": True, "after": False, "control": True}, set()),
    "factory-any": (None, {"blank"}),
    "sound": (None, None),  # it is set up already
}


def one(device, name):
    where = f"http://{device['address']}:{port(device, name)}"
    before = inside(device, ["curl", "-s", where + "/"]).stdout
    assert ("First start" in before) == (name != "sound"), before
    with folder() as work:
        done = inside(device, [os.environ["ASSAY"], "probe", "first_use", device["address"], "--library", SOURCE / "testplans", "--json", "--pace",
                               "fast", "--dut", device["dut"], "--endpoint", f"tcp/{port(device, name)}", "--artifacts", work], timeout=280)
        left = [json.loads(file.read_text())["accounts"] for file in work.glob("passwords-left-*.json")]
        evidence = "".join(file.read_text(errors="replace") for file in work.iterdir() if not file.name.startswith("passwords-left-"))
    start = done.stdout.find("{")
    assert start >= 0, f"{name}: {done.stdout[-2000:]}"
    seen = json.loads(done.stdout[start:])
    assert seen["completion"] == "completed", (name, seen["error"])
    action, weak = EXPECTED[name]
    facts = seen["facts"]
    assert facts.get("first_use.action") == action, (name, facts, seen["unobserved"])
    found = facts.get("first_use.weak")
    assert (found and {one["kind"] for one in found if one["taken"]}) == (weak if weak is not None else None) or (found and not weak), (name, found)
    if action:
        assert facts["first_use.set_up"]["taken"] is True and facts["first_use.again"] is False, (name, facts)
        password = left[0][0]["holds"]
        assert password not in evidence + done.stdout, f"{name}: the password stands in what is kept"
        page = inside(device, ["curl", "-s", "-i", "--data-urlencode", "user=admin", "--data-urlencode", f"pass={password}", where + "/login"]).stdout
        assert "/home.html" in page, f"{name}: curl does not get in with the password that was set"
    if name == "sound":
        assert not left, left
        return None
    assert "the account admin" in done.stdout and facts["first_use.kept_in"] in done.stdout.split("assay: ")[-1], done.stdout[-500:]
    return left[0][0]["holds"]


with emulated(DEVICE) as device:
    held = side_by_side(*[lambda name=name: one(device, name) for name in EXPECTED])
    assert held[0] != held[1] and held[2] == "", "drawn anew for each device; the blank one is told where it holds"
