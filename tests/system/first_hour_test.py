"""The first hour: one command with an address and nothing else ends with the defects found, what is open, and a dut.yaml to go
on from; and the safety rules hold without any file."""
from common import EXIT_FAILED, EXIT_OPEN, EXIT_PASSED, EXIT_REFUSED, EXIT_USAGE, FEW_GUESSES, assay, emulated, facts, folder, journal, need, verdicts

need("busybox", "vsftpd")
with folder() as work, emulated("camera-weak") as device:
    out = work / "first"
    netns = ["--netns", device["netns"]] if device["netns"] else []
    done = assay("run", "--plan", "cls-iot/1", "--target", device["address"], "--pace", "fast", "-o", out, *netns, *FEW_GUESSES, check=EXIT_FAILED)
    assert "FAIL" in done.stdout and "DRAFT" in done.stdout, done.stdout
    assert verdicts(out)["EN303645@2.1.1:5.1-1"] == "fail", verdicts(out)
    assert "dut.yaml" in done.stdout, done.stdout
    text = (out / "dut.yaml").read_text()
    assert "1-AuthMech" in text and "telnet" in text, text
    assay("validate", out / "dut.yaml", check=EXIT_PASSED)

    # The written file is one to go on from: the same device, now with a declaration.
    second = work / "second"
    done = assay("run", "--plan", "cls-iot/1", "--dut", out / "dut.yaml", "-o", second, "-q", *netns, *FEW_GUESSES)
    assert done.returncode == EXIT_FAILED, done.stderr

with folder() as work:
    refused = assay("run", "--plan", "cls-iot/1", "--target", "8.8.8.8", "-o", work / "public", check=EXIT_REFUSED)
    assert "8.8.8.8" in refused.stderr and "--allow-public" in refused.stderr, refused.stderr
    assert not (work / "public").exists(), "a refused run leaves nothing behind"
    assay("run", "--plan", "cls-iot/1", "--target", "not-an-address", "-o", work / "bad", check=EXIT_USAGE)
    assay("run", "--plan", "cls-iot/9", "--target", "127.0.0.1", "-o", work / "bad", check=EXIT_USAGE)
