"""Servers with one weakness each: exactly that is found by the units of 5.1-3 and 5.5-1, and of the sound ones nothing.

One run looks at all ports of the device deviant/tls-defects. Two policies judge: one that names what is ruled out, and one that
names what may be used. Each row is a port: what each policy finds, and what is left to an assessor."""
import re
import shutil
import time

from common import EXIT_FAILED, SOURCE, emulated, expected_failures, facts, folder, need, run, units

need("openssl", "gnutls-serv")
DEVICE = "deviant/tls-defects"
PLAN = """assay: plan/1
id: bench/tls
title: Cryptography of logins and channels
scheme: {name: A test, owner: this test, document: none, read: false}
standard: EN303645@2.1.1
method: TS103701@1.1.1
cases_from: [TS103701@1.1.1]
policies: [baseline-tls, mozilla-intermediate]
requirements:
  - {id: "EN303645@2.1.1:5.1-3", modality: shall, strength: reasoned, source: a test}
  - {id: "EN303645@2.1.1:5.5-1", modality: shall, strength: reasoned, source: a test}
"""
BASELINE, MOZILLA, KNOWN, DECLARED = "Assay baseline for TLS", "Mozilla server side TLS", "none that is known", "TLS 1.3"
OLD_SUITE = [(MOZILLA, "takes TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: not listed")]
# This server says that it compresses and does not, so no handshake with it is ever finished.
UNFINISHED = [f"the weakness {name} was not settled" for name in ("tls_poodle", "zombie_poodle", "goldendoodle")]
# Port -> (findings: (policy, words), doubts: words).
EXPECTED = {
    "sound": ([], []),
    "tls10": ([(BASELINE, "takes TLSv1: forbidden"), (MOZILLA, "takes TLSv1: not listed"), *OLD_SUITE], []),
    "tls11": ([(BASELINE, "takes TLSv1.1: forbidden"), (MOZILLA, "takes TLSv1.1: not listed"), *OLD_SUITE], []),
    "rc4": ([(BASELINE, "takes TLS_ECDHE_ECDSA_WITH_RC4_128_SHA: forbidden (RC4"), (MOZILLA, "takes TLS_ECDHE_ECDSA_WITH_RC4_128_SHA: not listed")],
            ["what the weakness rc4 needs"]),
    "triple-des": ([(BASELINE, "takes TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA: forbidden (a block of 64 bits"),
                    (MOZILLA, "takes TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA: not listed")], ["what the weakness sweet32 needs"]),
    "no-encryption": ([(BASELINE, "takes TLS_ECDHE_ECDSA_WITH_NULL_SHA: forbidden (no encryption"),
                       (MOZILLA, "takes TLS_ECDHE_ECDSA_WITH_NULL_SHA: not listed")], []),
    "anonymous": ([(BASELINE, "takes TLS_ECDH_anon_WITH_AES_128_CBC_SHA: forbidden (nobody is authenticated"),
                   (MOZILLA, "takes TLS_ECDH_anon_WITH_AES_128_CBC_SHA: not listed")], []),
    "no-forward-secrecy": ([(MOZILLA, "takes TLS_RSA_WITH_AES_128_GCM_SHA256: not listed")], []),
    "dh1024": ([(BASELINE, "shows finite-field parameters of 1024 bits, and 2048 are asked for"),
                (MOZILLA, "shows finite-field parameters of 1024 bits, and 2048 are asked for"),
                (MOZILLA, "takes TLS_DHE_RSA_WITH_AES_128_GCM_SHA256: not listed")], ["what the weakness logjam needs"]),
    "short-curve": ([(BASELINE, "takes secp192r1: forbidden (less than 112 bits"), (MOZILLA, "takes secp192r1: not listed")], []),
    "sha1-handshake": ([(BASELINE, "takes rsa_pkcs1_sha1: forbidden (RFC 9155")], []),
    "rsa1024": ([(BASELINE, "shows a certificate with a key of RSA 1024, and 2048 are asked for"),
                 (MOZILLA, "shows a certificate with a key of RSA 1024, and 2048 are asked for")], []),
    "sha1-certificate": ([(BASELINE, "shows a certificate signed with rsa_pkcs1_sha1: forbidden (RFC 9155")], []),
    "expired": ([], ["ran out on"]),
    "undescribed": ([(DECLARED, "takes TLSv1.2, and IXIT 11-ComMech CM-2 describes TLS 1.3")], []),
    "no-safe-renegotiation": ([(KNOWN, "has the weakness insecure_renegotiation")], []),
    # No requirement of these units speaks of them: the certificate of a device at home has nobody to vouch for it and no
    # name to be reached by, and a secure renegotiation that the client begins is a load, not a breach. They are facts.
    "self-signed": ([], []),
    "wrong-name": ([], []),
    "client-renegotiation": ([], []),
    "compression": ([(MOZILLA, "takes TLS_RSA_WITH_AES_128_CBC_SHA: not listed")], ["what the weakness crime needs", *UNFINISHED]),
    "dtls-sound": ([], []),
    "dtls10": ([(BASELINE, "takes DTLSv1: forbidden"), (MOZILLA, "takes DTLSv1: not listed"), *OLD_SUITE], []),
    "dtls-no-cookie": ([], ["what the weakness dtls_amplification needs"]),
}
ONLY_OF_CHANNELS = {"undescribed"}  # 5.1-3 compares with the descriptions of logins, and the device has none


