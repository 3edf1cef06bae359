"""Every probe against every hostile device ends within its deadline, without a harness fault, in bounded memory."""
import functools
import json
import subprocess
import time

from common import ASSAY, emulated, facts, need, side_by_side

# Device -> probes at once: those that only let us wait can be asked by many, of the others each is hard enough for one.
HOSTILE = {"silent": 6, "drip": 6, "closes": 1, "resets": 1, "random": 1, "endless_banner": 1, "giant_header": 1}
DEADLINE_MS = 8000  # less than several probes take of themselves where nothing is ever said
GRACE_S = 5
ALIVE_S = 90  # for a process on a busy machine, from its start to its end
MEMORY_KB = 64 * 1024


def look(name, device, probe, endpoint):
    """One probe at one endpoint, watched: what it saw is whole, and neither time nor memory ran away."""
    what = (name, probe["id"], endpoint)
    command = [ASSAY, "probe", probe["id"], device["address"], "--pace", "fast", "--deadline-ms", str(DEADLINE_MS), "--json", "-q"]
    command += ["--endpoint", endpoint] if endpoint else []
    command += ["--set", "tcp=1-2000"] if any(one["name"] == "tcp" for one in probe["parameters"]) else []
    command += ["--netns", device["netns"]] if device["netns"] else []
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as status:
                peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.05)
        assert time.monotonic() - began < ALIVE_S, (*what, "did not end")
    observation = json.loads(process.stdout.read())
    took = observation["took_ns"] / 1e9
    assert took < DEADLINE_MS / 1000 + GRACE_S, (*what, took, "went on after its deadline")
    assert observation["completion"] != "harness_fault", (*what, observation["error"])
    assert peak < MEMORY_KB, (*what, peak)
    settled = set(observation["facts"]) | set(observation["absent"]) | set(observation["unobserved"])
    assert settled == {fact["key"] for fact in probe["facts"]}, (*what, settled)
    print(f"{name:15} {probe['id']:12} {endpoint or '':9} {observation['completion']:10} {took:5.1f} s {peak // 1024} MB")


def meet(name):
    """Every probe at every port."""
    with emulated("hostile/" + name) as device:
        ports = sorted({int(endpoint.split("/")[1]) for endpoint in device["endpoints"].values()})
        looks = [functools.partial(look, name, device, probe, endpoint) for probe in probes
                 for endpoint in ([None] if probe["subject"] == "device" else [f"tcp/{number}" for number in ports])]
        side_by_side(*looks, at_once=HOSTILE[name])


need("python3")
probes = facts("probes")
side_by_side(*[functools.partial(meet, name) for name in HOSTILE])
