"""A device of real UDP daemons behind a virtual cable, where the kernel limits ICMP errors as it does on a real device
(loopback is exempt from that limit): every service is found and named, nothing closed is called open, in three seconds."""

import json
import os
import re
import subprocess
import time

import daemons
import udp_device
from daemons import equal, true
from udp_device import SERVICES as EXPECTED

US, DEVICE, DEVICE6 = "10.91.0.1", "10.91.0.2", "fd91::2"
MOST_MS = 3000

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
while not set(EXPECTED) <= listening():
    true(time.monotonic() < deadline, f"daemons that do not listen: {sorted(set(EXPECTED) - listening())}")


def look(address=DEVICE, **settings):
    observation, kept = daemons.probe("udp", address=address, **settings)
    equal(observation["completion"], "completed", "completion")
    found = {int(item["endpoint"][4:]): item for item in observation["facts"]["udp.open"]}
    return observation["facts"], observation["coverage"]["udp"], found, kept


# The payload set: all found, by name, in time, while the kernel's limit hides most closed ports.
facts, coverage, found, kept = look(prove=0)
print(json.dumps(coverage))
equal({port: item["protocol"] for port, item in found.items()}, EXPECTED, "services and their protocols")
true(coverage["took_ms"] < MOST_MS, f"the payload set took {coverage['took_ms']} ms")
equal(coverage["open"] + coverage["closed"] + coverage["open_filtered"] + coverage["unreliable"], coverage["asked"], "every port has one state")
true(facts["udp.unreliable"], "silent ports of a device that limits its errors are unreliable, not closed")
true("answered from udp/" in found[69]["reason"], "the answer of TFTP from another port is noted")
true('"request":"coap-core"' in kept.replace(" ", "") and "reply_hex" in kept, "request and reply are kept")

# What answers there is identified by `services` too, with what it says of its product.
NAMED = {53: ("dns", "dnsmasq"), 161: ("snmp", "Linux"), 443: ("quic", None), 3478: ("stun", None), 5353: ("mdns", None),
         5683: ("coap", None), 5684: ("dtls", None), 11211: ("memcached", "memcached")}
for port, (protocol, product) in NAMED.items():
    observation, _ = daemons.probe("services", f"udp/{port}", address=DEVICE)
    facts = observation["facts"]
    equal(facts.get("service.protocol"), protocol, f"what services finds on udp/{port}")
    true(product is None or facts["service.product"].startswith(product), f"the product on udp/{port}: {facts.get('service.product')}")
    equal(facts["service.tls"], protocol == "dtls", f"TLS on udp/{port}")

# The proof: every closed port refused, none is believed closed or open without its error, and the limit is measured.
closed = [port for port in range(40000, 40012) if port not in listening()]
silent = 40020
serve("python3", "-c", f"import socket,time; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('{DEVICE}', {silent})); time.sleep(600)")
while silent not in listening():
    pass
facts, coverage, found, _ = look(ports=f"40000-40011,{silent},5683", prove=60)
print(json.dumps(coverage), json.dumps(facts["udp.icmp_rate"]))
equal(sorted(found), [5683], "the one service among closed ports")
equal([item["endpoint"] for item in facts["udp.open_filtered"]], [f"udp/{silent}"], "a bound port that says nothing is open or filtered")
equal(facts["udp.closed"], len(closed), "closed ports")
equal(facts["udp.unreliable"], [], "unreliable ports")
equal(facts["udp.icmp_rate"]["limited"], True, "the limit of the kernel is noticed")
true(20 <= facts["udp.icmp_rate"]["per_minute"] <= 100, f"about one error a second was measured: {facts['udp.icmp_rate']}")

# Many addresses of ours: the limit holds for each peer, so closed ports are proven by all of them side by side. One address would take
# twenty minutes for these; two ports that say nothing stay open or filtered. Only what the DUT file names and the interface has is sent from.
MORE = 120
for number in range(MORE):
    run("ip", "address", "add", f"10.91.0.{100 + number}/24", "dev", "us0")
dut = os.path.join(daemons.FOLDER, "dut.yaml")
with open(dut, "w") as file:
    file.write(f"""assay: dut/1
device: {{vendor: Example, model: Thing}}
samples: [{{id: A, at: {{lan: {DEVICE}}}}}]
scope: [{DEVICE}]
lab: {{sources: [10.91.0.0/24, 10.92.0.0/24]}}
""")
wide = f"40000-41299,{silent}"
quiet = listening() & set(range(40000, 41300))
began = time.monotonic()
facts, coverage, found, _ = look(dut=dut, ports=wide, prove=120)
took = time.monotonic() - began
print(json.dumps(coverage), f"{took:.1f} s")
equal(facts["udp.closed"], 1300 - len(quiet), "closed ports proven from many addresses")
equal({int(item["endpoint"][4:]) for item in facts["udp.open_filtered"]}, quiet, "bound ports that say nothing")
equal(facts["udp.unreliable"], [], "unreliable ports")
equal(facts["udp.icmp_rate"]["sources"], MORE + 1, "addresses that were sent from")
true(facts["udp.icmp_rate"]["per_minute"] > 1200, f"far more errors than one address gets: {facts['udp.icmp_rate']}")
true(took < 100, f"1,300 ports took {took:.0f} s")
for number in range(MORE):
    run("ip", "address", "delete", f"10.91.0.{100 + number}/24", "dev", "us0")

