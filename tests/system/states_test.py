"""A run in two states, and state pairs. A service that is open as delivered and that the set-up closes fails the factory
state only; one that stays open fails both. A trigger that switches a service off passes; one that only says so fails for the
port that stays open. Killed between the states, the run goes on where it was."""
import json
import signal
import subprocess
import time

from common import ASSAY, EXIT_FAILED, EXIT_INTERRUPTED, assay, folder, journal, units
from sides import address, lab

PLAN = "bsi-itsik/router"
DUT = """assay: dut/1
device: {{vendor: Example, model: States, product_class: router, managed: retail}}
samples: [{{id: A, at: {{lan: {lan}}}, destructive: {spent}}}]
scope: [{lan}]
pace: fast
lab:
  ready: {{tcp: 80, within: 10s}}
  vantages: {{lan: {{netns: {netns}}}}}
  states: {{{states}}}
  trigger: {{{triggers}}}
standard: TS103701@1.1.1
ixit:
  11-ComMech: []
  13-SoftServ: []
  15-Intf:
    - {{id: IF-1, kind: logical, port: [tcp/80, tcp/8080], service: http, status: enabled, purpose: user interface}}
"""
STATES = "factory: {exec: ./factory.sh}, initialised: {exec: ./set-up.sh}"
FACTORY, SET_UP = "TR03148P@1.2:A.2-list/list", "TR03148P@1.2:A.3-list/list"
PAIR = "TR03148P@1.2:A.5-pair/pair"


def write_dut(sides, states="", triggers="", spent="true"):
    path = sides.work / "dut.yaml"
    path.write_text(DUT.format(lan=address("lan"), netns=sides.netns("lan"), states=states, triggers=triggers, spent=spent))
    return path


def write_scripts(sides):
    """The laboratory's commands: they switch services of the device on and off, each by its pid file."""
    enter = " ".join(sides.enter("device"))
    for port in (2323, 2424, 8080):
        sides.script(f"on-{port}.sh", f"if [ -f {port}.pid ]; then exit 0; fi\n"
                     f"{enter} busybox httpd -f -p {address('lan')}:{port} -h www >/dev/null 2>&1 & echo $! >{port}.pid\n"
                     f"until {enter} ss -Htln src {address('lan')}:{port} | grep -q .; do sleep 0.05; done\n")
        sides.script(f"off-{port}.sh", f"if [ -f {port}.pid ]; then kill $(cat {port}.pid); rm {port}.pid; fi\n"
                     f"while {enter} ss -Htln src {address('lan')}:{port} | grep -q .; do sleep 0.05; done\n")
    sides.script("factory.sh", "echo \"$ASSAY_SAMPLE $ASSAY_STATE\" >>changes; ./on-2323.sh; ./on-2424.sh; echo wiped\n")
    sides.script("set-up.sh", "echo \"$ASSAY_SAMPLE $ASSAY_STATE\" >>changes; ./off-2323.sh\n")
    sides.script("says-so.sh", "echo switched off\n")


def failures(out, unit):
    """Endpoint -> states of the failed instances of an expanded unit."""
    found = {}
    for id, verdict in units(out):
        if id.startswith(unit + "/") and verdict["verdict"] == "fail":
            endpoint, _, where = id[len(unit) + 1:].partition("@")
            found.setdefault(endpoint, []).append(where)
    return set(found)


def changes(out):
    return [event["data"]["state"] for event in journal(out) if event["type"] == "state_reached"]


def two_states(sides):
    dut = write_dut(sides, STATES)
    out = sides.work / "states"
    sides.assay("run", "--plan", PLAN, "--dut", dut, "-o", out, "-q", "--allow", "destructive", check=[EXIT_FAILED])
    assert failures(out, FACTORY) == {"tcp/2323", "tcp/2424"}, failures(out, FACTORY)
    assert failures(out, SET_UP) == {"tcp/2424"}, failures(out, SET_UP)
    assert changes(out) == ["factory", "initialised"], changes(out)
    assert (sides.work / "changes").read_text() == "A factory\nA initialised\n"
    said = [event["data"] for event in journal(out) if event["type"] == "state_reached"][0]["said"]
    assert said == [{"sample": "A", "text": "wiped\n"}], said
    page = (out / "report.html").read_text()
    assert ">factory<" in page and ">initialised<" in page
    assay("replay", out, check=0)


