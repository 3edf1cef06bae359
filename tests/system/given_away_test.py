"""A login that gives its passwords away to whoever asks FAILs for that alone, with the digest's bytes as evidence."""
from common import EXIT_FAILED, emulated, expected_failures, folder, inside, need, port, run, units, verdicts

need("ipmi_sim", "ipmitool")
NAME = "deviant/given-away"

with folder() as out, emulated(NAME) as device:
    if device["isolation"] == "loopback":
        print("skipped: on loopback its port is another one, where nobody asks for IPMI")
        raise SystemExit(77)
    run(device, out, check=EXIT_FAILED)
    failed = {requirement for requirement, verdict in verdicts(out).items() if verdict == "fail"}
    assert failed == expected_failures(NAME, device["isolation"]), failed
    found = {unit_id: unit["findings"] for unit_id, unit in units(out) if unit["verdict"] == "fail"}
    assert list(found) == ["ASSAY@1:guessing/at-leisure/udp/623"], found
    findings = found["ASSAY@1:guessing/at-leisure/udp/623"]
    assert any('password of "support"' in finding["observed"] for finding in findings), findings
    for finding in findings:
        assert finding["evidence"], finding
        for digest in finding["evidence"]:
            assert (out / "bundle/artifacts" / digest).exists(), digest
    client = ["ipmitool", "-I", "lanplus", "-H", device["address"], "-p", port(device, "ipmi"), "-U", "support", "-P"]
    taken = ["Device ID" in inside(device, [*client, word, "mc", "info"]).stdout for word in ("Kd7-wP3z-Hq9t-Bn5v", "support")]
    assert taken == [True, False], f"ipmitool says whether the password is sound: {taken}"
    print("isolation:", device["isolation"])
