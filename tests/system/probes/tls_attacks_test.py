"""Weaknesses by their decisive exchange: scripted servers that have one, real ones that have none; other tools say the same."""

import os
import shutil
import subprocess

import daemons
import tls_device
from daemons import ADDRESS, equal, need, path, true

daemons.own_namespace()
openssl = need("openssl")
DECISIVE = ("heartbleed", "ccs_injection", "robot")
RECORDS = ("tls_poodle", "zombie_poodle", "goldendoodle")
KEY, CERTIFICATE = daemons.make_rsa_key()


def look(port):
    observation, kept = daemons.probe("tls_attacks", f"tcp/{port}")
    equal(observation["completion"], "completed", f"the probe of port {port}: {observation.get('error')}")
    states = {one["name"]: one for one in observation["facts"]["tls_attacks.weaknesses"]}
    equal(sorted(states), sorted(DECISIVE + RECORDS), "the weaknesses that are asked for")
    return states, kept


def by_nmap(port, script):
    out = subprocess.run([need("nmap"), "-sT", "-Pn", "-n", "-p", str(port), "--script", f"+{script}", ADDRESS],
                         capture_output=True, text=True, timeout=120).stdout
    return "State: VULNERABLE" in out


def scripted():
    for port, weakness, shown in ((9601, "heartbleed", "heartbleed"), (9602, "ccs", "ccs_injection"),
                                  (9603, "robot", "robot"), (9604, "", None)):
        tls_device.serve(port, KEY, CERTIFICATE, weakness)
        states, kept = look(port)
        for name in DECISIVE:
            found = states[name]
            expected = "shown" if name == shown else "not_shown"
            equal(found["state"], expected, f"{name} of the server with {weakness!r}: {found['why']}")
        for name in RECORDS:  # these servers finish no handshake
            equal(states[name]["state"], "unknown", f"{name}: {states[name]['why']}")
        true("PRIVATE" not in kept and "50 52 49 56 41" not in kept, "memory of the device is kept nowhere")
    for port, script, vulnerable in ((9601, "ssl-heartbleed", True), (9604, "ssl-heartbleed", False),
                                     (9602, "ssl-ccs-injection", True), (9604, "ssl-ccs-injection", False)):
        equal(by_nmap(port, script), vulnerable, f"what nmap says of {script} on {port}")
    if shutil.which("testssl"):
        out = subprocess.run(["testssl", "--color", "0", "--quiet", "-BB", f"{ADDRESS}:9603"], capture_output=True, text=True,
                             timeout=120).stdout
        true("weakly vulnerable" in out, f"what testssl says of ROBOT: {out[-800:]}")


def s_server(port, *options):
    daemons.start([openssl, "s_server", "-accept", str(port), "-cert", path("rsa.pem"), "-key", path("rsa.key"), "-www",
                   *options], port)


def none_shown(states, server, records=True):
    for name, found in states.items():
        expected = "not_shown" if records or name in DECISIVE else "unknown"
        equal(found["state"], expected, f"{name} of {server}: {found['why']}")
    if records:
        for name in RECORDS:
            true(found_in(states[name]["why"], "5 sessions", "wrong MAC was answered with alert bad_record_mac", "nothing wrong was answered with"),
                 f"what was sent and heard is told: {states[name]['why']}")


def found_in(text, *parts):
    return all(part in text for part in parts)


def sound_openssl():
    keyed_by = {"RSA": "AES128-SHA:AES256-SHA256:CAMELLIA128-SHA", "ECDHE": "ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA"}
    for index, (version, key) in enumerate((version, key) for version in ("-tls1", "-tls1_1", "-tls1_2") for key in keyed_by):
        port = 9611 + index
        s_server(port, version, "-cipher", keyed_by[key] + ":@SECLEVEL=0")
        states, _ = look(port)
        none_shown(states, f"OpenSSL {version} {key}")
        true(found_in(states["tls_poodle"]["why"], f"TLS_{key}_"), f"the suite is told: {states['tls_poodle']['why']}")
        if key == "RSA":
            true("6 handshakes" in states["robot"]["why"], f"the sample is stated: {states['robot']['why']}")
    s_server(9619, "-tls1_3")
    for name, found in look(9619)[0].items():
        equal(found["state"], "not_shown", f"{name} without an old version: {found['why']}")


def sound_gnutls():
    daemons.start([need("gnutls-serv"), "--http", "--heartbeat", "--port", "9621", "--x509certfile", path("rsa.pem"), "--x509keyfile",
                   path("rsa.key"), "--priority", "NORMAL:+RSA:+VERS-TLS1.2", "--quiet"], 9621)
    states, _ = look(9621)
    none_shown(states, "GnuTLS")
    true("6 handshakes" in states["robot"]["why"], f"RSA key transport was asked: {states['robot']['why']}")


def sound_mbedtls():
    program = path("mbedtls_server")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stacks", "mbedtls_server.c")
    daemons.run("cc", "-O1", "-o", program, source, "-lmbedtls", "-lmbedx509", "-lmbedcrypto")
    for port, suite in ((9631, "TLS-RSA-WITH-AES-128-CBC-SHA"), (9632, "TLS-ECDHE-RSA-WITH-AES-256-CBC-SHA384")):
        daemons.start([program, str(port), path("rsa.pem"), path("rsa.key"), "1", "3", suite, "secp256r1,secp384r1", "0", "reads"], port)
        states, _ = look(port)
        none_shown(states, f"Mbed TLS with {suite}")


checked = []
for part in (scripted, sound_openssl, sound_gnutls, sound_mbedtls):
    part()
    checked.append(part.__name__)
print("checked", ", ".join(checked))
