"""SSH servers whose answer to a password is the end of the connection, with words or without: where random logins get that too it is a
refusal, where they were refused plainly it says nothing, and neither is a lockout. OpenSSH's client says what each server does."""

import concurrent.futures
import os
import subprocess
import time

import daemons
import login_servers
from daemons import ADDRESS, equal, path, true, write
from login_servers import SECRET, UNKNOWN, USER

daemons.own_namespace()
HERE = os.path.dirname(os.path.abspath(__file__))
TOO_MANY = "Too many authentication failures"  # OpenSSH says so where MaxAuthTries is 1, and has judged the password before
WORDS = {"of OpenSSH": TOO_MANY, "of its own": "Too many failed logins", "none": None}
ALL = -1


def build():
    made = subprocess.run([daemons.need("cc"), "-o", path("ssh_server"), os.path.join(HERE, "stacks", "ssh_server.c"), "-lssh"], capture_output=True, text=True)
    if made.returncode != 0:
        daemons.skip(f"the headers of libssh are not installed: {made.stderr[-300:]}")


def server(port, password, refused, judged, words):
    daemons.start([path("ssh_server"), str(port), login_servers.ssh_key("ed25519"), USER, password, str(refused), str(judged), *([words] if words else [])], port)


def dut(*passwords):
    return daemons.dut([(USER, word) for word in passwords])


TRIED = dut("wrong-1", "wrong-2", SECRET)
FIRST = dut(SECRET)


def attack(port, declared=TRIED):
    seen, kept = daemons.probe("credentials", f"tcp/{port}", dut=declared, dictionary="", blank="false")
    true(SECRET not in str(seen) + kept and UNKNOWN not in str(seen) + kept, f"{port}: a password stands in the records")
    equal(seen["completion"], "completed", f"{port}: {seen['error']}")
    return seen["facts"], seen["unobserved"], seen["coverage"]


def by_openssh(port, password):
    """How the usual client fares with one password: "in", "refused", "said" words at the end, or "closed"."""
    ask = write("ask", "#!/bin/sh\necho \"$WORD\"\n", 0o755)
    done = subprocess.run([daemons.need("ssh"), "-v", "-F", "none", "-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no", "-o", "StrictHostKeyChecking=no",
                           "-o", "UserKnownHostsFile=/dev/null", "-p", str(port), f"{USER}@{ADDRESS}", "true"], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, "WORD": password, "SSH_ASKPASS": ask, "SSH_ASKPASS_REQUIRE": "force"})
    told = {"in": "Authenticated to", "refused": "Permission denied", "said": "Received disconnect from", "closed": "Connection closed by"}
    return next((name for name, words in told.items() if words in done.stderr), done.stderr)


def refuses_by_its_end(port, how):
    """Each wrong password gets the end of its connection, and the right one gets in."""
    words = WORDS[how]
    for at, password, accepted in ((port, SECRET, [USER]), (port + 1, UNKNOWN, [])):
        server(at, password, 0, ALL, words)
        facts, unobserved, coverage = attack(at)
        where = f"an end with words {how}, {'weak' if accepted else 'sound'}"
        equal([entry["username"] for entry in facts.get("credentials.accepted", [{"username": "not known"}])], accepted, f"{where}: {unobserved}, {coverage}")
        equal(facts["credentials.lockout"]["observed"], False, f"{where}: {facts['credentials.lockout']}")
        true(coverage["login"]["controls"] >= 3, f"{where}: one end alone says nothing, so two controls are too few: {coverage}")
    equal([by_openssh(port, word) for word in ("wrong-1", SECRET)], ["said" if words else "closed", "in"], f"words {how}: ssh says the same")


def judges_no_more(port, how):
    """Random logins are refused plainly; after them no password is judged, the right one not either: that is no refusal of it."""
    server(port, SECRET, ALL, 2, WORDS[how])
    facts, unobserved, coverage = attack(port, FIRST)
    where = f"an end before the password is judged, with words {how}"
    true("credentials.accepted" in unobserved, f"{where}: {facts}, {coverage}")
    equal(coverage["login"]["unclear"], 1, f"{where}: {coverage}")
    equal(facts["credentials.lockout"]["observed"], False, f"{where}: {facts['credentials.lockout']}")
    equal(by_openssh(port, SECRET), "said" if WORDS[how] else "closed", f"{where}: ssh says the same")
    server(port + 1, SECRET, ALL, ALL, None)
    facts, unobserved, _ = attack(port + 1, FIRST)
    equal(len(facts.get("credentials.accepted", [])), 1, f"the same server that judges all: {unobserved}")


def ends_before_the_login(port, how):
    """The request "none" gets the end already: there is no login to try, and nobody is locked out."""
    server(port, SECRET, ALL, "login", WORDS[how])
    facts, unobserved, _ = attack(port)
    true("no session could be begun" in unobserved.get("credentials.accepted", ""), f"words {how}: {facts}, {unobserved}")
    true("credentials.dialect" not in facts and "credentials.lockout" not in facts, f"words {how}: {facts}")
    equal(by_openssh(port, SECRET), "said" if WORDS[how] else "closed", f"words {how}: ssh says the same")


build()
login_servers.ssh_key("ed25519")
started = time.monotonic()
failed = []
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    rows = [(task, 2300 + 10 * i + at, how) for i, how in enumerate(WORDS) for task, at in ((refuses_by_its_end, 0), (judges_no_more, 2), (ends_before_the_login, 4))]
    for work in [pool.submit(*row) for row in rows]:
        try:
            work.result()
        except Exception as error:  # every row is looked at, then all that failed are told together
            failed.append(f"{type(error).__name__}: {error}")
print("took", round(time.monotonic() - started, 1))
true(not failed, "\n".join(failed))
