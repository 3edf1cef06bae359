"""Packets as evidence: each invocation's file is read by tshark and capinfos, frames stand where the observation says, losses are
counted, secrets are written over, and a run that may not capture is as right as one that may."""
import functools
import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile

from common import (ASSAY, EXIT_FAILED, EXIT_OPEN, EXIT_REFUSED, assay, emulated, expected_failures, facts, folder, inside, journal, need,
                    port, run, side_by_side, verdicts)

need("tshark", "capinfos", "busybox", "vsftpd", "lighttpd", "dropbear", "mosquitto", "setpriv", "ip")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
STATISTICS, PACKET = 5, 6
SILENT = {"uniqueness"}  # reads the declaration and sends nothing


FIELDS = ("frame.number", "frame.time_epoch", "frame.len", "frame.comment", "ip.id", "tcp.port", "udp.port", "tcp.srcport", "tcp.dstport",
          "tcp.seq_raw", "tcp.payload")


@functools.lru_cache(maxsize=None)
def frames_of(file):
    """All frames of a file, each as its fields by name. tshark takes a second to start: it reads a file once."""
    done = subprocess.run(["tshark", "-n", "-r", str(file), "-T", "fields", *[word for field in FIELDS for word in ("-e", field)]],
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return [dict(zip(FIELDS, line.split("\t"))) for line in done.stdout.splitlines()]


def options_of(body, at):
    out = {}
    while at < len(body):
        code, size = struct.unpack_from("<HH", body, at)
        if code == 0:
            break
        out[code] = body[at + 4:at + 4 + size]
        at += 4 + (size + 3) // 4 * 4
    return out


def statistics_of(file):
    """Options of the last statistics block, which tshark does not print: received 4, driver 5, kernel 7, kept 8."""
    data, at, found = pathlib.Path(file).read_bytes(), 0, None
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == STATISTICS:
            found = {code: int.from_bytes(value, "little") for code, value in options_of(data[at + 8:at + length - 4], 12).items()}
        at += length
    assert found, f"{file} has no statistics"
    return found


def check_file(file, frames):
    """tshark and capinfos count what the bundle says, no packet is malformed, and the counters are there."""
    assert len(frames_of(file)) == frames, file
    about = subprocess.run(["capinfos", "-M", str(file)], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^Number of packets:\s+{frames}$", about, re.M), about
    assert re.search(r"^Capture application:\s+assay \d", about, re.M), about
    assert "Time precision = nanoseconds (9)" in about and "Filter string = host " in about, about
    counters = statistics_of(file)
    assert counters[8] == frames and counters[4] >= frames and counters[7] == 0, counters
    return counters


def check_exchanges(file, capture):
    """Each conversation begins and ends where it is said to, with as many frames."""
    for exchange in capture["exchanges"]:
        kind, device_port = exchange["endpoint"].split("/")
        pair = {device_port, str(exchange["local_port"])}
        frames = [int(frame["frame.number"]) for frame in frames_of(file) if set(frame[kind + ".port"].split(",")[:2]) == pair]
        assert (frames[0], frames[-1], len(frames)) == (exchange["first"], exchange["last"], exchange["frames"]), (exchange, frames)


def said_by_device(file, exchange):
    """The bytes of the device in the frames of a conversation, put together by tshark."""
    ports = exchange["endpoint"].split("/")[1], str(exchange["local_port"])
    return b"".join(bytes.fromhex(frame["tcp.payload"]) for frame in frames_of(file)[exchange["first"] - 1:exchange["last"]]
                    if (frame["tcp.srcport"], frame["tcp.dstport"]) == ports)


def captured_run(device, out):
    """Every invocation of a whole run, against what independent readers see."""
    events = journal(out)
    started = [event["data"] for event in events if event["type"] == "capture_started"]
    ended = [event["data"] for event in events if event["type"] == "capture_ended"]
    assert len(started) == len(ended) == 1 and started[0]["interfaces"][0]["snap_length"] == 65535, (started, ended)
    every = [event["data"]["observation"] for event in events if event["type"] == "observation"]
    observations = [one for one in every if one["invocation"]["probe"] not in SILENT]
    assert not [one for one in every if one["invocation"]["probe"] in SILENT and "captures" in one]
    artifacts = out / "bundle/artifacts"
    banners = secrets = 0
    for observation in observations:
        assert len(observation["captures"]) == 1, observation["invocation"]
        capture = observation["captures"][0]
        assert capture["sha256"] in [artifact["sha256"] for artifact in observation["artifacts"]]
        assert capture["cut"] == 0 and capture["dropped"] == 0, capture
        file = artifacts / capture["sha256"]
        check_file(file, capture["frames"])
        check_exchanges(file, capture)
        banner = observation["facts"].get("service.banner")
        if banner and not observation["facts"].get("service.tls"):
            heard = b"".join(said_by_device(file, exchange) for exchange in capture["exchanges"])
            longest = max(re.split(r"\\x[0-9a-f]{2}|\\.", banner), key=len).encode()  # between what is escaped
            assert len(longest) > 3 and longest in heard, (observation["invocation"]["endpoint"], banner, heard[:200])
            banners += 1
        if observation["invocation"]["probe"] == "credentials" and capture["masked"]:
            assert len([frame for frame in frames_of(file) if "written over" in frame["frame.comment"]]) == capture["masked"]
            secrets += 1
    assert banners >= 2 and secrets >= 1, (banners, secrets)
    rest = ended[0]["artifacts"][0]["sha256"]
    check_file(artifacts / rest, ended[0]["frames"])
    # A frame is in one file only.
    stamps = [tuple(frame[field] for field in ("frame.time_epoch", "frame.len", "ip.id", "tcp.seq_raw"))
              for digest in [rest, *(o["captures"][0]["sha256"] for o in observations)] for frame in frames_of(artifacts / digest)]
    assert len(stamps) == len(set(stamps))
    assay("verify", out / "bundle", check=0)
    report = (out / "report.html").read_text()
    assert f'bundle/artifacts/{rest}' in report and "Frames of each conversation" in report
    text = b"".join((artifacts / o["captures"][0]["sha256"]).read_bytes() for o in observations)
    for secret in device_secrets(device):
        assert secret.encode() not in text, "a secret of the DUT file is in a capture"


def device_secrets(device):
    import yaml
    dut = yaml.safe_load(pathlib.Path(device["dut"]).read_text())
    secrets = [account["secret"] for account in dut.get("accounts", [])]
    return [os.environ.get(s[4:], "") if s.startswith("env:") else s for s in secrets if not s.startswith("file:")]


def captured(work):
    with emulated("camera-weak") as device:
        on = work / "on"
        run(device, on, "--capture", "on", check=EXIT_FAILED)
        captured_run(device, on)
        bounded(device, work / "bounded")
        return verdicts(on)


def not_captured(work):
    with emulated("camera-weak") as device:
        off = work / "off"
        run(device, off, "--capture", "off", check=EXIT_FAILED)
        assert not [event for event in journal(off) if "capture" in event["type"]]
        return verdicts(off)


def bounded(device, artifacts):
    """A sweep that is larger than the bound: the file keeps to it, and the rest is counted."""
    netns = ["--netns", device["netns"]] if device["netns"] else []
    observation = facts("probe", "ports", device["address"], "--tcp", "all", "--pace", "fast", "--capture", "on", "--capture-limit", "1",
                        "--artifacts", artifacts, *netns)
    capture = observation["captures"][0]
    file = artifacts / capture["sha256"]
    assert file.stat().st_size <= 1 << 20 and capture["cut"] > 100000, capture
    assert len(frames_of(file)) == capture["frames"]
    open_ports = {entry["endpoint"] for entry in observation["facts"]["ports.open"]}
    assert {exchange["endpoint"] for exchange in capture["exchanges"]} <= open_ports and capture["unlisted"] > 1000


def without_leave(work):
    """An ordinary user on loopback addresses: no packets, the same verdicts, and the journal and the report say so."""
    user = NOBODY if os.geteuid() == 0 else []
    if user and subprocess.run([*user, ASSAY, "plans"], capture_output=True).returncode != 0:
        print("nobody cannot reach the program: left out")
        return
    with emulated("hub-sound", "loopback", user) as device:
        out = work / "without"
        run(device, out, check=EXIT_OPEN, as_user=user)
        events = journal(out)
        why = [event["data"]["because"] for event in events if event["type"] == "no_capture"]
        assert len(why) == 1 and "CAP_NET_RAW" in why[0], why
        assert not any("captures" in event["data"]["observation"] for event in events if event["type"] == "observation")
        failed = {requirement for requirement, verdict in verdicts(out).items() if verdict == "fail"}
        assert failed == expected_failures("hub-sound", "loopback"), failed
        limits = json.loads((out / "report.json").read_text())["limits"]
        assert any(limit["kind"] == "no capture" for limit in limits), limits
        run(device, work / "demanded", "--capture", "on", check=EXIT_REFUSED, as_user=user)


with folder() as work:
    os.chmod(work, 0o777)
    if os.geteuid() == 0:
        on, off, _ = side_by_side(*[functools.partial(check, work) for check in (captured, not_captured, without_leave)])
        assert on == off, (on, off)
    else:
        without_leave(work)