def library(work):
    copy = work / "testplans"
    shutil.copytree(SOURCE / "testplans", copy)
    (copy / "schemes/bench").mkdir()
    (copy / "schemes/bench/tls.yaml").write_text(PLAN)
    return copy


def told(expected, found, what):
    """Each expected item once, and no other."""
    faults = []
    rest = list(found)
    for item in expected:
        fits = [one for one in rest if (item in one if isinstance(item, str) else item[0] in one[0] and item[1] in one[1])]
        if len(fits) != 1:
            faults.append(f"{what}: {item} is found {len(fits)} times in {found}")
        rest = [one for one in rest if one not in fits]
    return faults + [f"{what}: {one} is not expected" for one in rest]


def compare(unit_id, unit, ports):
    faults = []
    for name, (findings, doubts) in EXPECTED.items():
        endpoint = ports[name]
        words = re.compile(re.escape(endpoint) + r"\b")
        if name in ONLY_OF_CHANNELS and ":5.1-3" in unit_id:
            findings = []
        found = [(one["expected"], one["what"]) for one in unit["findings"] if one["endpoint"] == endpoint]
        faults += told(findings, found, f"{unit_id} {name}")
        faults += told(doubts, [one["what"] for one in unit["open"] if words.search(one["what"])], f"{unit_id} {name}, doubts")
        for one in unit["findings"]:
            assert one["evidence"], one
    strange = {one["endpoint"] for one in unit["findings"]} - set(ports.values())
    return faults + [f"{unit_id}: a finding on {strange}"] * bool(strange)


with folder() as work, emulated(DEVICE) as device:
    plans = library(work)
    ports = device["endpoints"]
    assert set(ports) == set(EXPECTED), set(ports) ^ set(EXPECTED)
    began = time.monotonic()
    done = run(device, work / "run", "--library", plans, "--also", "cls-iot/1", plan="bench/tls")
    print(f"{len(ports)} servers in {time.monotonic() - began:.1f} s")
    assert done.returncode == EXIT_FAILED, (done.returncode, done.stderr)
    found = {unit_id: unit for unit_id, unit in units(work / "run") if unit_id.endswith("/a-tls")}
    assert {unit_id.split("/")[0] for unit_id in found} == {"TS103701@1.1.1:5.1-3-2", "TS103701@1.1.1:5.5-1-2"}, sorted(found)
    faults = [fault for unit_id, unit in sorted(found.items()) for fault in compare(unit_id, unit, ports)]
    assert not faults, "\n".join(faults)

    (level,) = facts("crosswalk", work / "run")["plans"]
    failed = {row["id"] for row in level["rows"] if row["verdict"] == "fail"}
    assert failed == expected_failures(DEVICE, device["isolation"]), failed
