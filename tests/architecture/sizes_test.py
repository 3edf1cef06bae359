"""Sizes as smells: a file that outgrows what a person holds in mind is split, or its reason stands here."""
import unittest

from common import files, text

LIMIT = 500
# path -> why it is one file
LARGER = {"tests/devices/emulation_test.cpp": "one story: what each isolation gives, shows and leaves behind"}


class Sizes(unittest.TestCase):
    def test_no_source_file_outgrows_the_limit(self):
        large = []
        for path in files(".cpp", ".hpp", ".py"):
            lines = text(path).count("\n")
            if lines > LIMIT and str(path) not in LARGER:
                large.append(f"{path}: {lines} lines, limit {LIMIT}")
        self.assertEqual(large, [], "\n" + "\n".join(large))

    def test_the_exceptions_are_still_needed(self):
        stale = [path for path in LARGER if text(path).count("\n") <= LIMIT]
        self.assertEqual(stale, [])


if __name__ == "__main__":
    unittest.main()
