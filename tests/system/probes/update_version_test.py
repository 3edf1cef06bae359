"""Where the version of a device is read (version_at): by CoAP, at its own broker or at ours (MQTT), by SSH, by SNMP with a community and as a
user, and by a person. With each the sound device has no finding and a downgrade shows. Wrong logins stay within the budget, and no secret of an
account is kept."""
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import ASSAY, EXIT_FAILED, EXIT_OPEN, assay, emulated, folder, need, port, side_by_side  # noqa: E402
from update_runs import ATTACKS, examine, library, observed, run, verdict_of  # noqa: E402

SECRETS = (b"Kd7-wP3z-Hq9t", b"Wq6-reads-2Tn")
TRIED = ["older", "flip-tenth-10"]
FALLS = {"sound": [], "no-downgrade-check": ["older"]}
OWN = "version_at: {mqtt: {port: tcp/1883, login: admin, topic: hub/version, pointer: /version}}"
OBJECT = "object: 1.3.6.1.4.1.32473.1, after: firmware"
SOURCES = {
    "mqtt": [],
    "ssh": [(OWN, "version_at: {ssh: {port: tcp/22, login: shell, command: 'cat FOLDER/version'}}")],
    "community": [(OWN, f"version_at: {{snmp: {{port: udp/161, login: reader, {OBJECT}}}}}")],
    "user": [(OWN, f"version_at: {{snmp: {{port: udp/161, login: monitor, {OBJECT}, digest: sha256, encrypted: true}}}}")],
}
# What holds no version, and what is said of it.
UNREADABLE = [("topic: hub/version", "topic: hub/nothing", "mqtt", "no message came under the topic hub/nothing"),
              ("/version'}", "/version; sleep 30'}", "ssh", "the command did not end in time"),
              ("32473.1,", "32473.2,", "community", "the agent has no text for 1.3.6.1.4.1.32473.2"),
              ("digest: sha256", "digest: sha512", "user", "the agent does not take the user monitor")]
OUR_BROKER = [("version_at: {http:", "version_at: {mqtt: {topic: hub/version, pointer: /version}} #")]
if os.geteuid() != 0:
    del SOURCES["ssh"]  # programs of the device cannot change groups: a login by SSH ends at once
QUESTION = "Read the version on the page of the hub"
PERSON = (OWN, f"version_at: {{prompt: {QUESTION}}}")
BUDGET = 3
# Source, account, daemon, and its word for a wrong login.
REFUSALS = [("ssh", "username: root", "sshd", "Bad password attempt"), ("mqtt", "username: admin", "mosquitto", "not authorised")]


def by_coap(flaw):
    with emulated("updatable-lwm2m/" + flaw, "loopback") as device:
        dut = pathlib.Path(device["dut"])
        before, source, behind = dut.read_text().partition("version_at: {http:")
        assert source, "the DUT file reads its version elsewhere"
        edited = dut.with_name("edited.yaml")
        edited.write_text(before + f"version_at: {{coap: {{port: udp/{port(device, 'lwm2m')}, path: /3/0/3}}}}  # " + source + behind)
        done = assay("probe", "update", device["address"], "--dut", edited, "--json", "--set", "attacks=older", check=0, timeout=120)
    facts = json.loads(done.stdout)["facts"]
    control, (older,) = facts["update.control"][0], facts["update.attempts"]
    assert control["accepted"] and (control["first"]["version_before"], control["first"]["version_after"]) == ("2.4.0", "2.5.0"), control
    assert older["seen"] and older["version_before"] == "2.4.0", older
    assert (older["installed"], older["version_after"]) == ((True, "2.3.0") if flaw == "no-downgrade-check" else (False, "2.4.0")), older


def by_account(work, source, flaw):
    examine(work, "updatable-told/" + flaw, TRIED, FALLS[flaw], SOURCES[source])


def at_our_broker(work, flaw):
    examine(work, "updatable-mqtt/" + flaw, [*TRIED, "same-version"], FALLS[flaw], OUR_BROKER)  # the last: no silence is a restart


