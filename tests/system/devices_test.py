"""`assay emulate`: devices side by side, their ports as nmap sees them, logins, and an end without a trace."""
import os
import signal
import subprocess
import time

from common import ASSAY, assay, emulated, facts, inside, need, port, skip

DEVICES = ["camera-weak", "hub-sound", "dies"]


def possible():
    """Isolations that a device can be started in here."""
    out = []
    for isolation in ["root_namespaces", "user_namespaces", "loopback"]:
        process = subprocess.Popen([ASSAY, "emulate", "hostile/silent", "--isolation", isolation, "--json"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if process.stdout.readline():
            out.append(isolation)
        process.terminate()
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 0 or "cannot isolate" in errors, errors
    return out


def open_ports(device):
    listing = inside(device, ["nmap", "-n", "-Pn", "-sT", "-T5", "-p-", "-oG", "-", device["address"]]).stdout
    return {"tcp/" + word.split("/")[0] for word in listing.replace(",", " ").split() if "/open/tcp" in word}


def gone(device):
    """Nothing that names the device's folder or lives in its namespace is left."""
    if os.path.exists(device["folder"]):
        return False
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if device["folder"].encode() in file.read():
                        return False
                if device["netns_id"] and os.readlink(f"/proc/{entry}/ns/net") == device["netns_id"]:
                    return False
            except OSError:
                pass
    return True


def remember_namespace(device):
    device["netns_id"] = os.readlink(device["netns"]) if device["netns"] else ""


def wait_until_gone(device):
    until = time.monotonic() + 5
    while not gone(device):
        assert time.monotonic() < until, ("still there", device["folder"])
        time.sleep(0.05)


def check_side_by_side(isolation):
    with emulated("camera-weak", isolation) as camera, emulated("hub-sound", isolation) as hub:
        for device in (camera, hub):
            assert device["isolation"] == isolation, device
            declared = set(device["endpoints"].values())
            found = open_ports(device)
            assert declared <= found, (isolation, declared, found)
            assert isolation == "loopback" or declared == found, (isolation, declared, found)
            assert os.path.exists(device["dut"])
            assay("validate", device["dut"], check=0)
        status = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"]
        page = f"http://{camera['address']}:{port(camera, 'http')}/"
        assert inside(camera, [*status, "-u", "admin:admin", page]).stdout == "200"
        assert inside(camera, [*status, "-u", "admin:nimda", page]).stdout == "401"
        page = f"https://{hub['address']}:{port(hub, 'https')}/"
        authority = hub["folder"] + "/certificates/maker.crt"
        assert inside(hub, [*status, "--cacert", authority, "-u", "owner:Kd7-wP3z-Hq9t-Bn5v", page]).stdout == "200"
        assert inside(hub, [*status, "--cacert", authority, "-u", "owner:admin", page]).stdout == "401"
        for device in (camera, hub):
            remember_namespace(device)
    wait_until_gone(camera)
    wait_until_gone(hub)


def check_end_by(number, isolation):
    with emulated("camera-weak", isolation) as device:
        remember_namespace(device)
        device["process"].send_signal(number)
        code = device["process"].wait(10)
        assert code == (-number if number == signal.SIGKILL else 0), (number, code)
        wait_until_gone(device)


need("nmap", "curl", "busybox", "vsftpd", "lighttpd", "dropbear", "mosquitto")
names = facts("emulate")
assert set(DEVICES) <= set(names), names
isolations = possible()
if not isolations:
    skip("no device can be started here")
for one in isolations:
    check_side_by_side(one)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        check_end_by(ending, one)
unknown = assay("emulate", "no-such-device", check=2)
assert "no-such-device" in unknown.stderr
print("tried:", ", ".join(isolations))
