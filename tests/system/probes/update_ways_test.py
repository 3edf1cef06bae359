"""The same attacks by more ways that an update takes: read and written by TFTP, by Mender's device API, at the device's page, by a command, and as SUIT envelopes. The sound
device takes the genuine update and nothing else, each flawed one is found by the attack that its flaw lets through and by no other. What the
devices speak is curl's, atftpd's and libcoap's; envelopes are made and checked by cbor2 and cryptography."""
import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_FAILED, EXIT_OPEN, folder, need, side_by_side  # noqa: E402
from update_runs import CHANNEL, SERVER, examine, library, run  # noqa: E402

IMAGES = ["older", "other-model", "flip-tenth-10", "truncated-50", "appended"]
FLAWS = {
    "no-signature-check": (["flip-tenth-5", "flip-tenth-10"], ["flip-tenth-10"]),
    "no-downgrade-check": (["older", "other-model"], ["older"]),
    "any-model": (["older", "other-model"], ["other-model"]),
}
# Changes of an envelope and of the payload beside it; "repaired" ones have all digests made right, and only the signature against them.
ENVELOPE = ["flip-header", "flip-manifest", "flip-signature", "no-signature", "other-key", "version-lied", "size-lied"]
PAYLOAD = ["flip-payload", "flip-payload-repaired", "other-content", "truncated-50", "appended"]
SIGNATURE = ["flip-signature", "no-signature", "other-key", "version-lied", "flip-payload-repaired", "other-content"]
WRITTEN = {"sound": ([*IMAGES, "power-installing"], []), **FLAWS}
# A command of the laboratory puts the image into the same page.
COMMAND = [("transport: upload", "transport: exec\n    offer: {exec: 'curl -sSf -u admin:Kd7-wP3z-Hq9t -F image=@\"$ASSAY_IMAGE\" http://PAGE/update'}"),
           ("    upload: {", "    # upload: {")]
WAYS = {
    "upload": WRITTEN,
    "exec": WRITTEN,
    "tftp": {"sound": (["same-version", *IMAGES, "second-download", "unavailable", "cut-50", "length-lied", "stalled", "slow", "endless", "power-50"], []),
             "no-size-bound": (["endless", "appended"], ["endless"]), "no-timeout": (["stalled", "slow"], []), **FLAWS},
    "tftp-push": {"sound": ([*IMAGES, "cut-50", "length-lied", "endless", "power-50"], []), "no-size-bound": (["endless", "older"], ["endless"]), **FLAWS},
    "suit": {"sound": (["same-version", *ENVELOPE, *PAYLOAD, "older", "other-model", "second-download", "self-signed", "redirect-to-http", "cut-50"], []),
             "no-signature-check": (["flip-payload", *SIGNATURE], SIGNATURE), "no-downgrade-check": FLAWS["no-downgrade-check"],
             "any-model": FLAWS["any-model"],
             "payload-not-compared": (["flip-payload", "truncated-50", "flip-signature"], ["flip-payload"]),
             "manifest-not-compared": (["flip-manifest", "flip-signature", "flip-payload"], ["flip-manifest"])},
    # The payload is within: what is done to a delivery is done to the envelope.
    "suit-integrated": {"sound": (["same-version", *ENVELOPE, *PAYLOAD, "older", "other-model", "self-signed", "cut-50"], []),
                        "payload-not-compared": (["flip-payload", "flip-payload-repaired", "flip-signature"], ["flip-payload"]),
                        "no-signature-check": (["flip-payload", "flip-payload-repaired"], ["flip-payload-repaired"])},
    "suit-coap": {"sound": (["flip-header", "no-signature", "other-key", "flip-payload", "older", "other-model", "cut-50", "stalled", "power-50"], []),
                  "no-signature-check": (["flip-payload", "other-key"], ["other-key"]), "no-downgrade-check": FLAWS["no-downgrade-check"]},
    "mender": {"sound": (["same-version", *CHANNEL, *IMAGES, "older-as-newer", "unavailable", "cut-50", "power-50"], []),
               "no-tls-verification": (SERVER, SERVER), "image-over-http": (["redirect-to-http", "image-over-http"], ["image-over-http"]),
               "manifest-version-believed": (["older", "older-as-newer"], ["older-as-newer"]), **FLAWS},
}


# Attacks that have no form, and words of the reason.
UNTRIED = {
    "upload": {"unavailable": "server", "stalled": "server"},
    "exec": {"cut-50": "there is no server of ours"},
    "tftp": {"self-signed": "does not give what it needs: tls", "older-as-newer": "TFTP says nothing of an image"},
    "tftp-push": {"stalled": "written into the device", "unavailable": "written into the device", "second-download": "written into the device",
                  "wrong-digest": "TFTP says nothing of an image"},
    "suit": {"older-as-newer": "open_manifest", "image-over-http": "open_manifest"},
    "suit-integrated": {"older-as-newer": "open_manifest"},
    "suit-coap": {"redirect-to-http": "does not give what it needs: tls"},
    "mender": {"wrong-digest": "neither digest nor size"},
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


def reached(device, work):
    """Commands of the laboratory run where the harness does, so the device has to be there too."""
    return contextlib.nullcontext()


def examined(work, way, variant):
    device, edits, beside = ("upload", COMMAND, reached) if way == "exec" else (way, (), None)
    shows(way, examine(work, f"updatable-{device}/{variant}", *WAYS[way][variant], edits, beside, UNTRIED[way]))


def bricked(work, edits, beside):
    """It writes over what runs: the power goes while it does, and nothing starts any more until it is restored."""
    observation, _ = run(work, "updatable-upload/installs-before-verifying", ["power-installing"], check=[EXIT_OPEN, EXIT_FAILED],
                         edits=edits, beside=beside)
    facts = observation["facts"]
    assert facts["update.attempts"][0]["power_cut"], facts
    assert facts["update.bricked"] == [{"mechanism": "UM-1", "after": "power-installing", "restored": True, "how": ""}], facts


need("curl", "atftpd", "coap-client-openssl", "openssl")
with folder() as work:
    library(work)
    side_by_side(*[lambda way=way, variant=variant: examined(work, way, variant) for way, variants in WAYS.items() for variant in variants],
                 *[lambda how=how: bricked(work, *how) for how in (((), None), (COMMAND, reached))], at_once=6)
