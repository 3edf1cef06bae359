"""SIGINT leaves a valid, resumable bundle (exit 130); a device that dies mid-run gives INCONCLUSIVE with the moment of death."""
import signal
import subprocess
import time

from common import (ASSAY, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OPEN, EXIT_USAGE, FEW_GUESSES, PLAN, assay, emulated, facts, folder,
                    journal, need, run, side_by_side, units, verdicts)

need("busybox", "vsftpd", "python3")


def interrupt(work):
    """One run is interrupted and resumed; its verdicts."""
    out = work / "interrupted"
    with emulated("camera-weak") as device:
        process = subprocess.Popen([ASSAY, "run", "--plan", PLAN, "--dut", device["dut"], "-o", out, "-q", *FEW_GUESSES],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2400):
            if (out / "bundle/journal.jsonl").exists() and any(event["type"] == "observation" for event in journal(out)):
                break
            time.sleep(0.05)
        else:
            process.kill()
            raise AssertionError("nothing was observed within two minutes")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
        assert process.returncode == EXIT_INTERRUPTED, (process.returncode, err)
        assert "resume" in err, err
        assert facts("verify", out)["valid"]
        assert not (out / "bundle/verdicts.json").exists()
        done = assay("resume", out, "-q")
    assert done.returncode == EXIT_FAILED, (done.returncode, done.stderr)
    assert facts("verify", out)["closed"]
    ended = [event["data"]["observation"]["invocation"] for event in journal(out)
             if event["type"] == "observation" and event["data"]["observation"]["completion"] not in ("cancelled", "device_lost")]
    keys = [str((one["probe"], one["target"], one["endpoint"], one["parameters"])) for one in ended]
    assert len(keys) == len(set(keys)), "an invocation was done twice"
    assay("resume", out, check=EXIT_USAGE)  # closed: nothing to go on with
    return verdicts(out)


def go_through(work):
    """The verdicts of a run that nobody interrupts."""
    with emulated("camera-weak") as device:
        run(device, work / "whole", *FEW_GUESSES, check=EXIT_FAILED)
    return verdicts(work / "whole")


def lose(work):
    """A device that dies mid-run."""
    out = work / "dies"
    with emulated("dies") as device:
        done = run(device, out)
    assert done.returncode in (EXIT_OPEN, EXIT_FAILED), (done.returncode, done.stderr)
    lost = [event for event in journal(out) if event["type"] == "device_lost"]
    assert len(lost) == 1, [event["type"] for event in journal(out)]
    assert facts("verify", out)["valid"]
    assert "pass" not in verdicts(out).values(), verdicts(out)
    moment = lost[0]["time"][:19]
    assert any(moment in unit["because"] or any(moment in entry["what"] for entry in unit["open"]) for _, unit in units(out)), \
        "no unit names the moment of death"


with folder() as work:
    resumed, whole, _ = side_by_side(lambda: interrupt(work), lambda: go_through(work), lambda: lose(work))
    assert resumed == whole, "a resumed run gives the verdicts of a whole one"
