"""The budget of wrong logins, by the device's own count: where connections are cut, where a login has no name, where a device has two addresses, and
where its run is killed and resumed. A limit of requests is told as one."""

import collections
import json
import os
import subprocess
import time

import daemons
import login_devices as devices
from daemons import ADDRESS, equal, path, true, write
from login_devices import Api, Basic

daemons.own_namespace()
BUDGET = 5
OTHER = "127.0.0.2"
UNKNOWN = "Kq8-uncommon-0193"
PACE = "pace: {profile: fast, login_attempts_per_account: 5, login_interval_ms: %d, guesses_per_login: 0}\n"
ONE = daemons.dut(more=PACE % 0)
SPACED = daemons.dut(more=PACE % 1)
NAMELESS = daemons.dut(more=PACE % 0 +
                       """logins:\n  - {port: tcp/9105, path: /api/login, body: '{"secret": "{password}"}', check: /api/status, token: /data/token, header: "X-Token: {token}"}\n""")
TWO = daemons.dut(more=PACE % 20, lan=[ADDRESS, OTHER])
PLAN = """assay: plan/1
id: guessed/1
title: Logins
scheme: {name: guessed, owner: tests, document: none, read: false}
standard: EN303645@2.1.1
method: TS103701@1.1.1
cases_from: [ASSAY@1]
requirements:
  - {id: "EN303645@2.1.1:5.1-1", modality: shall, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}
parameters: {}
"""


def real(counts):
    """Without the names that nobody has."""
    return {user: count for user, count in counts.items() if not user.startswith("assay")}


def cut_connections():
    """A device that counts a wrong login and hangs up instead of answering, each second time."""
    for port, dut, parameters in ((9101, ONE, {}), (9102, SPACED, {}), (9103, ONE, {"connections": 8})):
        device = devices.serve(ADDRESS, port, Basic("drops", UNKNOWN))
        seen, _ = daemons.probe("credentials", f"tcp/{port}", dut=dut, **parameters)
        counts = real(device.seen)
        equal(max(counts.values()), BUDGET, f"{port}: wrong logins of an account: {counts}")
        equal(seen["facts"]["credentials.accepted"], [], f"{port}: {seen['unobserved']}")
        equal(seen["facts"]["credentials.lockout"]["observed"], False, f"{port}: a cut is no lock")


def no_names():
    device = devices.serve(ADDRESS, 9105, Api("token", UNKNOWN))
    seen, _ = daemons.probe("credentials", "tcp/9105", dut=NAMELESS)
    equal(seen["facts"]["credentials.dialect"], "http-json", "the recipe is taken")
    equal(device.seen, {"": BUDGET - 1}, "wrong logins on the one secret; the last is put aside for the control that follows a hit")
    true("credentials.accepted" in seen["unobserved"], "too few were tried for a claim")


def limit_of_requests():
    write("logins", "maker:{PLAIN}" + UNKNOWN + "\n")
    conf = write("nginx.conf", f"""daemon off; master_process off; pid {path('nginx.pid')}; error_log {path('nginx.log')};
events {{ worker_connections 64; }}
http {{
  access_log off;
  limit_req_zone $binary_remote_addr zone=a:1m rate=30r/m;
  server {{ listen {ADDRESS}:9106; root {daemons.FOLDER};
    location / {{ limit_req zone=a burst=6 nodelay; auth_basic "Hub"; auth_basic_user_file {path('logins')}; }} }}
}}
""")
    daemons.start([daemons.need("nginx"), "-e", path("nginx.log"), "-c", conf], 9106)
    devices.serve(ADDRESS, 9107, Basic("limited", UNKNOWN))
    for port in (9106, 9107):
        seen, _ = daemons.probe("credentials", f"tcp/{port}", dut=SPACED)
        lockout = seen["facts"]["credentials.lockout"]
        equal(lockout["observed"], True, f"{port}: {lockout}, {seen['coverage']}")
        true(lockout["sign"].startswith("status 503 after plain refusals"), f"{port}: {lockout}")
        true(seen["coverage"]["login"]["skipped_stopped"] > 30, f"{port}: what was left out is told")


