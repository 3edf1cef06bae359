"""Devices that break under a scan. The gentle pace sees all of them and harms nothing; the normal pace notices, slows down, and never
calls closed or absent what it has broken. The devices themselves say what they were put through."""
import functools
import json
import os
import pathlib
import sys
import time

from common import EXIT_OPEN, emulated, facts, folder, journal, need, run, side_by_side, units

OPEN = ["tcp/22", "tcp/80", "tcp/50000"]

if os.geteuid() != 0:
    print("skipped: the devices' firewalls need root")
    sys.exit(77)
need("nft", "python3")


def stats(device):
    time.sleep(0.5)  # the device writes them every 0.2 s
    return json.loads((pathlib.Path(device["folder"]) / "run/stats.json").read_text())


def swept(name, pace, method, ports):
    """What the probe saw, and what the device went through."""
    with emulated("hostile/" + name, isolation="root_namespaces") as device:
        began = time.monotonic()
        seen = facts("probe", "ports", device["address"], "--pace", pace, "--netns", device["netns"], "-q", "--set", "method=" + method,
                     "--set", "tcp=" + ports)
        took = time.monotonic() - began
        felt = stats(device)
    found = [one["endpoint"] for one in seen["facts"]["ports.open"]]
    kinds = [one["kind"] for one in seen["facts"]["ports.behaviour"]]
    coverage = seen["coverage"]["tcp"]
    print(f"{name} {pace} {method} {took:.1f} s {kinds} open {found} {coverage}\n    {felt}")
    assert set(found) <= set(OPEN), found
    assert coverage["open"] + coverage["closed"] + coverage["filtered"] + coverage["unreliable"] == coverage["asked"], coverage
    missing = set(OPEN) - set(found)
    assert coverage["unreliable"] >= len(missing), (missing, coverage)  # never closed, never filtered
    assert coverage["filtered"] == 0, coverage
    assert coverage["half_open"] <= coverage["most_half_open"], coverage
    return seen, found, kinds, coverage, felt


def gentle(name, method):
    _, found, kinds, coverage, felt = swept(name, "gentle", method, "1-500,50000")
    assert found == OPEN and coverage["unreliable"] == 0 and coverage["closed"] == 501 - len(OPEN), (found, coverage)
    assert felt["deaths"] == 0 and felt["most_in_a_second"] <= 50, felt
    assert coverage["outages"] == 0 and "gives_out" not in kinds, (kinds, coverage)
    # However it asks: what was opened is ended in order, what was not is never opened, and nothing is left.
    assert felt["open_now"] == 0 and felt["most_open"] <= 4 and felt["most_half_open"] <= 4, felt
    assert felt["ended_by_reset"] == 0, felt
    if method == "connect":
        assert felt["accepted"] == felt["ended_by_fin"] >= len(OPEN) and felt["never_opened"] == 0, felt
    else:
        assert felt["accepted"] == 0 and felt["never_opened"] >= len(OPEN), felt
    return kinds, coverage


def gentle_rate(method):
    """Above 30 a second it answers late, as it is asked 40 a second: that is seen, and it is asked more slowly before it breaks."""
    kinds, coverage = gentle("fragile_rate", method)
    assert kinds == ["answers_late"] and coverage["late_answers"] >= 1 and coverage["slowest_a_second"] < 30, (kinds, coverage)


def gentle_burst(method):
    kinds, coverage = gentle("fragile_burst", method)
    assert kinds == [] and coverage["late_answers"] == 0, (kinds, coverage)


def normal(name):
    """The normal pace breaks it. It waits until the device is back, and goes on as the device can bear."""
    seen, found, kinds, coverage, felt = swept(name, "normal", "syn", "1-500,50000")
    assert "gives_out" in kinds and coverage["outages"] >= 1 and felt["deaths"] >= 1, (kinds, coverage, felt)
    assert found == OPEN and coverage["unreliable"] == 0, (found, coverage)
    assert coverage["outages"] <= 3 and coverage["slowest_a_second"] <= 25, coverage


def gone():
    """One that is gone for good is left alone, in bounded time."""
    seen, found, kinds, coverage, felt = swept("fragile_once", "normal", "syn", "all")
    assert kinds == ["stopped_answering"], kinds
    assert coverage["unreliable"] > 65000 and "not covered" in seen["facts"]["ports.behaviour"][0]["words"], (coverage, seen["facts"]["ports.behaviour"])
    assert felt["heard_while_dead"] < 1000 and coverage["took_ms"] < 60000, (felt, coverage)


def whole_run():
    """What a run broke is open, with the reason, and the journal says that the device did not come back."""
    with folder() as work, emulated("hostile/fragile_once", isolation="root_namespaces") as device:
        out = work / "out"
        run(device, out, "--pace", "normal", check=EXIT_OPEN)
        events = journal(out)
        assert any(event["type"] == "device_lost" for event in events), [event["type"] for event in events]
        swept_ports = [unit for name, unit in units(out) if name.endswith("ports")]
        assert swept_ports and all(unit["verdict"] == "inconclusive" for unit in swept_ports), swept_ports
        assert all("the device stopped answering" in unit["because"] for unit in swept_ports), swept_ports
        checks = [event["data"] for event in events if event["type"] == "liveness"]
        assert checks[0]["alive"] and not checks[-1]["alive"], checks


METHODS = ("syn", "connect")
BREAKING = ("fragile_rate", "fragile_burst", "fragile_services")
side_by_side(gone, whole_run, *[functools.partial(normal, name) for name in BREAKING],
             *[functools.partial(check, method) for check in (gentle_rate, gentle_burst) for method in METHODS])
