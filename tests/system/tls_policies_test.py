"""What a TLS server takes, judged by three catalogues: one device of today, one that takes TLS 1.0 as well, one without TLS.

5.1-3 is of level 1 of CLS(IoT) and 5.5-1 of level 2, here with the cases and the line for keys that these have, and a policy of
ours in place of theirs."""
import json
import shutil

from common import EXIT_FAILED, EXIT_OPEN, EXIT_PASSED, SOURCE, emulated, expected_failures, facts, folder, inside, need, port, run, units, verdicts

need("lighttpd", "dropbear", "mosquitto", "busybox", "vsftpd", "sslscan")

POLICIES = {"baseline": "baseline-tls", "bsi": "bsi-tr-02102-2", "mozilla": "mozilla-modern"}
PLAN = """assay: plan/1
id: three/{name}
title: Cryptography of logins and channels under {policy}
scheme: {{name: A test, owner: this test, document: none, read: false}}
standard: EN303645@2.1.1
method: TS103701@1.1.1
cases_from: [TS103701@1.1.1, ASSAY@1]
policies: [{policy}]
requirements:
  - {{id: "EN303645@2.1.1:5.1-3", modality: shall, strength: reasoned, source: a test}}
  - {{id: "EN303645@2.1.1:5.5-1", modality: shall, strength: reasoned, source: a test}}
parameters:
  certificate_keys: {{rsa_bits: 2048, ec_bits: 224}}
"""
# Device -> policy -> verdict of the unit that asks the probe tls, of 5.1-3-2 and of 5.5-1-2.
EXPECTED = {
    # X25519 and ChaCha20 are on no list of BSI; Mozilla's modern level has TLS 1.3 alone.
    "hub-sound": {"baseline": "pass", "bsi": "inconclusive", "mozilla": "fail"},
    "deviant/tls-old": {"baseline": "fail", "bsi": "fail", "mozilla": "fail"},
    "camera-weak": {"baseline": "pass"},  # it has no TLS to judge
}
# Device -> policy -> verdicts of 5.1-3 and of 5.5-1 as a whole. Open is what waits for a person.
OPEN = ("inconclusive", "not_tested")
REQUIREMENTS = {
    "hub-sound": {"baseline": ("open", "open"), "bsi": ("open", "open"), "mozilla": ("fail", "fail")},
    "deviant/tls-old": {"baseline": ("fail", "fail"), "bsi": ("fail", "fail"), "mozilla": ("fail", "fail")},
    # Logins in clear fail whatever the policy says; what it declares of its channels is true.
    "camera-weak": {"baseline": ("fail", "open"), "bsi": ("fail", "open"), "mozilla": ("fail", "open")},
}


def as_a_whole(verdict):
    return "open" if verdict in OPEN else verdict


def whole(found):
    """Verdicts of the two requirements, of requirement id -> verdict."""
    return tuple(as_a_whole(next(verdict for id, verdict in found.items() if id.endswith(end))) for end in (":5.1-3", ":5.5-1"))


def library(work):
    copy = work / "testplans"
    shutil.copytree(SOURCE / "testplans", copy)
    (copy / "schemes/three").mkdir()
    for name, policy in POLICIES.items():
        (copy / "schemes/three" / f"{name}.yaml").write_text(PLAN.format(name=name, policy=policy))
    return copy


def oldest(device, name):
    """What an independent tool sees of old versions."""
    text = inside(device, ["sslscan", "--no-colour", f"{device['address']}:{port(device, name)}"]).stdout
    return [line.split()[0] for line in text.splitlines() if line.startswith("TLSv1.") and line.split()[1] == "enabled"]


with folder() as work:
    plans = library(work)
    for name, expected in EXPECTED.items():
        with emulated(name) as device:
            for policy, verdict in expected.items():
                out = work / name.replace("/", "-") / policy
                done = run(device, out, "--library", plans, "--also", "three/bsi,three/mozilla", plan=f"three/{policy}")
                assert done.returncode in (EXIT_PASSED, EXIT_FAILED, EXIT_OPEN), done.stderr
                assert whole(verdicts(out)) == REQUIREMENTS[name][policy], (name, policy, verdicts(out))
                found = {unit_id: unit for unit_id, unit in units(out) if unit_id.endswith("/a-tls")}
                assert {unit_id.split("/")[0] for unit_id in found} == {"TS103701@1.1.1:5.1-3-2", "TS103701@1.1.1:5.5-1-2"}, sorted(found)
                for unit_id, unit in found.items():
                    assert unit["verdict"] == verdict, (name, policy, unit_id, unit["verdict"], unit["because"])
                    for finding in unit["findings"]:
                        assert finding["evidence"] and finding["expected"], finding
                        if policy == "bsi" and verdict == "fail":
                            assert "BSI TR-02102-2 2025-01 of 2025-01-21" == finding["expected"], finding
            if name != "camera-weak":
                assert ("TLSv1.0" in oldest(device, "https")) == (name == "deviant/tls-old"), oldest(device, "https")
            if name == "camera-weak":  # its runs are long: the same bundle, judged by the other two
                for judged in facts("crosswalk", work / name / "baseline")["plans"]:
                    logins = next(row for row in judged["rows"] if row["id"].endswith(":5.1-3"))
                    assert "a-tls" not in json.dumps(logins), (judged["plan"], logins)
                    found = whole({row["id"]: row["verdict"] for row in judged["rows"]})
                    assert found == REQUIREMENTS[name][judged["plan"].split("/")[-1]], (judged["plan"], found)
            print(name, expected)
    with emulated("hub-sound") as device:  # what malformed input would show is left open, and the permission is named
        out = work / "benign"
        run(device, out, "--library", plans, "--allow", "benign", plan="three/baseline")
        for unit_id, unit in units(out):
            if unit_id.endswith("/a-tls"):
                assert unit["verdict"] == "not_tested", (unit_id, unit["verdict"], unit["because"])
                assert "tls_attacks is intrusive and this run allows benign" in json.dumps(unit), unit
    with emulated("deviant/tls-old") as device:
        out = work / "level-1"
        run(device, out)
        failed = {requirement for requirement, word in verdicts(out).items() if word == "fail"}
        assert failed == expected_failures("deviant/tls-old", device["isolation"]), failed
