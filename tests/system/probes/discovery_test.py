"""The discovery probe on a link with a device (avahi, miniupnpd, wsdd, a scripted LLMNR responder) and another host that answers
too. dig, curl and ip(8) say what is right, nft and tcpdump that the other host was never sent a packet."""

import os
import re
import subprocess
import sys
import time

import daemons
from daemons import equal, need, path, true, write

daemons.own_namespace()
with open("/proc/self/uid_map") as ids:
    if os.environ.get("ASSAY_TEST_NAMESPACE") != "own" or ids.read().split() != ["0", "0", "4294967295"]:
        daemons.skip("avahi needs root and a namespace of its own")
avahi, upnp, wsdd, dig, tcpdump, curl, nft = map(
    need, ("avahi-daemon", "miniupnpd", "wsdd", "dig", "tcpdump", "curl", "nft"))

DEVICE, OTHER, MAC = "10.77.0.2", "10.77.0.3", "02:00:5e:10:00:02"
DEVICE6 = "fd00:77::2"
RESPONDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "discovery_responder.py")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def host(number, mac=None):
    """A host on the bridge with a network of its own; returns the words that run a command there."""
    holder = daemons.start(["unshare", "-n", "sleep", "3600"])
    run("ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
    run("ip", "link", "set", f"v{number}", "master", "br0", "up")
    inside = ["nsenter", "-t", str(holder.pid), "-n"]
    if mac:
        run(*inside, "ip", "link", "set", "eth0", "address", mac)
    run(*inside, "ip", "link", "set", "lo", "up")
    run(*inside, "ip", "link", "set", "eth0", "up")
    run(*inside, "ip", "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
    run(*inside, "ip", "addr", "add", f"fd00:77::{number}/64", "dev", "eth0", "nodad")
    return inside


def wait_for(condition, what):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not in ten seconds: {what}")


def dig_short(name, kind):
    done = subprocess.run([dig, "+short", "+time=1", "+tries=1", "-p", "5353", f"@{DEVICE}", name, kind], capture_output=True, text=True)
    return [line.strip('"').rstrip(".") for line in done.stdout.splitlines() if not line.startswith(";")]


def start_device(inside):
    os.makedirs(path("services"))
    write("services/http.service", """<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>Hub 2</name><service><type>_http._tcp</type><port>8080</port>
<txt-record>version=2.4.1</txt-record><txt-record>serial=EX-0001</txt-record></service>
<service><type>_hap._tcp</type><port>8081</port></service></service-group>""")
    subprocess.run(["mount", "--bind", path("services"), "/etc/avahi/services"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    write("avahi.conf", """[server]
host-name=hub
use-ipv4=yes
use-ipv6=yes
allow-interfaces=eth0
enable-dbus=no
[publish]
publish-hinfo=no
publish-workstation=no
""")
    daemons.start(inside + [avahi, "-f", path("avahi.conf"), "--no-drop-root", "--no-chroot"])
    run(*inside, "ip", "link", "add", "wan0", "type", "veth", "peer", "name", "wan1")
    run(*inside, "ip", "addr", "add", "203.0.113.5/24", "dev", "wan0")
    run(*inside, "ip", "link", "set", "wan0", "up")
    run(*inside, "ip", "link", "set", "wan1", "up")
    write("upnpd.conf", """ext_ifname=wan0
listening_ip=eth0
http_port=5000
enable_natpmp=no
enable_upnp=yes
friendly_name=Example Hub
manufacturer_name=Example
model_name=Hub 2
model_number=2
serial=EX-0001
uuid=73616d73-756e-6700-0000-000000000002
system_uptime=yes
secure_mode=yes
""")
    daemons.start(inside + [upnp, "-d", "-f", path("upnpd.conf"), "-P", path("upnpd.pid")])
    daemons.start(inside + [wsdd, "-i", "eth0", "-n", "HUB-WSD", "-U", "73616d73-756e-6700-0000-0000000000aa"])
    daemons.start(inside + [sys.executable, "-B", RESPONDER, DEVICE, "hub-llmnr", OTHER])
    wait_for(lambda: dig_short("_http._tcp.local", "PTR"), "avahi answers dig")


def count_what_arrives(inside):
    """Whatever is addressed to the other host itself; answers to its own ARP and neighbour questions are not counted."""
    write("count.nft", f"""table inet watch {{
chain in {{
type filter hook input priority 0;
ip daddr {OTHER} counter comment "v4"
ip6 daddr != ff00::/8 icmpv6 type != {{nd-neighbor-solicit, nd-neighbor-advert}} counter comment "v6"
ip6 daddr != ff00::/8 meta l4proto {{tcp, udp}} counter comment "v6"
ip daddr 224.0.0.251 udp dport 5353 counter comment "group"
}}
}}
""")
    run(*inside, nft, "-f", path("count.nft"))


def counted(inside, comment):
    rules = run(*inside, nft, "list", "table", "inet", "watch").splitlines()
    return sum(int(re.search(r"counter packets (\d+)", rule)[1]) for rule in rules if f'comment "{comment}"' in rule)


def bytes_in(transcript):
    """The bytes that a transcript shows as a hex dump."""
    return bytes.fromhex("".join(re.findall(r"^[0-9a-f]{8}  ([0-9a-f ]{47})  \|", transcript, re.M)))


def by_endpoint(observation):
    return {entry.get("endpoint"): entry for entry in observation["facts"]["discovery.mdns"]["services"]}


def check_mdns(observation):
    services = by_endpoint(observation)
    http = services["tcp/8080"]
    name = dig_short("_http._tcp.local", "PTR")
    equal([http["name"].replace("\\\\", "\\")], [name[0].replace("\\032", " ")], "the instance dig sees")
    texts = run(dig, "+short", "-p", "5353", f"@{DEVICE}", "Hub\\0322._http._tcp.local", "TXT")
    equal(sorted(http["txt"]), sorted(re.findall(r'"([^"]*)"', texts)), "TXT as dig reads it")
    true("tcp/8081" in services, "the second type is found by the list of types")
    hosts = {entry["name"]: entry["addresses"] for entry in observation["facts"]["discovery.mdns"]["hosts"]}
    true(DEVICE in hosts["hub.local"], hosts)


def check_ssdp(observation, away):
    ssdp = observation["facts"]["discovery.ssdp"]
    described = [entry for entry in ssdp["descriptions"] if entry["status"] == 200]
    true(described, ssdp)
    text = run(curl, "-s", described[0]["location"])
    for element in ("friendlyName", "manufacturer", "modelName", "serialNumber", "UDN"):
        equal(described[0]["devices"][0].get(element, ""), re.search(f"<{element}>([^<]*)<", text)[1], f"{element} as curl fetches it")
    equal(ssdp["elsewhere"], [f"http://{OTHER}:8080/away.xml"] if away else [], "a location elsewhere is noted")


run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
run("ip", "link", "set", "br0", "up")
run("ip", "addr", "add", "10.77.0.1/24", "dev", "br0")
run("ip", "addr", "add", "fd00:77::1/64", "dev", "br0", "nodad")
device, other = host(2, MAC), host(3)
start_device(device)
count_what_arrives(other)
daemons.start(other + [sys.executable, "-B", RESPONDER, OTHER, "stranger"])
capture = daemons.start([tcpdump, "-i", "br0", "-U", "-w", path("link.pcap"), "--immediate-mode"])

daemons.ADDRESS = DEVICE
seen, kept = daemons.probe("discovery")
equal(seen["completion"], "completed", seen["error"])
check_mdns(seen)
check_ssdp(seen, away=True)
equal([match["address"] for match in seen["facts"]["discovery.wsd"]], ["urn:uuid:73616d73-756e-6700-0000-0000000000aa"], f"wsdd's endpoint: {seen['facts']['discovery.wsd']}")
equal([(answer["type"], answer["value"]) for answer in seen["facts"]["discovery.llmnr"]], [("PTR", "hub-llmnr")], "the LLMNR name")
true(MAC in run("ip", "neigh", "show", DEVICE), "ip(8) knows the same MAC")
equal(seen["facts"]["discovery.neighbour"], {"mac": MAC, "oui": "02:00:5e", "locally_administered": True}, "the neighbour")
strangers = {entry["address"]: entry for entry in seen["facts"]["discovery.others"]}
equal(sorted(strangers), [OTHER], "who else is on the link")
equal(strangers[OTHER]["protocols"], ["llmnr", "mdns", "ssdp"], "what the other host speaks")
true("stranger" not in str(seen["facts"]["discovery.told"]).replace("away", ""), "nothing of the other host is the device's")
true({"protocol": "mdns", "item": "text of Hub 2._http._tcp.local", "value": "serial=EX-0001"} in seen["facts"]["discovery.told"], "what was told")
true(b"serial=EX-0001" in bytes_in(kept) and b"<friendlyName>" in bytes_in(kept), "the bytes are kept")
true(seen["evidence"]["discovery.mdns"], "evidence of mDNS")

# The other family: groups of IPv6, and avahi's own answers from its link-local address count as the device's.
daemons.ADDRESS = DEVICE6
six, _ = daemons.probe("discovery", listen_s=2)
equal(six["completion"], "completed", six["error"])
true("tcp/8080" in by_endpoint(six), "mDNS over IPv6")
equal(six["facts"]["discovery.neighbour"]["mac"], MAC, "the MAC by NDP")
equal([entry["address"] for entry in six["facts"]["discovery.others"]], [], "the device's link-local address is no other host")
equal(six["coverage"]["discovery"]["address_family"], "ipv6", "the family")

# It starts while the probe listens: what its DHCP client says is heard, though nobody answers, and only of this device.
udhcpc = [need("busybox"), "udhcpc", "-i", "eth0", "-f", "-t", "8", "-T", "1", "-s", "/bin/true"]
other_client = daemons.start(other + udhcpc + ["-V", "stranger", "-x", "hostname:stranger"])
client = daemons.start(device + udhcpc + ["-V", "example-hub 2", "-x", "hostname:hub2", "-O", "ntpsrv"])
daemons.ADDRESS = DEVICE
seen, _ = daemons.probe("discovery", rounds=1, wait_ms=500, listen_s=4)
client.kill()
other_client.kill()
dhcp = seen["facts"]["discovery.dhcp"]
equal((dhcp["message"], dhcp["vendor_class"], dhcp["host_name"]), ("discover", "example-hub 2", "hub2"), "the DHCP client")
true({1, 3, 6, 42} <= set(dhcp["parameters"]) and {53, 55, 60} <= set(dhcp["options"]), dhcp)
told = run(tcpdump, "-nn", "-vv", "-r", path("link.pcap"), f"ether src {MAC} and udp src port 68")
asked = re.search(r"Parameter-Request \(55\)[^\n]*\n((?:\t {6}[^\n]*\n)+)", told)[1]
equal(dhcp["parameters"], [int(code) for code in re.findall(r"\((\d+)\)", asked)], "option 55 as tcpdump reads it")

# A host without any responder refuses the ports: absent, by ICMP. One that drops everything is not known to be silent.
quiet = host(4)
daemons.ADDRESS = "10.77.0.4"
seen, _ = daemons.probe("discovery", rounds=1, wait_ms=500)
equal(sorted(seen["absent"]), ["discovery.llmnr", "discovery.mdns", "discovery.ssdp", "discovery.told", "discovery.wsd"], "a quiet host")
write("mute.nft", "table inet mute {\nchain in {\ntype filter hook input priority 0; policy drop;\n}\n}\n")
run(*quiet, nft, "-f", path("mute.nft"))
seen, _ = daemons.probe("discovery", rounds=1, wait_ms=500)
equal(seen["absent"], [], "a host that drops everything has nothing absent")
equal(sorted(seen["unobserved"]), ["discovery.dhcp", "discovery.llmnr", "discovery.mdns", "discovery.ssdp", "discovery.told", "discovery.wsd"], "dropped")

capture.terminate()
capture.wait(10)
true(counted(other, "group") > 0, "the counter sees what reaches the other host")
equal((counted(other, "v4"), counted(other, "v6")), (0, 0), "packets that the other host got (nft)")
sent = run(tcpdump, "-nn", "-r", path("link.pcap"), f"ip dst {OTHER}")
equal(sent, "", "packets to the other host (tcpdump)")
true(run(tcpdump, "-nn", "-r", path("link.pcap"), "udp dst port 1900").count("\n") >= 2, "the capture saw the questions")
print("checked mDNS, SSDP, WS-Discovery, LLMNR, neighbour, IPv6, a quiet and a dropping host; the other host got nothing")
