"""A device whose updates are checked and written by the real RAUC takes the genuine bundle and refuses what it must; each wrong setup of it
falls for its own and for nothing else. The update server is this script."""
import json
import os
import pathlib
import socket

from common import emulated, need, side_by_side, skip
from update_server import isolations, manifest, server_for

FALLS = {
    "sound": set(),
    "no-downgrade-check": {"older", "same"},
    "any-model": {"other-model"},
    "never-activates": {"genuine"},
    "no-tls-verification": {"unknown-authority", "wrong-name", "expired"},
}


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def offers(home):
    """Attack -> bundle, and the server's certificate. A plain bundle is a squashfs, a signature (CMS) and its length in 8 bytes."""
    bundle = {name: (home / f"images/{name}.raucb").read_bytes() for name in
              ("hub-2.3.0", "hub-2.4.0", "hub-2.5.0", "plug-2.5.0", "other-key-hub-2.5.0")}
    genuine = bundle["hub-2.5.0"]
    signature = int.from_bytes(genuine[-8:], "big")
    content = genuine[:-8 - signature]
    out = {"genuine": genuine, "older": bundle["hub-2.3.0"], "same": bundle["hub-2.4.0"], "other-model": bundle["plug-2.5.0"],
           "other-key": bundle["other-key-hub-2.5.0"], "payload-bit": flipped(genuine, len(content) // 2),
           "signature-bit": flipped(genuine, len(content) + signature - 40), "no-signature": content,
           "other-content": bundle["other-key-hub-2.5.0"][:len(content)] + genuine[len(content):],
           "truncated": genuine[:len(genuine) // 2], "appended": genuine + b"more"}
    out = {name: (data, "server") for name, data in out.items()}
    return out | {name: (genuine, name) for name in ("unknown-authority", "wrong-name", "expired")}


def tell(home, word):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(90)
        connection.connect(str(home / "control"))
        connection.sendall(word.encode())
        return connection.makefile().read().strip()


def examine(flaw, isolation="loopback"):
    found = set()
    with emulated("rauc/" + flaw, isolation) as device:
        home = pathlib.Path(device["folder"])
        server = server_for(device)
        for name, (data, certificate) in offers(home).items():
            server.start()  # it polls by itself too: nothing is offered until it is restored
            assert tell(home, "restore") == "done", (flaw, name)
            server.start(manifest=manifest(server, data), images=[data], certificate=certificate)
            after = json.loads(tell(home, "check"))
            if name == "genuine":
                assert after["last"]["result"] == "installed", (flaw, after)
            if (after["version"] != "2.5.0") if name == "genuine" else after["installed"] > 0 and flaw != "never-activates":
                found.add(name)
            assert name == "genuine" or after["installed"] or after["last"]["reason"], (flaw, name, after)
        server.listener.close()
    print(flaw, sorted(found), flush=True)
    return flaw, found


need("rauc", "dbus-daemon", "gdbus", "mksquashfs", "openssl")
if os.geteuid() != 0:
    skip("RAUC mounts bundles through a loop device, which only root may do")
if not pathlib.Path("/dev/loop-control").exists():
    skip("this machine has no loop devices")
for flaw, found in side_by_side(*[lambda flaw=flaw: examine(flaw) for flaw in FALLS], at_once=3):
    assert found == FALLS[flaw], (flaw, "fell for", sorted(found), "and must for", sorted(FALLS[flaw]))
for isolation in isolations()[1:]:
    assert examine("sound", isolation) == ("sound", set())
print(len(FALLS), "devices")
