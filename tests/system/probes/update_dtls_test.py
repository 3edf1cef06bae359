"""Attacks on devices that take updates by CoAP and LwM2M inside DTLS: our server's certificates and keys against openssl's and GnuTLS's
clients; the sound device takes none of the false servers, each flawed one is found, and the shared key is nowhere in the bundle. LwM2M with
certificates: update_lwm2m_test.py."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import folder, need, side_by_side  # noqa: E402
from update_runs import CHANNELS, FLAWS, SERVER, covers, dies, examine, is_inside_dtls, is_told_of, library  # noqa: E402

KEY = "Example-Hub-Psk-0001"
CHANNEL = [*SERVER, "no-tls", "image-over-http"]
# Device -> variant -> the attacks that are tried on it, and those of them that it falls for.
DEVICES = {
    "updatable-coaps": {
        "sound": ([*CHANNEL, "older", "other-model", "cut-50", "length-lied", "stalled", "power-50"], []),
        "no-tls-verification": (CHANNEL, SERVER),
        "wrong-name-accepted": (SERVER, ["wrong-name"]),
        "expired-server-accepted": (SERVER, ["expired-certificate"]),
        "falls-back-to-http": (["self-signed", "no-tls"], ["no-tls"]),
        "image-over-http": (["wrong-name", "image-over-http"], ["image-over-http"]),
        "no-downgrade-check": FLAWS["no-downgrade-check"],
    },
    "updatable-coap-psk": {"sound": (["unknown-authority", "no-tls", "older", "other-model"], []), "no-downgrade-check": FLAWS["no-downgrade-check"]},
    "updatable-lwm2ms": {"sound": (["unknown-authority", "older", "other-model"], []), "no-downgrade-check": FLAWS["no-downgrade-check"]},
}
SHARED_KEY = ("updatable-coap-psk", "updatable-lwm2ms")
# Variant of updatable-coaps -> what is tried, and what it does not come back from.
DYING = {"reserves-what-is-said": (["older", "length-lied", "stalled"], "length-lied")}
# Attacks that have no form, and words of the reason.
UNTRIED = {"updatable-coaps": {"redirect-to-http": "CoAP"}, "updatable-coap-psk": {"wrong-name": "key"}, "updatable-lwm2ms": {}}


def examined(work, device, variant):
    tried, falls_for = DEVICES[device][variant]
    name = f"{device}/{variant}"
    facts = examine(work, name, tried, falls_for, untried=UNTRIED[device], passes=[CHANNELS] if name == "updatable-coaps/sound" else [],
                    unspoken=["unknown-authority"] if device in SHARED_KEY else [])
    is_inside_dtls(name, facts, falls_for, device in SHARED_KEY)
    missing = {one["attack"]: one["why"] for one in facts["update.not_tried"]}
    assert all(words in missing[attack] for attack, words in UNTRIED[device].items()), (name, missing)
    for one in facts["update.attempts"]:
        # A wrong key may end in silence.
        refused = one["attack"] in (*SERVER, "no-tls") and one["attack"] not in falls_for and device not in SHARED_KEY
        assert not refused or one["certificate_refused"], (name, one)


def secret_is_nowhere(work):
    """As it is, and as the hexadecimal digits that some would write it in."""
    bundles = list(work.rglob("bundle"))
    assert len(bundles) == sum(map(len, DEVICES.values())) + len(DYING), bundles
    for path in (path for bundle in bundles for path in bundle.parent.rglob("*") if path.is_file()):
        data = path.read_bytes()
        assert KEY.encode() not in data and KEY.encode().hex().encode() not in data.lower(), path


need("openssl", "coap-client-openssl", "coap-client-gnutls")
with folder() as work:
    library(work)
    is_told_of("updatable-coaps", *DEVICES["updatable-coaps"].keys() - {"sound"}, *DYING)
    for device in SHARED_KEY:
        is_told_of(device, *DEVICES[device].keys() - {"sound"})
    for variants in DEVICES.values():
        covers(variants["sound"][0], variants)
    covers(DEVICES["updatable-coaps"]["sound"][0], DYING)
    side_by_side(*[lambda device=device, variant=variant: examined(work, device, variant) for device, variants in DEVICES.items() for variant in variants],
                 *[lambda flaw=flaw: dies(work, "updatable-coaps/" + flaw, *DYING[flaw]) for flaw in DYING], at_once=6)
    secret_is_nowhere(work)
