"""What people add to a run: five files of answers and a review take hub-sound to a complete level 2; nobody reviews himself; waivers
change exit codes only; a walk at the terminal that is killed loses nothing."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time

from common import (ASSAY, EXIT_FAILED, EXIT_OPEN, EXIT_PASSED, EXIT_USAGE, FEW_GUESSES, SOURCE, assay, emulated, facts, folder, journal,
                    library_of_few_logins, need, run, side_by_side, verdicts)

need("busybox", "lighttpd", "dropbear", "mosquitto")

ANSWERS = SOURCE / "tests/devices/hub-sound/answers"
AUTHOR = ("--author", "Mei Tan")


def holds(out):
    """verify and replay agree, and coreutils too."""
    assert facts("verify", out, check=EXIT_PASSED)["closed"]
    stored = (out / "bundle/verdicts.json").read_bytes()
    assert assay("replay", out, "--json", check=EXIT_PASSED).stdout.encode() == stored
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=out / "bundle", check=True)


def summary(out):
    return json.loads((out / "bundle/verdicts.json").read_text())["summary"]


def counts(out):
    found = summary(out)
    return found["evidenced"], found["failed"], found["open"], found["not_applicable"]


def check_complete(out):
    lines = (out / "bundle/journal.jsonl").read_bytes()
    evidenced = -1
    for number, name in enumerate(sorted(ANSWERS.glob("[1-5]-*.yaml")), 1):
        assay("validate", name, check=EXIT_PASSED)
        assay("answer", out, "--file", name, check=EXIT_PASSED)
        holds(out)
        now = (out / "bundle/journal.jsonl").read_bytes()
        assert now.startswith(lines), "what stood in the journal was changed"
        lines = now
        assert counts(out)[0] >= evidenced and counts(out)[1] == 0
        evidenced = counts(out)[0]
    assert counts(out)[2] > 0, "overrides count without a review"
    assert summary(out)["overrides"] == 0 and summary(out)["unreviewed"] > 100
    assay("review", out, "--file", ANSWERS / "review.yaml", check=EXIT_PASSED)
    holds(out)
    assert counts(out) == (30, 0, 0, 2), summary(out)
    assert summary(out)["unreviewed"] == 0 and summary(out)["overrides"] > 0
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "Sofia Berg" in html and "takes the place of INCONCLUSIVE" in html and "DRAFT PLAN" in html
    report = json.loads((out / "report.json").read_text())
    assert any(limit["kind"] == "override" for limit in report["limits"])
    label = next(event for event in journal(out) if event["type"] == "answer" and event["data"]["artifacts"])
    digest = label["data"]["artifacts"][0]["sha256"]
    assert (out / "bundle/artifacts" / digest).read_bytes() in [file.read_bytes() for file in (ANSWERS / "attachments").iterdir()]


def refused(out, words, *arguments):
    before = (out / "bundle/journal.jsonl").read_bytes()
    done = assay(*arguments, check=EXIT_USAGE)
    assert re.search(words, done.stderr), done.stderr
    assert (out / "bundle/journal.jsonl").read_bytes() == before, "something was recorded all the same"
    return done.stderr


def check_refusals(out, work):
    answer = ("answer", out)
    refused(out, "no requirement, case or unit", *answer, "5.99-1", "--verdict", "PASS", "--rationale", "x", *AUTHOR)
    refused(out, "is a requirement", *answer, "5.1-1", "--verdict", "PASS", "--rationale", "x", *AUTHOR)
    refused(out, "say so with overrides", *answer, "5.3-10-1/c", "--verdict", "PASS", "--rationale", "x", *AUTHOR)
    refused(out, "overrides nothing", *answer, "5.2-1-1/a", "--verdict", "PASS", "--rationale", "x", "--overrides", *AUTHOR)
    refused(out, "applies to this device", *answer, "5.2-1", "--verdict", "NOT_APPLICABLE", "--rationale", "x", "--organisation", "L", *AUTHOR)
    refused(out, "named laboratory", *answer, "5.4-2", "--verdict", "NOT_APPLICABLE", "--rationale", "x", *AUTHOR)
    refused(out, "does not apply", *answer, "5.4-2-1", "--verdict", "PASS", "--rationale", "x", *AUTHOR)
    refused(out, "is not a file", *answer, "5.2-1-1", "--verdict", "PASS", "--rationale", "x", "--attach", work / "none", *AUTHOR)
    refused(out, "needs a terminal", *answer, *AUTHOR)
    refused(out, "nothing waits for a review", "review", out, "--decision", "confirmed", *AUTHOR)
    refused(out, "to dispute needs", "review", out, "--decision", "disputed", *AUTHOR)
    wrong = work / "wrong.yaml"
    wrong.write_text("assay: answers/1\nauthor: {name: A}\nanswers:\n  - {id: 5.2-1-1, verdict: PASS, rationale: Seen.}\n"
                     "  - {id: 5.2-1-1, verdict: FAIL, rationale: Not seen.}\n  - {id: nowhere, verdict: FAIL, rationale: x}\n")
    said = refused(out, "answered twice", *answer, "--file", wrong)
    assert "wrong.yaml:5" in said and "wrong.yaml:6" in said, "each fault has its line"

    assay(*answer, "5.2-1-1", "--verdict", "PASS", "--rationale", "The policy \x1b[31m<b>names</b> a contact.", *AUTHOR, check=EXIT_PASSED)
    refused(out, "somebody else has to review", "review", out, "5.2-1-1", "--decision", "confirmed", "--author", " mei  TAN ")
    assay("review", out, "5.2-1-1", "--decision", "disputed", "--comment", "No times.", "--author", "Sofia Berg", check=EXIT_PASSED)
    assert verdicts(out)["EN303645@2.1.1:5.2-1"] == "inconclusive"
    assert "\x1b" not in assay("report", out, "--verbose").stdout and "<b>names" not in (out / "report.html").read_text(encoding="utf-8")
    holds(out)


def check_skeleton(out, work):
    """What --skeleton prints is an answers file once it is filled in."""
    text = assay("answer", out, "5.2-1-2", "--skeleton", "--author", "A. \"B\" Person", check=EXIT_PASSED).stdout
    filled = re.sub(r"^  # (- id|  verdict|  rationale|  attachments)", r"  \1", text, flags=re.M).replace('rationale: ""', "rationale: Seen.")
    (work / "filled.yaml").write_text(filled)
    assay("validate", work / "filled.yaml", check=EXIT_PASSED)
    assay("answer", out, "--file", work / "filled.yaml", check=EXIT_PASSED)
    holds(out)


def walk(out, *keys, kill=False):
    """Types into `assay answer` at a terminal; returns what it said."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(ASSAY, [ASSAY, "answer", str(out), "5.3-13-2", *AUTHOR])
    said = b""
    keys = list(keys)
    deadline = time.monotonic() + 60
    asked = 0
    while time.monotonic() < deadline:
        try:
            said += os.read(terminal, 4096)
        except OSError:
            break
        questions = len(re.findall(rb"\[q\]uit\? |alone: |no more\): ", said))
        while keys and asked < questions:
            os.write(terminal, keys.pop(0).encode() + b"\n")
            asked += 1
        if not keys and kill and questions > asked:
            os.kill(child, signal.SIGKILL)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return said.decode(), status


