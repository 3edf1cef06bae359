"""On one server of each TLS stack nothing is missed that testssl.sh finds: versions, suites, groups, the certificate, weaknesses.

It takes one to three minutes a server, so this is for `make nightly`. What it gets wrong is told and stands in docs/tls.md.
usage: testssl_test.py [PART OF A SERVER'S NAME…]"""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "probes"))
import daemons  # noqa: E402
import tls_stacks  # noqa: E402
from daemons import ADDRESS, path  # noqa: E402

LONGEST = 900  # s for one server
VERSIONS = {"SSLv2": "SSLv2", "SSLv3": "SSLv3", "TLS1": "TLSv1", "TLS1_1": "TLSv1.1", "TLS1_2": "TLSv1.2", "TLS1_3": "TLSv1.3"}
SUITES_OF = {"ssl3": "SSLv3", "tls1": "TLSv1", "tls1_1": "TLSv1.1", "tls1_2": "TLSv1.2", "tls1_3": "TLSv1.3"}
GROUPS = {"prime256v1": "secp256r1", "prime192v1": "secp192r1", "X25519": "x25519", "X448": "x448"}  # the others by their registered names
# RFC 2409 and RFC 3526, as the fact names them.
MODP = {"1": "modp768", "2": "modp1024", "5": "modp1536", "14": "modp2048", "15": "modp3072", "16": "modp4096", "17": "modp6144", "18": "modp8192"}
SIGNATURES = {"SHA256 with RSA": "sha256WithRSAEncryption", "ECDSA with SHA256": "ecdsa-with-SHA256", "SHA1 with RSA": "sha1WithRSAEncryption"}
WEAKNESSES = {"heartbleed": "heartbleed", "CCS": "ccs_injection", "ticketbleed": "ticketbleed", "ROBOT": "robot", "secure_renego": "insecure_renegotiation",
              "CRIME_TLS": "crime", "POODLE_SSL": "poodle", "SWEET32": "sweet32", "FREAK": "freak", "DROWN": "drown", "LOGJAM": "logjam",
              "BEAST": "beast", "LUCKY13": "lucky13", "RC4": "rc4"}
BAD = ("LOW", "MEDIUM", "HIGH", "CRITICAL")


def by_testssl(port):
    """id -> {severity, finding}; the suites under "suites" as (version, code)."""
    report = path(f"testssl{port}.json")
    began = time.monotonic()
    done = subprocess.run([daemons.need("testssl"), "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--jsonfile", report,
                           "-p", "-E", "-f", "-S", "-U", f"{ADDRESS}:{port}"], capture_output=True, text=True, timeout=LONGEST, stdin=subprocess.DEVNULL)
    print(f"port {port}: testssl.sh took {time.monotonic() - began:.0f} s, exit {done.returncode}", flush=True)
    with open(report) as file:
        rows = json.load(file)
    out = {row["id"]: row for row in rows}
    out["suites"] = set()
    for row in rows:
        if match := re.fullmatch(r"cipher-(\w+?)_x([0-9a-f]+)", row["id"]):
            out["suites"].add((SUITES_OF[match.group(1)], f"0x{int(match.group(2), 16):04x}"))
    return out


def finding(theirs, name):
    return theirs.get(name, {}).get("finding", "")


def missed(theirs, facts):
    """What it finds and the facts do not have: (kind, what)."""
    versions = {ours for name, ours in VERSIONS.items() if finding(theirs, name).startswith("offered")}
    yield from (("version", one) for one in versions - set(facts["tls.versions"]))
    yield from (("suite", one) for one in theirs["suites"] - {(one["version"], one["code"]) for one in facts["tls.suites"]})
    fields = finding(theirs, "DH_groups")  # names of RFC 7919, or of older registers in words: "RFC3526/Oakley Group 14"
    groups = set(finding(theirs, "PFS_ECDHE_curves").split()) | set(re.findall(r"ffdhe\d+", fields))
    groups |= {MODP[number] for number in re.findall(r"Group (\d+)", fields)}
    known = {one["name"] for one in facts["tls.groups"]} | {one["known"] for one in facts["tls.dh"]}
    yield from (("group", one) for one in {GROUPS.get(one, one) for one in groups} - known)
    yield from (("certificate", one) for one in certificates_missed(theirs, facts))
    states = {one["name"]: one["state"] for one in facts["tls.weaknesses"]}
    for name, ours in WEAKNESSES.items():
        if theirs.get(name, {}).get("severity") in BAD and states.get(ours) not in ("shown", "precondition"):
            yield "weakness", f"{name}: {finding(theirs, name)[:80]!r} and ours {states.get(ours)}"
    renegotiates = facts["tls.behaviour"].get("renegotiates_for_client", {}).get("yes")
    if theirs.get("secure_client_renego", {}).get("severity") in BAD and not renegotiates:
        yield "weakness", f"secure_client_renego: {finding(theirs, 'secure_client_renego')[:80]!r} and ours {renegotiates}"


