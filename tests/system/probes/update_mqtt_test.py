"""Attacks on devices that hear of updates by MQTT and fetch them over https: the sound one takes the genuine update and nothing else, each flawed
one is found by the attack that its flaw lets through and by no other. The device hears by mosquitto_sub; brokers are ours, one of the
laboratory and one of the device."""
import contextlib
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import folder, need, side_by_side  # noqa: E402
from update_runs import (AGAIN, CHANNEL, DYING, FETCHING, FLAWS, WORDS, covers, dies, examine, is_told_of,  # noqa: E402
                         library, takes_none, without_a_cut)

# Variant -> the attacks that are tried on it, and those of them that it falls for.
FLAWED = {
    **FLAWS,
    **FETCHING,
    "no-timeout": (["stalled", "slow"], []),  # it is held: that is looked at
    "same-version-accepted": AGAIN,
}
SOUND = ["same-version", *CHANNEL, *WORDS, "other-model", "flip-tenth-5", "flip-tenth-10", "second-download", "truncated-50", "appended",
         "unavailable", "cut-50", "stalled", "slow", "endless", "power-50"]
# With TLS to the broker.
OVER_TLS = {**FLAWS, **FETCHING}
SOUND_OVER_TLS = [*CHANNEL, *WORDS, "other-model", "flip-tenth-5", "flip-tenth-10", "second-download", "truncated-50", "appended", "endless"]
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


def heard(work, name, tried, falls_for):
    facts = examine(work, name, tried, falls_for)
    over = "TLSv1.3" if name.startswith("updatable-mqtts/") else "mqtt"
    assert facts["update.passive"][0]["announced"] == {"by": "our broker", "over": over}, facts["update.passive"]
    return facts


def announced(work, edits):
    """The broker is not ours."""
    examine(work, "updatable-mqtt/no-downgrade-check", *FLAWS["no-downgrade-check"], edits, beside=broker)


need("mosquitto", "mosquitto_sub", "mosquitto_pub", "ss", "setpriv")
with folder() as work:
    library(work)
    is_told_of("updatable-mqtt", *FLAWED, *DYING, "only-says-so", "never-activates")
    is_told_of("updatable-mqtts", *OVER_TLS)
    covers(SOUND, FLAWED, DYING)
    covers(SOUND_OVER_TLS, OVER_TLS)
    runs = {"updatable-mqtt/sound": (SOUND, []), "updatable-mqtts/sound": (SOUND_OVER_TLS, []),
            **{"updatable-mqtt/" + name: one for name, one in FLAWED.items()}, **{"updatable-mqtts/" + name: one for name, one in OVER_TLS.items()}}
    side_by_side(*[lambda name=name, one=one: heard(work, name, *one) for name, one in runs.items()],
                 *[lambda name=name, one=one: dies(work, "updatable-mqtt/" + name, *one) for name, one in DYING.items()],
                 lambda: takes_none(work, "updatable-mqtt/only-says-so", ""),
                 lambda: takes_none(work, "updatable-mqtt/never-activates", "it will be used after the next start"),
                 lambda: without_a_cut(work, "updatable-mqtt/sound"), *[lambda edits=edits: announced(work, edits) for edits in BROKERS], at_once=6)
print(len(runs) + len(DYING) + 2, "devices")
