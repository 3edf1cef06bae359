"""The open ports that the probe finds are those that nmap finds, and those that we opened."""

import re
import socket
import subprocess

import daemons
from daemons import ADDRESS, equal, true

daemons.own_namespace()
nmap = daemons.need("nmap")

opened = [1, 22, 80, 81, 443, 1883, 5000, 30000, 40001, 65535]
listeners = []
for port in opened:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((ADDRESS, port))
    listener.listen(16)
    listeners.append(listener)

observation, _ = daemons.probe("ports", tcp="all")
equal(observation["completion"], "completed", "completion")
found = [item["endpoint"] for item in observation["facts"]["ports.open"]]
equal(found, [f"tcp/{port}" for port in opened], "open ports")
coverage = observation["coverage"]["tcp"]
equal(coverage["asked"], 65535, "ports asked")
equal(coverage["open"] + coverage["closed"] + coverage["filtered"] + coverage["unreliable"], 65535, "every port has one state")
equal(observation["facts"]["ports.closed"], 65535 - len(opened), "closed ports")
true(observation["evidence"]["ports.open"], "ports.open has evidence")

listed = subprocess.run([nmap, "-sT", "-Pn", "-n", "-p-", "-T4", ADDRESS], capture_output=True, text=True, check=True).stdout
equal(found, [f"tcp/{port}" for port in re.findall(r"^(\d+)/tcp\s+open", listed, re.MULTILINE)], "nmap's open ports")

observation, _ = daemons.probe("ports", tcp="80-81,443")
equal([item["endpoint"] for item in observation["facts"]["ports.open"]], ["tcp/80", "tcp/81", "tcp/443"], "a short list")

refused = subprocess.run([daemons.os.environ["ASSAY"], "probe", "ports", ADDRESS, "--library", daemons.LIBRARY, "--set", "tcp=80-", "--json"],
                         capture_output=True, text=True)
true("80-" in refused.stdout + refused.stderr, "a wrong range is named")
print("ok")
