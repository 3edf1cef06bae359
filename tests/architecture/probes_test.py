"""Every probe has its tests, every codec is fuzzed, and the page about the probes is what the program says."""
import re
import subprocess
import unittest

from common import ASSAY, SOURCE, files, text

# Headers of probes/wire that read no bytes of a device.
NOT_PARSERS = {"bytes.hpp"}


def probe_names():
    return re.findall(r"^assay_add_probe\((\w+)", text("probes/CMakeLists.txt"), re.M)


class Probes(unittest.TestCase):
    def test_there_are_probes(self):
        self.assertGreaterEqual(len(probe_names()), 3)

    def test_every_probe_has_a_unit_test_and_a_test_against_a_device(self):
        for name in probe_names():
            for path in (f"tests/unit/probes/{name}_test.cpp", f"tests/system/probes/{name}_test.py"):
                self.assertTrue((SOURCE / path).exists(), f"{path} is missing")
                self.assertGreater(len(text(path).splitlines()), 10, f"{path} is an empty shell")

    def test_every_folder_with_a_probe_is_built(self):
        for path in files("probe.cpp", under="probes"):
            self.assertIn(path.parts[1], probe_names(), f"{path} is not in probes/CMakeLists.txt")

    def test_every_codec_is_fuzzed(self):
        fuzzed = "".join(text(path) for path in files("_fuzz.cpp", under="tests/fuzz"))
        missing = [str(path) for path in files(".hpp", under="probes/wire")
                   if path.name not in NOT_PARSERS and f'"{path}"' not in fuzzed]
        self.assertEqual(missing, [], "no tests/fuzz/*_fuzz.cpp includes these")

    def test_the_page_about_the_probes_is_fresh(self):
        said = subprocess.run([ASSAY, "probes", "--markdown"], capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(said.returncode, 0, said.stderr)
        page = SOURCE / "docs" / "probes.md"
        self.assertTrue(page.exists(), "docs/probes.md is missing: assay probes --markdown >docs/probes.md")
        self.assertEqual(page.read_text(encoding="utf-8"), said.stdout,
                         "docs/probes.md is stale: assay probes --markdown >docs/probes.md")


if __name__ == "__main__":
    unittest.main()
