"""Words that must not stand where they would blur who judges, and paths that exist on one machine only."""
import re
import unittest

from common import files, text

JUDGING = re.compile(r'\b(verdicts?|findings?|conform(s|ing|ity|ance|ant)?|(non-?)?complian(t|ce))\b|"(pass|fail)(ed)?"|harness/judge',
                     re.I)
MACHINE = re.compile(r"(?<![\w.$}])/(work|home/\w+|Users/\w+)/")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
TEXT = (".cpp", ".hpp", ".py", ".yaml", ".yml", ".md", ".txt", ".json", ".cmake", ".in", ".html", ".css", ".sh")
OURSELVES = {"tests/architecture/words_test.py"}


def hits(pattern, paths):
    return [f"{path}:{number}: {line.strip()}" for path in paths if str(path) not in OURSELVES
            for number, line in enumerate(text(path).splitlines(), 1) if pattern.search(line)]


class Words(unittest.TestCase):
    def test_probes_observe_and_never_judge(self):
        found = hits(JUDGING, files(".cpp", ".hpp", under="probes"))
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_no_path_of_one_machine(self):
        found = hits(MACHINE, files(*TEXT))
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_nothing_is_left_unfinished(self):
        found = hits(UNFINISHED, files(".cpp", ".hpp", ".py", ".yaml"))
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_the_patterns_see_what_they_are_for(self):
        self.assertTrue(JUDGING.search("Verdict verdict;"))
        self.assertTrue(MACHINE.search('open("/home/someone/file")'))
        self.assertFalse(MACHINE.search("${root}/work/x"))


if __name__ == "__main__":
    unittest.main()
