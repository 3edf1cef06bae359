#!/usr/bin/python3
"""The published JSON Schemas are valid draft 2020-12, and every shipped YAML file is valid against the one it names.

A second opinion on the key tables by another implementation. Needs python3-jsonschema and python3-yaml.
"""

import copy
import json
import os
import pathlib
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed (packages python3-jsonschema and python3-yaml)")
    sys.exit(77)

SOURCE = pathlib.Path(os.environ.get("ASSAY_SOURCE_DIR", "."))
SCHEMAS = SOURCE / "testplans" / "schemas"
KINDS = {"dut", "job", "dictionary", "payloads", "attacks", "fingerprints", "known-keys", "policy", "password-rules", "plan", "cases", "standard", "mapping", "arrangements", "method", "approval", "answers", "reviews", "waivers"}
REPORTS = {"report", "crosswalk"}  # written by us, read by programs: report_forms_test.py, crosswalk_test.py


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2 core booleans, null and numbers only, as Assay and current editors read them."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
):
    CoreLoader.add_implicit_resolver("tag:yaml.org,2002:" + tag, yaml.resolver.re.compile(pattern), list(first))


def validators():
    out = {}
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema", path
        assert schema["$id"].startswith("urn:assay:schema:"), path
        assert schema["description"] and schema["additionalProperties"] is False, path
        out[path.name.split(".")[0]] = jsonschema.Draft202012Validator(schema)
    assert set(out) == KINDS | REPORTS, sorted(out)
    return out


def shipped_files():
    for folder in ("testplans", "tests/devices", "examples"):
        for path in sorted((SOURCE / folder).rglob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            if "{lab}" in text or "{vantages}" in text:
                continue  # a template, filled in when the device runs
            yield path, yaml.load(text, Loader=CoreLoader)


def broken(value):
    """The value with one key that no table knows."""
    out = copy.deepcopy(value)
    out["unknown_key"] = 1
    return out


def main():
    schemas = validators()
    count = 0
    failures = []
    for path, value in shipped_files():
        kind = value["assay"].split("/")[0]
        if kind not in schemas:
            continue
        count += 1
        for error in schemas[kind].iter_errors(value):
            failures.append(f"{path.relative_to(SOURCE)}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        if schemas[kind].is_valid(broken(value)):
            failures.append(f"{path.relative_to(SOURCE)}: the schema accepts an unknown key")
    if count < 5:
        failures.append(f"only {count} shipped files were found")
    print("\n".join(failures) if failures else f"{count} files are valid against {len(schemas)} schemas")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
