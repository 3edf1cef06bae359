"""Sessions of web interfaces, each with one flaw: exactly that is found, and nothing on the sound ones. curl says the same."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import FEW_GUESSES, SOURCE, emulated, folder, inside, need, port, run, side_by_side, verdicts  # noqa: E402

need("curl")
DEVICE = "deviant/web-defects"
SECRETS = ("Wm4-kP7x-Tz2q", "Rb6-yN3v-Jd8s")
SOUND = {
    "same_site": "strict", "http_only": True, "stored": False, "kept": False, "invented": False, "relations": set(), "few_bits": False, "concurrent": True,
    "logout": True, "missing": False, "other_session": False, "foreign_page": False, "foreign_browser": None, "no_session": False, "open": set(), "crossed": set(), "unclear": set(),
}
# Port -> what differs from the sound one.
EXPECTED = {
    "sound": {},
    "script-cookie": {"same_site": "", "http_only": False, "stored": True},
    "fixation": {"kept": True},
    "invented": {"kept": True, "invented": True},
    "counter": {"relations": {"counter"}, "few_bits": True},
    "clock": {"relations": {"clock"}, "other_session": None},
    "logout-keeps": {"logout": False},
    "no-token": {"missing": True, "other_session": True, "foreign_page": True, "foreign_browser": False},
    "any-token": {"other_session": True},
    "open-page": {"open": {"/settings.html"}},
    "open-setting": {"missing": True, "other_session": True, "foreign_page": True, "foreign_browser": True, "no_session": True, "open": {"/settings.html"}},
    "open-role": {"crossed": {"/users.html"}},
    "one-session": {"concurrent": False},
    "open-call": {"open": {"/api/lamps"}},
    "open-described": {"open": {"/api/rooms"}},
    "open-role-call": {"crossed": {"/api/users"}},
    "open-backup": {"open": {"/backup.json"}},
    # Calls that carry no token have none to leave out.
    "json": {"missing": None, "other_session": None},
    "json-plain": {"missing": None, "other_session": None, "foreign_page": True, "foreign_browser": False},
    "json-foreign": {"missing": None, "other_session": None, "foreign_page": True, "foreign_browser": True, "same_site": ""},
    "json-origin": {"missing": None, "other_session": None, "foreign_page": True, "foreign_browser": False},
    # Browsers send cookies that are Lax along with links, that is by GET.
    "get-lax": {"same_site": "lax", "missing": None, "other_session": None, "foreign_page": True, "foreign_browser": True},
    "get-strict": {"missing": None, "other_session": None, "foreign_page": True, "foreign_browser": False},
    "get-token": {"same_site": "lax"},
    "link-token": {"same_site": "lax"},
    "post-lax": {"same_site": "lax", "missing": None, "other_session": None, "foreign_page": True, "foreign_browser": False},
    "any-method": {"same_site": "lax", "missing": None, "other_session": None, "foreign_page": True, "foreign_browser": True},
    "address-token": {"same_site": "lax"},
    "guarded": {"same_site": "lax", "missing": None, "other_session": None, "foreign_page": True, "foreign_browser": True},
    "part-call": {"unclear": {"/api/lamps"}},
    "error-call": {},
    "script-recipe": {"http_only": False},
    "short-id": {"few_bits": True},
}
IDLE = {"sound": True, "endless": False}


def look(device, name, **settings):
    command = [os.environ["ASSAY"], "probe", "web_session", device["address"], "--library", SOURCE / "testplans", "--json", "--pace", "fast",
               "--dut", device["dut"], "--endpoint", f"tcp/{port(device, name)}"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    done = inside(device, command, timeout=280)
    start = done.stdout.find("{")
    assert start >= 0, f"{name}: {done.stdout[-2000:]}"
    seen = json.loads(done.stdout[start:])
    assert seen["completion"] == "completed", (name, seen["error"])
    assert not any(word in done.stdout for word in SECRETS), f"{name}: a password stands in the facts"
    return seen


def told(name, seen):
    """The facts in the words of the table."""
    facts, cookies = seen["facts"], [one for one in seen["facts"]["web.cookies"] if one["session"]]
    assert "web.tokens" in facts, (name, seen["unobserved"], seen.get("absent"))
    kinds = {one["kind"] for one in facts["web.tokens"]["relations"]}
    forgery = facts["web.forgery"]
    assert forgery["control"] and forgery["restored"], forgery
    assert len(cookies) == 1 and cookies[0]["name"] == "sid" and not cookies[0]["secure"], cookies
    return {
        "same_site": cookies[0]["same_site"], "http_only": cookies[0]["http_only"], "stored": facts["web.stored"],
        "kept": facts["web.fixation"]["kept"], "invented": facts["web.fixation"]["takes_invented"], "relations": kinds,
        "few_bits": (facts["web.tokens"].get("bits_at_most") or 99) < 32,
        "concurrent": facts["web.concurrent"], "logout": facts["web.logout"]["ended"],
        **{way: forgery[way] for way in ("missing", "other_session", "foreign_page", "foreign_browser", "no_session")},
        "open": {one["path"] for one in facts["web.open"]}, "crossed": {one["path"] for one in facts["web.crossed"]},
        "unclear": set(facts["web.pages"]["unclear_at"]),
    }


def one(device, name):
    found, expected = told(name, look(device, name)), {**SOUND, **EXPECTED[name]}
    if name == "clock":  # ids of one second are equal, others are hashes of their time
        assert found["relations"] & {"equal", "identifier"}, found
        for key in ("relations", "other_session", "missing", "kept", "concurrent", "logout", "foreign_page", "foreign_browser"):
            found[key] = expected[key] = None
    assert found == expected, f"{name}: {[(key, found[key], expected[key]) for key in found if found[key] != expected[key]]}"


def by_script(device):
    """Nobody runs the script that sets the session: that is what is said."""
    seen = look(device, "script-session")
    assert "web.tokens" not in seen["facts"] and "document.cookie" in seen["unobserved"]["web.tokens"], seen


def idle(device, name):
    seen = look(device, name, idle=44, pages=2, logins=1)["facts"]["web.idle"]
    assert seen["ended"] == IDLE[name], (name, seen)
    assert seen["alive_after"] == (11 if IDLE[name] else 44), (name, seen)


def curl(device, name):
    """The same by hand: log in, see the page, log out or take the cookie away, and ask again."""
    base, jar = f"http://{device['address']}:{port(device, name)}", f"/tmp/assay-jar-{os.getpid()}-{name}"
    def ask(path, *extra):
        return inside(device, ["curl", "-s", "-o", "-", "-w", "\n%{http_code}", "-c", jar, "-b", jar, *extra, base + path]).stdout
    try:
        before = ask("/login")
        assert "password" in before, before
        first = open(jar).read()
        ask("/login", "-d", f"user=admin&pass={SECRETS[0]}")
        kept = re.search(r"sid\s+(\S+)", first).group(1) == re.search(r"sid\s+(\S+)", open(jar).read()).group(1)
        page = ask("/home.html")
        stolen = re.search(r"sid\s+(\S+)", open(jar).read()).group(1)
        ask("/logout", "-d", "token=" + re.search(r'token" value="(\w+)"', page).group(1))
        after = inside(device, ["curl", "-s", "-b", f"sid={stolen}", base + "/home.html", "-w", "%{http_code}"]).stdout
        stranger = inside(device, ["curl", "-s", base + "/settings.html", "-w", "%{http_code}"]).stdout
    finally:
        os.path.exists(jar) and os.unlink(jar)
    return {"kept": kept, "logout": not after.endswith("200"), "open": stranger.endswith("200")}


PLAN = """assay: plan/1
id: example/sessions
title: Sessions without a password
scheme: {name: Example, owner: Example, document: none, read: false}
standard: TR03148@1.2
method: TS103701@1.1.1
cases_from: [TR03148P@1.2]
requirements:
  - {id: "TR03148@1.2:D.18", modality: shall, strength: derived, source: a test, minimum: m, evidence: e, assessment: a}
