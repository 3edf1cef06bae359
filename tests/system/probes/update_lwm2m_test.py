"""Attacks on devices whose firmware is object 5 of LwM2M, in both its ways (the address of an image, and the image itself), in clear, inside
DTLS with certificates, and in archives: the sound one takes the genuine update and nothing else, each flawed one is found by the attack that its flaw lets
through and by no other."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import folder, need, side_by_side  # noqa: E402
from update_runs import (AGAIN, CHANNELS, DYING_BLOCKWISE, FLAWS, SERVER, covers, dies, examine, is_inside_dtls, is_told_of, library,  # noqa: E402
                         takes_none, without_a_cut)

# What is within the device is written over, or checked, whichever way it came.
BOTH = {
    **FLAWS,
    "same-version-accepted": AGAIN,
    "no-size-bound": (["endless", "appended"], ["endless"]),
    "installs-what-it-refused": (["older", "flip-tenth-10", "endless"], ["older", "flip-tenth-10"]),
}
IMAGES = ["same-version", "older", "other-model", "flip-tenth-5", "flip-tenth-10", "truncated-50", "appended"]
POWER = ["power-50", "power-installing"]
# Way -> variant -> the attacks that are tried on it, and those of them that it falls for.
WAYS = {
    "pull": {"sound": ([*IMAGES, "second-download", "unavailable", "cut-50", "length-lied", "stalled", "slow", "endless", *POWER], []),
             **BOTH,
             "checks-one-installs-another": (["second-download", "flip-tenth-5"], ["second-download"]),
             "no-timeout": (["stalled", "slow"], [])},
    "push": {"sound": ([*IMAGES, "cut-50", "endless", *POWER], []), **BOTH},
}
CHANNEL = [*SERVER, "no-tls", "image-over-http"]
CERTIFICATES = {
    "sound": ([*CHANNEL, "older"], []),
    "no-tls-verification": (CHANNEL, SERVER),
    "wrong-name-accepted": (SERVER, ["wrong-name"]),
    "expired-server-accepted": (SERVER, ["expired-certificate"]),
    "falls-back-to-http": (["self-signed", "no-tls"], ["no-tls"]),
    "image-over-http": (["wrong-name", "image-over-http"], ["image-over-http"]),
}
# Images as archives: changes of what is described and signed there.
SIGNATURE = ["no-signature", "other-key", "other-content", "version-lied"]
ARCHIVES = {
    "sound": ([*IMAGES, *SIGNATURE, "flip-signature", "flip-payload", "flip-payload-repaired", "traversal"], []),
    "no-signature-check": (SIGNATURE, ["other-key", "other-content", "version-lied"]),
    "optional-signature": ([*SIGNATURE, "flip-signature"], ["no-signature"]),
}
# The version is read of the registered client where the image is written into it.
EDITS = {"pull": (), "push": [("{endpoint: EX-UPD-0001}", "{endpoint: EX-UPD-0001, deliver: push}"), ("version_at: {http:", "version_at: {resource: /3/0/3} #")]}
UNTRIED = {"pull": {"older-as-newer": "LwM2M says nothing of an image"}, "push": {"stalled": "written into the device", "second-download": "written into the device"}}


def examined(work, way, variant):
    facts = examine(work, "updatable-lwm2m/" + variant, *WAYS[way][variant], EDITS[way], untried=UNTRIED[way])
    client, missing = facts["update.passive"][0]["client"], {one["attack"]: one["why"] for one in facts["update.not_tried"]}
    assert client["lwm2m"] == "1.1" and client["delivery"] == way, client
    assert all(words in missing[attack] for attack, words in UNTRIED[way].items()), missing


def with_certificates(work, variant):
    tried, falls_for = CERTIFICATES[variant]
    name = "updatable-lwm2m-certs/" + variant
    facts = examine(work, name, tried, falls_for, passes=[CHANNELS] if variant == "sound" else [])
    is_inside_dtls(name, facts, falls_for, shared_key=False)


need("coap-client-openssl", "openssl")
with folder() as work:
    library(work)
    is_told_of("updatable-lwm2m", *WAYS["pull"].keys() - {"sound"}, *DYING_BLOCKWISE, "only-says-so")
    is_told_of("updatable-lwm2m-certs", *CERTIFICATES.keys() - {"sound"})
    is_told_of("updatable-lwm2m-archive", *ARCHIVES.keys() - {"sound"})
    for variants in (*WAYS.values(), CERTIFICATES, ARCHIVES):
        covers(variants["sound"][0], variants)
    jobs = [lambda variant=variant: with_certificates(work, variant) for variant in CERTIFICATES]
    jobs += [lambda way=way, variant=variant: examined(work, way, variant) for way, variants in WAYS.items() for variant in variants]
    jobs += [lambda way=way, flaw=flaw: dies(work, "updatable-lwm2m/" + flaw, *DYING_BLOCKWISE[flaw], EDITS[way]) for way in WAYS for flaw in DYING_BLOCKWISE]
    jobs += [lambda way=way: takes_none(work, "updatable-lwm2m/only-says-so", None, EDITS[way]) for way in WAYS]
    jobs += [lambda variant=variant: examine(work, "updatable-lwm2m-archive/" + variant, *ARCHIVES[variant]) for variant in ARCHIVES]
    side_by_side(*jobs, *[lambda way=way: without_a_cut(work, "updatable-lwm2m/sound", EDITS[way]) for way in WAYS], at_once=8)
