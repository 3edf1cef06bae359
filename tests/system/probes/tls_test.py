"""Real TLS servers of known configuration: what the probe finds is the configuration, and what other tools find."""

import re
import subprocess
import xml.etree.ElementTree as xml

import daemons
from daemons import ADDRESS, equal, need, path, true, write

daemons.own_namespace()
openssl = need("openssl")
checked = []


def facts_of(port, **settings):
    observation, kept = daemons.probe("tls", f"tcp/{port}", **settings)
    equal(observation["completion"], "completed", f"the probe of port {port}: {observation.get('error')}")
    true(observation["evidence"].get("tls.suites"), "the suites have evidence")
    true("-- " in kept or kept, "the questions are kept")
    return observation["facts"], observation["coverage"]["questions"]


def suites(facts):
    return sorted((one["version"], one["name"]) for one in facts["tls.suites"])


def by_openssl(words):
    """What the words of OpenSSL stand for, as registered names."""
    out = subprocess.run([openssl, "ciphers", "-s", "-stdname", words], capture_output=True, text=True, check=True).stdout
    return sorted(line.split()[0] for line in out.splitlines() if line.strip())


def by_sslscan(port):
    """(version, OpenSSL's name) pairs that an independent tool finds."""
    out = subprocess.run([need("sslscan"), "--xml=-", f"{ADDRESS}:{port}"], capture_output=True, text=True).stdout
    return {(cipher.get("sslversion"), cipher.get("id").lower()) for cipher in xml.fromstring(out).iter("cipher")}


def narrow():
    pem = daemons.certificate()
    daemons.start([openssl, "s_server", "-accept", "9501", "-cert", pem, "-key", path("key.pem"), "-tls1_2", "-www",
                   "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA", "-serverpref"], 9501)
    facts, cost = facts_of(9501)
    equal(facts["tls.versions"], ["TLSv1.2"], "versions")
    equal(suites(facts), [("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
                          ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA")], "suites")
    equal(facts["tls.preference"], "server", "order")
    equal(facts["tls.unsettled"], [], "all was settled")
    chain = facts["tls.certificates"][0]
    equal((chain[0]["key_type"], chain[0]["key_bits"], chain[0]["self_signed"]), ("EC", 256, True), "certificate")
    fingerprint = subprocess.run([openssl, "x509", "-in", path("cert.pem"), "-noout", "-fingerprint", "-sha256"],
                                 capture_output=True, text=True).stdout.split("=")[1].strip().replace(":", "").lower()
    equal(chain[0]["sha256"], fingerprint, "the certificate is the one that was made")
    true(cost["connections"] < 60, f"connections: {cost}")


def wide():
    pem = daemons.certificate()
    subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=hub.example",
                    "-keyout", path("rsa.key"), "-out", path("rsa.pem")], check=True, capture_output=True)
    daemons.start([openssl, "s_server", "-accept", "9502", "-cert", path("rsa.pem"), "-key", path("rsa.key"), "-dcert", pem,
                   "-dkey", path("key.pem"), "-www", "-cipher", "ALL:eNULL:@SECLEVEL=0"], 9502)
    facts, cost = facts_of(9502)
    equal(facts["tls.versions"], ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"], "versions")
    theirs = by_sslscan(9502)
    ours = {(one["version"].replace("TLSv1", "TLSv1.0") if one["version"] == "TLSv1" else one["version"], one["code"])
            for one in facts["tls.suites"]}
    equal(sorted(theirs - ours), [], "sslscan finds nothing that we miss")
    true(len(ours) >= len(theirs) > 50, f"{len(ours)} pairs, sslscan {len(theirs)}")
    equal(sorted(chain[0]["key_type"] for chain in facts["tls.certificates"]), ["EC", "RSA"], "both certificates")
    true(cost["connections"] < 250, f"connections: {cost}")


for part in (narrow, wide):
    part()
    checked.append(part.__name__)
print("checked", ", ".join(checked))
