"""One run from three sides: LAN and WAN by namespace, guest by interface. A service that is open on the WAN and not declared
fails the WAN's unit and names the port; the LAN, with services of its own, passes. nmap, from the same places, sees the
same ports."""
import re
import subprocess

from common import EXIT_FAILED, EXIT_USAGE, assay, facts, folder, journal, need, units
from sides import address, lab

need("nmap", "dropbear", "dropbearkey")

DUT = """assay: dut/1
device: {{vendor: Example, model: Sides, product_class: router, managed: retail}}
samples: [{{id: A, at: {{lan: {lan}, wan: {wan}, guest: {guest}}}}}]
scope: [{lan}, {wan}, {guest}]
pace: fast
lab:
  vantages:
    lan: {{netns: {lan_netns}}}
    wan: {{netns: {wan_netns}}}
    guest: {{interface: guest0}}
standard: TS103701@1.1.1
ixit:
  11-ComMech: []
  13-SoftServ: []
  15-Intf:
    - {{id: IF-1, kind: logical, port: tcp/80, service: http, status: enabled, purpose: user interface}}
    - {{id: IF-2, kind: logical, port: tcp/443, service: http, status: enabled, purpose: remote access}}
"""


def open_ports(lab, name, side):
    out = subprocess.run([*lab.enter(name), "nmap", "-Pn", "-n", "-sT", "-p-", "-T5", "-oG", "-", address(side)],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    return {int(port) for port in re.findall(r"(\d+)/open/tcp", out)}


with folder() as work, lab(work) as sides:
    sides.serve("lan", 80)
    sides.serve("wan", 443)
    undeclared = sides.serve("wan", 2323)
    sides.ssh("guest", 22)
    # In `home` another link claims the device's guest address: only who is bound to guest0 gets there.
    sides.ip("home", "link add decoy0 type veth peer name decoy1")
    sides.ip("home", "link set decoy0 up")
    sides.ip("home", f"route add {address('guest')}/32 dev decoy0")

    dut = work / "dut.yaml"
    text = DUT.format(lan=address("lan"), wan=address("wan"), guest=address("guest"), lan_netns=sides.netns("lan"), wan_netns=sides.netns("wan"))
    dut.write_text(text)
    out = work / "run"
    sides.assay("run", "--plan", "bsi-itsik/router", "--dut", dut, "-o", out, "-q", check=[EXIT_FAILED])

    seen = dict(units(out))
    wan = seen["TR03148P@1.2:B.5-documented/documented"]
    assert wan["verdict"] == "fail" and [finding["endpoint"] for finding in wan["findings"]] == ["tcp/2323"], wan
    assert "from the WAN" in wan["findings"][0]["what"], wan
    listed = seen["TR03148P@1.2:B.2-list/list"]
    assert {finding["endpoint"] for finding in listed["findings"]} == {"tcp/443", "tcp/2323"}, listed
    lan = {id: unit["verdict"] for id, unit in seen.items() if id.startswith("TR03148P@1.2:A.3-list/list/")}
    assert lan["TR03148P@1.2:A.3-list/list/tcp/80@A/lan/" + address("lan")] == "pass" and "fail" not in lan.values(), lan

    # A plan that asks for the guests' side: a login there is a finding, on the LAN it is none.
    guests = work / "guests"
    sides.assay("run", "--plan", "cls-iot-gateway/2", "--dut", dut, "-o", guests, "-q", check=[EXIT_FAILED])
    administration = {id: unit["verdict"] for id, unit in units(guests) if id.startswith("SP151-4A@1.1:7.6-4") and "/administration/" in id}
    failed = [id for id, verdict in administration.items() if verdict == "fail"]
    assert len(failed) == 1 and "/tcp/22@A/guest/" in failed[0], administration

    # What each side saw is what nmap sees from there.
    swept = {}
    for event in [*journal(out), *journal(guests)]:
        if event["type"] == "observation" and event["data"]["observation"]["invocation"]["probe"] == "ports":
            observation = event["data"]["observation"]
            target = observation["invocation"]["target"]
            assert target["address"] == address(target["vantage"]), target
            swept.setdefault(target["vantage"], set()).update(int(port["endpoint"].split("/")[1]) for port in observation["facts"]["ports.open"])
    assert swept == {"lan": open_ports(sides, "lan", "lan"), "wan": open_ports(sides, "wan", "wan"), "guest": {22}}, swept
    assert swept["lan"] == {80} and swept["wan"] == {443, 2323}, swept

    # Each side's packets are kept, though both links of the namespaces have the same name.
    events = [*journal(out), *journal(guests)]
    taps = [tap["filter"] for event in events if event["type"] == "capture_started" for tap in event["data"]["interfaces"]]
    assert all(any(address(side) in tap for tap in taps) for side in ("lan", "wan", "guest")), taps
    captured = {}
    for event in events:
        if event["type"] == "observation":
            observation = event["data"]["observation"]
            vantage = observation["invocation"]["target"]["vantage"]
            captured[vantage] = captured.get(vantage, 0) + sum(capture["frames"] for capture in observation.get("captures", []))
    assert all(captured[side] > 65535 for side in ("lan", "wan", "guest")), captured  # a sweep asks each port

    # The record says where it was looked from, and judging it again needs no device.
    page = (out / "report.html").read_text()
    assert all(f">{vantage}<" in page for vantage in ("lan", "wan", "guest")), "the report does not name the vantages"
    assay("replay", out, check=0)
    assay("verify", out, check=0)

    # The service goes, the finding goes.
    undeclared.kill()
    undeclared.wait()
    again = work / "again"
    sides.assay("run", "--plan", "bsi-itsik/router", "--dut", dut, "-o", again, "-q")
    assert dict(units(again))["TR03148P@1.2:B.5-documented/documented"]["verdict"] != "fail"

    # A slip in the file is told before anything is started.
    for wrong, word in (("guest0", "eth77"), (sides.netns("wan"), "/run/netns/assay-none")):
        dut.write_text(text.replace(wrong, word))
        told = sides.assay("run", "--plan", "bsi-itsik/router", "--dut", dut, "-o", work / "wrong", "-q", check=[EXIT_USAGE])
        assert word in told.stderr and "vantage" in told.stderr, told.stderr
    dut.write_text(text.replace("{interface: guest0}", "{}"))
    told = assay("validate", dut, check=EXIT_USAGE)
    assert "vantage" in told.stderr + told.stdout, told
