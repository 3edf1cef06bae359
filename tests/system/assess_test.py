"""The main job: camera-weak FAILs exactly what its expected.yaml names, hub-sound nothing, hub-weak-ssh its SSH; bundles verify and replay to the
same bytes; reports are there; independent tools agree on the ports and on a login."""
import functools
import json
import re
import subprocess

from common import (EXIT_FAILED, EXIT_NOT_VERIFIED, EXIT_OPEN, EXIT_PASSED, assay, emulated, expected_failures, facts, folder,
                    inside, need, port, run, side_by_side, units, verdicts)

need("busybox", "vsftpd", "lighttpd", "dropbear", "mosquitto", "nmap", "curl", "xmllint")


def check_bundle(out):
    done = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=out / "bundle", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert facts("verify", out, check=EXIT_PASSED)["valid"]
    stored = (out / "bundle/verdicts.json").read_bytes()
    replayed = assay("replay", out, "--json", check=EXIT_PASSED).stdout.encode()
    assert replayed == stored, "replay gives other bytes"
    for name in ("report.html", "report.json", "junit.xml"):
        assert (out / name).stat().st_size > 0, name
    assert subprocess.run(["xmllint", "--noout", out / "junit.xml"]).returncode == 0


def check_tampering(out):
    """One changed byte in one artifact is found and named."""
    artifact = next((out / "bundle/artifacts").iterdir())
    original = artifact.read_bytes()
    artifact.write_bytes(bytes([original[0] ^ 1]) + original[1:])
    report = facts("verify", out, check=EXIT_NOT_VERIFIED)
    assert any(artifact.name in finding["place"] for finding in report["findings"]), report
    artifact.write_bytes(original)
    assert facts("verify", out)["valid"]


def check_findings(out):
    """Every FAIL carries endpoint, expected, observed and evidence that is in the bundle."""
    count = 0
    for unit_id, unit in units(out):
        for finding in unit["findings"]:
            count += 1
            assert finding["what"] and finding["endpoint"] and finding["expected"] and finding["observed"], (unit_id, finding)
            assert finding["evidence"], (unit_id, finding)
            for digest in finding["evidence"]:
                assert (out / "bundle/artifacts" / digest).exists(), (unit_id, digest)
    return count


def nmap_open(device):
    text = inside(device, ["nmap", "-sT", "-n", "-Pn", "-p-", "-T4", "-oG", "-", device["address"]]).stdout
    return {int(number) for number in re.findall(r"(\d+)/open/tcp", text)}


def our_open(out):
    for line in (out / "bundle/journal.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["type"] == "observation" and event["data"]["observation"]["invocation"]["probe"] == "ports":
            observation = event["data"]["observation"]
            if ":" not in observation["invocation"]["target"]["address"]:
                return {int(entry["endpoint"].split("/")[1]) for entry in observation["facts"]["ports.open"]}
    raise AssertionError("no observation of ports")


def assess(work, name, code):
    with emulated(name) as device:
        out = work / name
        run(device, out, check=code)
        found = verdicts(out)
        assert len(found) == 13, sorted(found)
        failed = {requirement for requirement, verdict in found.items() if verdict == "fail"}
        assert failed == expected_failures(name, device["isolation"]), (name, sorted(failed), found)
        assert "error" not in found.values(), found
        check_bundle(out)
        findings = check_findings(out)
        print(name, device["isolation"], "failed:", sorted(failed), "findings:", findings)
        if device["isolation"] != "loopback":
            assert our_open(out) == nmap_open(device), (our_open(out), nmap_open(device))
        if name == "camera-weak":
            assert findings, "a FAIL without a finding"
            check_tampering(out)
            url = f"http://{device['address']}:{port(device, 'http')}/"
            answers = [inside(device, ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", pair, url]).stdout
                       for pair in ("admin:admin", "admin:not-the-password")]
            assert answers == ["200", "401"], answers


with folder() as work:
    side_by_side(*[functools.partial(assess, work, name, code) for name, code in
                   (("camera-weak", EXIT_FAILED), ("hub-sound", EXIT_OPEN), ("hub-weak-ssh", EXIT_FAILED))])
