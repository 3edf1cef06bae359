"""Two units of one model: pairs that share exactly one of certificate, SSH host key and finite-field parameters, a pair with
one certificate key in two certificates, a sound pair, and a unit alone. The units of real daemons (openssl s_server, dropbear)
stand on two addresses of a network namespace; what they share is known from the files they were started with. Then units with a
key that a standard publishes, for TLS and for SSH, and a pair whose RSA keys have a prime in common."""
import base64
import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import daemons
from daemons import equal, path, true, write

daemons.own_namespace()
from common import EXIT_FAILED, EXIT_OPEN, assay, units  # noqa: E402

openssl, dropbear, dropbearkey, dropbearconvert = (daemons.need(name) for name in ("openssl", "dropbear", "dropbearkey", "dropbearconvert"))
AT = {"A": "127.0.0.2", "B": "127.0.0.3"}
PLANS = {
    "keys": ("EN303645@2.1.1", "TS103701@1.1.1", ["EN303645@2.1.1:5.4-3", "EN303645@2.1.1:5.4-4"]),
    "newer": ("EN303645@3.1.3", "TS103701@2.1.1", ["EN303645@3.1.3:5.4-3", "EN303645@3.1.3:5.4-4"]),
    "router": ("TR03148@1.2", "TR03148P@1.2", ["TR03148@1.2:K.3"]),
}
DUT = """assay: dut/1
device: {{vendor: Example, model: Hub 2, product_class: router}}
samples: [{samples}]
scope: [127.0.0.2/32, 127.0.0.3/32]
pace: fast
standard: {method}
{ixit}"""
IXIT = """ixit:
  11-ComMech:
    - {id: CM-1, port: tcp/443, remotely_accessible: true, description: the cloud reaches it, cryptography: TLS 1.2}
    - {id: CM-2, port: tcp/22, remotely_accessible: false, description: upkeep, cryptography: SSH 2}
"""
# The P-256 key of RFC 9500, which everybody may use for tests.
PUBLISHED = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIObLW92AqkWunJXowVR2Z5/+yVPBaFHnEedDk5WJxk/BoAoGCCqGSM49
AwEHoUQDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjV
uKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==
-----END EC PRIVATE KEY-----
"""


def tool(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def library():
    copy = pathlib.Path(path("testplans"))
    shutil.copytree(daemons.LIBRARY, copy)
    (copy / "schemes/two").mkdir()
    for name, (standard, method, requirements) in PLANS.items():
        rows = "".join(f'  - {{id: "{one}", modality: shall, strength: reasoned, source: a test}}\n' for one in requirements)
        (copy / f"schemes/two/{name}.yaml").write_text(
            f"assay: plan/1\nid: two/{name}\ntitle: Two units\nscheme: {{name: A test, owner: this test, document: none, read: false}}\n"
            f"standard: {standard}\nmethod: {method}\ncases_from: [{method}]\nrequirements:\n{rows}")
    return copy


def certificate(name, key):
    tool(openssl, "req", "-x509", "-key", path(key), "-subj", f"/CN={name}.example", "-days", "30", "-out", path(name + ".pem"))
    return name + ".pem"


def der(tag, body):
    size = len(body)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(length)]) + length) + body


def rsa_key(name, p, q):
    """RFC 8017, A.1.2, of two primes."""
    e, n = 65537, p * q
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = (0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    body = der(0x30, b"".join(der(2, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in numbers))
    lines = base64.encodebytes(body).decode()
    return write(name, f"-----BEGIN RSA PRIVATE KEY-----\n{lines}-----END RSA PRIVATE KEY-----\n")


def prime():
    return int(tool(openssl, "prime", "-generate", "-bits", "1024", "-hex"), 16)


def serve(sample, key, cert, host_key, dh):
    at = AT[sample]
    # A handshake of TLS 1.2 shows certificate and parameters in clear. Without -dhparam OpenSSL takes a registered group.
    words = ["-dhparam", path(dh)] if dh else []
    server = subprocess.Popen([openssl, "s_server", "-accept", f"{at}:443", "-key", path(key), "-cert", path(cert), "-quiet", "-www",
                               "-no_tls1_3", "-cipher", "DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0", *words],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shell = subprocess.Popen([dropbear, "-F", "-E", "-r", path(host_key), "-p", f"{at}:22", "-P", path(sample + ".pid")],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    daemons._running += [server, shell]
    for port in (443, 22):
        accepts(at, port)
    return server, shell


def accepts(at, port):
    import socket
    import time
    for _ in range(200):
        try:
            socket.create_connection((at, port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens at {at}:{port}")


def run(name, pair, plan="keys"):
    """Runs the plan on the units of the pair; unit id without case -> unit."""
    running = [daemon for sample, files in pair.items() for daemon in serve(sample, **files)]
    standard, method, _ = PLANS[plan]
    samples = ", ".join(f"{{id: {sample}, at: {{lan: {AT[sample]}}}}}" for sample in pair)
    dut = write(f"{name}.yaml", DUT.format(samples=samples, method=method, ixit=IXIT if plan == "keys" else ""))
    out = path(f"{name}-{plan}")
    done = assay("run", "--plan", f"two/{plan}", "--dut", dut, "--library", LIBRARY, "-o", out, "-q")
    for daemon in running:
        daemon.terminate()
        daemon.wait(10)
    true(done.returncode in (EXIT_FAILED, EXIT_OPEN), (name, done.returncode, done.stderr[-2000:]))
    assay("replay", out, check=0)
    return {unit_id: unit for unit_id, unit in units(out)}


def verdict_of(found, short):
    """The one unit that ends with this; "5.4-3-2/a-certificates"."""
    matching = [unit for unit_id, unit in found.items() if unit_id.endswith(short) or f"{short}/" in unit_id]
    equal(len(matching), 1, (short, sorted(found)))
    return matching[0]


LIBRARY = library()
for name in ("a", "b"):
    tool(openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path(name + ".key"))
    certificate(name, name + ".key")
    tool(dropbearkey, "-t", "ed25519", "-f", path(name + ".ssh"))
    tool(openssl, "dhparam", "-out", path(name + ".dh"), "1024")  # short, because a long one takes a minute
certificate("a-again", "a.key")
A = {"key": "a.key", "cert": "a.pem", "host_key": "a.ssh", "dh": ""}
B = {"key": "b.key", "cert": "b.pem", "host_key": "b.ssh", "dh": ""}
KNOWN = ("5.4-3-2/a-known-keys", "5.4-4-1/b-known-keys")
UNITS = (*KNOWN, "5.4-3-2/a-host-keys", "5.4-3-2/a-certificates", "5.4-3-2/a-groups", "5.4-4-1/b-samples")
SOUND = dict.fromkeys(UNITS, "pass")

# Pair -> verdicts that differ from the sound pair's, and what is said.
PAIRS = {
    "sound": ({"A": A, "B": B}, {}, None),
    "certificate": ({"A": A, "B": {**B, "key": "a.key", "cert": "a.pem"}}, {"5.4-3-2/a-certificates": "fail", "5.4-4-1/b-samples": "fail"},
                    "Samples A (tcp/443) and B (tcp/443) show the same certificate (RSA 2048)"),
    "key": ({"A": A, "B": {**B, "key": "a.key", "cert": "a-again.pem"}}, {"5.4-3-2/a-certificates": "fail", "5.4-4-1/b-samples": "fail"},
            "Samples A (tcp/443) and B (tcp/443) show different certificates of the same key (RSA 2048)"),
    # The host key is of a service that is not reached from outside by the declaration, so 5.4-4 is for a person.
    "host-key": ({"A": A, "B": {**B, "host_key": "a.ssh"}}, {"5.4-3-2/a-host-keys": "fail", "5.4-4-1/b-samples": "inconclusive"},
                 "Samples A (tcp/22) and B (tcp/22) show the same SSH host key (ssh-ed25519)"),
    "groups": ({"A": {**A, "dh": "a.dh"}, "B": {**B, "dh": "a.dh"}}, {"5.4-3-2/a-groups": "inconclusive"},
               "Samples A (tcp/443) and B (tcp/443) show the same finite-field parameters (1024 bits), which are no registered group"),
    "own-groups": ({"A": {**A, "dh": "a.dh"}, "B": {**B, "dh": "b.dh"}}, {}, None),
}
for name, (pair, others, words) in PAIRS.items():
    found = run(name, pair)
    equal({unit: verdict_of(found, unit)["verdict"] for unit in UNITS}, {**SOUND, **others}, name)
    for unit in others:
        judged = verdict_of(found, unit)
        said = judged["findings"] + judged["open"]
        true(len(said) == 1 and said[0]["what"].startswith(words) and said[0]["evidence"], (name, unit, said))
    print(name, others)

# The other edition and the router's method judge the same.
for plan, case, unit in (("newer", "5.4-3-2", "a-certificates"), ("router", "K.3-samples", "certificates")):
    found = run("certificate", PAIRS["certificate"][0], plan)
    equal(verdict_of(found, f"{case}/{unit}")["verdict"], "fail", plan)
    print(plan, "fails too")

# One unit alone is nothing to compare.
found = run("alone", {"A": A})
equal([verdict_of(found, unit)["verdict"] for unit in UNITS], ["not_tested", "pass", *["inconclusive"] * 4], "one unit")
said = json.dumps(verdict_of(found, "5.4-4-1/b-samples")["open"])
true("seen on sample A only" in said, said)
print("one unit alone: open")

# A published key is one that the device does not hold alone: one unit is enough to see it.
write("published.key", PUBLISHED)
certificate("published", "published.key")
tool(dropbearconvert, "openssh", "dropbear", path("published.key"), path("published.ssh"))
found = run("published-tls", {"A": {**A, "key": "published.key", "cert": "published.pem"}})
equal([verdict_of(found, unit)["verdict"] for unit in KNOWN], ["fail", "fail"], "a published certificate key")
said = verdict_of(found, KNOWN[0])["findings"][0]
true("whose private half others hold too: RFC 9500" in said["what"] and said["endpoint"] == "tcp/443" and said["evidence"], said)
found = run("published-ssh", {"A": {**A, "host_key": "published.ssh"}})
equal([verdict_of(found, unit)["verdict"] for unit in KNOWN], ["fail", "inconclusive"], "a published host key")
said = verdict_of(found, KNOWN[0])["findings"][0]
true("shows an SSH host key (ecdsa-sha2-nistp256) whose private half others hold too: RFC 9500" in said["what"] and said["endpoint"] == "tcp/22", said)
print("a published key fails, for TLS and for SSH")

common = prime()
for name in ("one", "other"):
    rsa_key(name + ".key", common, prime())
    certificate(name, name + ".key")
found = run("common-factor", {"A": {**A, "key": "one.key", "cert": "one.pem"}, "B": {**B, "key": "other.key", "cert": "other.pem"}})
equal({unit: verdict_of(found, unit)["verdict"] for unit in UNITS}, {**SOUND, **dict.fromkeys(KNOWN, "fail")}, "a common prime")
said = verdict_of(found, KNOWN[0])["findings"]
true(len(said) == 1 and said[0]["what"].startswith("Two RSA keys have a factor of 1024 bits in common") and "A (tcp/443) and B (tcp/443)" in said[0]["what"], said)
print("a common prime fails")
