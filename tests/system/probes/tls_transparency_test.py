"""Signed certificate timestamps (RFC 6962) in a certificate and in the TLS extension, as openssl s_server sends what it is given."""
import base64
import subprocess

import daemons
from daemons import equal, path, probe, true, write

daemons.own_namespace()
openssl = daemons.need("openssl")


def tool(*words):
    subprocess.run(words, check=True, capture_output=True)


def certificate(name, extensions):
    tool(openssl, "genpkey", "-out", path(name + ".key"), "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    config = write(name + ".cnf", f"[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\nbasicConstraints=CA:FALSE\n{extensions}")
    tool(openssl, "req", "-x509", "-config", config, "-key", path(name + ".key"), "-subj", f"/CN={name}.example", "-days", "30", "-out",
         path(name + ".pem"))


def serve(name, port, *words):
    daemons.start([openssl, "s_server", "-accept", str(port), "-key", path(name + ".key"), "-cert", path(name + ".pem"), "-quiet", "-www", *words], port)


def sct(log, milliseconds):
    body = b"\0" + log + milliseconds.to_bytes(8, "big") + b"\0\0" + b"\x04\x03\0\x08\x30\x06\x02\x01\x01\x02\x01\x01"
    return len(body).to_bytes(2, "big") + body


def sct_list(*scts):
    return sum(map(len, scts)).to_bytes(2, "big") + b"".join(scts)


LOGS = [bytes([number]) * 32 for number in (1, 2)]
in_certificate = sct_list(sct(LOGS[0], 1700000000000), sct(LOGS[1], 1700000001000))
in_extension = sct_list(sct(LOGS[1], 1600000000000))
octets = b"\x04\x81" + bytes([len(in_certificate)]) + in_certificate if len(in_certificate) > 127 else b"\x04" + bytes([len(in_certificate)]) + in_certificate
certificate("logged", f"1.3.6.1.4.1.11129.2.4.2=DER:{octets.hex()}\n")
body = (18).to_bytes(2, "big") + len(in_extension).to_bytes(2, "big") + in_extension
write("extension.pem", "-----BEGIN SERVERINFO FOR EXTENSION-----\n" + base64.encodebytes(body).decode() + "-----END SERVERINFO FOR EXTENSION-----\n")
serve("logged", 9801, "-no_tls1_3", "-serverinfo", path("extension.pem"))
observation, _ = probe("tls", "tcp/9801")
found = observation["facts"]["tls.transparency"]
leaf = observation["facts"]["tls.certificates"][0][0]
equal(found["certificate"], [{"count": 2, "scts": [{"version": 0, "log_id": LOGS[0].hex(), "time": "2023-11-14T22:13:20Z"},
                                                  {"version": 0, "log_id": LOGS[1].hex(), "time": "2023-11-14T22:13:21Z"}], "sha256": leaf["sha256"]}],
      "timestamps of the certificate")
equal(found["tls_extension"], {"count": 1, "scts": [{"version": 0, "log_id": LOGS[1].hex(), "time": "2020-09-13T12:26:40Z"}]}, "timestamps of the extension")
equal(found["ocsp"], None, "timestamps of OCSP")
certificate("plain", "")
serve("plain", 9802)
observation, _ = probe("tls", "tcp/9802")
true("tls.transparency" in observation["absent"], "a server without timestamps")
print("timestamps of a certificate and of the TLS extension were read")
