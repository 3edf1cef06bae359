"""Attacks on what is said of an image, where the maker signs that for a time, and on the link of the device: the sound one takes the genuine update and
nothing else, each flawed one is found by the attack that its flaw lets through and by no other."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_FAILED, EXIT_OPEN, folder, side_by_side  # noqa: E402
from update_runs import examine, library, run  # noqa: E402

MANIFESTS = ["unsigned-manifest", "altered-manifest", "expired-manifest", "replayed-manifest", "false-date"]
LINK = ["link-10", "link-50", "link-90"]
# Device -> the attacks that are tried on it, those of them that it falls for, and those that have no form there.
DEVICES = {
    "updatable-signed/sound": ([*MANIFESTS, "older", "flip-tenth-5"], [], ["older-as-newer", "wrong-digest"]),
    "updatable-signed/unsigned-metadata-accepted": (MANIFESTS, ["unsigned-manifest", "altered-manifest"], []),
    "updatable-signed/missing-signature-accepted": (MANIFESTS, ["unsigned-manifest"], []),
    "updatable-signed/replayed-metadata-accepted": (MANIFESTS, ["expired-manifest", "false-date"], []),
    "updatable-signed/time-from-server": (MANIFESTS, ["false-date"], []),
    "updatable-signed/no-downgrade-check": (MANIFESTS, ["replayed-manifest"], []),
    "updatable/sound": (LINK, [], MANIFESTS),
    "updatable-mqtt/sound": (["link-50"], [], []),
}


def examined(work, name):
    tried, falls_for, untried = DEVICES[name]
    facts = examine(work, name, tried, falls_for, untried=untried)
    for one in facts["update.attempts"]:
        away = one["attack"] in LINK
        # Its link came back, and so did the rest of the image.
        assert one["link_cut"] is (True if away else None) and one["power_cut"] is None, (name, one)
        assert not away or one["installed"] and one["fetched"]["whole"], (name, one)


def bricked(work):
    """Its link is lost half way through a download, and nothing starts any more until it is restored."""
    observation, _ = run(work, "updatable/bricks-without-link", ["link-50"], check=[EXIT_OPEN, EXIT_FAILED])
    facts = observation["facts"]
    assert facts["update.attempts"][0]["link_cut"], facts
    assert facts["update.bricked"] == [{"mechanism": "UM-1", "after": "link-50", "restored": True, "how": ""}], facts


def without_a_cut(work):
    """The recipe that takes the link away fails: nothing was survived, so the attack was not tried in truth."""
    fails = ("link: {cycle: {exec: '", "link: {cycle: {exec: 'exit 3; ")
    observation, _ = run(work, "updatable/sound", ["link-50"], check=[EXIT_OPEN, EXIT_FAILED], edits=[fails])
    tried = observation["facts"]["update.attempts"][0]
    assert not tried["offered"] and tried["link_cut"] is False and "the link was not cut" in tried["trouble"], tried


with folder() as work:
    library(work)
    side_by_side(*[lambda name=name: examined(work, name) for name in DEVICES], lambda: bricked(work), lambda: without_a_cut(work), at_once=6)
