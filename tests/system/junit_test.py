#!/usr/bin/python3
"""The golden JUnit reports against the dialect that Jenkins reads (tests/golden/junit-10.xsd), by xmllint.

The unit tests hold the reporter to the golden files, so what is valid here is what CI servers get.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

SOURCE = pathlib.Path(os.environ.get("ASSAY_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
GOLDEN = SOURCE / "tests" / "golden"
NAMES = ("junit.xml", "junit-open-as-failure.xml", "junit-open-run.xml")


def valid(path):
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", GOLDEN / "junit-10.xsd", path],
                          capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def count(suite, element):
    return sum(1 for case in suite.iter("testcase") if case.find(element) is not None)


def main():
    if not shutil.which("xmllint"):
        print("skipped: xmllint is not installed (package libxml2-utils)")
        return 77
    for name in NAMES:
        path = GOLDEN / "reports" / name
        good, words = valid(path)
        assert good, words
        root = ET.parse(path).getroot()
        for suite in root:
            assert int(suite.get("tests")) == len(suite.findall("testcase")), suite.get("name")
            for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert int(suite.get(attribute)) == count(suite, element), (name, suite.get("name"), attribute)
        for attribute in ("tests", "failures", "errors"):
            assert int(root.get(attribute)) == sum(int(suite.get(attribute)) for suite in root), (name, attribute)
        names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
        assert len(names) == len(set(names)), "two testcases of one name: a CI server would merge them"
        # The schema has teeth.
        text = path.read_text(encoding="utf-8")
        for spoilt in (text.replace(' tests="', ' test="', 1), text.replace("<testcase ", "<case ", 1),
                       text.replace("<properties>", "<extra/><properties>", 1), text + "<more/>"):
            with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as file:
                file.write(spoilt)
                file.flush()
                assert not valid(file.name)[0], name
    return 0


sys.exit(main())
