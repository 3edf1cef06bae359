"""scripts/test counts what ctest says and never calls a broken build green; cmake is a stand-in here."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from common import SOURCE


class TestScript(unittest.TestCase):
    def run_parts(self, **outputs):
        """Part -> (what it prints, its exit status)."""
        with tempfile.TemporaryDirectory() as folder:
            cases = "".join(f"  *--workflow*{part}*) printf '{text}\\n'; exit {status} ;;\n"
                            for part, (text, status) in outputs.items())
            stand_in = pathlib.Path(folder) / "cmake"
            stand_in.write_text(f'#!/bin/bash\ncase "$*" in\n{cases}esac\n')
            stand_in.chmod(0o755)
            done = subprocess.run([str(SOURCE / "scripts/test"), *outputs], capture_output=True, text=True, timeout=30,
                                  stdin=subprocess.DEVNULL, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
        return done.returncode, done.stdout.splitlines()[-1]

    def test_sums_the_parts(self):
        self.assertEqual(self.run_parts(release=("100%% tests passed, 0 tests failed out of 7", 0),
                                        asan=("100%% tests passed, 0 tests failed out of 5", 0)), (0, "12 passed, 0 failed"))

    def test_a_failed_test_fails_the_whole(self):
        self.assertEqual(self.run_parts(release=("80%% tests passed, 1 tests failed out of 5", 8)), (1, "4 passed, 1 failed"))

    def test_a_skipped_test_is_not_a_passed_one(self):
        text = "The following tests did not run:\\n\\t  3 - system: x (Skipped)\\n100%% tests passed, 0 tests failed out of 5"
        self.assertEqual(self.run_parts(release=(text, 0)), (0, "4 passed, 0 failed"))

    def test_a_build_that_breaks_counts_as_a_failure(self):
        self.assertEqual(self.run_parts(release=("error: expected a semicolon", 1)), (1, "0 passed, 1 failed"))

    def test_no_tests_at_all_are_not_green(self):
        self.assertEqual(self.run_parts(release=("No tests were found!!!", 8)), (1, "0 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