parameters:
  session: {idle_minutes: 0.5}
"""


def verdict(device, name, kinds=("token",), setting=True):
    """Of the requirement on sessions that no password opens, where the port is declared to be entered by these means."""
    head, entries = pathlib.Path(device["dut"]).read_text().split("web:\n")
    own = next(entry for entry in entries.split("  - port: ") if entry.startswith(f"tcp/{port(device, name)}\n"))
    own = own if setting else re.sub("    setting: .*\n", "", own)
    means = "".join(f"    - {{id: AM-{number}, kind: {kind}, port: tcp/{port(device, name)}}}\n" for number, kind in enumerate(kinds))
    with folder() as work:
        shutil.copytree(SOURCE / "testplans", work / "testplans")
        cases = work / "testplans/cases/tr03148-p-1.2/passwords.yaml"
        cases.write_text(cases.read_text().replace("tcp: all", f'tcp: "{port(device, name)}"').replace("idle: 630", "idle: 44"))
        (work / "testplans/schemes/sessions.yaml").write_text(PLAN)
        (work / "dut.yaml").write_text(f"{head}web:\n  - port: {own}standard: TS103701@1.1.1\nixit:\n  1-AuthMech:\n{means}")
        run({**device, "dut": work / "dut.yaml"}, work / "out", "--pace", "fast", *FEW_GUESSES, plan="example/sessions",
            env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
        return verdicts(work / "out")["TR03148@1.2:D.18"]


VERDICTS = [(("sound",), "pass"), (("no-token",), "fail"), (("sound", ("token", "password")), "inconclusive"), (("sound", ("token",), False), "inconclusive"),
            (("no-token", ("password",)), "pass"), (("get-lax",), "fail"), (("any-method",), "fail"), (("get-token",), "pass"), (("address-token",), "pass"), (("guarded",), "fail"), (("post-lax",), "inconclusive")]


def judged(device, seen, expected):
    found = verdict(device, *seen)
    assert found == expected, (seen, found, expected)


with emulated(DEVICE) as device:
    def by_hand():
        for name in ("sound", "fixation", "logout-keeps", "open-page"):
            differs = EXPECTED[name]
            assert curl(device, name) == {"kept": differs.get("kept", False), "logout": differs.get("logout", True),
                                          "open": bool(differs.get("open"))}, name
    side_by_side(*[lambda name=name: idle(device, name) for name in IDLE], *[lambda name=name: one(device, name) for name in EXPECTED], by_hand, lambda: by_script(device),
                 *[lambda seen=seen, expected=expected: judged(device, seen, expected) for seen, expected in VERDICTS], at_once=5)
