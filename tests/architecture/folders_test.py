"""A newcomer finds what a folder is for: its own README.md, a line in its parent's, or one in docs/architecture.md."""
import unittest

from common import SOURCE, text

PARENTS = ("harness", "probes", "reports", "testplans", "tests")


class Folders(unittest.TestCase):
    def test_every_room_is_explained(self):
        plan = text("docs/architecture.md")
        unexplained = []
        for parent in PARENTS:
            readme = SOURCE / parent / "README.md"
            page = readme.read_text(encoding="utf-8") if readme.exists() else ""
            for folder in sorted(path for path in (SOURCE / parent).iterdir() if path.is_dir()):
                if folder.name.startswith((".", "__")) or not any(folder.iterdir()):
                    continue
                named = f"{folder.name}/" in page or f"{folder.name}/" in plan
                if not named and not (folder / "README.md").exists():
                    unexplained.append(f"{parent}/{folder.name}")
        self.assertEqual(unexplained, [])


if __name__ == "__main__":
    unittest.main()
