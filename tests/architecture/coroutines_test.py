"""g++ 12 miscompiles some co_await expressions that hold aggregates or lambdas (double free, silent corruption at -O2).
House rule: inside a co_await expression only names, calls and scalars. A line may opt out with `co_await-ok: reason`."""
import re
import unittest

from common import code_only, files, line_of, text

AWAIT = re.compile(r"\bco_await\b")


def faults_in(source):
    """(line, what) of every co_await whose operand holds a brace or a lambda."""
    code = code_only(source)
    lines = source.splitlines()
    for match in AWAIT.finditer(code):
        line = line_of(code, match.start())
        if "co_await-ok" in lines[line - 1]:
            continue
        depth = 0
        for offset in range(match.end(), len(code)):
            character = code[offset]
            if character in "([":
                # A bracket after a name, a call or an index is a subscript; anywhere else it begins a lambda.
                if character == "[" and not re.search(r"[\w)\]]\s*$", code[:offset]):
                    yield line, "a lambda"
                    break
                depth += 1
            elif character in ")]}":
                depth -= 1
                if depth < 0:
                    break
            elif character == "{":
                yield line, "braces"
                break
            elif character == ";" or (character == "," and depth == 0):
                break


class Coroutines(unittest.TestCase):
    def test_no_braces_and_no_lambdas_inside_co_await(self):
        faults = [f"{path}:{line}: co_await with {what}: name it on the line before" for path in files(".cpp", ".hpp")
                  for line, what in faults_in(text(path))]
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_the_rule_sees_what_it_is_for(self):
        self.assertEqual(list(faults_in("x = co_await f(Options{1});")), [(1, "braces")])
        self.assertEqual(list(faults_in("x = co_await f(\n  [&] { return 1; });")), [(1, "a lambda")])
        self.assertEqual(list(faults_in("x = co_await f(Options{1});  // co_await-ok: shown safe")), [])

    def test_the_rule_leaves_the_rest_alone(self):
        for fine in ("if (co_await f()) {\n}", "x = co_await list[0].f(a, b);", "// co_await f({1})\n",
                     'co_await f("{");', "T t{co_await f()};", "for (auto x : y) { co_await f(x); }"):
            self.assertEqual(list(faults_in(fine)), [], fine)


if __name__ == "__main__":
    unittest.main()
