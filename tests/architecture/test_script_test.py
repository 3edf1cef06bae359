"""scripts/test counts what ctest says and never calls a broken build green; cmake and ctest are stand-ins here."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from common import SOURCE


class TestScript(unittest.TestCase):
    def run_parts(self, second_try="", builds=None, **outputs):
        """Part -> (what its tests print, their exit status); `builds` names the parts of which the build says something and
        fails; `second_try` is what ctest prints of the failed tests alone."""
        with tempfile.TemporaryDirectory() as folder:
            self.order = pathlib.Path(folder) / "order"
            broken = "".join(f"  *--build*{part}*) printf '{text}\\n'; exit 1 ;;\n" for part, text in (builds or {}).items())
            cases = "".join(f"  *--preset\\ {part}) printf '{text}\\n'; exit {status} ;;\n"
                            for part, (text, status) in outputs.items())
            said = f'echo "$(basename "$0") $*" >>{self.order}\n'
            scripts = (("cmake", f'{said}case "$*" in\n{broken}esac\n'),
                       ("ctest", f"{said}case \"$*\" in\n  *--rerun-failed*) printf '{second_try}\\n' ;;\n{cases}esac\n"))
            for name, body in scripts:
                stand_in = pathlib.Path(folder) / name
                stand_in.write_text(f"#!/bin/bash\n{body}")
                stand_in.chmod(0o755)
            done = subprocess.run([str(SOURCE / "scripts/test"), *outputs], capture_output=True, text=True, timeout=30,
                                  stdin=subprocess.DEVNULL, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
            self.order = self.order.read_text().splitlines()
        self.printed = done.stdout
        return done.returncode, done.stdout.splitlines()[-1]

    def test_sums_the_parts(self):
        self.assertEqual(self.run_parts(release=("100%% tests passed, 0 tests failed out of 7", 0),
                                        asan=("100%% tests passed, 0 tests failed out of 5", 0)), (0, "12 passed, 0 failed"))

    GREEN = "100%% tests passed, 0 tests failed out of 5"
    FAILED = "The following tests FAILED:\\n\\t  3 - system: x (Failed)\\n{}%% tests passed, 1 tests failed out of {}"

    def test_a_test_that_fails_twice_fails_the_whole(self):
        self.assertEqual(self.run_parts(self.FAILED.format(0, 1), release=(self.FAILED.format(80, 5), 8)), (1, "4 passed, 1 failed"))
        self.assertIn("FAILED twice: system: x", self.printed)

    def test_a_test_that_passes_alone_passes_and_is_named(self):
        once = "100%% tests passed, 0 tests failed out of 1"
        self.assertEqual(self.run_parts(once, release=(self.FAILED.format(80, 5), 8)), (0, "5 passed, 0 failed"))
        self.assertIn("unsteady, passed at the second try: system: x", self.printed)

    def test_a_second_try_that_says_nothing_changes_nothing(self):
        self.assertEqual(self.run_parts("ctest broke", release=(self.FAILED.format(80, 5), 8)), (1, "4 passed, 1 failed"))
        self.assertIn("FAILED twice: system: x", self.printed)

    def test_many_failures_are_not_tried_again(self):
        once = "100%% tests passed, 0 tests failed out of 20"
        self.assertEqual(self.run_parts(once, release=("33%% tests passed, 20 tests failed out of 30", 8)), (1, "10 passed, 20 failed"))
        self.assertIn("FAILED: 20 tests of release", self.printed)

    def test_a_skipped_test_is_not_a_passed_one(self):
        text = "The following tests did not run:\\n\\t  3 - system: x (Skipped)\\n100%% tests passed, 0 tests failed out of 5"
        self.assertEqual(self.run_parts(release=(text, 0)), (0, "4 passed, 0 failed"))

    def test_a_build_that_breaks_counts_as_a_failure(self):
        self.assertEqual(self.run_parts(builds={"release": "error: expected a semicolon"}, release=("", 0)), (1, "0 passed, 1 failed"))
        self.assertFalse([line for line in self.order if line.startswith("ctest")])

    def test_a_build_that_breaks_leaves_the_tests_of_the_others(self):
        self.assertEqual(self.run_parts(builds={"release": "error: expected a semicolon"}, release=("", 0), asan=(self.GREEN, 0)),
                         (1, "5 passed, 1 failed"))

    def test_all_is_built_before_anything_runs(self):
        self.run_parts(release=(self.GREEN, 0), asan=(self.GREEN, 0))
        kinds = [line.split()[0] for line in self.order]
        self.assertEqual(kinds, ["cmake"] * 4 + ["ctest"] * 2)

    def test_each_part_tells_its_time(self):
        self.run_parts(release=(self.GREEN, 0), asan=(self.GREEN, 0))
        for line in (r"build release \d+ s", r"test release \d+ s", r"test asan \d+ s, beside release"):
            self.assertRegex(self.printed, f"(?m)^{line}$")

    def test_nothing_runs_beside_a_nightly_one(self):
        self.run_parts(release=(self.GREEN, 0), nightly=(self.GREEN, 0), asan=(self.GREEN, 0))
        self.assertIn("== test asan ==", self.printed)

    def test_a_failure_beside_another_part_is_seen(self):
        again = "The following tests FAILED:\\n\\t  3 - system: x (Failed)\\n0%% tests passed, 1 tests failed out of 1"
        self.assertEqual(self.run_parts(again, release=(self.GREEN, 0), asan=(self.FAILED.format(80, 5), 8)), (1, "9 passed, 1 failed"))
        self.assertIn("FAILED twice: system: x", self.printed)

    def test_a_ctest_that_breaks_beside_another_part_is_a_failure(self):
        self.assertEqual(self.run_parts(release=(self.GREEN, 0), asan=("Segmentation fault", 139)), (1, "5 passed, 1 failed"))

    def test_a_ctest_that_fails_without_a_failed_test_is_named(self):
        self.assertEqual(self.run_parts(release=(self.GREEN, 8)), (1, "5 passed, 1 failed"))
        self.assertIn("FAILED: ctest of release", self.printed)

    def test_no_tests_at_all_are_not_green(self):
        self.assertEqual(self.run_parts(release=("No tests were found!!!", 8)), (1, "0 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
