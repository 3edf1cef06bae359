"""Attacks on the update mechanism of emulated devices: the sound one takes the genuine update and nothing else, each flawed one is
found by the attack that its flaw lets through and by no other; a device that does not come back is told as such."""
import contextlib
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import EXIT_FAILED, EXIT_OPEN, assay, emulated, folder, journal, need, side_by_side, units  # noqa: E402
from update_runs import ATTACKS, CHANNEL, CHANNELS, SERVER, examine, library, run, verdict_of  # noqa: E402

IMAGES = ["older", "older-as-newer", "other-model", "flip-tenth-5", "flip-tenth-10", "truncated-50", "appended"]
# Variant -> the attacks that are tried on it, and those of them that it falls for.
VARIANTS = {
    "sound": (["same-version", *CHANNEL, *IMAGES, "second-download", "cut-50", "power-50"], []),
    "no-tls-verification": (CHANNEL, SERVER),
    "wrong-name-accepted": (SERVER, ["wrong-name"]),
    "expired-server-accepted": (SERVER, ["expired-certificate"]),
    "falls-back-to-http": (["self-signed", "no-tls"], ["no-tls"]),
    "redirect-to-http": (["redirect-to-http", "image-over-http"], ["redirect-to-http"]),
    "image-over-http": (["redirect-to-http", "image-over-http"], ["image-over-http"]),
    "no-downgrade-check": (["older", "other-model"], ["older"]),
    "manifest-version-believed": (["older", "older-as-newer"], ["older-as-newer"]),
    "any-model": (["older", "other-model"], ["other-model"]),
    "truncated-accepted": (["truncated-50", "appended"], ["truncated-50"]),
    "trailing-data-accepted": (["truncated-50", "appended"], ["appended"]),
    "no-signature-check": (["flip-tenth-5", "flip-tenth-10"], ["flip-tenth-10"]),
    "header-only-check": (["flip-tenth-5", "older"], ["flip-tenth-5"]),
    "checks-one-installs-another": (["second-download", "flip-tenth-5"], ["second-download"]),
    "no-size-bound": (["endless", "appended"], ["endless"]),
}
# The same of devices whose updates come otherwise. LwM2M has two ways: the address of an image, and the image itself.
WORDS = ["older", "older-as-newer"]
DELIVERY = ["unavailable", "cut-50", "length-lied", "stalled", "slow", "endless"]
FLAWS = {
    "no-signature-check": (["flip-tenth-5", "flip-tenth-10"], ["flip-tenth-10"]),
    "no-downgrade-check": (["older", "other-model"], ["older"]),
    "any-model": (["older", "other-model"], ["other-model"]),
    "header-only-check": (["flip-tenth-5", "older"], ["flip-tenth-5"]),
    "signature-over-header": (["flip-tenth-5", "older"], ["flip-tenth-5"]),
    "truncated-accepted": (["truncated-50", "appended"], ["truncated-50"]),
    "trailing-data-accepted": (["truncated-50", "appended"], ["appended"]),
}
OTHERS = {
    "mqtt": {"sound": (["same-version", *CHANNEL, *WORDS, "other-model", "flip-tenth-10", "appended", "unavailable", "cut-50", "power-50"], []),
             "manifest-version-believed": (WORDS, ["older-as-newer"]), "no-tls-verification": (CHANNEL, SERVER), **FLAWS},
    "mqtts": {"sound": (["older", "flip-tenth-10", "self-signed"], []), "no-downgrade-check": FLAWS["no-downgrade-check"]},
    "coap": {"sound": (["same-version", *WORDS, "other-model", "flip-tenth-10", "truncated-50", "appended", "second-download", *DELIVERY, "power-50"], []),
             "manifest-version-believed": (WORDS, ["older-as-newer"]), "no-size-bound": (["endless", "appended"], ["endless"]),
             "no-timeout": (["stalled", "slow"], []), **FLAWS},
    "lwm2m": {"sound": (["older", "other-model", "flip-tenth-10", "truncated-50", "appended", *DELIVERY, "power-50"], []), **FLAWS},
    "lwm2m-push": {"sound": (["older", "other-model", "flip-tenth-10", "truncated-50", "appended", "cut-50", "endless", "power-50"], []), **FLAWS},
}
# The version is read of the registered client where the image is written into it.
PUSHED = [("{endpoint: EX-UPD-0001}", "{endpoint: EX-UPD-0001, deliver: push}"), ("version_at: {http:", "version_at: {resource: /3/0/3} #")]
# Brokers of others: a command publishes there, or the device has one itself.
BROKERS = [[("listen: PORT", "exec: 'mosquitto_pub -h 127.0.0.1 -p PORT -q 1 -r -t \"$ASSAY_TOPIC\" -m \"$ASSAY_MESSAGE\"'")],
           [("listen: PORT", "broker: tcp/PORT")]]


@contextlib.contextmanager
def broker(device, work):
    """A broker at the port that the device was pointed at, where the device finds it and at the device's own address."""
    port = device["tester_ports"]["broker"].removeprefix("tcp/")
    config = work / f"{port}.conf"
    listeners = "".join(f"listener {port} {address}\n" for address in sorted({"127.0.0.1", device["address"]}))
    config.write_text(listeners + "allow_anonymous true\npersistence false\n")
    daemon = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "mosquitto", "-c", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while not subprocess.run(["ss", "-Hlnt", "src", "127.0.0.1:" + port], stdout=subprocess.PIPE, check=True).stdout.strip():
            assert daemon.poll() is None and time.monotonic() < end, "the broker does not listen"
            time.sleep(0.05)
        yield
    finally:
        daemon.kill()
        daemon.wait()


