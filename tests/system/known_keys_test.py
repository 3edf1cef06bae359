"""scripts/known-keys finds private keys in every form in which packages carry them, and writes a list that `assay validate` takes.
The digests are those that ssh-keygen and openssl give for the public halves."""
import base64
import hashlib
import subprocess
import sys

import yaml
from common import SOURCE, assay, folder, need

need("openssl", "ssh-keygen")


def tool(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, **options).stdout


def spki(path, *words):
    return hashlib.sha256(tool("openssl", "pkey", "-in", path, *words, "-pubout", "-outform", "DER")).hexdigest()


def key(path, *words):
    tool("openssl", "genpkey", "-out", path, *words)
    return spki(path)


with folder() as work:
    package = work / "openvpn" / "usr/share"
    package.mkdir(parents=True)
    (work / "openvpn.version").write_text("openvpn_2.6.3-1_amd64.deb")
    expected = {}
    made = work / "made.key"

    expected["pkcs8.pem"] = key(package / "pkcs8.pem", "-algorithm", "ED25519")
    expected["pkcs1.key"] = key(made, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    (package / "pkcs1.key").write_bytes(tool("openssl", "rsa", "-in", made, "-traditional"))
    expected["ec.der"] = key(made, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
    (package / "ec.der").write_bytes(tool("openssl", "pkey", "-in", made, "-outform", "DER"))
    expected["array.h, server_key_der"] = key(made, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    raw = tool("openssl", "pkey", "-in", made, "-outform", "DER")
    (package / "array.h").write_text("static const unsigned char server_key_der[] = {\n" + ", ".join(f"0x{byte:02X}" for byte in raw) + "\n};\n")
    expected["quoted.c"] = key(made, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    (package / "quoted.c").write_text("".join(f'"{line}\\r\\n"\n' for line in made.read_text().splitlines()))
    expected["locked.pem"] = key(made, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    (package / "locked.pem").write_bytes(tool("openssl", "rsa", "-in", made, "-traditional", "-aes128", "-passout", "pass:PolarSSLTest"))
    expected["testing.go"] = key(made, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    (package / "testing.go").write_bytes(tool("openssl", "rsa", "-in", made, "-traditional").replace(b"RSA PRIVATE", b"RSA TESTING"))
    for kind in ("rsa", "ecdsa", "ed25519"):
        file = package / f"host_{kind}"
        tool("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", file)
        if kind == "ed25519":  # which ssh-keygen does not export: RFC 8410, 4
            blob = base64.b64decode((package / f"host_{kind}.pub").read_text().split()[1])
            expected[file.name] = hashlib.sha256(bytes.fromhex("302a300506032b6570032100") + blob[-32:]).hexdigest()
        else:
            public = tool("ssh-keygen", "-e", "-m", "PKCS8", "-f", file)
            expected[file.name] = hashlib.sha256(tool("openssl", "pkey", "-pubin", "-pubout", "-outform", "DER", input=public)).hexdigest()
    # What gives no private key away is no entry: a certificate, a public key, a key behind a passphrase that nobody publishes.
    key(made, "-algorithm", "ED25519")
    (package / "alone.crt").write_bytes(tool("openssl", "req", "-x509", "-key", made, "-subj", "/CN=hub", "-days", "30"))
    (package / "public.pem").write_bytes(tool("openssl", "pkey", "-in", made, "-pubout"))
    (package / "secret.pem").write_bytes(tool("openssl", "pkey", "-in", made, "-aes128", "-passout", "pass:nobody knows this"))

    done = subprocess.run([sys.executable, "-B", SOURCE / "scripts/known-keys", work], check=True, capture_output=True, text=True)
    listed = work / "known-keys.yaml"
    listed.write_text(done.stdout)
    assay("validate", listed, check=0)
    entries = yaml.safe_load(done.stdout)["keys"]
    found = {entry["where"].removeprefix("/usr/share/"): entry["digests"] for entry in entries}
    assert found == {name: [digest] for name, digest in expected.items()}, (found, expected)
    assert {entry["source"] for entry in entries} == {"Debian 12, openvpn 2.6.3-1"}, entries
    assert {entry["kind"] for entry in entries} >= {"RSA 2048", "EC prime256v1", "EC secp384r1", "ED25519"}, entries
    print(len(entries), "keys in", len(expected), "forms")
