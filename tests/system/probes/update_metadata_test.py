"""Attacks on what is said of an image, where the maker signs that for a time, and on the link of the device: the sound one takes the genuine update and
nothing else, each flawed one is found by the attack that its flaw lets through and by no other."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import folder, side_by_side  # noqa: E402
from update_runs import covers, dies, examine, is_told_of, library, without_a_cut  # noqa: E402

MANIFESTS = ["unsigned-manifest", "altered-manifest", "expired-manifest", "replayed-manifest", "false-date"]
LINK = ["link-10", "link-50", "link-90"]
# Device -> variant -> the attacks that are tried on it, those of them that it falls for, and those that have no form there.
DEVICES = {
    "updatable-signed": {
        "sound": ([*MANIFESTS, "older", "flip-tenth-5"], [], ["older-as-newer", "wrong-digest"]),
        "unsigned-metadata-accepted": (MANIFESTS, ["unsigned-manifest", "altered-manifest"], []),
        "missing-signature-accepted": (MANIFESTS, ["unsigned-manifest"], []),
        "replayed-metadata-accepted": (MANIFESTS, ["expired-manifest", "false-date"], []),
        "time-from-server": (MANIFESTS, ["false-date"], []),
        "no-downgrade-check": (MANIFESTS, ["replayed-manifest"], []),
    },
    "updatable": {"sound": (["flip-tenth-5", "cut-50", *LINK], [], MANIFESTS)},
    "updatable-mqtt": {"sound": (["link-50"], [], [])},
}
# What is tried, and what it does not come back from.
DYING = {"bricks-without-link": (["flip-tenth-5", "cut-50", "link-50"], "link-50")}


def examined(work, name, tried, falls_for, untried):
    facts = examine(work, name, tried, falls_for, untried=untried)
    for one in facts["update.attempts"]:
        away = one["attack"] in LINK
        # Its link came back, and so did the rest of the image.
        assert one["link_cut"] is (True if away else None) and one["power_cut"] is None, (name, one)
        assert not away or one["installed"] and one["fetched"]["whole"], (name, one)


def bricked(work, flaw):
    """Its link is lost half way through a download, and nothing starts any more until it is restored."""
    facts = dies(work, "updatable/" + flaw, *DYING[flaw])
    assert facts["update.attempts"][-1]["link_cut"], facts["update.attempts"]


with folder() as work:
    library(work)
    is_told_of("updatable-signed", *DEVICES["updatable-signed"].keys() - {"sound"})
    for variants in DEVICES.values():
        covers(variants["sound"][0], variants)
    covers(DEVICES["updatable"]["sound"][0], DYING)
    jobs = [lambda name=f"{device}/{variant}", one=one: examined(work, name, *one) for device, variants in DEVICES.items() for variant, one in variants.items()]
    side_by_side(*jobs, *[lambda flaw=flaw: bricked(work, flaw) for flaw in DYING], lambda: without_a_cut(work, "updatable/sound", what="link"), at_once=6)