def other(work, kind, name):
    """A device whose updates come by MQTT, CoAP or LwM2M."""
    edits = PUSHED if kind == "lwm2m-push" else ()
    facts = examine(work, f"updatable-{kind.removesuffix('-push')}/{name}", *OTHERS[kind][name], edits)
    if kind.startswith("mqtt"):
        over = "TLSv1.3" if kind == "mqtts" else "mqtt"
        assert facts["update.passive"][0]["announced"] == {"by": "our broker", "over": over}, facts["update.passive"]
    if kind.startswith("lwm2m"):
        client = facts["update.passive"][0]["client"]
        assert client["lwm2m"] == "1.1" and client["delivery"] == ("push" if kind == "lwm2m-push" else "pull"), client


def announced(work, edits):
    """The broker is not ours."""
    examine(work, "updatable-mqtt/no-downgrade-check", *FLAWS["no-downgrade-check"], edits, beside=broker)


def variant(work, name):
    return examine(work, "updatable/" + name, *VARIANTS[name])


def sound(work):
    facts = variant(work, "sound")
    passive = facts["update.passive"][0]
    assert passive["tls"]["version"] == "TLSv1.3" and passive["tls"]["server_name"] == "updates.example", passive
    assert "EX-UPD-0001" in passive["identifies_by"], passive
    image = facts["update.static"][0]
    assert image["format"] == "raw" and len(image["sha256"]) == 64, image
    attempts = {one["attack"]: one for one in facts["update.attempts"]}
    assert attempts["self-signed"]["refused"] == "before download" and attempts["self-signed"]["certificate_refused"], attempts["self-signed"]
    assert attempts["flip-tenth-5"]["refused"] == "after download" and attempts["flip-tenth-5"]["fetched"]["whole"], attempts["flip-tenth-5"]


def bricks(work):
    """It dies of a refused image. With a restore that works the bundle says so and nothing more is tried; without, the device is lost."""
    observation, all_units = run(work, "updatable/bricks-on-bad-image", ["older", "flip-tenth-5", "appended"], check=[EXIT_OPEN, EXIT_FAILED])
    facts = observation["facts"]
    assert facts["update.bricked"][0]["after"] == "flip-tenth-5" and facts["update.bricked"][0]["restored"], facts["update.bricked"]
    assert [one["attack"] for one in facts["update.attempts"]] == ["older", "flip-tenth-5"], facts["update.attempts"]
    assert any(one["attack"] == "appended" and "did not come back" in one["why"] for one in facts["update.not_tried"]), facts["update.not_tried"]
    assert verdict_of(all_units, ATTACKS) == "inconclusive", all_units


def mixed_by_a_cut(work):
    """It writes over what runs while the image comes: the power goes half way, and nothing starts any more until it is restored."""
    observation, _ = run(work, "updatable/installs-before-verifying", ["power-50"], check=[EXIT_OPEN, EXIT_FAILED])
    assert observation["facts"]["update.bricked"][0] == {"mechanism": "UM-1", "after": "power-50", "restored": True, "how": ""}, observation["facts"]


def without_a_cut(work, name, edits=()):
    """The recipe that cuts the power fails: nothing was survived, so the attack was not tried in truth and its units stay open."""
    fails = ("power: {cycle: {exec: '", "power: {cycle: {exec: 'exit 3; ")
    observation, all_units = run(work, name, ["power-50"], check=[EXIT_OPEN, EXIT_FAILED], edits=[fails, *edits])
    tried = observation["facts"]["update.attempts"][0]
    assert not tried["offered"] and tried["power_cut"] is False and "the power was not cut" in tried["trouble"], (name, tried)
    assert verdict_of(all_units, ATTACKS) == "inconclusive", (name, verdict_of(all_units, ATTACKS))


def only_says_so(work):
    """Success is told and nothing is done: the genuine update is not installed, so nothing is tried and nothing passes."""
    observation, all_units = run(work, "updatable/only-says-so", ["older", "appended"], check=[EXIT_OPEN, EXIT_FAILED])
    facts = observation["facts"]
    assert not facts["update.control"][0]["accepted"] and facts["update.attempts"] == [], facts
    assert "installed" in facts["update.control"][0]["first"]["reported"], facts["update.control"]
    assert verdict_of(all_units, ATTACKS) == "inconclusive" and verdict_of(all_units, CHANNELS) == "inconclusive"


def without_leave(work):
    """No destructive work without leave: the units say what was not allowed."""
    out = work / "without-leave"
    with emulated("updatable/sound") as device:
        assay("run", "--plan", "updates/1", "--dut", device["dut"], "-o", out, "-q", "--capture", "off", check=EXIT_OPEN,
              env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
    assert verdict_of(dict(units(out)), ATTACKS) == "not_tested"
    assert not [event for event in journal(out) if event["type"] == "recipe_started"]


need("mosquitto", "mosquitto_sub", "mosquitto_pub", "coap-client-openssl", "ss", "setpriv")
with folder() as work:
    library(work)
    jobs = [lambda name=name: variant(work, name) for name in VARIANTS if name != "sound"]
    jobs += [lambda kind=kind, name=name: other(work, kind, name) for kind, variants in OTHERS.items() for name in variants]
    jobs += [lambda edits=edits: announced(work, edits) for edits in BROKERS]
    jobs += [lambda kind=kind, edits=edits: without_a_cut(work, f"updatable{kind}/sound", edits)
             for kind, edits in (("", []), ("-coap", []), ("-lwm2m", []), ("-lwm2m", PUSHED), ("-mqtt", []))]
    side_by_side(lambda: sound(work), lambda: bricks(work), lambda: only_says_so(work), lambda: mixed_by_a_cut(work), lambda: without_leave(work), *jobs, at_once=6)
