"""Inherited evidence, the family, the MUD file, what a plan needs of the device's entry, and a declaration begun from a run."""
import hashlib
import json
import re

from common import EXIT_PASSED, EXIT_USAGE, SOURCE, assay, emulated, facts, folder, need, run, units

PORTS = {"https": "443", "http": "80", "mqtts": "8883", "ssh": "22"}
template = (SOURCE / "tests/devices/hub-sound/dut.yaml").read_text(encoding="utf-8")
sound = re.sub(r"\{port:(\w+)\}", lambda match: PORTS[match[1]], template).replace("{address}", "10.0.0.1").replace("{lab}", "")


def entry(number, port):
    return {"name": "e%d" % number, "matches": {"ipv4": {"protocol": 6}, "tcp": {"destination-port": {"operator": "eq", "port": int(port)}}},
            "actions": {"forwarding": "accept"}}


def mud(ports):
    return json.dumps({
        "ietf-mud:mud": {"mud-version": 1, "mud-url": "https://example.org/hub.json",
                         "to-device-policy": {"access-lists": {"access-list": [{"name": "to"}]}}},
        "ietf-access-control-list:acls": {"acl": [{"name": "to", "aces": {"ace": [entry(i, port) for i, port in enumerate(ports)]}}]}})


def inherited(expires, accepted, case):
    return (f"  - {{certificate: C-{expires[:4]}, scheme: CLS-Ready, component: Module, version: \"1.2\", issued: 2020-01-31, "
            f"expires: {expires}, clauses: [\"{case}\"], file: certificates/c.pdf{', accepted_by: Example Laboratory' if accepted else ''}}}\n")


def found(path, *more, check=EXIT_USAGE):
    return [error["what"] for error in facts("declare", "check", path, *more, check=check)["errors"]]


def cases(out):
    stored = json.loads((out / "bundle/verdicts.json").read_text())
    return [case for requirement in stored["requirements"] for case in requirement["cases"]]


with folder() as work:
    path = work / "dut.yaml"

    # The family: tested, or argued.
    path.write_text(sound + "family: [{model: Hub, tested: true}, {model: Mini}]\n", encoding="utf-8")
    assert found(path) == ['the model "Mini" of the family is neither tested nor argued: say tested: true, or why the results hold for it (argued)']
    path.write_text(sound + "family: [{model: Hub, argued: same}]\n", encoding="utf-8")
    assert found(path) == ["no model of the family is tested: say which one is (tested: true)"]

    # The MUD file and the IXIT tables say the same, or the difference is named.
    declared = sorted(PORTS.values())
    path.write_text(sound + "mud: hub.mud.json\n", encoding="utf-8")
    assert found(path) == ['the MUD file "hub.mud.json": there is no such file']
    (work / "hub.mud.json").write_text(mud(declared), encoding="utf-8")
    assert found(path, check=EXIT_PASSED) == []
    (work / "hub.mud.json").write_text(mud(declared + ["8080"]), encoding="utf-8")
    assert found(path) == ['the MUD file lets "any" reach tcp/8080 (to/e4), and no IXIT table declares it enabled']
    (work / "hub.mud.json").write_text(mud([port for port in declared if port != "22"]), encoding="utf-8")
    assert all("tcp/22, and the MUD file lets nobody reach it" in what for what in found(path)), found(path)

    # What was observed is not declared.
    path.write_text(sound.replace("status: enabled, purpose", "observed: true, status: enabled, purpose", 1), encoding="utf-8")
    assert any("was observed and is not declared" in what for what in found(path)), found(path)

    # A gateway's plan needs to know who manages it.
    path.write_text(sound, encoding="utf-8")
    wanted = "plan cls-iot-gateway/1 needs device.managed in the DUT file, and it is unknown there: say retail or isp"
    assert found(path, "--plan", "cls-iot-gateway/1") == [wanted]
    done = assay("run", "--plan", "cls-iot-gateway/1", "--dut", path, "-o", work / "none", check=EXIT_USAGE)
    assert wanted in done.stderr and not (work / "none").exists(), done.stderr
    gateway = work / "gateway.yaml"
    assay("init", "--plan", "cls-iot-gateway/2", "--managed", "isp", "--address", "127.0.0.1", "-o", gateway, check=EXIT_PASSED)
    assert "managed: isp" in gateway.read_text(encoding="utf-8")
    facts("plan", "--plan", "cls-iot-gateway/2", "--dut", gateway, check=EXIT_PASSED)

