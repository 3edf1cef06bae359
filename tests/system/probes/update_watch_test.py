"""Whether a device asks for updates by itself: the real swupdate and a hub of script do and pass the unit on that, the same hub that asks only
when it is told to leaves it open, and so does one that nobody watched."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_FAILED, EXIT_OPEN, assay, emulated, folder, need, side_by_side, units  # noqa: E402
from update_runs import library, observed, verdict_of  # noqa: E402

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


def asks(work, name, watch_s):
    """Verdict on the unit, and what was seen of each mechanism that was tried."""
    out = work / f"{name.replace('/', '-')}-{watch_s}"
    with emulated(name, "loopback") as device:
        done = assay("run", "--plan", "asks/1", "--dut", device["dut"], "-o", out, "-q", "--allow", "destructive", "--capture", "off", "--attacks",
                     "none", "--set", f"update.watch_s={watch_s}", "--set", "update.mechanism=UM-1", timeout=300,
                     env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
    assert done.returncode in (EXIT_OPEN, EXIT_FAILED), (name, done.stdout, done.stderr)
    seen = observed(out)
    titles = [artifact["title"] for artifact in seen["artifacts"]]
    return verdict_of(dict(units(out)), UNIT), seen["facts"]["update.passive"][0], titles


def by_itself(work):
    verdict, seen, titles = asks(work, "swupdate/sound", 8)
    assert verdict == "pass" and seen["unprompted"] and 500 < seen["polling_ms"] < 4000, (verdict, seen)
    assert any("nobody touched" in title for title in titles), titles


    verdict, seen, _ = asks(work, "updatable/sound", 8)
    assert verdict == "pass" and seen["unprompted"], (verdict, seen)


def told_to(work):
    verdict, seen, _ = asks(work, "updatable/asks-only-when-told", 8)
    assert verdict == "inconclusive" and seen["unprompted"] is False and seen["polling_ms"] is None, (verdict, seen)


def unwatched(work):
    verdict, seen, _ = asks(work, "updatable/sound", 0)
    assert verdict == "inconclusive" and seen["unprompted"] is None, (verdict, seen)


need("swupdate", "openssl", "curl")
with folder() as work:
    library(work)
    (work / "testplans/schemes/asks").mkdir()
    (work / "testplans/schemes/asks/1.yaml").write_text(PLAN)
    side_by_side(lambda: by_itself(work), lambda: told_to(work), lambda: unwatched(work))
