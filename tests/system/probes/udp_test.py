"""What the UDP probe finds on a device of real daemons behind a cable: every service by name, nothing closed called open, in three seconds."""

import json
import re

import daemons
from daemons import equal, true
from udp_device import SERVICES as EXPECTED
from udp_lab import DEVICE, DEVICE6, inside, look, run

MOST_MS = 3000

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

# IPv6.
_, _, found, _ = look(address=DEVICE6, ports="123,40000", prove=10)
equal({port: item["protocol"] for port, item in found.items()}, {123: "ntp"}, "services over IPv6")
# nmap as an oracle that knows nothing of our list. It misses TFTP, which answers from another port.
ports = "53,69,111,123,161,40001"
listed = run("nmap", "-sU", "-sV", "--version-intensity", "3", "-n", "-Pn", "-p", ports, DEVICE)
theirs = {int(port) for port in re.findall(r"^(\d+)/udp\s+open\s", listed, re.MULTILINE)}
true(len(theirs) >= 4 and theirs <= set(EXPECTED), f"nmap's open ports are among those we found: {theirs}")

print("ok")
