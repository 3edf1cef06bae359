"""What a TLS server takes, judged by three catalogues: one device of today, one that takes TLS 1.0 as well, one without TLS.

5.1-3 is of level 1 of CLS(IoT) and 5.5-1 of level 2, here with the cases and the line for keys that these have, and a policy of
ours in place of theirs. Each device is run once, and what was recorded is judged by every plan; a catalogue that finds something also
as if its lists had been read in a summary only, which makes a doubt of every finding."""
import functools
import json
import re

from common import (EXIT_FAILED, EXIT_OPEN, EXIT_PASSED, SOURCE, emulated, expected_failures, facts, folder, inside, library_of_few_logins,
                    need, port, run, side_by_side, units, verdicts)

need("lighttpd", "dropbear", "mosquitto", "busybox", "vsftpd", "sslscan")

POLICIES = {"baseline": "baseline-tls", "bsi": "bsi-tr-02102-2", "mozilla": "mozilla-modern"}
TITLES = {"baseline": "Assay baseline for TLS 2026-11 of 2026-11-26", "bsi": "BSI TR-02102-2 2025-01 of 2025-01-21",
          "mozilla": "Mozilla server side TLS, modern 5.8 of 2024-12"}
UNSURE = "-unsure"
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
UNITS = {":5.1-3": "TS103701@1.1.1:5.1-3-2/a-tls", ":5.5-1": "TS103701@1.1.1:5.5-1-2/a-tls"}
# Device -> policy -> verdict of the unit that asks the probe tls, of 5.1-3-2 and of 5.5-1-2.
EXPECTED = {
    # X25519 and ChaCha20 are on no list of BSI; Mozilla's modern level has TLS 1.3 alone.
    "hub-sound": {"baseline": "pass", "bsi": "inconclusive", "mozilla": "fail"},
    "deviant/tls-old": {"baseline": "fail", "bsi": "fail", "mozilla": "fail"},
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
    return tuple(as_a_whole(next(verdict for id, verdict in found.items() if id.endswith(end))) for end in UNITS)


def library(work):
    copy = library_of_few_logins(work)
    (copy / "schemes/three").mkdir()
    for name, policy in POLICIES.items():
        text = (SOURCE / f"testplans/policies/tls/{policy}.yaml").read_text(encoding="utf-8")
        text, ids = re.subn(rf"^id: {policy}$", f"id: {policy}{UNSURE}", text, flags=re.M)
        text, words = re.subn(r"^strength: \w+$", "strength: unconfirmed", text, flags=re.M)
        assert (ids, words) == (1, 1), policy
        (copy / f"policies/tls/{policy}{UNSURE}.yaml").write_text(text, encoding="utf-8")
        for end in ("", UNSURE):
            (copy / "schemes/three" / f"{name}{end}.yaml").write_text(PLAN.format(name=name + end, policy=policy + end))
    return copy


def oldest(device, name):
    """What an independent tool sees of old versions."""
    text = inside(device, ["sslscan", "--no-colour", f"{device['address']}:{port(device, name)}"]).stdout
    return [line.split()[0] for line in text.splitlines() if line.startswith("TLSv1.") and line.split()[1] == "enabled"]


def rows_of(judged):
    """The rows of the two requirements, by the end of their ids."""
    return {end: next(row for row in judged["rows"] if row["id"].endswith(end)) for end in UNITS}


def by_policy(row, policy):
    """What that policy has against the device."""
    return [finding for finding in row["findings"] if finding["expected"] == TITLES[policy]]


def doubts(row, unit):
    return [one["what"] for one in row["closes"] if any(id.startswith(unit) for id in one["units"])]


def check_unit(name, policy, row, unit, verdict):
    """The verdict of one unit shows in what the row names: its findings, or what it waits for."""
    found = by_policy(row, policy)
    assert bool(found) == (verdict == "fail"), (name, policy, unit, found)
    for finding in found:
        assert finding["evidence"], finding
    if verdict != "fail":
        assert bool(doubts(row, unit)) == (verdict == "inconclusive"), (name, policy, unit, row["closes"])


def check_unsure(name, policy, row, unit, sure):
    """What the sure lists find, the unsure ones only doubt, each with the row of the policy and how sure it is."""
    assert by_policy(row, policy) == [], (name, policy, row["findings"])
    waits = [what for what in doubts(row, unit) if f"{TITLES[policy]}, whose confidence is unconfirmed" in what]
    expected = {finding["what"] for finding in by_policy(sure, policy)}
    assert {re.split(r" by the (?:rows?|lists) ", what)[0] for what in waits} == expected, (name, policy, waits, expected)
    for what in waits:
        assert (" by the row" in what) != (": not listed" in what), what
    return len(waits)


def check(name, plans):
    """The same evidence by all plans. How many findings became doubts."""
    turned = 0
    for policy in POLICIES:
        judged = plans[f"three/{policy}"]
        verdicts_of = {row["id"]: row["verdict"] for row in judged["rows"]}
        assert whole(verdicts_of) == REQUIREMENTS[name][policy], (name, policy, verdicts_of)
        for end, unit in UNITS.items():
            row = rows_of(judged)[end]
            if name in EXPECTED:
                check_unit(name, policy, row, unit, EXPECTED[name][policy])
            elif end == ":5.1-3":  # it has no TLS to judge
                assert "a-tls" not in json.dumps(row), (name, policy, row)
            if f"three/{policy}{UNSURE}" in plans:
                turned += check_unsure(name, policy, rows_of(plans[f"three/{policy}{UNSURE}"])[end], unit, row)
    return turned


def plans_for(name):
    """The three, those that find something as if they were unsure, and for a device with TLS as its only fault level 1."""
    found = [policy for policy, verdict in EXPECTED.get(name, {}).items() if verdict == "fail"]
    level = ["cls-iot/1"] if name == "deviant/tls-old" else []
    return [f"three/{policy}" for policy in POLICIES] + [f"three/{policy}{UNSURE}" for policy in found] + level


def judge(name, work, library_of):
    out = work / name.replace("/", "-")
    with emulated(name) as device:
        done = run(device, out, "--library", library_of, plan="three/baseline")
        assert done.returncode in (EXIT_PASSED, EXIT_FAILED, EXIT_OPEN), done.stderr
        if name != "camera-weak":
            assert ("TLSv1.0" in oldest(device, "https")) == (name == "deviant/tls-old"), oldest(device, "https")
        failures = expected_failures(name, device["isolation"])
    judged = facts("crosswalk", out, "--library", library_of, "--to", ",".join(plans_for(name)))
    plans = {plan["plan"]: plan for plan in judged["plans"]}
    for unit_id, unit in units(out):  # of the run itself, which names each unit
        if unit_id in UNITS.values() and name in EXPECTED:
            assert unit["verdict"] == EXPECTED[name]["baseline"], (name, unit_id, unit["verdict"], unit["because"])
    assert {row["id"]: row["verdict"] for row in plans["three/baseline"]["rows"]} == verdicts(out)
    if name == "deviant/tls-old":  # everything that level 1 has against it is in what was recorded
        assert {row["id"] for row in plans["cls-iot/1"]["rows"] if row["verdict"] == "fail"} == failures
    turned = check(name, plans)
    assert bool(turned) == (name in EXPECTED), (name, turned)
    print(name, REQUIREMENTS[name], f"{turned} findings are doubts where the lists are unsure")


def check_benign(work, library_of):
    """What malformed input would show is left open, and the permission is named."""
    out = work / "benign"
    with emulated("hub-sound") as device:
        run(device, out, "--library", library_of, "--allow", "benign", plan="three/baseline")
    found = {unit_id: unit for unit_id, unit in units(out) if unit_id in UNITS.values()}
    assert set(found) == set(UNITS.values()), sorted(found)
    for unit_id, unit in found.items():
        assert unit["verdict"] == "not_tested", (unit_id, unit["verdict"], unit["because"])
        assert "tls_attacks is intrusive and this run allows benign" in json.dumps(unit), unit


with folder() as work:
    plans = library(work)
    side_by_side(*[functools.partial(judge, name, work, plans) for name in REQUIREMENTS], lambda: check_benign(work, plans))