def why_not(facts):
    return next(one["why"] for one in facts["update.not_tried"] if one["attack"] == "older")


def wrong_password(work, source, login, daemon, refusal):
    """The version cannot be read, nothing is tried, and the device counts no more wrong logins than it may."""
    edits = [*SOURCES[source], (f"{login}, secret: Kd7-wP3z-Hq9t", f"{login}, secret: Wrong-1-word"),
             ("profile: fast,", f"profile: fast, login_attempts_per_account: {BUDGET},")]
    log = []

    def keep(device):
        log.append((pathlib.Path(device["dut"]).parent / f"log/{daemon}.log").read_text())
    observation, all_units = run(work, "updatable-told/sound", ["older"], check=[EXIT_OPEN], edits=edits, after=keep)
    facts = observation["facts"]
    assert facts["update.attempts"] == [] and not facts["update.control"][0]["accepted"], facts
    assert "could not be read" in why_not(facts), why_not(facts)
    assert verdict_of(all_units, ATTACKS) == "inconclusive", all_units
    counted = log[0].count(refusal)
    assert 1 <= counted <= BUDGET, (source, counted, log[0])


def unreadable(work, old, new, source, words):
    """An answer without a version is none: what a command said so far, an object that is not there, a digest of another kind."""
    edits = SOURCES[source] or [(OWN, OWN)]
    observation, _ = run(work, "updatable-told/sound", ["older"], check=[EXIT_OPEN], edits=[*edits, (old, new)])
    why = why_not(observation["facts"])
    assert "could not be read" in why and words in why, why


@contextlib.contextmanager
def client(device, promises, pings):
    """One more client of our broker: it says a version on a connection that promises a word a second, or none, and says more or does not."""
    broker, ended = int(device["tester_ports"]["broker"].split("/")[1]), threading.Event()

    def talk():
        while not ended.wait(0.1):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", broker), 5, (device["address"], 0)) as connection:
                connection.sendall(b"\x10\x0d\0\4MQTT\4\2\0" + bytes([promises]) + b"\0\1x" + b"\x30\x12\0\x0blab/version2.4.0")
                while not ended.wait(0.3):
                    if pings:
                        connection.sendall(b"\xc0\0")
                return
    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def who_falls_silent(work, promises, pings):
    """A version counts while who told it keeps its promise to be heard of, and without one where it was heard since the last image."""
    edits = [("version_at: {http:", "version_at: {mqtt: {topic: lab/version}} #")]
    observation, _ = run(work, "updatable-mqtt/sound", ["older"], check=[EXIT_OPEN, EXIT_FAILED], edits=edits,
                         beside=lambda device, _: client(device, promises, pings))
    first = observation["facts"]["update.control"][0]["first"]
    assert first["version_before"] == "2.4.0" and not first["installed"] and first["alive"] == pings, first


def answered(terminal, process, answer):
    """A person at the terminal, who types what `answer` says of the question, or leaves where it says None. How often they were asked."""
    said, seen, asked, end = "", 0, 0, time.monotonic() + 240
    while process.poll() is None:
        assert time.monotonic() < end, said
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            said += os.read(terminal, 4096).decode(errors="replace")
        except OSError:  # the run is over, and nobody has the other end any more
            break
        while (at := said.find("[Enter when done]", seen)) >= 0:
            line = answer(said[seen:at])
            seen, asked = at + 1, asked + 1
            os.write(terminal, b"\x04" if line is None else (line + "\n").encode())
    return asked


def attended(work, name, edit, attacks, answer_of):
    """A run of a device at a terminal. `answer_of` makes what the person there answers from the folder of the device."""
    out = pathlib.Path(tempfile.mkdtemp(dir=work)) / "run"
    with emulated(name) as device:
        dut = pathlib.Path(device["dut"])
        text = dut.read_text()
        changed = dut.with_name("edited.yaml")
        changed.write_text(edit(text))
        ours, theirs = pty.openpty()
        process = subprocess.Popen([ASSAY, "run", "--plan", "updates/1", "--dut", changed, "-o", out, "--allow", "destructive", "--capture", "off",
                                    "--attacks", attacks], stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs,
                                   env={**os.environ, "ASSAY_LIBRARY": str(work / "testplans")})
        os.close(theirs)
        try:
            asked = answered(ours, process, answer_of(dut))
        finally:
            process.kill()
            process.wait()
            os.close(ours)
    return observed(out)["facts"], asked


