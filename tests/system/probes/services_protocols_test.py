"""Every protocol that the services probe knows, on its usual port and on one that suggests nothing; what nobody knows stays unnamed."""

import concurrent.futures

import daemons
import peers
from daemons import ADDRESS, equal, true

daemons.own_namespace()
tls = peers.tls_context(daemons.certificate())
STARTTLS = {21, 25, 110, 143, 389, 5222, 5432}
VARIANTS = {631: "ipp", 7547: "tr069", 8000: "onvif", 8080: "hnap", 49152: "upnp"}
PRODUCTS = {502: ("PLC-7", "V1.02"), 3306: ("MySQL", "8.0.36"), 5672: ("RabbitMQ", "3.10.8"), 5060: ("Acme-Phone", "1.2")}
ELSEWHERE = 20000  # added to a port, the number says nothing

targets = {}
for port, protocol, peer in peers.PEERS:
    targets[port] = protocol
    peers.serve(ADDRESS, port, peer, tls)
    if port not in VARIANTS and protocol not in (None, "telnet"):
        targets[port + ELSEWHERE] = protocol
        peers.serve(ADDRESS, port + ELSEWHERE, peer, tls)


def look(port):
    return port, daemons.probe("services", f"tcp/{port}")[0]


with concurrent.futures.ThreadPoolExecutor(16) as pool:
    seen = dict(pool.map(look, targets))
slow = {port: found["took_ns"] // 1000000 for port, found in seen.items() if found.get("took_ns", 0) > 1e9}
print("over a second:", slow)
for port, protocol in targets.items():
    facts = seen[port]["facts"]
    equal(facts.get("service.protocol"), protocol, f"protocol on {port} ({facts}, offered {seen[port]['coverage']})")
    if protocol:
        true(facts["service.evidence"], f"evidence on {port}")
        equal(facts["service.confidence"] in ("exchange", "greeting"), True, f"confidence on {port}")
    else:
        equal("service.confidence" in facts, False, f"confidence of nothing on {port}")
    usual = port if port < ELSEWHERE else port - ELSEWHERE
    if usual in STARTTLS:
        equal(facts.get("service.starttls"), True, f"STARTTLS on {port} ({seen[port]})")
        equal(facts["service.starttls_session"]["certificate"]["self_signed"], True, f"its certificate on {port}")
    if port in VARIANTS:
        true(VARIANTS[port] in facts["service.details"].get("variants", {}), f"{VARIANTS[port]} on {port} ({facts})")
    if usual in PRODUCTS:
        equal((facts["service.product"], facts["service.version"]), PRODUCTS[usual], f"product on {port}")
true(seen[7002]["facts"]["service.evidence"].startswith("0701c8"), "unknown bytes are kept")
equal(seen[9100]["coverage"]["exchange"]["offered"], [], "nothing is said to a printer's raw port")
print("identified", sum(1 for protocol in targets.values() if protocol), "endpoints, left alone what nobody knows")
