"""The same attacks by more ways that an update takes: read and written by TFTP, by Mender's device API, and as SUIT envelopes. The sound
device takes the genuine update and nothing else, each flawed one is found by the attack that its flaw lets through and by no other. What the
devices speak is curl's and atftpd's; envelopes are made and checked by cbor2 and cryptography."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import folder, need, side_by_side  # noqa: E402
from update_runs import CHANNEL, FLAWS, SERVER, covers, examine, is_told_of, library  # noqa: E402

IMAGES = ["older", "other-model", "flip-tenth-5", "flip-tenth-10", "truncated-50", "appended"]
THREE = {name: FLAWS[name] for name in ("no-signature-check", "no-downgrade-check", "any-model")}
# Changes of an envelope and of the payload beside it; "repaired" ones have all digests made right, and only the signature against them.
ENVELOPE = ["flip-header", "flip-manifest", "flip-signature", "no-signature", "other-key", "version-lied", "size-lied"]
PAYLOAD = ["flip-payload", "flip-payload-repaired", "other-content", "truncated-50", "appended", "mixed-older", "mixed-older-repaired"]
SIGNATURE = ["flip-signature", "no-signature", "other-key", "version-lied", "flip-payload-repaired", "other-content", "mixed-older-repaired"]
MIXED = ["mixed-older", "mixed-older-repaired"]
WAYS = {
    "tftp": {"sound": (["same-version", *IMAGES, "second-download", "unavailable", "cut-50", "length-lied", "stalled", "slow", "endless", "power-50"], []),
             "no-size-bound": (["endless", "appended"], ["endless"]), "no-timeout": (["stalled", "slow"], []), **THREE},
    "tftp-push": {"sound": ([*IMAGES, "cut-50", "length-lied", "endless", "power-50"], []), "no-size-bound": (["endless", "older"], ["endless"]), **THREE},
    # The older content under the newer description: as it is, and with the digest made right in what is signed.
    "archive": {"sound": (["older", "other-model", "other-component", "other-key", *MIXED], []),
                "no-signature-check": (MIXED, ["mixed-older-repaired"]), "files-not-compared": (MIXED, ["mixed-older"]),
                "no-downgrade-check": (["older", *MIXED], ["older"])},
    "suit": {"sound": (["same-version", *ENVELOPE, *PAYLOAD, "older", "other-model", "other-component", "second-download", "self-signed", "redirect-to-http", "cut-50"], []),
             "no-signature-check": (["flip-payload", *SIGNATURE], SIGNATURE), "no-downgrade-check": FLAWS["no-downgrade-check"],
             "any-model": FLAWS["any-model"],
             "payload-not-compared": (["flip-payload", "truncated-50", "flip-signature", *MIXED], ["flip-payload", "mixed-older"]),
             "manifest-not-compared": (["flip-manifest", "flip-signature", "flip-payload"], ["flip-manifest"])},
    # The payload is within: what is done to a delivery is done to the envelope.
    "suit-integrated": {"sound": (["same-version", *ENVELOPE, *PAYLOAD, "older", "other-model", "self-signed", "cut-50"], []),
                        "payload-not-compared": (["flip-payload", "flip-payload-repaired", "flip-signature"], ["flip-payload"]),
                        "no-signature-check": (["flip-payload", "flip-payload-repaired"], ["flip-payload-repaired"]),
                        "manifest-not-compared": (["flip-manifest", "flip-signature", "flip-payload"], ["flip-manifest"]),
                        "no-downgrade-check": FLAWS["no-downgrade-check"], "any-model": FLAWS["any-model"]},
    "mender": {"sound": (["same-version", *CHANNEL, *IMAGES, "older-as-newer", "unavailable", "cut-50", "power-50"], []),
               "no-tls-verification": (SERVER, SERVER), "image-over-http": (["redirect-to-http", "image-over-http"], ["image-over-http"]),
               "manifest-version-believed": (["older", "older-as-newer"], ["older-as-newer"]), **THREE},
}


# Attacks that have no form, and words of the reason.
UNTRIED = {
    "tftp": {"self-signed": "does not give what it needs: tls", "older-as-newer": "TFTP says nothing of an image"},
    "tftp-push": {"stalled": "written into the device", "unavailable": "written into the device", "second-download": "written into the device",
                  "wrong-digest": "TFTP says nothing of an image"},
    "archive": {"date-lied": "nothing that \"lie_date\" could change"},
    "suit": {"older-as-newer": "open_manifest", "image-over-http": "open_address"},
    "suit-integrated": {"older-as-newer": "open_manifest"},
    "mender": {"wrong-digest": "neither digest nor size", "mixed-older": "nothing of the maker's stands beside the content"},
}


def shows(way, facts):
    """What the genuine update shows of each way, and why some attacks have no form there."""
    passive, why = facts["update.passive"][0], {one["attack"]: one["why"] for one in facts["update.not_tried"]}
    for attack, words in UNTRIED[way].items():
        assert words in why[attack], (way, attack, why[attack])
    if way.startswith("tftp"):
        assert passive["over"] == "tftp" and passive["tls"] is None, passive
    if way == "mender":
        assert "EX-UPD-0001" in passive["identifies_by"] and passive["statuses"] == ["downloading", "success"], passive
    if way in ("suit", "suit-integrated"):
        image = facts["update.static"][0]
        assert image["format"] == "suit" and image["facts"]["sequence_number"] == 20500 and image["regions"]["payload"] == 3600, image


def examined(work, way, variant):
    shows(way, examine(work, f"updatable-{way}/{variant}", *WAYS[way][variant], untried=UNTRIED[way]))


need("curl", "atftpd", "openssl")
with folder() as work:
    library(work)
    for way, variants in WAYS.items():
        if way != "archive":  # the rest of its flaws is examined by updatable_test.py
            is_told_of("updatable-" + way, *variants.keys() - {"sound"})
        covers(variants["sound"][0], variants)
    side_by_side(*[lambda way=way, variant=variant: examined(work, way, variant) for way, variants in WAYS.items() for variant in variants], at_once=6)
