"""Devices that accept everywhere, ban or drop what scans them, or answer no faster than they can: each is recognised and said so, in
bounded time, and none of it reads as open, filtered or closed."""
import functools
import json
import os
import subprocess
import sys
import time

from common import ASSAY, emulated, facts, need, side_by_side

OPEN = ["tcp/22", "tcp/80", "tcp/50000"]
LONGEST_S = 180

if os.geteuid() != 0:
    print("skipped: the devices' firewalls need root")
    sys.exit(77)
need("nft", "python3")


def swept(name, *settings):
    with emulated("hostile/" + name, isolation="root_namespaces") as device:
        began = time.monotonic()
        seen = facts("probe", "ports", device["address"], "--pace", "fast", "--netns", device["netns"], "-q",
                     *[word for setting in settings for word in ("--set", setting)])
        took = time.monotonic() - began
    kinds = [one["kind"] for one in seen["facts"]["ports.behaviour"]]
    found = [one["endpoint"] for one in seen["facts"]["ports.open"]]
    coverage = seen["coverage"]["tcp"]
    print(f"{name:18} {took:5.1f} s {kinds} open {found} closed {seen['facts']['ports.closed']} filtered {coverage['filtered']} "
          f"unreliable {coverage['unreliable']} attempts {coverage['attempts']}")
    assert took < LONGEST_S, took
    assert coverage["open"] + coverage["closed"] + coverage["filtered"] + coverage["unreliable"] == coverage["asked"], coverage
    assert set(found) <= set(OPEN), found
    return kinds, found, seen["facts"]["ports.closed"], coverage


def accepts_everywhere(method):
    kinds, found, closed, coverage = swept("accepts_everywhere", method)
    assert kinds == ["accepts_everywhere"] and found == OPEN, (kinds, found)
    assert closed < 1000, coverage  # the tarpit's own backlog


def bans(name, kind):
    """A ban never reads as closed or filtered: only what was answered before it counts."""
    kinds, _, closed, coverage = swept(name, "method=syn")
    assert kinds == [kind] and closed <= 20000 and coverage["filtered"] == 0, (kinds, closed, coverage)


def drops_everything():
    kinds, found, _, coverage = swept("drops_everything", "method=syn")
    assert kinds == ["silent"] and found == [] and coverage["unreliable"] == 65535, (kinds, coverage)


def limits(name, ports, asked):
    """Slow devices are scanned to the end, at the rate they bear."""
    kinds, found, closed, coverage = swept(name, "method=syn", "tcp=" + ports)
    assert kinds == [name.replace("_syns", "_rate")] and found == OPEN and closed == asked - len(OPEN), (kinds, found, coverage)
    return coverage


def limits_syns():
    coverage = limits("limits_syns", "1-60000", 60000)
    assert 2500 < coverage["limit_a_second"] < 6000, coverage


def cable_pulled():
    """Device and interface vanish in the middle of a sweep: it ends, and what was not asked is not closed."""
    with emulated("hostile/limits_syns", isolation="root_namespaces") as device:
        command = [ASSAY, "probe", "ports", device["address"], "--pace", "fast", "--netns", device["netns"], "-q", "--json", "--set", "method=syn"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        time.sleep(3)
        assert process.poll() is None, "ended before the cable was pulled"
    out, _ = process.communicate(timeout=LONGEST_S)
    coverage = json.loads(out)["coverage"]["tcp"]
    print(f"cable pulled       closed {coverage['closed']} unreliable {coverage['unreliable']} filtered {coverage['filtered']}")
    assert coverage["unreliable"] > 20000 and coverage["filtered"] == 0, coverage


side_by_side(cable_pulled, limits_syns, functools.partial(limits, "limits_resets", "1-20000,50000", 20001), drops_everything,
             functools.partial(bans, "bans_by_silence", "stopped_answering"), functools.partial(bans, "bans_by_resets", "turns_away"),
             *[functools.partial(accepts_everywhere, "method=" + method) for method in ("syn", "connect")], at_once=3)