# A device that drops everything it does not serve: nothing is said to be closed, and that no ICMP error came is said.
run(*inside, "nft", "add table inet wall; add chain inet wall in { type filter hook input priority 0; policy accept; };"
    " add rule inet wall in udp dport != { 53, 5683 } drop")
facts, coverage, found, _ = look(ports="53,5683,41000-41003", prove=30)
equal(sorted(found), [53, 5683], "services before a wall")
equal(facts["udp.closed"], 0, "closed ports behind a wall")
equal([item["endpoint"] for item in facts["udp.open_filtered"]], ["udp/41000-41003"], "ports behind a wall")
run(*inside, "nft", "delete table inet wall")

# A wall that says so is told from a port that is closed.
run(*inside, "nft", "add table inet wall; add chain inet wall in { type filter hook input priority 0; policy accept; };"
    " add rule inet wall in udp dport 42000 reject with icmpx type admin-prohibited")
facts, _, found, _ = look(ports="42000,5683", prove=10)
true("prohibited" in facts["udp.open_filtered"][0]["reason"], "an ICMP error of a wall is named")
run(*inside, "nft", "delete table inet wall")

# In a run: what answers on UDP is judged in every unit that waits for it, and nothing else of these units is open.
with open(dut, "w") as file:
    file.write(f"""assay: dut/1
device: {{vendor: Example, model: Thing}}
samples: [{{id: A, at: {{lan: {DEVICE}}}}}]
scope: [{DEVICE}]
standard: TS103701@1.1.1
ixit:
  1-AuthMech: [{{id: AM-1, port: udp/1194}}]
  7-UpdMech: [{{id: U-1, port: tcp/443}}]
  11-ComMech: [{{id: C-1, port: udp/5683, remotely_accessible: true}}]
  15-Intf: [{{id: I-1, kind: logical, port: udp/11211, status: enabled, disclosed_information: [memcached 1.6]}}]
  28-ExtAPI: [{{id: E-1, port: tcp/443}}]
""")
out = os.path.join(daemons.FOLDER, "run")
subprocess.run([os.environ["ASSAY"], "run", "--plan", "cls-iot/4", "--dut", dut, "--pace", "fast", "--library", daemons.LIBRARY, "-q", "-o", out,
                "--set", "udp.prove=90"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=400)
with open(os.path.join(out, "bundle", "verdicts.json")) as file:
    verdicts = json.load(file)


def units_in(value):
    if isinstance(value, dict):
        if "verdict" in value and "/" in str(value.get("id")):
            yield value["id"].split(":", 1)[1], value
        value = list(value.values())
    for item in value if isinstance(value, list) else []:
        yield from units_in(item)


units = dict(units_in(verdicts))


def judged(unit, verdict, part, *endpoints):
    equal(units[unit]["verdict"], verdict, f"verdict of {unit}: {units[unit]}")
    equal({item["endpoint"] for item in units[unit][part]}, set(endpoints), f"{part} of {unit}")


judged("5.1-5-2/a-udp", "fail", "findings", "udp/161")  # the VPN is declared, SNMP's community is not
judged("5.13-1-2/c-udp", "fail", "findings", "udp/5683")
judged("5.3-10-1/c-udp", "inconclusive", "open", "udp/69")
judged("5.6-2-2/a-udp", "inconclusive", "open", "udp/53", "udp/161", "udp/5683", "udp/11211")  # 11211: another version than declared

# IPv6.
_, _, found, _ = look(address=DEVICE6, ports="123,40000", prove=10)
equal({port: item["protocol"] for port, item in found.items()}, {123: "ntp"}, "services over IPv6")
for number in range(8):
    run("ip", "address", "add", f"fd91::1:{number}/64", "dev", "us0", "nodad")
with open(dut, "w") as file:
    file.write(f"""assay: dut/1
device: {{vendor: Example, model: Thing}}
samples: [{{id: A, at: {{lan: "{DEVICE6}"}}}}]
scope: ["{DEVICE6}"]
lab: {{sources: ["fd91::/64"]}}
""")
facts, coverage, _, _ = look(address=DEVICE6, dut=dut, ports="41000-41499", prove=100)
equal(facts["udp.closed"], 500, f"closed ports over IPv6: {coverage}")
equal(facts["udp.icmp_rate"]["sources"], 9, "IPv6 addresses that were sent from, without the link-local one")

# nmap as an oracle that knows nothing of our list. It misses TFTP, which answers from another port.
ports = "53,69,111,123,161,40001"
listed = run("nmap", "-sU", "-sV", "--version-intensity", "3", "-n", "-Pn", "-p", ports, DEVICE)
theirs = {int(port) for port in re.findall(r"^(\d+)/udp\s+open\s", listed, re.MULTILINE)}
true(len(theirs) >= 4 and theirs <= set(EXPECTED), f"nmap's open ports are among those we found: {theirs}")
print("ok")
