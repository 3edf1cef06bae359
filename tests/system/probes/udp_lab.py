"""A device of real UDP daemons behind a virtual cable, where the kernel limits ICMP errors as it does on a real device (loopback is exempt from
that limit). Whoever imports this has it: in namespaces of the script, gone with it."""

import os
import re
import subprocess
import time

import daemons
import udp_device
from daemons import equal, true
from udp_device import SERVICES

US, DEVICE, DEVICE6 = "10.91.0.1", "10.91.0.2", "fd91::2"

daemons.own_namespace()
for tool in ("nmap", "ip", "nsenter", "nft", "ss", *udp_device.TOOLS):
    daemons.need(tool)
if not os.path.exists("/dev/net/tun"):
    daemons.skip("no /dev/net/tun for the VPN server")
os.environ["PATH"] += ":/usr/sbin:/sbin"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def cable():
    """The namespace of the device, with one end of a veth pair; returns the process that holds it."""
    holder = daemons.start(["unshare", "-n", "sleep", "600"])
    while os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        os.sched_yield()
    run("ip", "link", "add", "us0", "type", "veth", "peer", "name", "dev0")
    run("ip", "link", "set", "dev0", "netns", str(holder.pid))
    for prefix, link, address, address6 in (((), "us0", US, "fd91::1"),
                                            (("nsenter", "-t", str(holder.pid), "-n"), "dev0", DEVICE, DEVICE6)):
        run(*prefix, "ip", "address", "add", f"{address}/24", "dev", link)
        run(*prefix, "ip", "address", "add", f"{address6}/64", "dev", link, "nodad")
        run(*prefix, "ip", "link", "set", link, "up")
        run(*prefix, "ip", "link", "set", "lo", "up")
    return holder


run("mount", "-t", "tmpfs", "none", "/run")  # in this script's own mount namespace: daemons leave sockets and locks there
holder = cable()
inside = ["nsenter", "-t", str(holder.pid), "-n"]


def serve(*command):
    daemons.start([*inside, *command])


def listening():
    """The white box that the probe's finding is held against."""
    return udp_device.listening(inside)


for command in udp_device.commands(daemons.FOLDER, DEVICE):
    serve(*command)
deadline = time.monotonic() + 30
while not set(SERVICES) <= listening():
    true(time.monotonic() < deadline, f"daemons that do not listen: {sorted(set(SERVICES) - listening())}")


def look(address=DEVICE, **settings):
    observation, kept = daemons.probe("udp", address=address, **settings)
    equal(observation["completion"], "completed", "completion")
    found = {int(item["endpoint"][4:]): item for item in observation["facts"]["udp.open"]}
    return observation["facts"], observation["coverage"]["udp"], found, kept


def add_sources(addresses, *options):
    """More addresses of ours on the cable."""
    for address in addresses:
        run("ip", "address", "add", address, "dev", "us0", *options)


def dut_file(address, rest):
    file = os.path.join(daemons.FOLDER, "dut.yaml")
    with open(file, "w") as out:
        out.write(f"""assay: dut/1
device: {{vendor: Example, model: Thing}}
samples: [{{id: A, at: {{lan: "{address}"}}}}]
scope: ["{address}"]
{rest}
""")
    return file
