"""Attacks on devices that fetch updates by CoAP in blocks, a manifest or a SUIT envelope first: the sound one takes the genuine update and nothing
else, each flawed one is found by the attack that its flaw lets through and by no other. Inside DTLS: update_dtls_test.py."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import folder, need, side_by_side  # noqa: E402
from update_runs import AGAIN, DYING_BLOCKWISE, FLAWS, WORDS, covers, dies, examine, is_told_of, library, takes_none, without_a_cut  # noqa: E402

ENVELOPE = ["flip-header", "flip-manifest", "flip-signature", "no-signature", "other-key"]
# Device -> variant -> the attacks that are tried on it, and those of them that it falls for.
DEVICES = {
    "coap": {
        "sound": (["same-version", "wrong-digest", *WORDS, "other-model", "flip-tenth-5", "flip-tenth-10", "second-download", "truncated-50",
                   "appended", "unavailable", "cut-50", "length-lied", "stalled", "slow", "endless", "power-50", "power-installing"], []),
        **FLAWS,
        "same-version-accepted": AGAIN,
        "manifest-version-believed": (WORDS, ["older-as-newer"]),
        "excess-cut-off": (["wrong-digest", "truncated-50", "appended"], ["wrong-digest"]),
        "checks-one-installs-another": (["second-download", "flip-tenth-5"], ["second-download"]),
        "no-size-bound": (["endless", "appended"], ["endless"]),
        "no-timeout": (["stalled", "slow"], []),
    },
    "suit-coap": {
        "sound": ([*ENVELOPE, "flip-payload", "older", "other-model", "truncated-50", "cut-50", "stalled", "power-50"], []),
        "no-signature-check": (["flip-payload", "other-key"], ["other-key"]),
        "optional-signature": (["flip-signature", "no-signature", "other-key"], ["no-signature"]),
        "manifest-not-compared": (["flip-manifest", "flip-signature", "flip-payload"], ["flip-manifest"]),
        "payload-not-compared": (["flip-payload", "flip-signature", "truncated-50"], ["flip-payload"]),
        "no-downgrade-check": FLAWS["no-downgrade-check"],
        "any-model": FLAWS["any-model"],
    },
}
# Flaws that the genuine update shows -> the reason on the status page.
NOT_INSTALLED = {"never-activates": "it will be used after the next start", "only-says-so": ""}
UNTRIED = {"coap": {"self-signed": "does not give what it needs: tls"}, "suit-coap": {"redirect-to-http": "does not give what it needs: tls"}}


def examined(work, device, variant):
    facts = examine(work, f"updatable-{device}/{variant}", *DEVICES[device][variant], untried=UNTRIED[device])
    missing = {one["attack"]: one["why"] for one in facts["update.not_tried"]}
    assert all(words in missing[attack] for attack, words in UNTRIED[device].items()), missing
    assert facts["update.passive"][0]["over"] == "coap" and facts["update.passive"][0]["tls"] is None, facts["update.passive"]


need("coap-client-openssl")
with folder() as work:
    library(work)
    is_told_of("updatable-suit-coap", *DEVICES["suit-coap"].keys() - {"sound"})
    is_told_of("updatable-coap", *DEVICES["coap"].keys() - {"sound"}, *DYING_BLOCKWISE, *NOT_INSTALLED)
    for variants in DEVICES.values():
        covers(variants["sound"][0], variants)
    jobs = [lambda device=device, variant=variant: examined(work, device, variant) for device, variants in DEVICES.items() for variant in variants]
    jobs += [lambda flaw=flaw: dies(work, "updatable-coap/" + flaw, *DYING_BLOCKWISE[flaw]) for flaw in DYING_BLOCKWISE]
    jobs += [lambda flaw=flaw: takes_none(work, "updatable-coap/" + flaw, NOT_INSTALLED[flaw]) for flaw in NOT_INSTALLED]
    side_by_side(*jobs, lambda: without_a_cut(work, "updatable-coap/sound"), at_once=6)
