"""Devices that accept everywhere, ban or drop what scans them, or answer no faster than they can: each is recognised and said so, in
bounded time, and none of it reads as open, filtered or closed."""
import os
import sys
import time

from common import emulated, facts, need

OPEN = ["tcp/22", "tcp/80", "tcp/50000"]
LONGEST_S = 60

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


for method in ("method=syn", "method=connect"):
    kinds, found, closed, coverage = swept("accepts_everywhere", method)
    assert kinds == ["accepts_everywhere"] and found == OPEN, (kinds, found)
    assert closed < 1000, coverage  # the tarpit's own backlog

# A ban never reads as closed or filtered: only what was answered before it counts.
kinds, found, closed, coverage = swept("bans_by_silence", "method=syn")
assert kinds == ["stopped_answering"] and closed <= 20000 and coverage["filtered"] == 0, (kinds, closed, coverage)
kinds, found, closed, coverage = swept("bans_by_resets", "method=syn")
assert kinds == ["turns_away"] and closed <= 20000 and coverage["filtered"] == 0, (kinds, closed, coverage)

kinds, found, closed, coverage = swept("drops_everything", "method=syn")
assert kinds == ["silent"] and found == [] and coverage["unreliable"] == 65535, (kinds, coverage)

# Slow devices are scanned to the end, at the rate they bear.
kinds, found, closed, coverage = swept("limits_syns", "method=syn", "tcp=1-60000")
assert kinds == ["limits_rate"] and found == OPEN and closed == 60000 - len(OPEN), (kinds, found, coverage)
assert 2500 < coverage["limit_a_second"] < 6000, coverage
kinds, found, closed, coverage = swept("limits_resets", "method=syn", "tcp=1-20000,50000")
assert kinds == ["limits_resets"] and found == OPEN and closed == 20001 - len(OPEN), (kinds, found, coverage)
