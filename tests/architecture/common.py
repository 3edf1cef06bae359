"""What the architecture tests share. Standard library only; each *_test.py is a unittest program."""
import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ.get("ASSAY_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
ASSAY = os.environ.get("ASSAY", str(SOURCE / "build/release/bin/assay"))
SKIPPED_FOLDERS = {".git", "build", "__pycache__"}


def files(*suffixes, under=""):
    """Paths relative to the source folder, sorted; build products left out. Without suffixes: every file."""
    found = []
    for folder, folders, names in os.walk(SOURCE / under):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            if not suffixes or name.endswith(suffixes):
                found.append((pathlib.Path(folder) / name).relative_to(SOURCE))
    return found


def text(path):
    return (SOURCE / path).read_text(encoding="utf-8")


def line_of(source, offset):
    return source.count("\n", 0, offset) + 1


TOKEN = re.compile(r'R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def code_only(source):
    """C++ with comments and the insides of literals replaced by spaces; offsets and lines stay."""
    # An apostrophe between digits is a separator of C++14, not a character.
    return TOKEN.sub(blank, re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", " ", source))
