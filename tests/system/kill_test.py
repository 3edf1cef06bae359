"""kill -9 at 50 random moments of a run: every bundle verifies up to its last event, none claims a verdict it did not
reach, and a killed run can be resumed."""
import json
import pathlib
import random
import subprocess
import time

from common import ASSAY, EXIT_OPEN, EXIT_FAILED, PLAN, assay, emulated, facts, folder, journal, need, run, verdicts

KILLS = 50

need("busybox", "vsftpd")
with folder() as work, emulated("camera-weak") as device:
    began = time.monotonic()
    run(device, work / "whole", check=EXIT_FAILED)
    whole = time.monotonic() - began
    final = verdicts(work / "whole")
    moments = random.Random(20261123)
    reached = {}
    resumed = 0
    for number in range(KILLS):
        out = work / f"killed-{number}"
        process = subprocess.Popen([ASSAY, "run", "--plan", PLAN, "--dut", device["dut"], "-o", out, "-q"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, min(whole, 6.0) if number % 5 else whole))
        process.kill()
        process.wait()
        bundle = pathlib.Path(out) / "bundle"
        if not (bundle / "journal.jsonl").exists():
            reached["nothing"] = reached.get("nothing", 0) + 1
            assert not (bundle / "verdicts.json").exists()
            continue
        events = journal(out)
        last = events[-1]["type"] if events else "empty"
        reached[last] = reached.get(last, 0) + 1
        report = facts("verify", out)
        if events:
            assert report["valid"], (number, last, report)
            assert report["events"] == len(events), (number, report, len(events))
        if last != "closed":
            # What is there may lack something, never contradict the whole run: no PASS where the whole run has none.
            replayed = assay("replay", out, "--json").stdout if events else ""
            if '"verdict":"pass"' in replayed:
                for requirement in json.loads(replayed)["requirements"]:
                    if requirement["verdict"] == "pass":
                        assert final[requirement["id"]] == "pass", (number, requirement["id"])
        if last == "observation" and resumed < 2:
            resumed += 1
            done = assay("resume", out, "-q")
            assert done.returncode in (EXIT_FAILED, EXIT_OPEN), (done.returncode, done.stderr)
            assert facts("verify", out)["valid"]
            assert verdicts(out) == final, (verdicts(out), final)
    print("last events reached:", reached, "resumed:", resumed)
    assert len(reached) >= 3, "the kills did not spread over the run"
    assert resumed, "no killed run could be resumed"
