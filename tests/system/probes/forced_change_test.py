"""Logins behind which a new password is demanded: the shared one was taken, which is told with the demand, and none is given. OpenSSH and login
by telnet, each with such an account, without the demand, and with a password that nobody knows; OpenSSH's client says the same. Pages of a device of
which nothing opens but the change, and of one that shows it beside the rest. A run judges it."""

import json
import os
import subprocess

import daemons
import login_devices
import login_servers as servers
import peers
from daemons import ADDRESS, equal, path, true, write
from login_servers import SECRET, UNKNOWN, USER, seeing

daemons.own_namespace()
servers.own_run_folder()
os.chmod(daemons.FOLDER, 0o755)
servers.accounts()
ED = "HostKey " + servers.ssh_key("ed25519")
BY_QUESTIONS = ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"]
PAIRS = [(USER, "wrong-1"), (USER, SECRET)]
TRIED = daemons.dut(PAIRS)
FEW = "pace: {profile: fast, login_attempts_per_account: 3, login_attempts_per_endpoint: 12, guesses_per_login: 0}\n"
PLAN = """assay: plan/1
id: forced/1
title: Logins
scheme: {name: forced, owner: tests, document: none, read: false}
standard: EN303645@2.1.1
method: TS103701@1.1.1
cases_from: [TS103701@1.1.1, ASSAY@1]
requirements:
  - {id: "EN303645@2.1.1:5.1-1", modality: shall, strength: reasoned, source: tests, minimum: none, evidence: none, assessment: none}
parameters: {}
"""


def telnetd(port, address=ADDRESS):
    return [daemons.need("busybox"), "telnetd", "-F", "-b", address, "-p", str(port), "-l", daemons.need("login")]


# The first port of three: an account that must be changed, one that need not, and one whose password nobody knows.
SERVERS = [(2301, "ssh-password", lambda port: servers.sshd(port, ED)),
           (2311, "ssh-password", lambda port: servers.sshd(port, ED, pam="yes")),
           (2321, "ssh-password", lambda port: servers.sshd(port, ED, *BY_QUESTIONS, pam="yes")),
           (2331, "telnet", telnetd)]
KINDS = ("expired", "weak", "sound-expired")


def told(port, dialect, kind):
    seen, kept = daemons.probe("credentials", f"tcp/{port}", dut=TRIED, dictionary="")
    where = f"{dialect} on {port}, {kind}"
    true(SECRET not in str(seen) + kept and UNKNOWN not in str(seen) + kept, f"{where}: a password stands in the records")
    equal(seen["facts"].get("credentials.dialect"), dialect, f"{where}: {seen['unobserved']}")
    equal(seen["facts"].get("credentials.open"), False, f"{where}: {seen['unobserved']}, {seen['coverage']}")
    true("credentials.accepted" in seen["facts"], f"{where}: {seen['unobserved']}, {seen['coverage']}")
    found = [(entry["username"], entry.get("must_change", False)) for entry in seen["facts"]["credentials.accepted"]]
    equal(found, {"expired": [(USER, True)], "weak": [(USER, False)], "sound-expired": []}[kind], f"{where}: {seen['facts']}, {seen['coverage']}")


def by_openssh(port, level="ERROR"):
    """What the usual client is told behind the right password."""
    ask = write("ask", "#!/bin/sh\necho \"$WORD\"\n", 0o755)
    done = subprocess.run([daemons.need("ssh"), "-F", "none", "-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no", "-o", "StrictHostKeyChecking=no",
                           "-o", "UserKnownHostsFile=/dev/null", "-o", f"LogLevel={level}", "-p", str(port), f"{USER}@{ADDRESS}", "echo in"], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL, env={**os.environ, "WORD": SECRET, "SSH_ASKPASS": ask, "SSH_ASKPASS_REQUIRE": "force"})
    return done.stdout + done.stderr


def in_words_of_ssh():
    """SSH_MSG_USERAUTH_PASSWD_CHANGEREQ of a server of libssh: behind the right password, behind one that nobody knows, and behind any."""
    made = subprocess.run([daemons.need("cc"), "-o", path("ssh_server"), os.path.join(os.path.dirname(os.path.abspath(__file__)), "stacks", "ssh_server.c"), "-lssh"],
                          capture_output=True, text=True)
    if made.returncode != 0:
        return f"left out, for the headers of libssh are not installed: {made.stderr[-300:]}"
    for port, password, when in ((2351, SECRET, "change"), (2352, UNKNOWN, "change"), (2353, SECRET, "change-all")):
        daemons.start([path("ssh_server"), str(port), ED.split()[1], USER, password, "-1", when], port)
    told(2351, "ssh-password", "expired")
    told(2352, "ssh-password", "sound-expired")
    seen, _ = daemons.probe("credentials", "tcp/2353", dut=TRIED, dictionary="")
    true("asked for a new password too" in seen["unobserved"].get("credentials.accepted", ""), f"whoever comes is asked: {seen['facts']}, {seen['unobserved']}")
    true("Your password has expired." in by_openssh(2351, "INFO") and "expired" not in by_openssh(2352, "INFO"), f"ssh is told the same: {by_openssh(2351, 'INFO')}")
    return "three by the message of SSH for it"


