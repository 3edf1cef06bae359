"""Conventions of the command line: help, version, JSON on every verb that prints facts, colour, man page, completion, exit codes."""
import json
import shutil
import subprocess

from common import ASSAY, EXIT_NOT_VERIFIED, EXIT_PASSED, EXIT_USAGE, SOURCE, assay, facts, folder

VERBS = "demo run resume plan plans coverage init declare explain validate report replay verify probe probes dictionary secret emulate doctor".split()

help_text = assay("--help", check=EXIT_PASSED).stdout
for verb in VERBS:
    assert verb in help_text, verb
    assert assay(verb, "--help", check=EXIT_PASSED).stdout, verb
assert assay("--version", check=EXIT_PASSED).stdout.startswith("assay ")
assay(check=EXIT_USAGE)
assay("no-such-verb", check=EXIT_USAGE)
assay("run", check=EXIT_USAGE)
assay("run", "--plan", "cls-iot/1", check=EXIT_USAGE)

assert any(plan["id"] == "cls-iot/1" for plan in facts("plans"))
assert {probe["id"] for probe in facts("probes")} >= {"ports", "services", "credentials"}
explained = facts("explain", "5.1-1-2")
assert explained[0]["units"], explained
text = assay("explain", "5.1-1-2", check=EXIT_PASSED).stdout
assert "(default)" in text, "parameters are printed with their defaults"
assay("explain", "9.9-9-9", check=EXIT_USAGE)
assert facts("doctor")["capabilities"]
assert "camera-weak" in facts("emulate")
planned = facts("plan", "--plan", "cls-iot/1", "--target", "127.0.0.1")
assert planned["steps"] and len(planned["plan"]["requirements"]) == 13
assert "DRAFT" in assay("plan", "--plan", "cls-iot/1", "--target", "127.0.0.1", check=EXIT_PASSED).stdout

# A parameter of a probe over its default: in every step that leaves it open, in the time it may take, and said.
usual = next(step for step in planned["steps"] if step["probe"] == "udp")
assert usual["parameters"]["ports"] == "payloads" and usual["estimate_ms"] == 135000, usual
wide = facts("plan", "--plan", "cls-iot/1", "--target", "127.0.0.1", "--set", "udp.ports=all", "--set", "udp.prove=7200")
asked = [step for step in wide["steps"] if step["probe"] == "udp"]
assert asked and all(step["parameters"]["ports"] == "all" and step["parameters"]["prove"] == 7200 for step in asked), asked
assert all(step["estimate_ms"] == 7215000 < step["deadline_ms"] for step in asked), asked
assert any("udp.ports=all" in line for line in wide["assumptions"]), wide["assumptions"]
for wrong in ("udp", "udp.ports", "none.ports=1", "udp.none=1", "udp.prove=soon"):
    assay("plan", "--plan", "cls-iot/1", "--target", "127.0.0.1", "--set", wrong, check=EXIT_USAGE)

# Dictionaries: what is in them, and what is wrong with one.
lists = {one["id"]: one for one in facts("dictionary")}
assert lists["iot-common"]["credentials"] > 100 and "hikvision" in lists["iot-common"]["likelier_for"], lists
assert lists["common-passwords"]["likelier_for"] == [], lists
text = assay("dictionary", "iot-common", check=EXIT_PASSED).stdout
assert "tried first on what comes from:" in text and "common-passwords" not in text, text
assay("dictionary", "none", check=EXIT_USAGE)
with folder() as work:
    shutil.copytree(SOURCE / "testplans", work, dirs_exist_ok=True)
    (work / "dictionaries/own.yaml").write_text("assay: dictionary/1\nid: own\ntitle: T\nsource: S\ncredentials:\n"
                                                "  - {username: a, password: b, for: [acme, Acme]}\n")
    wrong = assay("dictionary", "--library", work, check=EXIT_USAGE)
    assert "own.yaml:6:" in wrong.stderr and "stands twice" in wrong.stderr, wrong.stderr

observation = facts("probe", "ports", "127.0.0.1", "--tcp", "1-3", "--pace", "fast")
assert observation["coverage"]["tcp"]["asked"] == 3, observation
assay("probe", "ports", "127.0.0.1", "--set", "tcp=nonsense", check=None)
assay("probe", "nothing", "127.0.0.1", check=EXIT_USAGE)
assert "\x1b" not in assay("plans").stdout

with folder() as work:
    assay("verify", work, check=EXIT_NOT_VERIFIED)
    assay("report", work, check=EXIT_NOT_VERIFIED)
    (work / "dut.yaml").write_text("assay: dut/1\nsampels: []\n")
    wrong = assay("validate", work / "dut.yaml", check=EXIT_USAGE)
    assert "dut.yaml:2:1" in wrong.stderr and "samples" in wrong.stderr, wrong.stderr

man = assay("man", check=EXIT_PASSED).stdout
for verb in VERBS:
    assert f".SS {verb}" in man, verb
shell = assay("completion", check=EXIT_PASSED).stdout
assert subprocess.run(["bash", "-n"], input=shell, text=True).returncode == 0
offered = subprocess.run(["bash", "-c", shell + "\nCOMP_WORDS=(assay ver); COMP_CWORD=1; _assay; echo ${COMPREPLY[@]}"],
                         capture_output=True, text=True).stdout.split()
assert offered == ["verify"], offered
