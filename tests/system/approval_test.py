"""A plan is a draft until somebody has checked it against the scheme's document, and again once it changes."""
import shutil

from common import EXIT_PASSED, EXIT_USAGE, SOURCE, assay, facts, folder

APPROVE = ("plan", "approve", "--plan", "cls-iot/1", "--document", "A document, edition 1", "--by", "A \"B\" Person",
           "--organisation", "Example Laboratory")


def listed(library):
    return next(plan for plan in facts("--library", library, "plans") if plan["id"] == "cls-iot/1")


with folder() as work:
    library = work / "testplans"
    shutil.copytree(SOURCE / "testplans", library)
    assert listed(library)["approval"] is None
    assert "DRAFT" in assay("--library", library, "plans").stdout
    recorded = facts("--library", library, *APPROVE, check=EXIT_PASSED)
    assert recorded["digest"] == listed(library)["digest"] and recorded["by"] == 'A "B" Person', recorded
    approval, = (library / "approvals").iterdir()
    assay("--library", library, "validate", approval, check=EXIT_PASSED)
    assay("--library", library, *APPROVE, check=EXIT_USAGE)  # this state is approved already

    planned = facts("--library", library, "plan", "--plan", "cls-iot/1", "--target", "127.0.0.1")
    assert planned["plan"]["approval"] == recorded, planned["plan"]["approval"]

    level = library / "schemes/cls-iot/level-1.yaml"
    text = level.read_text(encoding="utf-8")
    level.write_text("# A comment changes nothing.\n" + text, encoding="utf-8")
    assert listed(library)["approval"] == recorded
    level.write_text(text.replace("minimum_days: 100", "minimum_days: 99"), encoding="utf-8")
    changed = listed(library)
    assert changed["approval"] is None and changed["digest"] != recorded["digest"], changed

    case = library / "cases/ts103701-1.1.1/5.1.yaml"
    level.write_text(text, encoding="utf-8")
    case.write_text(case.read_text(encoding="utf-8").replace("samples: 2", "samples: 3", 1), encoding="utf-8")
    assert listed(library)["approval"] is None, "a case is part of what was checked"

assay("plan", "approve", "--plan", "cls-iot/1", "--document", "D", check=EXIT_USAGE)  # nobody is named
