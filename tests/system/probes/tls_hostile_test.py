"""Peers that abuse TLS: the probe ends within its deadline, in bounded memory, accounts for every fact and says nothing that was not seen."""

import concurrent.futures
import json
import os
import socket
import subprocess
import threading
import time

import daemons
from daemons import ADDRESS, equal, true

daemons.own_namespace()
DEADLINE_S = 20
GRACE_S = 5
MEMORY_KB = 64 * 1024
CHUNK = 16000


def record(kind, body):
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def hello(asked):
    """A ServerHello of TLS 1.2 that takes the first suite offered."""
    after_session = 44 + asked[43]
    suite = asked[after_session + 2:after_session + 4]
    return record(22, message(2, b"\x03\x03" + bytes(32) + b"\x00" + suite + b"\x00"))


def truncated_record(asked):
    yield hello(asked)[:20]


def lying_record_length(asked):
    yield b"\x16\x03\x03\x40\x00" + hello(asked)[5:]


def lying_message_length(asked):
    whole = hello(asked)
    yield whole[:6] + b"\xff\xff\xff" + whole[9:]


def lying_certificate_length(asked):
    yield hello(asked) + record(22, message(11, b"\xff\xff\xff\xff\xff\xff" + bytes(64)))


def endless_handshake(asked):
    yield hello(asked)
    while True:
        yield record(22, message(0, b"") * 4000)  # HelloRequest, which means nothing here


def chain_of_16_megabytes(asked):
    body = b"".join((CHUNK).to_bytes(3, "big") + bytes(CHUNK) for _ in range(1000))
    chain = message(11, len(body).to_bytes(3, "big") + body)
    yield hello(asked)
    for at in range(0, len(chain), CHUNK):
        yield record(22, chain[at:at + CHUNK])
    yield record(22, message(14, b""))


def flood_of_alerts(asked):
    while True:
        yield record(21, b"\x01\x5a") * 1000  # a warning


def one_byte_at_a_time(asked):
    for byte in hello(asked) + record(22, message(14, b"")):
        yield bytes([byte])
        time.sleep(0.1)


def answers_with_the_hello(asked):
    yield asked


def empty_records(asked):
    while True:
        yield record(22, b"") * 2000


PEERS = [truncated_record, lying_record_length, lying_message_length, lying_certificate_length, endless_handshake, chain_of_16_megabytes,
         flood_of_alerts, one_byte_at_a_time, answers_with_the_hello, empty_records]


def talk(client, peer):
    client.settimeout(30)
    try:
        asked = client.recv(65536)
        for piece in peer(asked) if len(asked) > 46 and asked[0] == 22 else ():
            client.sendall(piece)
        while client.recv(65536):
            pass
    except OSError:
        pass
    client.close()


def serve(peer):
    listener = socket.create_server((ADDRESS, 0), backlog=64)

    def accept():
        while True:
            client = listener.accept()[0]
            threading.Thread(target=talk, args=(client, peer), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def peak_of(process):
    """Waits for the process; its largest resident memory in KiB."""
    began, peak = time.monotonic(), 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as status:
                peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
        except (FileNotFoundError, ProcessLookupError):
            pass
        if time.monotonic() - began > DEADLINE_S + GRACE_S:
            process.kill()
            process.communicate()
            return None
        time.sleep(0.02)
    return peak


def check(peer):
    port = serve(peer)
    out = daemons.path(peer.__name__)
    with open(out, "w") as file:
        began = time.monotonic()
        process = subprocess.Popen([os.environ["ASSAY"], "probe", "tls", ADDRESS, "--endpoint", f"tcp/{port}", "--pace", "fast", "--deadline-ms",
                                    str(DEADLINE_S * 1000), "--json", "-q", "--library", daemons.LIBRARY], stdin=subprocess.DEVNULL, stdout=file,
                                   stderr=subprocess.DEVNULL)
        peak = peak_of(process)
    true(peak is not None, f"{peer.__name__} did not end")
    with open(out) as file:
        observation = json.load(file)
    took = time.monotonic() - began
    print(f"{peer.__name__:26} {observation['completion']:12} {took:5.1f} s {peak // 1024} MB {len(observation['facts'].get('tls.suites', []))} suites")
    true(observation["completion"] != "harness_fault", f"{peer.__name__}: {observation.get('error')}")
    true(0 < peak < MEMORY_KB, f"{peer.__name__}: {peak} KiB")
    settled = set(observation["facts"]) | set(observation["absent"]) | set(observation["unobserved"])
    equal(settled, FACTS, f"{peer.__name__}: facts accounted for")
    return observation


listed = json.loads(subprocess.run([os.environ["ASSAY"], "probes", "--json"], capture_output=True, text=True, check=True).stdout)
FACTS = {fact["key"] for probe in listed if probe["id"] == "tls" for fact in probe["facts"]}
with concurrent.futures.ThreadPoolExecutor(3) as pool:
    seen = dict(zip([peer.__name__ for peer in PEERS], pool.map(check, PEERS)))
for name in ("truncated_record", "lying_record_length", "lying_message_length", "empty_records"):
    true(not seen[name]["facts"].get("tls.suites"), f"{name}: no suite was shown")
for name in ("chain_of_16_megabytes", "lying_certificate_length"):
    true(not seen[name]["facts"].get("tls.certificates"), f"{name}: no certificate can be read")
for name in ("chain_of_16_megabytes", "endless_handshake"):
    facts = seen[name]["facts"]
    true(facts["tls.suites"] and facts["tls.spoken"], f"{name}: what was seen stays")
    true(seen[name]["completion"] == "completed" or facts["tls.unsettled"], f"{name}: cut short, and says so")
