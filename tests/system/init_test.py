"""`assay init` writes a file that is valid as it is, declares nothing, and stays valid once its comments are taken away."""
import re

from common import EXIT_PASSED, EXIT_USAGE, assay, facts, folder

with folder() as work:
    path = work / "dut.yaml"
    assay("init", "--plan", "cls-iot/1", "--vendor", "A \"B\"", "--model", "M", "--address", "127.0.0.1", "-o", path, check=EXIT_PASSED)
    assay("validate", path, check=EXIT_PASSED)
    assay("init", "--plan", "cls-iot/1", "-o", path, check=EXIT_USAGE)  # what is there is never overwritten
    planned = facts("plan", "--plan", "cls-iot/1", "--dut", path)
    assert planned["dut"]["ics"] == {} and planned["dut"]["ixit"] == {}, planned["dut"]
    assert planned["dut"]["device"]["vendor"] == 'A "B"'

    text = path.read_text(encoding="utf-8")
    assert '"5.1-1"' in text and "1-AuthMech" in text and "22-ExtSens" not in text, "what level 1 reads, and nothing else"
    head, declaration = text.split("\n# ICS", 1)
    path.write_text(head + "\n# ICS" + re.sub(r"(?m)^# (ics:|ixit:|  )", r"\1", declaration), encoding="utf-8")
    assay("validate", path, check=EXIT_PASSED)
    planned = facts("plan", "--plan", "cls-iot/1", "--dut", path)
    assert len(planned["dut"]["ics"]) == 13 and "1-AuthMech" in planned["dut"]["ixit"], planned["dut"]

    # What the tool saw is not what the maker declares.
    observed = text + "ixit:\n  15-Intf:\n    - {id: IF-1, kind: logical, port: tcp/80, observed: true}\n"
    path.write_text(observed, encoding="utf-8")
    assert facts("plan", "--plan", "cls-iot/1", "--dut", path)["dut"]["ixit"] == {}
    path.write_text(observed.replace(", observed: true", ""), encoding="utf-8")
    assert len(facts("plan", "--plan", "cls-iot/1", "--dut", path)["dut"]["ixit"]["15-Intf"]) == 1
