"""The plan library's files as documents, parsed once for all tests of a program."""
import functools

import yaml

from common import files, text


@functools.cache
def plan_files():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [(path, yaml.load(text(path), loader)) for path in files(".yaml", under="testplans")]


def documents(kind):
    for path, document in plan_files():
        if isinstance(document, dict) and document.get("assay") == kind:
            yield path, document
