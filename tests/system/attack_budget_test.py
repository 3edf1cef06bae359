"""The time that attacks need is in the run plan, and more than the budget is asked for: at a terminal by a question, elsewhere by an
option; without either what there is no time for is not tried, and said so before the first packet and in the bundle."""
import json
import os
import pathlib
import pty
import sys
import time

from common import ASSAY, EXIT_FAILED, EXIT_OPEN, EXIT_REFUSED, SOURCE, assay, emulated, folder, need

sys.path.insert(0, str(SOURCE / "tests/system/probes"))
from update_runs import library, observed  # noqa: E402

TRIED = ["older", "other-model", "appended"]
# The device is said to take 20 s: 40 s for each attack, and as long for each genuine update with its way back.
TAKES, ROOM_FOR_ONE, ROOM_FOR_NONE = "20s", 130, 75  # s


def arguments(device, budget, *more):
    dut = pathlib.Path(device["dut"])
    text = dut.read_text()
    slower = dut.with_name("slower.yaml")
    slower.write_text("\n".join(line if not line.startswith("    takes:") else "    takes: " + TAKES for line in text.split("\n")))
    assert TAKES in slower.read_text(), text
    return ["--plan", "updates/1", "--dut", str(slower), "--allow", "destructive", "--set", f"update.budget_s={budget}", *more]


def at_terminal(env, key, *args):
    """What `assay run` says to a person who types one key, and its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(ASSAY, [ASSAY, *args], env)
    said, typed, end = b"", False, time.monotonic() + 240
    while time.monotonic() < end:
        try:
            said += os.read(terminal, 4096)
        except OSError:
            break
        if not typed and b"[q]uit? " in said:
            os.write(terminal, key.encode() + b"\n")
            typed = True
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert typed, said
    return said.decode(), os.waitstatus_to_exitcode(status)


def made(out):
    """Ids that were tried, and those for which there was no time."""
    facts = observed(out)["facts"]
    assert facts["update.control"][0]["accepted"], facts["update.control"]
    late = [one["attack"] for one in facts["update.not_tried"] if "budget_s" in one["why"]]
    return [one["attack"] for one in facts["update.attempts"]], [id for id in TRIED if id in late]


def budget(out):
    """Seconds that the run plan gives to the attacks."""
    steps = json.loads((out / "bundle/runplan.json").read_text())["steps"]
    return next(step["parameters"]["budget_s"] for step in steps if step["probe"] == "update")


def check_plan(env, device):
    text = assay("plan", *arguments(device, ROOM_FOR_ONE, "--set", "update.attacks=" + ",".join(TRIED)), check=0, env=env).stdout
    assert "UM-1  older  about 40 s\n" in text and "UM-1  appended  about 40 s, NO TIME FOR IT" in text, text
    assert "the genuine updates before and after: about 80 s" in text, text
    assert "3 attacks of step" in text and "need about 4 minutes and have 3" in text, text
    assert "not tried: other-model, appended." in text and "watched first" not in text, text
    text = assay("plan", *arguments(device, ROOM_FOR_ONE, "--set", "update.watch_s=60"), check=0, env=env).stdout
    assert "watched first, whether it asks by itself: about 80 s\n" in text, text


def check_runs(env, device, work):
    attacks = ["--attacks", ",".join(TRIED), "--capture", "off"]
    said, code = at_terminal(env, "q", "run", *arguments(device, ROOM_FOR_ONE, *attacks, "-o", str(work / "quit")))
    assert code == EXIT_REFUSED and "need about 4 minutes and have 3" in said and not (work / "quit").exists(), (code, said)
    said, code = at_terminal(env, "a", "run", *arguments(device, ROOM_FOR_NONE, *attacks, "-o", str(work / "all")))
    assert code in (EXIT_OPEN, EXIT_FAILED) and made(work / "all") == (TRIED, []), (code, said)
    assert budget(work / "all") > ROOM_FOR_ONE, said
    said, code = at_terminal(env, "f", "run", *arguments(device, ROOM_FOR_NONE, *attacks, "-o", str(work / "fitting")))
    assert code in (EXIT_OPEN, EXIT_FAILED) and made(work / "fitting") == ([], TRIED), (code, said)
    assert budget(work / "fitting") == ROOM_FOR_NONE, said


def check_unattended(env, device, work):
    attacks = ["--attacks", ",".join(TRIED), "--capture", "off"]
    told = assay("run", *arguments(device, ROOM_FOR_NONE, *attacks, "-o", str(work / "budget")), env=env, timeout=240)
    assert "by that estimate not tried: older, other-model, appended. --extend-budget" in told.stderr, told.stderr
    assert made(work / "budget") == ([], TRIED)
    plan = json.loads((work / "budget/bundle/runplan.json").read_text())
    assert any("not tried: older, other-model, appended." in one for one in plan["assumptions"]), plan["assumptions"]
    told = assay("run", *arguments(device, ROOM_FOR_NONE, *attacks, "--extend-budget", "-o", str(work / "extended")), env=env, timeout=240)
    assert "not tried" not in told.stderr and made(work / "extended") == (TRIED, []), told.stderr


need("openssl", "curl")
with folder() as work, emulated("updatable/sound", "loopback") as device:
    library(work)
    env = {**os.environ, "ASSAY_LIBRARY": str(work / "testplans")}
    check_plan(env, device)
    check_runs(env, device, work)
    check_unattended(env, device, work)