def asks_everybody(typed):
    """A telnet login that demands a new password of whoever types one; `typed` gets what comes then."""
    def serve(connection, tls):
        connection.sendall(b"\xff\xfb\x01\xff\xfb\x03")
        for prompt in (b"login: ", b"\r\nPassword: ", b"\r\nNew password: "):
            connection.sendall(prompt)
            line = b""
            while not line.endswith(b"\n"):
                part = connection.recv(1)
                if not part:
                    return
                line += part
        typed.append(line)
    return serve


def everybody():
    typed = []
    peers.serve(ADDRESS, 2341, asks_everybody(typed))
    seen, _ = daemons.probe("credentials", "tcp/2341", dut=TRIED, dictionary="")
    true("asked for a new password too" in seen["unobserved"].get("credentials.open", ""), f"whoever comes is asked: {seen['facts']}, {seen['unobserved']}")
    true("credentials.accepted" in seen["unobserved"], "so nothing is known of the pair")
    equal(typed, [], "nothing was typed at the demand")


def pages():
    """A page where a password may be changed is a demand where nothing else opens."""
    for port, habit, word, found in ((8031, "forced", login_devices.SECRET, [True]), (8032, "change beside", login_devices.SECRET, [False]),
                                     (8033, "forced", UNKNOWN, [])):
        login_devices.serve(ADDRESS, port, login_devices.Device(habit, word))
        dut = daemons.dut([(login_devices.USER, "wrong-1"), (login_devices.USER, login_devices.SECRET)])
        seen, _ = daemons.probe("credentials", f"tcp/{port}", dut=dut, dictionary="")
        equal([entry.get("must_change", False) for entry in seen["facts"].get("credentials.accepted", [])], found, f"{habit}: {seen['facts']}, {seen['unobserved']}")
        true(seen["facts"].get("credentials.dialect") == "http-form", f"{habit}: {seen['facts']}")


def judged(name, address):
    """The units about the login of a run against one address."""
    out = path("run-" + name)
    dut = daemons.dut(PAIRS[1:], FEW, lan=address)
    done = subprocess.run([os.environ["ASSAY"], "run", "--library", path("library"), "--plan", "forced/1", "--dut", dut, "--capture", "off", "-q", "-o", out],
                          capture_output=True, text=True, timeout=280)
    true(done.returncode in (1, 3), f"{name}: {done.returncode} {done.stderr}")
    with open(os.path.join(out, "bundle/verdicts.json")) as file:
        cases = [case for requirement in json.load(file)["requirements"] for case in requirement["cases"]]
    return {unit["id"]: unit for case in cases for unit in case["units"] if "tcp/23" in unit["id"]}


def verdicts():
    """A default password is a FAIL where it opens the device, and for a person to judge where a new one is demanded."""
    subprocess.run(["cp", "-r", daemons.LIBRARY, path("library")], check=True)
    os.mkdir(path("library/schemes/forced"))
    write("library/schemes/forced/1.yaml", PLAN)
    for name, address in (("expired", "127.0.0.2"), ("weak", "127.0.0.3")):
        daemons.start(seeing(name, telnetd(23, address)))
        units = judged(name, address)
        for unit in ("ASSAY@1:default-logins/known/tcp/23", "TS103701@1.1.1:5.1-1-2/c/tcp/23"):
            equal(units.get(unit, {}).get("verdict"), "inconclusive" if name == "expired" else "fail", f"{name}: {unit} {units.get(unit, sorted(units))}")
        true(("demands a new one at once" in str(units)) == (name == "expired"), f"{name}: {units}")


daemons.start_all([(seeing(kind, command(port + step)), port + step) for port, _, command in SERVERS for step, kind in enumerate(KINDS)])
for port, dialect, _ in SERVERS:
    for step, kind in enumerate(KINDS):
        told(port + step, dialect, kind)
for port in (2301, 2311):
    true("expired" in by_openssh(port) and by_openssh(port + 1).startswith("in"), f"{port}: ssh is told to change the password: {by_openssh(port)}")
by_message = in_words_of_ssh()
everybody()
pages()
verdicts()
print("checked", len(SERVERS) * len(KINDS), "logins, three of pages, one that asks everybody, and two runs;", by_message)
