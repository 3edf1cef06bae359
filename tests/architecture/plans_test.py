"""Every shipped plan, case, standard and dictionary is accepted by the program, and the data keep the house rules."""
import collections
import re
import subprocess
import unittest

from common import ASSAY, SOURCE, files, text
from plan_data import documents

PER_USERNAME = 5   # wrong logins that devices usually bear for one account
LIKELIEST = 3      # of these before what is derived from a label


def units():
    for path, document in documents("cases/1"):
        for case in document["cases"]:
            for unit in case.get("units", []):
                yield path, case, unit


class Plans(unittest.TestCase):
    def test_the_program_accepts_every_file(self):
        paths = [str(SOURCE / path) for path in files(".yaml", under="testplans")]
        done = subprocess.run([ASSAY, "validate", *paths], capture_output=True, text=True, timeout=400,
                              stdin=subprocess.DEVNULL, cwd=SOURCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_requirement_of_every_plan_has_a_case(self):
        covered = {case["covers"] for _, document in documents("cases/1") for case in document["cases"]}
        covered |= {row["id"] for _, document in documents("mapping/1") for row in document["rows"]}
        for path, plan in documents("plan/1"):
            for requirement in plan["requirements"]:
                self.assertIn(requirement["id"], covered, f"{path}")

    def test_a_unit_says_how_it_is_settled(self):
        for path, case, unit in units():
            place = f"{path}: {case['id']}/{unit['id']}"
            self.assertTrue(any(key in unit for key in ("fail", "inconclusive", "manual", "planned_probe")), place)
            if "manual" in unit:
                self.assertEqual(unit.get("closes"), "assessor", f"{place}: a guided step is closed by an assessor")
                for answer in ("question", "look_at", "pass", "fail", "inconclusive"):
                    self.assertTrue(unit["manual"].get(answer), f"{place}: manual.{answer}")
            if "fail" in unit and "observe" in unit:
                self.assertTrue(unit.get("remedy"), f"{place}: no remedy")

    def test_units_that_can_fail_on_observations_show_their_evidence(self):
        for path, case, unit in units():
            # These make whole findings; their own tests look at them.
            whole = any(
                f"{maker}(" in unit.get("fail", "")
                for maker in ("| undeclared", "| undeclared_udp", "| ssh_ruled_out", "shared_host_keys", "shared_certificate_keys", "still_there")
            )
            makers = ("tls_ruled_out", "tls_weak", "tls_attacked", "tls_undescribed", "keys_given_away", "guess_unheld", "guess_undeclared", "guess_too_fast",
                      "sample_relations", "sample_forms", "web_session_flaws", "web_open_flaws", "web_open_calls", "web_open_data", "web_open_calls", "web_open_data", "password_unasked", "password_old_lives", "password_weak",
                      "first_use_open", "first_use_weak", "update_taken", "update_mechanisms_taken")
            whole = whole or any(word in unit.get("fail", "") for word in makers)
            if "fail" in unit and "observe" in unit and not whole:
                for word in ("what:", "expected:", "observed:", "evidence:", "observation:"):
                    self.assertIn(word, unit["fail"], f"{path}: {case['id']}/{unit['id']}")

    def test_both_editions_of_the_standard_are_whole(self):
        standards = {standard["id"]: standard["provisions"] for _, standard in documents("standard/1")}
        for edition, provisions, mandatory in (("EN303645@2.1.1", 68, 33), ("EN303645@3.1.3", 78, 36)):
            ids = [provision["id"] for provision in standards[edition]]
            self.assertEqual(len(ids), provisions)
            self.assertEqual(len(set(ids)), provisions)
            self.assertEqual(sum(provision["modality"] == "shall" for provision in standards[edition]), mandatory)

    def test_conditions_read_the_declaration_only(self):
        for path, standard in documents("standard/1"):
            for provision in standard["provisions"]:
                condition = provision.get("condition", "")
                self.assertIsNone(re.search(r"\b(obs|fact|present|coverage)\(", condition), provision["id"])
                if "when" not in provision:
                    self.assertEqual(bool(condition), bool(provision.get("condition_words")), provision["id"])
                if condition and standard["id"].startswith("EN303645@"):
                    self.assertIn(f'support("{provision["id"].split(":")[1]}")', condition)

    def test_dictionaries_begin_with_what_any_device_may_have(self):
        for path, dictionary in documents("dictionary/1"):
            pairs = [(entry["username"], entry["password"]) for entry in dictionary.get("credentials", [])]
            self.assertEqual(len(pairs), len(set(pairs)), f"{path}: a pair stands twice")
            first = collections.defaultdict(list)
            for entry in dictionary.get("credentials", []):
                first[entry["username"]].append(entry.get("for", []))
            for name, makers in first.items():
                if len(makers) > PER_USERNAME:
                    self.assertEqual(makers[:LIKELIEST], [[]] * LIKELIEST, f"{path}: the likeliest of {name} are of one maker")

    def test_the_baseline_rules_out_every_broken_suite_that_the_probe_knows(self):
        known = re.findall(r'\{0x\w+, "((?:TLS|SSL)_\w+)"', text("probes/wire/tls_suites.cpp") + text("probes/wire/tls_names.cpp"))
        broken = {name for name in known if re.search(r"_NULL_|EXPORT|RC4|RC2|DES|IDEA|_anon_|^TLS_SHA\d+_SHA\d+$", name)}
        self.assertGreater(len(broken), 100)
        baseline = next(policy for _, policy in documents("policy/1") if policy["id"] == "baseline-tls")
        forbidden = set()
        for entry in baseline["lists"]["suite"]:
            if entry["grade"] == "forbidden":
                forbidden.update([entry["name"]] if isinstance(entry["name"], str) else entry["name"])
        self.assertEqual(broken - forbidden, set())
        self.assertEqual({name for name in forbidden - set(known) if not name.startswith("SSL_CK_")}, set(), "a name that the probe never says")

    def test_probe_parameters_name_shipped_dictionaries(self):
        shipped = {dictionary["id"] for _, dictionary in documents("dictionary/1")}
        for path, case, unit in units():
            for observe in unit.get("observe", {}).values():
                name = observe.get("with", {}).get("dictionary")
                if name is not None:
                    self.assertIn(name, shipped, f"{path}: {case['id']}/{unit['id']}")


if __name__ == "__main__":
    unittest.main()
