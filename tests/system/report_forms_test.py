#!/usr/bin/python3
"""The golden JSON report against its published schema, by another implementation; needs python3-jsonschema.

The unit tests hold the reporter to the golden files, so what is valid here is what users get.
"""
import copy
import json
import os
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

SOURCE = pathlib.Path(os.environ.get("ASSAY_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
REPORTS = SOURCE / "tests" / "golden" / "reports"


def main():
    schema = json.loads((SOURCE / "testplans/schemas/report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name in ("report.json", "report-open.json"):
        text = (REPORTS / name).read_bytes()
        assert text.isascii(), name + " has a character beyond ASCII"
        report = json.loads(text)
        faults = [f"{name}: {'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(report)]
        assert not faults, "\n".join(faults)
        assert report["observations"], name
        # The schema has teeth: a member too many, one too few, a word that is none.
        for spoil in (
            lambda r: r.update(extra=1),
            lambda r: r.pop("device"),
            lambda r: r["observations"][0].update(completion="fine"),
            lambda r: r["observations"][0]["invocation"].pop("target"),
        ):
            spoilt = copy.deepcopy(report)
            spoil(spoilt)
            assert not validator.is_valid(spoilt), name
    closed = json.loads((REPORTS / "report.json").read_bytes())
    verdicts = {requirement["verdict"] for requirement in closed["requirements"]}
    assert verdicts == set(schema["$defs"]["verdict"]["enum"]), verdicts


main()
