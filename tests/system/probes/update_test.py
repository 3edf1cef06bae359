"""Attacks on the update mechanism of emulated devices: the sound one takes the genuine update and nothing else, each flawed one is
found by the attack that its flaw lets through and by no other; a device that does not come back is told as such."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_OPEN, assay, emulated, folder, journal, side_by_side, units  # noqa: E402
from update_runs import (ATTACKS, CHANNEL, CHANNELS, DYING, FETCHING, FLAWS, MECHANISMS, TENTHS, covers, dies, examine, library, takes_none,  # noqa: E402
                         verdict_of, without_a_cut)

IMAGES = ["older", "older-as-newer", "other-model", "other-component", "flip-tenth-5", "flip-tenth-10", "truncated-50", "appended"]
SOUND = ["same-version", *CHANNEL, *IMAGES, "second-download", "endless", "cut-50", "power-50"]
FLAWED = {**FETCHING, **FLAWS, "any-component": (["other-model", "other-component"], ["other-component"])}
LOST = {name: DYING[name] for name in ("bricks-on-bad-image", "installs-before-verifying")}


def sound(work):
    facts = examine(work, "updatable/sound", SOUND, [], passes=[CHANNELS])
    passive = facts["update.passive"][0]
    assert passive["tls"]["version"] == "TLSv1.3" and passive["tls"]["server_name"] == "updates.example", passive
    assert "EX-UPD-0001" in passive["identifies_by"], passive
    image = facts["update.static"][0]
    assert image["format"] == "raw" and len(image["sha256"]) == 64, image
    attempts = {one["attack"]: one for one in facts["update.attempts"]}
    assert attempts["self-signed"]["refused"] == "before download" and attempts["self-signed"]["certificate_refused"], attempts["self-signed"]
    assert attempts["flip-tenth-5"]["refused"] == "after download" and attempts["flip-tenth-5"]["fetched"]["whole"], attempts["flip-tenth-5"]


def sound_archive(work):
    """An image of its own kind has no form for another signer; this one has, and everything that the units want of an image is tried."""
    examine(work, "updatable-archive/sound", ["older", *TENTHS, "truncated-50", "appended", "other-key"], [], passes=[ATTACKS, MECHANISMS])


def at_restart(work):
    """What it installs is in force with its next power: that is given to it, and nothing else is installed."""
    control = examine(work, "updatable/activates-at-restart", ["older", "flip-tenth-5"], [])["update.control"][0]
    assert all(control[one]["installed"] and control[one]["activated"] is False for one in ("first", "last")), control


def without_leave(work):
    """No destructive work without leave: the units say what was not allowed."""
    out = work / "without-leave"
    with emulated("updatable/sound") as device:
        assay("run", "--plan", "updates/1", "--dut", device["dut"], "-o", out, "-q", "--capture", "off", check=EXIT_OPEN,
              env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
    assert verdict_of(dict(units(out)), ATTACKS) == "not_tested"
    assert not [event for event in journal(out) if event["type"] == "recipe_started"]


with folder() as work:
    library(work)
    covers(SOUND, FLAWED, LOST)
    jobs = [lambda name=name: examine(work, "updatable/" + name, *FLAWED[name]) for name in FLAWED]
    jobs += [lambda name=name: dies(work, "updatable/" + name, *LOST[name]) for name in LOST]
    side_by_side(lambda: sound(work), lambda: sound_archive(work), lambda: at_restart(work), lambda: without_leave(work), *jobs,
                 lambda: takes_none(work, "updatable/only-says-so", ""), lambda: without_a_cut(work, "updatable/sound"), at_once=6)