need("dropbear", "lighttpd", "mosquitto")
with folder() as work, emulated("hub-sound") as device:
    # Beside a copy of the DUT file: certificates with their file, a family, a MUD file of what the hub declares.
    text = open(device["dut"], encoding="utf-8").read()
    path = work / "dut.yaml"
    (work / "certificates").mkdir()
    (work / "certificates/c.pdf").write_bytes(b"%PDF-1.4 a certificate")
    out = work / "first"
    run(device, out, "--allow", "benign", timeout=400)
    open_case, other = [case["id"] for case in cases(out) if case["verdict"] == "not_tested"][:2]
    path.write_text(text + "family: [{model: Hub, tested: true}, {model: Mini, differences: no socket, argued: same board}]\n"
                    "inherits:\n" + inherited("2099-01-30", True, open_case) + inherited("2021-01-30", True, other)
                    + inherited("2098-01-30", False, other), encoding="utf-8")
    second = work / "second"
    done = run({"dut": path}, second, "--allow", "benign", timeout=400)
    assert (second / "report.json").exists(), done.stderr
    stored = {case["id"]: case for case in cases(second)}
    assert stored[open_case]["verdict"] == "pass" and stored[open_case]["inherited"], stored[open_case]
    assert stored[other]["verdict"] == "not_tested", stored[other]
    taken = [unit for name, unit in units(second) if unit.get("inherited")]
    assert taken and all(unit["because"].startswith("inherited: certificate C-2099 (CLS-Ready)") for unit in taken), taken
    report = json.loads((second / "report.json").read_text())
    digest = hashlib.sha256(b"%PDF-1.4 a certificate").hexdigest()
    assert [item["sha256"] for item in report["inherits"]] == [digest] * 3
    assert [item["ignored_because"] for item in report["inherits"]] == ["", "it expired on 2021-01-30", "no laboratory has accepted it"]
    assert (second / "bundle/inputs/certificates/c.pdf").read_bytes() == b"%PDF-1.4 a certificate"
    assert report["family"][1]["argued"] == "same board"
    assert sum("Inherited evidence does not count" in limit["what"] for limit in report["limits"]) == 2
    html = (second / "report.html").read_text(encoding="utf-8")
    assert "PASS (inherited)" in html and "certificate C-2099" in html and "Mini (no socket): not tested; argued: same board" in html
    stored = (second / "bundle/verdicts.json").read_bytes()
    assert assay("replay", second, "--json", check=EXIT_PASSED).stdout.encode() == stored
    assert facts("verify", second, check=EXIT_PASSED)["valid"]

    # A declaration begun from that run: what was seen is written down, and declares nothing.
    begun = work / "begun.yaml"
    for name, tables in (("cls-iot/1", {"13-SoftServ", "15-Intf", "28-ExtAPI"}),):
        assay("init", "--plan", name, "--from-run", second, "-o", begun, check=EXIT_PASSED)
        written = begun.read_text(encoding="utf-8")
        assay("validate", begun, check=EXIT_PASSED)
        for table in tables:
            assert f"\n  {table}:" in written, written
        assert written.count("observed: true}   # observed, to be declared") == len(tables) * len(
            re.findall(r"id: SS-\d+", written)), written
        assert facts("plan", "--plan", name, "--dut", begun)["dut"]["ixit"] == {}
    assay("init", "--plan", "cls-iot/1", "--from-run", work, "-o", work / "x.yaml", check=EXIT_USAGE)
