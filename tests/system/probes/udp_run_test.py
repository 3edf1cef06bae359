"""In a run: what answers on UDP is judged in every unit that waits for it, and nothing else of these units is open."""

import json
import os
import pathlib
import subprocess
import sys

import daemons
from daemons import equal
from udp_lab import DEVICE, dut_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import library_of_few_logins  # noqa: E402

DECLARED = """standard: TS103701@1.1.1
ixit:
  1-AuthMech: [{id: AM-1, port: udp/1194}]
  7-UpdMech: [{id: U-1, port: tcp/443}]
  11-ComMech: [{id: C-1, port: udp/5683, remotely_accessible: true}]
  15-Intf: [{id: I-1, kind: logical, port: udp/11211, status: enabled, disclosed_information: [memcached 1.6]}]
  28-ExtAPI: [{id: E-1, port: tcp/443}]"""

dut = dut_file(DEVICE, DECLARED)
out = os.path.join(daemons.FOLDER, "run")
subprocess.run([os.environ["ASSAY"], "run", "--plan", "cls-iot/4", "--dut", dut, "--pace", "fast", "--library", library_of_few_logins(daemons.FOLDER), "-q", "-o", out,
                "--set", "udp.prove=90"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=400)
with open(os.path.join(out, "bundle", "verdicts.json")) as file:
    verdicts = json.load(file)


def units_in(value):
    if isinstance(value, dict):
        if "verdict" in value and "/" in str(value.get("id")):
            yield value["id"].split(":", 1)[1], value
        value = list(value.values())
    for item in value if isinstance(value, list) else []:
        yield from units_in(item)


units = dict(units_in(verdicts))


def judged(unit, verdict, part, *endpoints):
    equal(units[unit]["verdict"], verdict, f"verdict of {unit}: {units[unit]}")
    equal({item["endpoint"] for item in units[unit][part]}, set(endpoints), f"{part} of {unit}")


judged("5.1-5-2/a-udp", "fail", "findings", "udp/161")  # the VPN is declared, SNMP's community is not
judged("5.13-1-2/c-udp", "fail", "findings", "udp/5683")
judged("5.3-10-1/c-udp", "inconclusive", "open", "udp/69")
judged("5.6-2-2/a-udp", "inconclusive", "open", "udp/53", "udp/161", "udp/5683", "udp/11211")  # 11211: another version than declared

print("ok")
