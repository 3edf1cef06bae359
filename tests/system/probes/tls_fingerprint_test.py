"""The fingerprint of a stack: two servers of one stack and configuration agree, a second look agrees, other configurations and
other stacks differ, all in ten connections."""
import shutil
import subprocess

import daemons
from daemons import equal, path, probe, true

daemons.own_namespace()
openssl = daemons.need("openssl")


def tool(*words):
    subprocess.run(words, check=True, capture_output=True)


def certificate(name, *key):
    tool(openssl, "genpkey", "-out", path(name + ".key"), *key)
    tool(openssl, "req", "-x509", "-key", path(name + ".key"), "-subj", f"/CN={name}.example", "-days", "30", "-out", path(name + ".pem"))


RSA = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
for one in ("first", "second"):
    certificate(one, *RSA)
certificate("curve", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")


def s_server(name, *words):
    return lambda port: [openssl, "s_server", "-accept", str(port), "-key", path(name + ".key"), "-cert", path(name + ".pem"), "-quiet", "-www", *words]


def gnutls(name, *words):
    return lambda port: [shutil.which("gnutls-serv"), "--http", "--disable-client-cert", "-p", str(port), "--x509keyfile", path(name + ".key"),
                         "--x509certfile", path(name + ".pem"), *words]


def botan(name):
    return lambda port: [shutil.which("botan"), "tls_server", path(name + ".pem"), path(name + ".key"), f"--port={port}"]


# Name -> server. Those of one group must agree; every other two must differ.
SERVERS = {
    "openssl": s_server("first"),
    "openssl, another key": s_server("second"),
    "openssl, TLS 1.2 alone": s_server("first", "-no_tls1_3"),
    "openssl, server's order": s_server("first", "-serverpref"),
    "openssl, fewer suites": s_server("first", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", "-ciphersuites", "TLS_AES_128_GCM_SHA256"),
    "openssl, ALPN": s_server("first", "-alpn", "http/1.1"),
    "openssl, no tickets": s_server("first", "-no_ticket"),
    "openssl, a curve's key": s_server("curve"),
}
for stack, command in (("gnutls-serv", gnutls("first")), ("botan", botan("first"))):
    if shutil.which(stack):
        SERVERS[stack] = command
    else:
        print(stack, "is not installed and was left out")
if "gnutls-serv" in SERVERS:
    SERVERS["gnutls-serv, another key"] = gnutls("second")
SAME = [{"openssl", "openssl, another key"}, {"gnutls-serv", "gnutls-serv, another key"}]


def look(port):
    observation, _ = probe("tls", f"tcp/{port}", look_at="fingerprint")
    facts = observation["facts"]
    true(facts["tls.spoken"] and facts["tls.fingerprint"]["stack"], observation)
    cost = observation["coverage"]["questions"]["connections"]
    true(cost <= 10, f"{cost} connections")
    true(observation["unobserved"]["tls.suites"] == "the fingerprint alone was asked for", observation["unobserved"])
    return facts["tls.fingerprint"]


ports = {name: 9701 + index for index, name in enumerate(SERVERS)}
daemons.start_all([(command(ports[name]), ports[name]) for name, command in SERVERS.items()])
seen = {name: look(port) for name, port in ports.items()}
for name, port in ports.items():
    again = look(port)
    equal((again["stack"], again["jarm_like"]), (seen[name]["stack"], seen[name]["jarm_like"]), f"{name}, looked at again")
    print(f"{name}: {seen[name]['stack']} {seen[name]['jarm_like']}")
names = sorted(seen)
for index, one in enumerate(names):
    for other in names[index + 1:]:
        agree = any({one, other} <= group for group in SAME)
        for value in ("stack", "jarm_like"):
            true((seen[one][value] == seen[other][value]) == agree, (one, other, value, seen[one]["answers"], seen[other]["answers"]))
print(f"{len(seen)} servers told apart, each twice")
observation, _ = probe("tls", f"tcp/{ports['openssl']}", look_at="suites")
true("stack" not in observation["facts"]["tls.fingerprint"], "another survey takes no fingerprint")
