"""Attacks on devices that take updates by CoAP and LwM2M inside DTLS: our server's certificates and keys against openssl's and GnuTLS's
clients; the sound device takes none of the false servers, each flawed one is found, and the shared key is nowhere in the bundle."""
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_FAILED, EXIT_OPEN, assay, emulated, folder, need, side_by_side, units  # noqa: E402
from update_runs import SERVER, dies, library, observed  # noqa: E402

KEY = "Example-Hub-Psk-0001"
CHANNEL = [*SERVER, "no-tls", "image-over-http"]
# Device -> the attacks that are tried on it, those of them that it falls for, and those that cannot be tried.
DEVICES = {
    "updatable-coaps/sound": ([*CHANNEL, "older", "cut-50", "power-50"], [], ["redirect-to-http"]),
    "updatable-coaps/no-tls-verification": (CHANNEL, SERVER, []),
    "updatable-coaps/wrong-name-accepted": (SERVER, ["wrong-name"], []),
    "updatable-coaps/expired-server-accepted": (SERVER, ["expired-certificate"], []),
    "updatable-coaps/falls-back-to-http": (["self-signed", "no-tls"], ["no-tls"], []),
    "updatable-coaps/image-over-http": (["wrong-name", "image-over-http"], ["image-over-http"], []),
    "updatable-coap-psk/sound": (["unknown-authority", "no-tls", "older"], [], ["wrong-name"]),
    "updatable-coap-psk/no-downgrade-check": (["older"], ["older"], []),
    "updatable-lwm2ms/sound": (["unknown-authority", "older"], [], []),
    "updatable-lwm2ms/no-downgrade-check": (["older"], ["older"], []),
    "updatable-lwm2m-certs/sound": (["unknown-authority", "expired-certificate", "no-tls"], [], []),
    "updatable-lwm2m-certs/no-tls-verification": (["self-signed", "wrong-name"], ["self-signed", "wrong-name"], []),
}


def run(work, device, attacks):
    out = pathlib.Path(tempfile.mkdtemp(dir=work)) / "run"
    with emulated(device) as home:
        done = assay("run", "--plan", "updates/1", "--dut", home["dut"], "-o", out, "-q", "--allow", "destructive", "--capture", "off", "--attacks",
                     ",".join(attacks), timeout=300, env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
    assert done.returncode in (EXIT_FAILED, EXIT_OPEN), (device, done.returncode, done.stdout, done.stderr)
    return out, observed(out)["facts"]


def secret_is_nowhere(device, out):
    """As it is, and as the hexadecimal digits that some would write it in."""
    for path in out.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert KEY.encode() not in data and KEY.encode().hex().encode() not in data.lower(), (device, path)


def examine(work, device):
    tried, falls_for, cannot = DEVICES[device]
    began = time.monotonic()
    out, facts = run(work, device, [*tried, *cannot])
    control = facts["update.control"][0]
    assert control["accepted"] and control["first"]["fetched"]["over"] == "DTLSv1.2", (device, control)
    attempts = {one["attack"]: one for one in facts["update.attempts"]}
    missing = {one["attack"]: one["why"] for one in facts["update.not_tried"]}
    assert set(attempts) == set(tried), (device, set(attempts) ^ set(tried), {id: missing.get(id) for id in [*tried, *cannot]})
    for id in cannot:
        assert any(word in missing[id] for word in ("CoAP", "key", "expired")), (device, id, missing[id])
    found = {id for id, one in attempts.items() if one["installed"] and (not one["image"]["genuine"] or one["against"] == "transport")}
    assert found == set(falls_for), (device, found, attempts)
    for id, one in attempts.items():
        assert one["offered"] and one["seen"] and one["alive"], (device, id, one)
        if id in (*SERVER, "no-tls") and id not in falls_for:
            assert one["fetched"]["handshakes"] == 0 and one["fetched"]["bytes"] == 0, (device, id, one)
            assert one["certificate_refused"] or "updatable-coaps" not in device, (device, id, one)  # a wrong key may end in silence
    tls = facts["update.passive"][0]["tls"]
    assert tls["version"] == "DTLSv1.2" and tls["newest_offered"] == "DTLSv1.2", (device, tls)
    assert ("PSK" in tls["cipher"]) == ("psk" in device or "lwm2ms" in device), (device, tls)
    verdict = next(unit["verdict"] for id, unit in units(out) if id.startswith("ASSAY@1:update-channel/channel"))
    assert (verdict == "fail") == bool(set(falls_for) & set(CHANNEL)), (device, verdict)
    secret_is_nowhere(device, out)
    print(device, "%.0f s" % (time.monotonic() - began), flush=True)


need("openssl", "coap-client-openssl", "coap-client-gnutls")
with folder() as work:
    library(work)
    side_by_side(*[lambda device=device: examine(work, device) for device in DEVICES],
                 lambda: dies(work, "updatable-coaps/reserves-what-is-said", ["older", "length-lied", "stalled"], "length-lied"), at_once=6)