def check_walk(out):
    said, status = walk(out, "p", "The page opens.", "", "q")
    assert status == 0 and "Step 2 of 3" in said and "1 answer recorded" in said, said
    holds(out)
    said, status = walk(out, "f", "The period is another one.", "", kill=True)
    assert os.WIFSIGNALED(status)
    assert facts("verify", out, check=EXIT_PASSED)["closed"] is False
    assay("replay", out, check=EXIT_PASSED)
    assay("answer", out, "5.3-16-1", "--verdict", "PASS", "--rationale", "Seen.", *AUTHOR, check=EXIT_PASSED)
    holds(out)
    answers = [event for event in journal(out) if event["type"] == "answer"]
    assert [event["data"]["rationale"] for event in answers] == ["The page opens.", "The period is another one.", "Seen."]


def check_waivers(work):
    """A pipeline that knows its failures: the exit code changes, the verdicts do not."""
    waivers = work / "waivers.yaml"

    def write(file, expires, extra=""):
        file.write_text("assay: waivers/1\nwaivers:\n" + "".join(
            f'  - {{id: "{name}", owner: A. Person, reason: Mended in 2.5, expires: "{expires}"}}\n' for name in failed) + extra)

    with emulated("camera-weak") as device:
        failed = ["5.1-1"]
        assert run(device, work / "plain", *FEW_GUESSES).returncode == EXIT_FAILED
        found = verdicts(work / "plain")
        failed = [name for name, verdict in found.items() if verdict == "fail"]
        write(waivers, "2099-12-31", '  - {id: "5.99-9", owner: A. Person, reason: Of another plan, expires: "2099-12-31"}\n')
        expired = work / "expired.yaml"
        write(expired, "2026-01-31")
        done, late = side_by_side(lambda: run(device, work / "waived", "--waivers", waivers, *FEW_GUESSES),
                                  lambda: run(device, work / "expired", "--waivers", expired, *FEW_GUESSES))
        assert (done.returncode, late.returncode) == (EXIT_OPEN, EXIT_FAILED), (done.returncode, late.returncode)
        assert "waives FAIL until 2099-12-31" in assay("report", work / "waived").stdout
        assert "names nothing of this plan" in assay("report", work / "waived").stdout
        assert verdicts(work / "waived") == found, "a waiver changed a verdict"
        assert "expired on 2026-01-31 and is ignored" in assay("report", work / "expired").stdout
    write(waivers, "2099-12-31")
    assay("waive", work / "plain", "--file", waivers, check=EXIT_PASSED)
    holds(work / "plain")
    waivers.write_text("assay: waivers/1\nwaivers:\n  - {id: x, owner: A, reason: b, expires: \"2026-02-30\"}\n")
    assert "a day such as" in assay("validate", waivers, check=EXIT_USAGE).stderr


def check_answers(work):
    with emulated("hub-sound") as device:
        run(device, work / "run", "--library", library_of_few_logins(work), plan="cls-iot/2")
    for name in ("refusals", "walk", "skeleton"):
        shutil.copytree(work / "run", work / name)
    check_complete(work / "run")
    check_refusals(work / "refusals", work)
    check_skeleton(work / "skeleton", work)
    check_walk(work / "walk")


with folder() as work:
    side_by_side(lambda: check_answers(work), lambda: check_waivers(work))
