"""Hubs that are set up and changed by CoAP and by MQTT, each with one flaw: exactly that is found, and the password is the old one afterwards,
as libcoap's and mosquitto's clients see too."""

import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import FEW_GUESSES, SOURCE, assay, emulated, folder, inside, need, port, run, side_by_side, with_pace  # noqa: E402

need("mosquitto", "mosquitto_passwd", "mosquitto_pub", "mosquitto_sub", "coap-client-openssl", "coap-server-openssl", "openssl")
DEVICE, SECRET = "deviant/message-defects", "Wm4-kP7x-Tz2q"
ALL = {"blank", "short", "listed", "repeated", "sequence", "one_class", "doubled", "username", "previous"}
SOUND = {"taken": True, "old_refused": True, "wrong": False, "empty": False, "weak": set()}
CHANGES = {
    "coap": {},
    "coap-old": {"old_refused": False},
    "coap-any": {"weak": ALL},
    "coaps": {"login": "coaps-psk"},
    "mqtt": {},
    "mqtt-no-old": {"wrong": True, "empty": True},
    "coap-blocks": {},
    "coaps-blocks": {"login": "coaps-psk"},
    "mqtts": {"login": "mqtt"},
    "mqtts-no-old": {"login": "mqtt", "wrong": True, "empty": True},
    "mqttpsk": {"login": "mqtt-psk"},
    "mqttpsk-no-old": {"login": "mqtt-psk", "wrong": True, "empty": True},
    "mqttpsk13": {"login": "mqtt-psk"},
    "mqttpsk13-no-old": {"login": "mqtt-psk", "wrong": True, "empty": True},
}
FACTORY = {  # before the set-up, without a login afterwards; weak passwords that were taken
    "coap-factory": ({"before": False, "after": False, "control": True}, set()),
    "coap-open": ({"before": True, "after": False, "control": True}, set()),
    "coap-weak": (None, {"blank"}),
    "mqtt-factory": ({"before": False, "after": False, "control": True}, set()),
    "mqtt-weak": (None, {"listed"}),
    "mqtt-open": ({"before": True, "after": False, "control": True}, set()),
    "mqtts-factory": ({"before": False, "after": False, "control": True}, set()),
    "mqtts-open": ({"before": True, "after": False, "control": True}, set()),
    "mqttpsk13-factory": ({"before": False, "after": False, "control": True}, set()),
    "mqttpsk13-weak": (None, {"listed"}),
}


def with_more_logins(device):
    """The device with a DUT file that allows what a set-up takes: each weak password is a login of its own."""
    dut = pathlib.Path(device["dut"])
    more = dut.with_name("dut-more-logins.yaml")
    more.write_text(with_pace(dut.read_text(), "{profile: fast, login_attempts_per_account: 40}"))
    return {**device, "dut": more}


def look(device, probe, name, *extra):
    place = f"{'tcp' if name.startswith('mqtt') else 'udp'}/{port(device, name)}"
    done = inside(device, [os.environ["ASSAY"], "probe", probe, device["address"], "--library", SOURCE / "testplans", "--json", "--pace", "fast",
                           "--dut", device["dut"], "--endpoint", place, *extra], timeout=280)
    start = done.stdout.find("{")
    assert start >= 0, f"{name}: {done.stdout[-2000:]}"
    seen = json.loads(done.stdout[start:])
    assert seen["completion"] == "completed", (name, seen["error"])
    assert SECRET not in done.stdout, f"{name}: the password stands in the facts"
    return seen


def lets_in(device, name, password):
    """Whether clients of others get the setting with that password."""
    where = f"{device['address']}:{port(device, name)}"
    if name.startswith("mqtt"):
        inside_tls = ["--cafile", pathlib.Path(device["folder"]) / "certificates/hub.crt", "--insecure"] if name.startswith("mqtts") else []
        account = ["--psk-identity", "admin", "--psk", password.encode().hex()] if name.startswith("mqttpsk") else ["-u", "admin", "-P", password]
        command = ["mosquitto_sub", "-h", device["address"], "-p", str(port(device, name)), *inside_tls, *account, "-t", "hub/name", "-C", "1", "-W", "3"]
    elif name.startswith("coaps"):
        command = ["coap-client-openssl", "-B", "3", "-u", "admin", "-k", password, f"coaps://{where}/name"]
    else:
        command = ["coap-client-openssl", "-B", "3", f"coap://{where}/name?user=admin&pass={password}"]
    # The hub behind a broker shows the last change in its own time.
    for _ in range(5):
        if "Hub 2" in inside(device, command, timeout=60).stdout:
            return True
        time.sleep(0.3)
    return False