def by_person(work, flaw):
    def answer_of(dut):
        shown = dut.with_name("version")
        return lambda _: shown.read_text().strip() if shown.exists() else ""

    facts, asked = attended(work, "updatable-told/" + flaw, lambda text: text.replace(*PERSON), "older", answer_of)
    control, (older,) = facts["update.control"][0], facts["update.attempts"]
    assert control["accepted"] and older["seen"] and older["version_before"] == "2.4.0", facts
    assert (older["installed"], older["version_after"]) == ((True, "2.3.0") if FALLS[flaw] else (False, "2.4.0")), older
    assert 4 <= asked <= 12, f"asked {asked} times"


def who_leaves(work, recipe, answers):
    """A person who does something to the device so often and is gone then: what was tried stands, and the rest was not tried for that."""
    ways = {}

    def edit(text):
        line = re.search(rf"    {recipe}: {{exec: '(.*)'}}\n", text)
        ways[recipe] = line.group(1)
        return text.replace(line.group(0), f"    {recipe}: {{prompt: Please {recipe} it}}\n")

    def answer_of(dut):
        left = [None] * answers

        def does(question):
            assert f"Please {recipe} it" in question, question
            if not left:
                return None
            left.pop()
            subprocess.run(ways[recipe], shell=True, check=True, cwd=dut.parent, stdout=subprocess.DEVNULL)
            return ""
        return does

    facts, asked = attended(work, "updatable-told/no-downgrade-check", edit, "older,flip-tenth-10", answer_of)
    (older,) = facts["update.attempts"]
    assert older["attack"] == "older" and older["installed"] and older["version_after"] == "2.3.0", facts
    why = [one["why"] for one in facts["update.not_tried"] if one["attack"] == "flip-tenth-10"]
    assert why == [f'nobody answered: "Please {recipe} it"'], why
    control = facts["update.control"][0]
    assert control["first"]["installed"] and not control["accepted"], control
    assert asked > answers, (asked, answers)


def nobody(work):
    """A run that nobody attends says that it could not read it."""
    observation, _ = run(work, "updatable-told/sound", ["older"], check=[EXIT_OPEN], edits=[PERSON])
    why = why_not(observation["facts"])
    assert "could not be read: a person has to read it" in why and QUESTION in why, why


def no_secret_is_kept(work):
    kept = [path for path in work.glob("*/*/bundle/**/*") if path.is_file()]
    assert len(kept) > 50 and any(b"hub/version" in path.read_bytes() for path in kept), len(kept)
    for path in kept:
        assert not any(secret in path.read_bytes() for secret in SECRETS), path


need("coap-client-openssl", "mosquitto", "mosquitto_pub", "mosquitto_sub", "dropbear", "dropbearkey", "snmpd")
with folder() as work:
    library(work)
    jobs = [lambda source=source, flaw=flaw: by_account(work, source, flaw) for source in SOURCES for flaw in FALLS]
    jobs += [lambda flaw=flaw: at_our_broker(work, flaw) for flaw in FALLS]
    jobs += [lambda flaw=flaw: by_person(work, flaw) for flaw in FALLS]
    jobs += [lambda row=row: who_leaves(work, *row) for row in (("trigger", 2), ("restore", 1))]
    jobs += [lambda flaw=flaw: by_coap(flaw) for flaw in FALLS]
    jobs += [lambda row=row: wrong_password(work, *row) for row in REFUSALS if row[0] in SOURCES]
    jobs += [lambda row=row: unreadable(work, *row) for row in UNREADABLE if row[2] in SOURCES]
    jobs += [lambda row=row: who_falls_silent(work, *row) for row in ((1, True), (1, False), (0, True), (0, False))]
    side_by_side(*jobs, lambda: nobody(work), at_once=4)
    no_secret_is_kept(work)
