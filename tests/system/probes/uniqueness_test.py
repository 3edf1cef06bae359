"""Factory values of a DUT file, made by generators that are known: what is told of them, and what never is."""

import ctypes
import hashlib
import random
import string

import daemons
from daemons import equal, true, write

daemons.own_namespace()
MACS = [f"02:4f:9b:31:{a:02x}:{b:02x}" for a, b in ((1, 9), (1, 44), (2, 7), (5, 200), (5, 201), (9, 66), (14, 3), (14, 90), (77, 8), (140, 1))]


def look(values):
    """The values as files, as a laboratory keeps them, so that the DUT file itself holds none."""
    rows = []
    for number, (mac, value) in enumerate(zip(MACS, values), 1):
        write(f"value{number}", value + "\n", 0o600)
        rows.append(f'  - {{mechanism: AM-1, secret: "file:value{number}", mac: "{mac}", serial: EX-{4100 + number * 7}, ssid: Hub-{number * 13}}}')
    dut = daemons.dut(more="password_samples:\n" + "\n".join(rows) + "\n")
    observation, kept = daemons.probe("uniqueness", dut=dut)
    equal(observation["completion"], "completed", str(observation["error"]))
    for value in values:
        true(value not in str(observation) + kept, "a value stands in the records")
    equal(observation["facts"]["uniqueness.samples"], len(values), "samples")
    return observation["facts"]


def kinds(facts):
    return {relation["kind"] for relation in facts["uniqueness.relations"]}


def even(length, alphabet=string.ascii_letters + string.digits):
    source = random.Random(26)
    return ["".join(source.choice(alphabet) for _ in range(length)) for _ in MACS]


facts = look(even(12))
equal(facts["uniqueness.relations"], [], "even draws")
entropy = facts["uniqueness.entropy"][0]
true(entropy["independent"] and 50 < entropy["bits"] <= entropy["at_most"] < 72, f"entropy {entropy}")
true(entropy["low"] < entropy["bits"] < entropy["high"], f"its bounds {entropy}")
equal(facts["uniqueness.forms"][0]["samples"], 10, "form")

facts = look([hashlib.md5(mac.encode()).hexdigest()[:10] for mac in MACS])
equal(kinds(facts), {"identifier"}, "a hash of the address")
true(any("MD5 of the mac" in relation["what"] for relation in facts["uniqueness.relations"]), str(facts["uniqueness.relations"]))
equal(facts["uniqueness.relations"][0]["values"], [str(n) for n in range(1, 11)], "all of them")

# The C library of this machine makes them, as a device's first start would.
library = ctypes.CDLL(None)
made = []
for mac in MACS:
    library.srand(int(mac.replace(":", "")[6:], 16))
    made.append("".join((string.ascii_letters + string.digits)[library.rand() % 62] for _ in range(10)))
facts = look(made)
equal(kinds(facts), {"identifier"}, "rand() after srand() of the address")
relation = facts["uniqueness.relations"][0]
true("rand() of the GNU C library, seeded with the last 3 octets of the mac, modulo 62 in A-Za-z0-9" in relation["what"], str(relation))
equal(relation["values"], [str(n) for n in range(1, 11)], "all of them")

state = [48_201_177]
while len(state) < len(MACS):
    state.append((1_664_521 * state[-1] + 7_654_321) % 10**8)
equal(kinds(look([f"{one:08d}" for one in state])), {"counter"}, "a linear congruential generator")
equal(kinds(look([f"{one:08d}" for one in random.Random(4).sample(state, len(state))])), set(), "the same in another order")

equal(kinds(look([str(48_200_000 + 11 * n) for n in range(10)])) & {"counter"}, {"counter"}, "a counter")
equal(kinds(look(["Kd82" + word for word in even(8)])), {"shared"}, "a shared beginning")
true("common" in kinds(look(["sunshine1"] + even(12)[1:])), "a common password")
print("checked")
