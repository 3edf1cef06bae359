"""A device whose updates are checked and written by the real Mender client takes the genuine artifact and refuses what it must; each wrong setup of it
falls for its own and for nothing else. The update server is this script."""
import json
import pathlib
import socket

from common import emulated, need, side_by_side, skip
from update_server import isolations, manifest, server_for

FALLS = {
    "sound": set(),
    "unsigned-accepted": {"unsigned", "other-key", "signature-bit"},
    "no-downgrade-check": {"older", "same"},
    "never-activates": {"genuine"},
    "no-tls-verification": {"unknown-authority", "wrong-name", "expired"},
}


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def offers(home):
    """Attack -> artifact, and the server's certificate. An artifact is a tar: version, manifest, its signature, header, data."""
    artifact = {name: (home / f"images/{name}.mender").read_bytes() for name in
                ("hub-2.3.0", "hub-2.4.0", "hub-2.5.0", "plug-2.5.0", "other-key-hub-2.5.0", "unsigned-hub-2.5.0")}
    genuine = artifact["hub-2.5.0"]
    signature, data = genuine.index(b"manifest.sig\0"), genuine.index(b"data/0000.tar")
    out = {"genuine": genuine, "older": artifact["hub-2.3.0"], "same": artifact["hub-2.4.0"], "other-model": artifact["plug-2.5.0"],
           "other-key": artifact["other-key-hub-2.5.0"], "unsigned": artifact["unsigned-hub-2.5.0"],
           "payload-bit": flipped(genuine, data + 512 + 60), "signature-bit": genuine[:signature + 520] + b"AAAA" + genuine[signature + 524:],
           "truncated": genuine[:len(genuine) // 2]}
    out = {name: (data, "server") for name, data in out.items()}
    return out | {name: (genuine, name) for name in ("unknown-authority", "wrong-name", "expired")}


def tell(home, word):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(90)
        connection.connect(str(home / "control"))
        connection.sendall(word.encode())
        return connection.makefile().read().strip()


def examine(flaw, isolation="root_namespaces"):
    found = set()
    with emulated("mender/" + flaw, isolation) as device:
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


need("mender", "mender-artifact", "openssl")
if "root_namespaces" not in isolations():
    skip("the client reads /etc/mender, and only root can be the server of a device that has an /etc of its own")
for flaw, found in side_by_side(*[lambda flaw=flaw: examine(flaw) for flaw in FALLS], at_once=3):
    assert found == FALLS[flaw], (flaw, "fell for", sorted(found), "and must for", sorted(FALLS[flaw]))
print(len(FALLS), "devices")
