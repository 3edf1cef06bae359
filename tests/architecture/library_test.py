"""The plan library is whole: every provision, case and unit of the standards is there once, and nothing is orphaned."""
import collections
import re
import subprocess
import unittest

from common import ASSAY, SOURCE
from plan_data import documents

# TS 103 701 V1.1.1: test case -> its units.
CONCEPTUAL = """
4-1-1 a | 5.1-1-1 a | 5.1-2-1 abcd | 5.1-3-1 abcd | 5.1-4-1 a | 5.1-5-1 a | 5.2-1-1 a | 5.2-2-1 ab | 5.2-3-1 abcd
5.3-1-1 ab | 5.3-2-1 a | 5.3-3-1 a | 5.3-4-1 ab | 5.3-5-1 a | 5.3-6-1 a | 5.3-7-1 abcd | 5.3-8-1 ab | 5.3-9-1 abcd
5.3-10-1 abc | 5.3-11-1 ab | 5.3-12-1 a | 5.3-13-1 a | 5.3-14-1 a | 5.3-15-1 ab | 5.3-16-1 a
5.4-1-1 abcd | 5.4-2-1 abc | 5.4-3-1 ab | 5.4-4-1 ab | 5.5-1-1 abcd | 5.5-2-1 ab | 5.5-3-1 ab | 5.5-4-1 abcd
5.5-5-1 a | 5.5-6-1 a | 5.5-7-1 a | 5.5-8-1 ab | 5.6-1-1 a | 5.6-2-1 ab | 5.6-3-1 abc | 5.6-4-1 abc | 5.6-5-1 a
5.6-6-1 a | 5.6-7-1 a | 5.6-8-1 ab | 5.6-9-1 ab | 5.7-1-1 ab | 5.7-2-1 ab | 5.8-1-1 a | 5.8-2-1 a | 5.9-1-1 a
5.9-2-1 a | 5.9-3-1 ab | 5.10-1-1 ab | 5.11-1-1 abc | 5.11-2-1 ab | 5.12-1-1 ab | 5.13-1-1 ab
6-1-1 a | 6-2-1 a | 6-3-1 a | 6-4-1 a | 6-5-1 a
"""
FUNCTIONAL = """
5.1-1-2 abc | 5.1-2-2 a | 5.1-3-2 a | 5.1-4-2 ab | 5.1-5-2 ab | 5.2-1-2 ab | 5.3-1-2 a | 5.3-2-2 ab | 5.3-6-2 abcd
5.3-13-2 abc | 5.3-14-2 abcde | 5.3-15-2 abcde | 5.3-16-2 ab | 5.4-1-2 a | 5.4-2-2 a | 5.4-3-2 a | 5.5-1-2 a
5.5-2-2 a | 5.5-4-2 abc | 5.5-5-2 ab | 5.5-6-2 a | 5.5-7-2 a | 5.6-1-2 ab | 5.6-2-2 a | 5.6-3-2 abcd | 5.6-4-2 ab
5.7-1-2 a | 5.7-2-2 ab | 5.8-1-2 a | 5.8-2-2 a | 5.8-3-1 abc | 5.9-1-2 ab | 5.9-2-2 ab | 5.9-3-2 a | 5.11-1-2 abc
5.11-2-2 abc | 5.11-3-1 abc | 5.11-4-1 ab | 5.12-1-2 abcd | 5.12-2-1 abc | 5.12-3-1 abc | 5.13-1-2 abc
6-1-2 abcd | 6-2-2 a | 6-3-2 a | 6-5-2 abcd
"""

# TS 103 701 V2.1.1 against it: cases that are no more, and cases that are new or have other units.
GONE = "4-1-1 5.3-4-1 5.3-6-1 5.3-6-2 5.3-15-1 5.3-15-2 5.6-4-1 5.6-4-2 5.13-1-1 5.13-1-2 6-3-1 6-3-2"
CHANGED = """
5.0-1-1 a | 5.1-2A-1 a | 5.1-2A-2 ab | 5.1-4-1 ab | 5.3-4A-1 a | 5.3-4A-2 a | 5.3-4B-1 abc | 5.3-4B-2 abc
5.3-6A-1 ab | 5.3-6A-2 a | 5.3-6B-1 a | 5.3-6B-2 a | 5.3-14-2 abcd | 5.3-15A-1 a | 5.3-15A-2 abc | 5.3-15B-1 a
5.3-15B-2 ab | 5.6-1-1 ab | 5.6-1-2 abc | 5.6-3-1 ab | 5.6-3-2 abc | 5.6-4A-1 abcd | 5.6-4A-2 ab | 5.6-4B-1 a
5.6-4B-2 a | 5.11-1-2 abcd | 5.11-4-1 abc | 5.12-3-1 ab | 5.12-3-2 abcde | 5.13-1A-1 ab | 5.13-1A-2 ab
5.13-1B-1 ab | 5.13-1B-2 ab | 6-1-2 ab | 6-3A-1 a | 6-3A-2 a | 6-3B-1 a | 6-3B-2 a | 6-6-1 abc | 6-6-2 abcd
6-7-1 abc | 6-7-2 ab | 6-8-1 a | 6-8-2 ab
"""


