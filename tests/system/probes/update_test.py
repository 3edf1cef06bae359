"""Attacks on the update mechanism of emulated devices: the sound one takes the genuine update and nothing else, each flawed one is
found by the attack that its flaw lets through and by no other; a device that does not come back is told as such."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_OPEN, assay, emulated, folder, journal, need, side_by_side, units  # noqa: E402
from update_runs import (ATTACKS, CHANNEL, DYING, FETCHING, FLAWS, WORDS, dies, examine, library, takes_none, verdict_of,  # noqa: E402
                         without_a_cut)

IMAGES = ["older", "older-as-newer", "other-model", "flip-tenth-5", "flip-tenth-10", "truncated-50", "appended"]
# Variant -> the attacks that are tried on it, and those of them that it falls for.
VARIANTS = {
    "sound": (["same-version", *CHANNEL, *IMAGES, "second-download", "cut-50", "power-50"], []),
    **FETCHING,
    **FLAWS,
}
# The same of devices whose updates come otherwise. LwM2M has two ways: the address of an image, and the image itself.
DELIVERY = ["unavailable", "cut-50", "length-lied", "stalled", "slow", "endless"]
OTHERS = {
    "coap": {"sound": (["same-version", *WORDS, "other-model", "flip-tenth-10", "truncated-50", "appended", "second-download", *DELIVERY, "power-50"], []),
             "manifest-version-believed": (WORDS, ["older-as-newer"]), "no-size-bound": (["endless", "appended"], ["endless"]),
             "no-timeout": (["stalled", "slow"], []), **FLAWS},
    "lwm2m": {"sound": (["older", "other-model", "flip-tenth-10", "truncated-50", "appended", *DELIVERY, "power-50"], []), **FLAWS},
    "lwm2m-push": {"sound": (["older", "other-model", "flip-tenth-10", "truncated-50", "appended", "cut-50", "endless", "power-50"], []), **FLAWS},
}
# The version is read of the registered client where the image is written into it.
PUSHED = [("{endpoint: EX-UPD-0001}", "{endpoint: EX-UPD-0001, deliver: push}"), ("version_at: {http:", "version_at: {resource: /3/0/3} #")]


def other(work, kind, name):
    """A device whose updates come by CoAP or LwM2M."""
    edits = PUSHED if kind == "lwm2m-push" else ()
    facts = examine(work, f"updatable-{kind.removesuffix('-push')}/{name}", *OTHERS[kind][name], edits)
    if kind.startswith("lwm2m"):
        client = facts["update.passive"][0]["client"]
        assert client["lwm2m"] == "1.1" and client["delivery"] == ("push" if kind == "lwm2m-push" else "pull"), client


def variant(work, name):
    return examine(work, "updatable/" + name, *VARIANTS[name])


def sound(work):
    facts = variant(work, "sound")
    passive = facts["update.passive"][0]
    assert passive["tls"]["version"] == "TLSv1.3" and passive["tls"]["server_name"] == "updates.example", passive
    assert "EX-UPD-0001" in passive["identifies_by"], passive
    image = facts["update.static"][0]
    assert image["format"] == "raw" and len(image["sha256"]) == 64, image
    attempts = {one["attack"]: one for one in facts["update.attempts"]}
    assert attempts["self-signed"]["refused"] == "before download" and attempts["self-signed"]["certificate_refused"], attempts["self-signed"]
    assert attempts["flip-tenth-5"]["refused"] == "after download" and attempts["flip-tenth-5"]["fetched"]["whole"], attempts["flip-tenth-5"]


def without_leave(work):
    """No destructive work without leave: the units say what was not allowed."""
    out = work / "without-leave"
    with emulated("updatable/sound") as device:
        assay("run", "--plan", "updates/1", "--dut", device["dut"], "-o", out, "-q", "--capture", "off", check=EXIT_OPEN,
              env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
    assert verdict_of(dict(units(out)), ATTACKS) == "not_tested"
    assert not [event for event in journal(out) if event["type"] == "recipe_started"]


need("coap-client-openssl")
with folder() as work:
    library(work)
    jobs = [lambda name=name: variant(work, name) for name in VARIANTS if name != "sound"]
    jobs += [lambda kind=kind, name=name: other(work, kind, name) for kind, variants in OTHERS.items() for name in variants]
    jobs += [lambda kind=kind, edits=edits: without_a_cut(work, f"updatable{kind}/sound", edits)
             for kind, edits in (("", []), ("-coap", []), ("-lwm2m", []), ("-lwm2m", PUSHED))]
    jobs += [lambda: dies(work, "updatable/bricks-on-bad-image", *DYING["bricks-on-bad-image"]),
             lambda: dies(work, "updatable/installs-before-verifying", *DYING["installs-before-verifying"]),
             lambda: takes_none(work, "updatable/only-says-so", "")]
    side_by_side(lambda: sound(work), lambda: without_leave(work), *jobs, at_once=6)
