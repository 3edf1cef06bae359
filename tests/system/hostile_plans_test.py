"""Wrong and hostile plans end in one placed error, or in ERROR or INCONCLUSIVE: never in a PASS, never in a dead process."""
import shutil
import socket

from common import EXIT_ERROR, EXIT_OPEN, EXIT_USAGE, SOURCE, assay, facts, folder, units

CASE = """assay: cases/1
method: HOSTILE@1
cases:
  - id: HOSTILE@1:1
    covers: EN303645@2.1.1:5.1-1
    title: A case that misbehaves
    type: functional
    strength: reasoned
    source: tests
    units:
      - id: a
        title: A unit that misbehaves
        probe: ports
        with: {tcp: "1-50"}
        %s
        remedy: none
"""
METHOD = "assay: method/1\nid: HOSTILE@1\ntitle: Hostile\nstandard: EN303645@2.1.1\nixit_tables: {1-AuthMech: {about: Logins}}\n"
PLAN = """assay: plan/1
id: hostile/1
title: Hostile
scheme: {name: hostile, owner: tests, document: none, read: false}
standard: EN303645@2.1.1
method: TS103701@1.1.1
cases_from: [HOSTILE@1]
requirements:
  - {id: "EN303645@2.1.1:5.1-1", modality: shall, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}
parameters: {}
"""

# Found when the plan is read: one error with its place and the nearest known name.
REFUSED = {
    "a misspelt fact": ("fail: 'fact(\"ports.opne\")'", "ports.open"),
    "a misspelt fact among the needs": ("needs: [ports.opened]", "ports.open"),
    "an unknown provision": ("fail: 'support(\"5.9-99\") | select(. == \"N\")'", "5.9-99"),
    "an unknown IXIT table": ("fail: 'ixit(\"1-AuthMehc\")'", "1-AuthMech"),
    "jq that does not compile": ("fail: 'fact(\"ports.open\") | ['", "bracket"),
    "halt": ("fail: 'halt'", "halt"),
    "the environment": ("fail: '$ENV.PATH'", "ENV"),
    "an import": ("fail: 'import \"x\" as x; 1'", "import"),
    "a swallowed error": ("fail: 'fact(\"ports.open\")?'", "?"),
    "raw facts": ("fail: 'first(obs(\"ports\")) | .facts'", "facts"),
    "an unknown key": ("fial: '1'", "fail"),
}
# Found when it runs.
MISBEHAVING = {
    "endless recursion": "fail: 'def f: f; f'",
    "deep recursion": "fail: 'def f: 1 + f; f'",
    "a memory bomb": "fail: '[range(1e9)] | length'",
    "an endless stream": "fail: 'repeat(1)'",
    "a runtime error": "fail: '1 + \"text\"'",
    "an unknown name made at run time": "fail: '(\"ports.\" + \"opne\") as $k | fact($k)'",
    "a fact that was not observed": "fail: 'obs(\"ports\") | coverage(\"udp\") | select(. < 5) | \"smaller\"'",
    "an item that is no finding": "fail: '1'",
}


def library(work, text):
    root = work / "testplans"
    if root.exists():
        shutil.rmtree(root)
    shutil.copytree(SOURCE / "testplans", root)
    (root / "cases/hostile").mkdir()
    (root / "cases/hostile/method.yaml").write_text(METHOD)
    (root / "cases/hostile/case.yaml").write_text(CASE % text)
    (root / "schemes/hostile").mkdir()
    (root / "schemes/hostile/level-1.yaml").write_text(PLAN)
    return root


with folder() as work, socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    for name, (text, hint) in REFUSED.items():
        root = library(work, text)
        done = assay("--library", root, "plan", "--plan", "hostile/1", "--target", "127.0.0.1", check=EXIT_USAGE)
        assert hint in done.stderr and "case.yaml:" in done.stderr, (name, done.stderr)
        assert not done.stdout, (name, done.stdout)
    for number, (name, text) in enumerate(MISBEHAVING.items()):
        root = library(work, text)
        out = work / f"out-{number}"
        done = assay("--library", root, "run", "--plan", "hostile/1", "--target", "127.0.0.1", "--pace", "fast", "-q", "-o", out)
        assert done.returncode in (EXIT_ERROR, EXIT_OPEN), (name, done.returncode, done.stderr)
        found = {unit["verdict"] for _, unit in units(out)}
        assert found <= {"error", "inconclusive"}, (name, found)
        assert facts("verify", out)["valid"], name
        print(f"{name}: {sorted(found)}")

    bomb = work / "bomb.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [f"a{i}: &a{i} [{', '.join(['*a%d' % (i - 1)] * 10)}]" for i in range(1, 12)]
    bomb.write_text("assay: dut/1\n" + "\n".join(lines))
    done = assay("validate", bomb, check=EXIT_USAGE, timeout=20)
    assert "bomb.yaml:" in done.stderr, done.stderr
    big = work / "big.yaml"
    big.write_text("assay: dut/1\n# " + "x" * (2 << 20))
    assay("validate", big, check=EXIT_USAGE, timeout=20)
