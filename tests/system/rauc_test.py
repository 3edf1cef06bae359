"""A device whose updates are checked and written by the real RAUC takes the genuine bundle and refuses what it must; each wrong setup of it
falls for its own and for nothing else. The update server is this script."""
import json
import os
import pathlib
import socket
import threading
import time

from common import assay, emulated, need, side_by_side, skip
from update_server import isolations, manifest, server_for

FALLS = {
    "sound": set(),
    "no-downgrade-check": {"older", "same"},
    "any-model": {"other-model"},
    "expired-signer-accepted": {"expired-signer"},
    "revoked-signer-accepted": {"revoked-signer"},
    "never-activates": {"genuine"},
    "no-tls-verification": {"unknown-authority", "wrong-name", "expired"},
}


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def signed_by(home, whose):
    """The genuine bundle, signed as whoever has the key of a signer of the past would sign it."""
    out = home / f"{whose}-signer.raucb"
    key = home / f"certificates/{whose}-signer"
    assay("image", home / "images/hub-2.5.0.raucb", "--mutate", "resign:" + whose, "--signer-key", key.with_suffix(".key"), "--signer-certificate",
          key.with_suffix(".crt"), "-o", out, check=0)
    return out.read_bytes()


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
           "expired-signer": signed_by(home, "expired"), "revoked-signer": signed_by(home, "revoked"), "truncated": genuine[:len(genuine) // 2], "appended": genuine + b"more"}
    out = {name: (data, "server") for name, data in out.items()}
    return out | {name: (genuine, name) for name in ("unknown-authority", "wrong-name", "expired")}


def tell(home, word):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(90)
        connection.connect(str(home / "control"))
        connection.sendall(word.encode())
        return connection.makefile().read().strip()


def cut_while_installing(home, server):
    """All of RAUC is killed while it has the bundle mounted: what ran runs again, and the same update is taken afterwards."""
    genuine = (home / "images/hub-2.5.0.raucb").read_bytes()
    server.start()
    assert tell(home, "restore") == "done"
    server.start(manifest=manifest(server, genuine), images=[genuine], certificate="server")
    (home / "hold").touch()
    answers = []
    checking = threading.Thread(target=lambda: answers.append(json.loads(tell(home, "check"))))
    checking.start()
    end = time.monotonic() + 30
    while not (home / "held").exists():
        assert time.monotonic() < end, "it did not begin to install"
        time.sleep(0.01)
    server.start()  # or it takes the update anew before it is looked at
    assert tell(home, "power-cycle") == "done"
    (home / "hold").unlink()
    checking.join()
    after = json.loads(tell(home, "state"))
    assert answers[0]["installed"] == 0 and after["version"] == "2.4.0", (answers, after)
    server.start(manifest=manifest(server, genuine), images=[genuine], certificate="server")
    assert json.loads(tell(home, "check"))["version"] == "2.5.0"


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
        if flaw == "sound":
            cut_while_installing(home, server)
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