def changed(device, name):
    seen = look(device, "password_change", name)
    facts = seen["facts"]
    assert facts.get("password.restored") is True, (name, facts, seen["unobserved"])
    assert facts["password.login"] == CHANGES[name].get("login", name.split("-")[0]), (name, facts)
    assert facts.get("password.again") is True, (name, facts, seen["unobserved"])
    assert lets_in(device, name, SECRET), f"{name}: others do not get in with the password of the DUT file"
    old = facts["password.old_asked"]
    found = {"taken": facts["password.change"]["taken"], "old_refused": facts["password.change"]["old_refused"], "wrong": old["wrong_taken"],
             "empty": old["empty_taken"], "weak": {weak["kind"] for weak in facts["password.weak"] if weak["taken"]}}
    expected = {**SOUND, **{key: value for key, value in CHANGES[name].items() if key != "login"}}
    assert found == expected, f"{name}: {[(key, found[key], expected[key]) for key in found if found[key] != expected[key]]}"


def newest_alone(device):
    """That broker speaks TLS 1.3 and nothing older, in the words of OpenSSL's own client."""
    key = ["-psk_identity", "admin", "-psk", SECRET.encode().hex(), "-connect", f"{device['address']}:{port(device, 'mqttpsk13')}"]
    older, newest = (inside(device, ["openssl", "s_client", version, *key]).stdout for version in ("-tls1_2", "-tls1_3"))
    assert "alert protocol version" in older and "Reused, TLSv1.3" in newest, (older, newest)


def stock(device):
    """libcoap's server shows what anybody put there, behind more than a block holds: the probe sees that, and that everybody is obeyed."""
    name = f"coap://{device['address']}:{port(device, 'coap-stock')}/name"
    inside(device, ["coap-client-openssl", "-B", "3", "-m", "put", "-e", "nothing yet", name])
    seen = look(device, "password_change", "coap-stock")
    assert seen["unobserved"]["password.change"].startswith("the setting obeys a login that nobody has"), seen["unobserved"]
    shown = inside(device, ["coap-client-openssl", "-B", "3", name]).stdout
    assert len(shown) > 1024 and shown.rstrip().endswith("Hub 2"), shown


def keyed_stock(device):
    """The same inside DTLS, where its key opens it alone and no message changes that: the probe gets in, so it has put the blocks together."""
    client = ["coap-client-openssl", "-B", "3", "-u", "admin", "-k", SECRET]
    name = f"coaps://{device['address']}:{port(device, 'coaps-stock')}/name"
    inside(device, [*client, "-m", "put", "-e", "nothing yet", name])
    seen = look(device, "password_change", "coaps-stock")
    facts = seen["facts"]
    assert facts.get("password.change", {}).get("taken") is False and facts["password.restored"] is True, (facts, seen["unobserved"])
    shown = inside(device, [*client, name]).stdout
    assert len(shown) > 1024 and shown.rstrip().endswith("Hub 2"), shown
    told = inside(device, [*client, "-v", "7", name]).stdout
    assert "Block2:0/M/1024" in told, told


def set_up(device, name):
    with folder() as work:
        seen = look(device, "first_use", name, "--artifacts", work)
        left = json.loads(next(work.glob("passwords-left-*.json")).read_text())["accounts"][0]
    facts, (action, weak) = seen["facts"], FACTORY[name]
    assert facts.get("first_use.action") == action, (name, facts, seen["unobserved"])
    assert {one["kind"] for one in facts["first_use.weak"] if one["taken"]} == weak, (name, facts["first_use.weak"])
    if action:
        assert facts["first_use.set_up"]["taken"] is True and facts["first_use.again"] is False, (name, facts)
        assert lets_in(device, name, left["holds"]), f"{name}: others do not get in with the password that was set"


def verdict(device, name):
    """Of the requirement on changes, in a run whose DUT file has this one interface, and the reason."""
    head, entries = pathlib.Path(device["dut"]).read_text().split("messages:\n")
    own = next(entry for entry in entries.split("  - port: ") if entry.startswith(f"udp/{port(device, name)}\n"))
    with folder() as work:
        (work / "dut.yaml").write_text(f"{head}messages:\n  - port: {own}")
        run({**device, "dut": work / "dut.yaml"}, work / "out", "--pace", "fast", "--set", "ports.tcp=1-1024", *FEW_GUESSES)
        assay("report", work / "out", "--format", "json")
        report = json.loads((work / "out/report.json").read_text())
    found = next(one for one in report["requirements"] if one["id"] == "EN303645@2.1.1:5.1-4")
    return found["verdict"], found["because"]


with emulated(DEVICE) as started:
    device = with_more_logins(started)
    newest_alone(device)
    side_by_side(*[lambda name=name: changed(device, name) for name in CHANGES], *[lambda name=name: set_up(device, name) for name in FACTORY], lambda: stock(device), lambda: keyed_stock(device), at_once=4)
    (weak, reason), (sound, other) = side_by_side(*[lambda name=name: verdict(device, name) for name in ("coap-any", "coap")])
    assert weak == "fail" and "takes a password that is weak" in reason, (weak, reason)
    assert sound != "fail", (sound, other)