def library():
    copy = path("library")
    subprocess.run(["cp", "-r", daemons.LIBRARY, copy], check=True)
    os.mkdir(path("library/schemes/guessed"))
    write("library/schemes/guessed/1.yaml", PLAN)
    return copy


def of_journal(out):
    """Logins that were permitted, by endpoint and account, whatever the address; and the addresses."""
    counts, addresses = collections.Counter(), set()
    with open(os.path.join(out, "bundle/journal.jsonl")) as journal:
        for line in journal:
            event = json.loads(line)
            if event["type"] == "login" and not event["data"]["account"].startswith(("assay", "(")):
                counts[event["data"]["endpoint"], event["data"]["account"]] += 1
                addresses.add(event["data"]["address"])
    return counts, addresses


def two_addresses():
    """Both lead to the same device, which counts the wrong logins of both together; killed in the middle and resumed, it goes on where it was."""
    device = Basic("plain", UNKNOWN)
    for address in (ADDRESS, OTHER):
        devices.serve(address, 81, device)
    out, where = path("run"), ["--library", library()]
    run = subprocess.Popen([os.environ["ASSAY"], "run", *where, "--plan", "guessed/1", "--dut", TWO, "--capture", "off", "-q", "-o", out],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None and sum(real(device.seen).values()) < 12:
        time.sleep(0.05)
    true(run.poll() is None, "the run was over before it could be killed")
    run.kill()
    run.wait()
    before = real(dict(device.seen))
    done = subprocess.run([os.environ["ASSAY"], "resume", *where, "-q", out], capture_output=True, text=True, timeout=200)
    true(done.returncode in (1, 3), f"resumed: {done.returncode} {done.stderr}")
    counts, addresses = of_journal(out)
    equal(addresses, {ADDRESS, OTHER}, "logins were tried at both addresses")
    equal(max(counts.values()), BUDGET, f"permits by the journal: {counts}")
    after = real(device.seen)
    true(sum(after.values()) > sum(before.values()), "the resumed run went on")
    equal({user: count for user, count in after.items() if count > BUDGET}, {}, "accounts with more wrong logins than the budget")
    true(after["admin"] >= BUDGET - 1, f"none is left over but one that was permitted when the run was killed: {after}")


def known_logins_first():
    """In a run the account of the DUT file is used for its web interface before anybody guesses at it, and a right login spends no budget."""
    device = devices.serve(ADDRESS, 82, Basic("plain", UNKNOWN, "admin"))
    dut = daemons.dut(more=PACE % 0 + f"accounts:\n  - {{role: owner, username: admin, secret: {UNKNOWN}}}\n")
    write("library/schemes/guessed/2.yaml", PLAN.replace("guessed/1", "guessed/2").replace("[ASSAY@1]", "[ASSAY@1, TS103701@1.1.1]").replace(
        "parameters", '  - {id: "EN303645@2.1.1:5.5-5", modality: shall, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}\nparameters'))
    out = path("known")
    done = subprocess.run([os.environ["ASSAY"], "run", "--library", path("library"), "--plan", "guessed/2", "--dut", dut, "--capture", "off", "-q", "-o", out],
                          capture_output=True, text=True, timeout=280)
    true(done.returncode in (1, 3), f"{done.returncode} {done.stderr}")
    with open(os.path.join(out, "bundle/journal.jsonl")) as journal:
        seen = [event["data"]["observation"] for event in map(json.loads, journal) if event["type"] == "observation"]
    logins = {one["invocation"]["probe"]: one for one in seen if one["invocation"].get("endpoint") == "tcp/82"}
    order = [one["invocation"]["probe"] for one in seen if one["invocation"].get("endpoint") == "tcp/82"]
    true(order.index("web_session") < order.index("credentials"), f"who logs in first: {order}")
    equal(logins["web_session"]["facts"]["web.account"]["role"], "owner", str(logins["web_session"]["unobserved"]))
    equal(device.seen["admin"], BUDGET - 1, "wrong logins: one is kept to see after the guesses whether the account still gets in")


for part in (cut_connections, no_names, limit_of_requests, two_addresses, known_logins_first):
    part()
print("the device's own counts stay within the budget")