def certificates_missed(theirs, facts):
    leaves = [chain[0] for chain in facts.get("tls.certificates", [])]
    for name, row in theirs.items():
        if not name.startswith("cert_fingerprintSHA256") or not row["finding"]:
            continue
        leaf = next((one for one in leaves if one["sha256"].lower() == row["finding"].lower()), None)
        if not leaf:
            yield f"the certificate {row['finding']}"
            continue
        rest = name[len("cert_fingerprintSHA256"):]
        signature = finding(theirs, "cert_signatureAlgorithm" + rest)
        said = {"common name": (finding(theirs, "cert_commonName" + rest), leaf["subject"]),
                "end": (finding(theirs, "cert_notAfter" + rest).replace(" ", "T"), leaf["not_after"]),
                "bits": (re.sub(r"\D*(\d+) bits.*", r"\1", finding(theirs, "cert_keySize" + rest)), str(leaf["key_bits"])),
                "signature": (SIGNATURES.get(signature, signature), leaf["signature"])}
        yield from (f"{what}: {one!r}, ours {ours!r}" for what, (one, ours) in said.items() if one not in ours)


def told(theirs, facts):
    """What the facts have and it does not find, or finds otherwise: for docs/tls.md."""
    out = sorted({(one["version"], one["name"]) for one in facts["tls.suites"] if (one["version"], one["code"]) not in theirs["suites"]})
    curves = {GROUPS.get(one, one) for one in finding(theirs, "PFS_ECDHE_curves").split()}
    fields = set(re.findall(r"ffdhe\d+", finding(theirs, "DH_groups")))
    out += sorted({one["name"] for one in facts["tls.groups"]} - curves - fields)
    named = {ours: name for name, ours in WEAKNESSES.items()}
    for one in facts["tls.weaknesses"]:
        row = theirs.get(named.get(one["name"]), {})
        if one["state"] in ("shown", "precondition") and row and row["severity"] not in BAD:
            out.append(f"{one['name']}: {one['why']}; it says {row['finding'][:60]!r}")
    return out


def compare(one):
    theirs = by_testssl(one["port"])
    facts = one["facts"]
    weak = sorted(name for name in WEAKNESSES if theirs.get(name, {}).get("severity") in BAD)
    print(f"{one['name']}: testssl.sh finds {len(theirs['suites'])} suites, we {len(facts['tls.suites'])}; weaknesses {weak}; beyond it we find {told(theirs, facts)}",
          flush=True)
    faults = [f"{one['name']}: {kind}: {what}" for kind, what in missed(theirs, facts)]
    # A report without these has another form than the one that is read here, and would show nothing.
    if not theirs["suites"] or not any(finding(theirs, name).startswith("offered") for name in VERSIONS) or "SWEET32" not in theirs:
        faults.append(f"{one['name']}: the report of testssl.sh is not understood: {sorted(theirs)[:20]}")
    return faults


def main():
    daemons.need("testssl")
    samples = tls_stacks.start()
    chosen = [one for one in tls_stacks.cases if one["port"] in samples and (not sys.argv[1:] or any(word in one["name"] for word in sys.argv[1:]))]
    faults = [line for one in chosen for line in tls_stacks.differences(one)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        faults += [line for lines in pool.map(compare, chosen) for line in lines]
    print(f"{len(chosen)} servers")
    if faults:
        raise AssertionError("\n".join(faults))


main()
