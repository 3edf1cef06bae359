"""Every probe against every hostile device ends within its deadline, without a harness fault, in bounded memory."""
import json
import subprocess
import time

from common import ASSAY, emulated, facts, need, port

HOSTILE = ["silent", "closes", "resets", "drip", "random", "endless_banner", "giant_header"]
DEADLINE_MS = 20000
GRACE_S = 5
MEMORY_KB = 64 * 1024

need("python3")
probes = {probe["id"]: probe for probe in facts("probes")}
for name in HOSTILE:
    with emulated("hostile/" + name) as device:
        ports = sorted({int(endpoint.split("/")[1]) for endpoint in device["endpoints"].values()})
        for probe_id, probe in probes.items():
            endpoints = [None] if probe["subject"] == "device" else [f"tcp/{number}" for number in ports]
            for endpoint in endpoints:
                command = [ASSAY, "probe", probe_id, device["address"], "--pace", "fast", "--deadline-ms", str(DEADLINE_MS), "--json", "-q"]
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
                    time.sleep(0.02)
                    assert time.monotonic() - began < DEADLINE_MS / 1000 + GRACE_S, (name, probe_id, endpoint, "did not end")
                out = process.stdout.read()
                took = time.monotonic() - began
                observation = json.loads(out)
                assert observation["completion"] != "harness_fault", (name, probe_id, endpoint, observation["error"])
                assert peak < MEMORY_KB, (name, probe_id, endpoint, peak)
                settled = set(observation["facts"]) | set(observation["absent"]) | set(observation["unobserved"])
                assert settled == {fact["key"] for fact in probe["facts"]}, (name, probe_id, endpoint, settled)
                print(f"{name:15} {probe_id:12} {endpoint or '':9} {observation['completion']:10} {took:5.1f} s {peak // 1024} MB")
