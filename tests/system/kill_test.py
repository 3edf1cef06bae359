"""kill -9 at 50 random moments of a run: every bundle verifies up to its last event, none claims a verdict it did not
reach, and a killed run can be resumed."""
import collections
import functools
import json
import pathlib
import random
import subprocess
import time

from common import (ASSAY, EXIT_FAILED, EXIT_OPEN, FEW_GUESSES, PLAN, assay, emulated, facts, folder, journal, need, run, side_by_side,
                    verdicts)

KILLS = 50
LATEST = 25.0  # seconds; afterwards a run waits for slow logins
AT_ONCE = 5  # runs of the same device side by side
RESUMED = 2


def kill_after(moment, once_begun, device, out):
    """Runs into `out`, kills the run `moment` seconds after its start or, however busy the machine is, after its first event. The type of
    the last event, "empty" or "nothing"."""
    process = subprocess.Popen([ASSAY, "run", "--plan", PLAN, "--dut", device["dut"], "-o", out, "-q", *FEW_GUESSES],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while once_begun and process.poll() is None and not (out / "bundle/journal.jsonl").exists():
        time.sleep(0.02)
    time.sleep(moment)
    process.kill()
    process.wait()
    bundle = pathlib.Path(out) / "bundle"
    if not (bundle / "journal.jsonl").exists():
        assert not (bundle / "verdicts.json").exists()
        return "nothing"
    events = journal(out)
    return events[-1]["type"] if events else "empty"


def check(out, last, final):
    """What a killed run left verifies, and it may lack something but never contradict the whole run."""
    if last in ("nothing", "empty"):
        return
    report = facts("verify", out)
    assert report["valid"], (out, last, report)
    assert report["events"] == len(journal(out)), (out, report)
    if last != "closed":
        replayed = json.loads(assay("replay", out, "--json").stdout or '{"requirements": []}')
        for requirement in replayed["requirements"]:
            if requirement["verdict"] == "pass":
                assert final[requirement["id"]] == "pass", (out, requirement["id"])


def kill_and_check(device, final, moment, once_begun, out):
    last = kill_after(moment, once_begun, device, out)
    check(out, last, final)
    return last


def resume(out, final):
    done = assay("resume", out, "-q")
    assert done.returncode in (EXIT_FAILED, EXIT_OPEN), (done.returncode, done.stderr)
    assert facts("verify", out)["valid"]
    assert verdicts(out) == final, (verdicts(out), final)


need("busybox", "vsftpd")
with folder() as work, emulated("camera-weak") as device:
    began = time.monotonic()
    run(device, work / "whole", *FEW_GUESSES, check=EXIT_FAILED)
    whole = time.monotonic() - began
    final = verdicts(work / "whole")
    moments = random.Random(20261123)
    # Most moments lie where most happens: in the first seconds of the record.
    plan = [(moments.uniform(0, 6.0 if number % 5 else min(whole, LATEST)), number % 5 > 0, work / f"killed-{number}") for number in range(KILLS)]
    ends = side_by_side(*[functools.partial(kill_and_check, device, final, *item) for item in plan], at_once=AT_ONCE)
    reached = collections.Counter(ends)
    assert len(reached) >= 3, "the kills did not spread over the run"
    killed = [out for (*_, out), last in zip(plan, ends) if last == "observation"][:RESUMED]
    assert killed, "no killed run could be resumed"
    side_by_side(*[functools.partial(resume, out, final) for out in killed])
    print("last events reached:", dict(reached), "resumed:", len(killed))