def table(words):
    return dict(entry.split() for line in words.strip().splitlines() for entry in line.split(" | "))


def cases(method):
    return [case for _, document in documents("cases/1") if document["method"] == method for case in document["cases"]]


class Library(unittest.TestCase):
    def test_every_case_and_unit_of_the_first_edition_is_there_once(self):
        found = collections.Counter(case["id"] for case in cases("TS103701@1.1.1"))
        self.assertEqual(max(found.values()), 1)
        units = {case["id"].split(":")[1]: {re.split("-", unit["id"])[0] for unit in case["units"]}
                 for case in cases("TS103701@1.1.1")}
        wanted = table(CONCEPTUAL) | table(FUNCTIONAL)
        self.assertEqual(set(units), set(wanted))
        for case, letters in wanted.items():
            self.assertGreaterEqual(units[case], set(letters), case)

    def test_the_first_edition_has_its_count_of_cases(self):
        self.assertEqual(len(table(CONCEPTUAL)), 63)
        self.assertEqual(len(table(FUNCTIONAL)) + 1, 47)  # 5.3-10-1 is both
        types = {case["id"].split(":")[1]: case.get("type", "functional") for case in cases("TS103701@1.1.1")}
        for case in table(FUNCTIONAL):
            self.assertEqual(types[case], "functional", case)
        for case in table(CONCEPTUAL):
            if case != "5.3-10-1":
                self.assertEqual(types[case], "conceptual", case)

    def test_every_case_and_unit_of_the_second_edition_is_there_once(self):
        library = {case["id"]: case for edition in ("1.1.1", "2.1.1") for case in cases(f"TS103701@{edition}")}
        wanted = table(CONCEPTUAL) | table(FUNCTIONAL)
        wanted = {case: letters for case, letters in wanted.items() if case not in GONE.split()} | table(CHANGED)
        found = collections.Counter(case["id"].split(":")[1] for case in cases("TS103701@2.1.1"))
        self.assertEqual(max(found.values()), 1)
        self.assertEqual(set(found), set(wanted))

        def letters_of(case):
            own = {unit["id"].split("-")[0] for unit in case.get("units", [])}
            if "like" not in case:
                return own
            dropped = {unit.split("-")[0] for unit in case.get("without", [])}
            return own | (letters_of(library[case["like"]]) - dropped)

        for case, letters in wanted.items():
            self.assertGreaterEqual(letters_of(library[f"TS103701@2.1.1:{case}"]), set(letters), case)

    def test_every_provision_has_a_case(self):
        for _, standard in documents("standard/1"):
            covered = {case["covers"] for _, document in documents("cases/1") for case in document["cases"]}
            covered |= {row["id"] for _, document in documents("mapping/1") for row in document["rows"]}
            missing = [one["id"] for one in standard["provisions"] if one["id"] not in covered]
            self.assertEqual(missing, [], standard["id"])

    def test_no_standard_of_a_scheme_is_orphaned(self):
        used = {requirement["id"] for _, plan in documents("plan/1") for requirement in plan["requirements"]}
        for path, standard in documents("standard/1"):
            if not standard["id"].startswith("EN303645@"):
                orphans = [one["id"] for one in standard["provisions"] if one["id"] not in used]
                self.assertEqual(orphans, [], f"{path}: no plan asks for these")

    def test_the_page_about_the_coverage_is_fresh(self):
        said = subprocess.run([ASSAY, "--library", str(SOURCE / "testplans"), "coverage", "--markdown"],
                              capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL)
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertEqual((SOURCE / "docs" / "coverage.md").read_text(encoding="utf-8"), said.stdout,
                         "docs/coverage.md is stale: assay coverage --markdown >docs/coverage.md")


if __name__ == "__main__":
    unittest.main()
