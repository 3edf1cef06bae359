"""kill -9 at 50 random moments of a run: every bundle verifies up to its last event, none claims a verdict it did not
reach, and a killed run can be resumed."""
import collections
import concurrent.futures
import json
import pathlib
import random
import subprocess
import time

from common import ASSAY, EXIT_OPEN, EXIT_FAILED, PLAN, assay, emulated, facts, folder, journal, need, run, verdicts

KILLS = 50
LATEST = 40.0  # seconds; afterwards a run waits for slow logins
AT_ONCE = 3  # runs of the same device side by side
RESUMED = 2


def kill_after(moment, device, out):
    """Runs into `out`, kills the run after `moment` seconds. The type of the last event, "empty" or "nothing"."""
    process = subprocess.Popen([ASSAY, "run", "--plan", PLAN, "--dut", device["dut"], "-o", out, "-q"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


need("busybox", "vsftpd")
with folder() as work, emulated("camera-weak") as device:
    began = time.monotonic()
    run(device, work / "whole", check=EXIT_FAILED)
    whole = time.monotonic() - began
    final = verdicts(work / "whole")
    moments = random.Random(20261123)
    # Most moments lie where most happens: in the first seconds.
    plan = [(moments.uniform(0, min(whole, 6.0) if number % 5 else min(whole, LATEST)), work / f"killed-{number}") for number in range(KILLS)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda item: kill_after(item[0], device, item[1]), plan))
    for (_, out), last in zip(plan, ends):
        check(out, last, final)
    reached = collections.Counter(ends)
    assert len(reached) >= 3, "the kills did not spread over the run"
    killed = [out for (_, out), last in zip(plan, ends) if last == "observation"][:RESUMED]
    assert killed, "no killed run could be resumed"
    for out in killed:
        done = assay("resume", out, "-q")
        assert done.returncode in (EXIT_FAILED, EXIT_OPEN), (done.returncode, done.stderr)
        assert facts("verify", out)["valid"]
        assert verdicts(out) == final, (verdicts(out), final)
    print("last events reached:", dict(reached), "resumed:", len(killed))