def not_allowed(sides):
    """A reset destroys: without leave, or on a unit that may not be spent, nothing of it is done."""
    (sides.work / "changes").unlink(missing_ok=True)
    for spent, extra, why in (("true", [], "allows intrusive at most"), ("false", ["--allow", "destructive"], "no sample may be spent")):
        plan = json.loads(sides.assay("plan", "--plan", PLAN, "--dut", write_dut(sides, STATES, spent=spent), *extra, "--json", check=[0]).stdout)
        left = {entry["name"]: entry["because"] for entry in plan["left_out"]}
        assert why in left["factory"], left
        assert {target["state"] for target in plan["targets"]} == {"initialised"}, plan["targets"]
    assert not (sides.work / "changes").exists()


def pair(sides, name, trigger, code=None):
    subprocess.run(["./on-8080.sh"], cwd=sides.work, check=True)
    out = sides.work / name
    dut = write_dut(sides, triggers=trigger)
    sides.assay("run", "--plan", PLAN, "--dut", dut, "-o", out, "-q", "--state", "customised", check=code)
    assay("replay", out, check=0)
    return out, dict(units(out))[PAIR]


def pairs(sides):
    off = "services_off: {exec: ./off-8080.sh, closes: [tcp/8080]}"
    out, unit = pair(sides, "good", off + ", services_on: {exec: ./on-8080.sh}")
    assert unit["verdict"] == "pass", unit
    assert changes(out) == ["customised+services_off", "customised"], "undone at the end"
    assert sides.listens("lan", 8080)
    out, unit = pair(sides, "bad", "services_off: {exec: ./says-so.sh, closes: [tcp/8080]}", [EXIT_FAILED])
    assert unit["verdict"] == "fail" and len(unit["findings"]) == 1, unit
    assert unit["findings"][0]["endpoint"] == "tcp/8080" and "services_off" in unit["findings"][0]["what"], unit
    failed = {id for id, one in units(out) if one["verdict"] == "fail"} - {id for id, one in units(sides.work / "good") if one["verdict"] == "fail"}
    assert failed == {PAIR}, failed
    _, unit = pair(sides, "silent", "services_off: {exec: ./off-8080.sh}")
    assert unit["verdict"] == "inconclusive" and any("closes" in one["what"] for one in unit["open"]), unit
    _, unit = pair(sides, "broken", "services_off: {exec: 'echo no reply; exit 3', closes: [tcp/8080]}")
    assert unit["verdict"] == "not_tested" and any("no reply" in one["what"] for one in unit["open"]), unit
    _, unit = pair(sides, "none", "")
    assert unit["verdict"] == "not_tested" and any("services_off" in one["what"] for one in unit["open"]), unit


def resumed(sides):
    """Interrupted after the first state: the rest is done in the second one, and the device is not reset again."""
    (sides.work / "changes").unlink(missing_ok=True)
    sides.script("set-up.sh", "echo \"$ASSAY_SAMPLE $ASSAY_STATE\" >>changes; ./off-2323.sh\nif [ -f slow ]; then sleep 60; fi\n")
    (sides.work / "slow").touch()
    out = sides.work / "resumed"
    process = subprocess.Popen([*sides.enter("home"), ASSAY, "run", "--plan", PLAN, "--dut", write_dut(sides, STATES), "-o", out, "-q",
                                "--allow", "destructive"], stderr=subprocess.DEVNULL)
    while process.poll() is None and "A initialised" not in ((sides.work / "changes").read_text() if (sides.work / "changes").exists() else ""):
        time.sleep(0.1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == EXIT_INTERRUPTED and time.monotonic() - began < 20, "the command under way was not stopped"
    (sides.work / "slow").unlink()
    done = subprocess.run([*sides.enter("home"), ASSAY, "resume", out, "-q"], cwd=sides.work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert done.returncode == EXIT_FAILED, done
    assert (sides.work / "changes").read_text() == "A factory\nA initialised\nA initialised\n"
    assert failures(out, FACTORY) == {"tcp/2323", "tcp/2424"} and failures(out, SET_UP) == {"tcp/2424"}
    assay("replay", out, check=0)
    assay("verify", out, check=0)


with folder() as work, lab(work) as sides:
    sides.serve("lan", 80)
    write_scripts(sides)
    try:
        not_allowed(sides)
        two_states(sides)
        resumed(sides)
        pairs(sides)
    finally:
        for port in (2323, 2424, 8080):
            subprocess.run([f"./off-{port}.sh"], cwd=work, check=True)
