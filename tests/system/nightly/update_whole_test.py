"""The whole list of attacks: against the sound emulated device, whose update takes 2 s, in under four minutes; and with an image of
64 MB, which is changed and handed over without being held in memory."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import ASSAY, assay, emulated, folder  # noqa: E402

MOST_SECONDS = 240
MOST_MEMORY_KB = 64 * 1024


def probe(address, dut, *extra, **options):
    done = assay("probe", "update", address, "--dut", dut, "--json", *extra, check=0, timeout=900, **options)
    return json.loads(done.stdout)


def whole_list(work):
    with emulated("updatable/sound") as device:
        began = time.monotonic()
        netns = ["--netns", device["netns"]] if device["netns"] else []
        observation = probe(device["address"], device["dut"], *netns)
        took = time.monotonic() - began
    facts = observation["facts"]
    assert facts["update.control"][0]["accepted"], facts["update.control"]
    assert len(facts["update.attempts"]) > 35, [one["attack"] for one in facts["update.attempts"]]
    for one in facts["update.attempts"]:
        assert one["seen"] and one["alive"] and not one["installed"], one
    for one in facts["update.not_tried"]:
        assert one["why"], one
    assert took < MOST_SECONDS, f"{took:.0f} s for {len(facts['update.attempts'])} attacks"
    print(f"{len(facts['update.attempts'])} attacks in {took:.0f} s, {len(facts['update.not_tried'])} not tried")


DUT = """assay: dut/1
device: {vendor: Example, model: Large}
samples: [{id: A, at: {lan: 127.0.0.1}, destructive: true}]
scope: [127.0.0.1]
updates:
  - mechanism: UM-1
    transport: exec
    offer: {exec: 'test "$(sha256sum <"$ASSAY_IMAGE")" = "$(cat genuine)" && echo 2.5.0 >version'}
    image: {file: large.img, version: 2.5.0}
    version_at: {exec: cat version}
    restore: {exec: echo 2.4.0 >version}
    takes: 2s
"""


def large_image(work):
    place = work / "large"
    place.mkdir()
    digest = hashlib.sha256()
    with open(place / "large.img", "wb") as file:
        for _ in range(64):
            block = os.urandom(1 << 20)
            digest.update(block)
            file.write(block)
    (place / "genuine").write_text(digest.hexdigest() + "  -\n")
    (place / "version").write_text("2.4.0\n")
    (place / "dut.yaml").write_text(DUT)
    process = subprocess.Popen([ASSAY, "probe", "update", "127.0.0.1", "--dut", place / "dut.yaml", "--json", "--set",
                                "attacks=flip-tenth-1,flip-tenth-10,truncated-90,appended"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = []
    reader = threading.Thread(target=lambda: said.append(process.stdout.read()))
    reader.start()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    assert process.returncode == 0, process.stderr.read()
    observation, most = json.loads(said[0]), used.ru_maxrss
    facts = observation["facts"]
    assert facts["update.control"][0]["accepted"] and len(facts["update.attempts"]) == 4, facts
    assert not any(one["installed"] for one in facts["update.attempts"]), facts
    assert most < MOST_MEMORY_KB, f"{most} kB"
    print(f"an image of 64 MB was changed and handed over in {most} kB")


with folder() as work:
    whole_list(work)
    large_image(work)
