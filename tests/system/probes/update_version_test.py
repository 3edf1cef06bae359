"""The version of a device is read of a resource of CoAP (version_at, coap): a downgrade shows there, and its refusal too."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import assay, emulated, need, port, side_by_side  # noqa: E402


def examine(flaw):
    with emulated("updatable-lwm2m/" + flaw, "loopback") as device:
        dut = pathlib.Path(device["dut"])
        before, source, behind = dut.read_text().partition("version_at: {http:")
        assert source, "the DUT file reads its version elsewhere"
        edited = dut.with_name("edited.yaml")
        edited.write_text(before + f"version_at: {{coap: {{port: udp/{port(device, 'lwm2m')}, path: /3/0/3}}}}  # " + source + behind)
        done = assay("probe", "update", device["address"], "--dut", edited, "--json", "--set", "attacks=older", check=0, timeout=120)
    facts = json.loads(done.stdout)["facts"]
    control, (older,) = facts["update.control"][0], facts["update.attempts"]
    assert control["accepted"] and (control["first"]["version_before"], control["first"]["version_after"]) == ("2.4.0", "2.5.0"), control
    assert older["seen"] and older["version_before"] == "2.4.0", older
    assert (older["installed"], older["version_after"]) == ((True, "2.3.0") if flaw == "no-downgrade-check" else (False, "2.4.0")), older


need("coap-client-openssl")
side_by_side(*[lambda flaw=flaw: examine(flaw) for flaw in ("sound", "no-downgrade-check")], at_once=2)
