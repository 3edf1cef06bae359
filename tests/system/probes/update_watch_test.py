"""Whether a device asks for updates by itself: the real swupdate and a hub of script do and pass the unit on that, the same hub that asks only
when it is told to fails it where it was watched for longer than its declared interval. It stays open where that was not so, and where nothing is declared."""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_FAILED, EXIT_OPEN, assay, emulated, folder, need, side_by_side, units  # noqa: E402
from update_runs import edited, library, observed  # noqa: E402

PLAN = """assay: plan/1
id: asks/1
title: Asking for updates alone
scheme: {name: asks, owner: tests, document: none, read: false}
standard: TR03148@1.2
method: TS103701@1.1.1
cases_from: [TR03148P@1.2]
requirements:
  - {id: "TR03148@1.2:E.3", modality: should, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}
parameters: {}
"""
UNIT = "TR03148P@1.2:E.3-retrieval/recording"


def asks(work, name, watch_s, edits=()):
    """Verdict on the unit, and what was seen of each mechanism that was tried."""
    out = work / f"{name.replace('/', '-')}-{watch_s}-{len(edits)}"
    with emulated(name, "loopback") as device:
        done = assay("run", "--plan", "asks/1", "--dut", edited(device, edits), "-o", out, "-q", "--allow", "destructive", "--capture", "off", "--attacks",
                     "none", "--set", f"update.watch_s={watch_s}", "--set", "update.mechanism=UM-1", timeout=300,
                     env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
    assert done.returncode in (EXIT_OPEN, EXIT_FAILED), (name, done.stdout, done.stderr)
    seen = observed(out)
    titles = [artifact["title"] for artifact in seen["artifacts"]]
    return dict(units(out))[UNIT], seen["facts"]["update.passive"][0], titles


def by_itself(work):
    for name in ("swupdate/sound", "updatable/sound"):
        unit, seen, titles = asks(work, name, 8)
        assert unit["verdict"] == "pass" and seen["unprompted"] and 500 < seen["polling_ms"] < 6000, (name, unit, seen)
        assert any("nobody touched" in title for title in titles), titles


def told_to(work, watch_s, edits, verdict, words):
    unit, seen, _ = asks(work, "updatable/asks-only-when-told", watch_s, edits)
    assert seen["unprompted"] is False and seen["polling_ms"] is None and seen["watched_to_the_end"], seen
    assert seen["watched_ms"] == watch_s * 1000, seen
    assert unit["verdict"] == verdict and words in json.dumps(unit), unit


def unwatched(work):
    unit, seen, _ = asks(work, "updatable/sound", 0)
    assert unit["verdict"] == "inconclusive" and seen["unprompted"] is None and seen["watched_ms"] is None, (unit, seen)


INTERVAL = ", interval_s: 4"
TOLD_TO = [(8, (), "fail", "UM-1 did not ask by itself in 8 s; it is declared to ask every 4 s"),
           (4, (), "inconclusive", "it is declared to ask every 4 s, and a tenth longer is watched (update.watch_s=5)"),
           (8, [(INTERVAL, "")], "inconclusive", "no interval is declared")]
need("swupdate", "openssl", "curl")
with folder() as work:
    library(work)
    (work / "testplans/schemes/asks").mkdir()
    (work / "testplans/schemes/asks/1.yaml").write_text(PLAN)
    side_by_side(lambda: by_itself(work), lambda: unwatched(work), *[lambda row=row: told_to(work, *row) for row in TOLD_TO])
