"""scripts/new-probe in a copy of the sources: what it writes configures and compiles."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from common import SOURCE


class NewProbe(unittest.TestCase):
    def setUp(self):
        self.copy = pathlib.Path(tempfile.mkdtemp(prefix="assay-new-probe-"))
        self.addCleanup(shutil.rmtree, self.copy, ignore_errors=True)
        for name in ("cmake", "harness", "probes", "reports", "scripts", "third_party", "tests/support", "tests/unit/probes",
                     "tests/system/probes"):
            shutil.copytree(SOURCE / name, self.copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(SOURCE / "CMakeLists.txt", self.copy)

    def run_in_copy(self, *command, timeout=300):
        return subprocess.run([str(word) for word in command], cwd=self.copy, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL)

    def scaffold(self, *arguments):
        return self.run_in_copy(sys.executable, "scripts/new-probe", *arguments)

    def test_a_new_probe_compiles(self):
        made = self.scaffold("heartbeat", 'Reads what a "heartbeat" says.')
        self.assertEqual(made.returncode, 0, made.stderr)
        build = self.copy / "build"
        configured = self.run_in_copy("cmake", "-G", "Ninja", "-S", ".", "-B", build, "-DASSAY_TESTS=OFF",
                                      "-DCMAKE_BUILD_TYPE=Debug", "-DASSAY_WARNINGS_AS_ERRORS=ON")
        self.assertEqual(configured.returncode, 0, configured.stdout + configured.stderr)
        registry = (build / "generated/probes/registry.cpp").read_text()
        self.assertIn("probes::heartbeat::kDescriptor", registry)
        built = self.run_in_copy("ninja", "-C", build, "probes/libassay_probe_heartbeat.a")
        self.assertEqual(built.returncode, 0, built.stdout + built.stderr)
        checked = self.run_in_copy(sys.executable, "-B", "-m", "py_compile", "tests/system/probes/heartbeat_test.py")
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_a_missing_test_stops_the_configuration(self):
        self.scaffold("heartbeat")
        (self.copy / "tests/unit/probes/heartbeat_test.cpp").unlink()
        configured = self.run_in_copy("cmake", "-G", "Ninja", "-S", ".", "-B", self.copy / "build", "-DASSAY_TESTS=OFF")
        self.assertNotEqual(configured.returncode, 0)
        self.assertIn("heartbeat has no unit test", configured.stderr)

    def test_lines_stay_in_order(self):
        self.scaffold("aaa")
        self.scaffold("zzz")
        lines = [line for line in (self.copy / "probes/CMakeLists.txt").read_text().splitlines()
                 if line.startswith("assay_add_probe(")]
        self.assertEqual(lines, sorted(lines))

    def test_a_probe_is_never_overwritten_and_a_bad_name_is_refused(self):
        self.assertNotEqual(self.scaffold("ports").returncode, 0)
        self.assertNotEqual(self.scaffold("Bad-Name").returncode, 0)


if __name__ == "__main__":
    unittest.main()
