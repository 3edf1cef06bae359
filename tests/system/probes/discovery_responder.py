"""discovery_responder.py ADDRESS NAME [ELSEWHERE]: plays what the real daemons of the test do not: it joins the groups of link
discovery and answers LLMNR for NAME, and, when it is the other host of the link (no ELSEWHERE), mDNS and SSDP too. With
ELSEWHERE it answers SSDP once more with a location at that address."""

import selectors
import socket
import struct
import sys

ADDRESS, NAME = sys.argv[1:3]
ELSEWHERE = sys.argv[3] if len(sys.argv) > 3 else ""
GROUPS = {5353: "224.0.0.251", 1900: "239.255.255.250", 5355: "224.0.0.252"}


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def dns(question, answers):
    """A response with the question and PTR (name) or A (address) records."""
    records = b""
    for name, value in answers:
        ptr = not value[0].isdigit()
        data = encode(value) if ptr else socket.inet_aton(value)
        records += encode(name) + struct.pack(">HHIH", 12 if ptr else 1, 1, 30, len(data)) + data
    return question[:2] + struct.pack(">HHHHH", 0x8400, 0, len(answers), 0, 0) + records


def reply(port, data):
    if port == 1900 and data.startswith(b"M-SEARCH"):
        place = ELSEWHERE or ADDRESS
        return (f"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=60\r\nEXT:\r\nLOCATION: http://{place}:8080/away.xml\r\n"
                f"SERVER: script/1 UPnP/1.0 {NAME}/1\r\nST: upnp:rootdevice\r\nUSN: uuid:{NAME}::upnp:rootdevice\r\n\r\n").encode()
    if data[2:3] and data[2] & 0x80:
        return None
    if port == 5353 and b"_dns-sd" in data:
        return dns(data, [("_services._dns-sd._udp.local", "_stranger._tcp.local"), ("_stranger._tcp.local", f"{NAME}._stranger._tcp.local")])
    if port == 5355 and b"\x07in-addr" in data:
        reverse = ".".join(reversed(ADDRESS.split("."))) + ".in-addr.arpa"
        return dns(data, [(reverse, NAME)]) if encode(reverse) in data or not ELSEWHERE else None
    if port == 5355 and encode(NAME) in data and data[-4:] == b"\0\1\0\1":
        return dns(data, [(NAME, ADDRESS)])
    return None


selector = selectors.DefaultSelector()
for port, group in GROUPS.items():
    if port == 5353 and ELSEWHERE:
        continue  # the device's mDNS is avahi
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((group, port))
    listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(ADDRESS))
    answering = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    answering.bind((ADDRESS, 0))
    selector.register(listening, selectors.EVENT_READ, (port, answering))
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        data, sender = key.fileobj.recvfrom(9000)
        said = reply(key.data[0], data)
        if said and sender[0] != ADDRESS:
            key.data[1].sendto(said, sender)
