"""What the UDP probe proves of closed ports where the device limits its ICMP errors: from one address, and from many side by side."""

import json
import time

from daemons import equal, true
from udp_lab import DEVICE, DEVICE6, add_sources, dut_file, listening, look, serve

# The proof: every closed port refused, none is believed closed or open without its error, and the limit is measured.
closed = [port for port in range(40000, 40012) if port not in listening()]
silent = 40020
serve("python3", "-c", f"import socket,time; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('{DEVICE}', {silent})); time.sleep(600)")
deadline = time.monotonic() + 30
while silent not in listening():
    true(time.monotonic() < deadline, "the silent port is not bound")
    time.sleep(0.1)
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
more = [f"10.91.0.{100 + number}/24" for number in range(MORE)]
add_sources(more)
dut = dut_file(DEVICE, "lab: {sources: [10.91.0.0/24, 10.92.0.0/24]}")
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

# The same over IPv6.
add_sources([f"fd91::1:{number}/64" for number in range(8)], "nodad")
dut = dut_file(DEVICE6, 'lab: {sources: ["fd91::/64"]}')
facts, coverage, _, _ = look(address=DEVICE6, dut=dut, ports="41000-41499", prove=100)
equal(facts["udp.closed"], 500, f"closed ports over IPv6: {coverage}")
equal(facts["udp.icmp_rate"]["sources"], 9, "IPv6 addresses that were sent from, without the link-local one")

print("ok")
