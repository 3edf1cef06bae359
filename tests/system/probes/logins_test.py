"""Logins of every dialect, each by a real daemon with a weak and a sound account: weak ones are found, sound ones are not, and
hydra says the same. Scripted web interfaces with odd habits are told right, and none sees more logins than the budget allows."""

import concurrent.futures
import os
import re
import subprocess
import time

import daemons
import login_devices as devices
import login_servers as servers
import peers
from daemons import ADDRESS, equal, path, true, write
from login_servers import SECRET, UNKNOWN, USER, seeing

daemons.own_namespace()
servers.own_run_folder()
for network in ("127.0.0.2", "127.0.0.3"):
    subprocess.run(["ip", "address", "add", f"{network}/32", "dev", "lo"], check=True)
os.chmod(daemons.FOLDER, 0o755)
servers.accounts()
OLD = ["KexAlgorithms diffie-hellman-group1-sha1", "HostKeyAlgorithms ssh-rsa", "Ciphers aes128-cbc", "MACs hmac-sha1"]
FTPS = servers.over_tls()
ED, RSA = "HostKey " + servers.ssh_key("ed25519"), "HostKey " + servers.ssh_key("rsa", "-b", "2048")
BUDGET = 20  # wrong logins for one account: the pace fast


def dut(passwords, more=""):
    return daemons.dut([(USER, word) for word in passwords], more)


TRIED = dut(["wrong-1", "wrong-2", SECRET])
API = """logins:
""" + "".join(f"""  - {{port: tcp/{port}, path: /api/login, body: '{{"user": "{{username}}", "secret": "{{password}}"}}', check: /api/status,
     token: /data/token, header: "X-Token: {{token}}"}}
""" for port in range(8301, 8307))
APIS = [(8301, "token", SECRET, "accepted"), (8302, "token", UNKNOWN, "refused"), (8303, "cookie", SECRET, "accepted"),
        (8304, "cookie", UNKNOWN, "refused"), (8305, "always 200", SECRET, "accepted"), (8306, "always 200", UNKNOWN, "refused")]
ACCOUNT = f"accounts:\n  - {{role: admin, username: {USER}, secret: {UNKNOWN}}}\n"  # settles that refusals are some
DESCRIBED = dut(["wrong-1", "wrong-2", SECRET], API + ACCOUNT)
KNOWN = dut(["wrong-1", "wrong-2", SECRET], ACCOUNT)
DECLARED = {**{f"tcp/{port}": DESCRIBED for port, *_ in APIS}, "tcp/8103": KNOWN, "tcp/8224": KNOWN, "tcp/8237": KNOWN}
MANY = dut([f"wrong-{i}" for i in range(30)])
SPREAD = write("dut-spread.yaml", re.sub(rf"username: {USER}, password: \"wrong-(\d+)", r'username: name\1, password: "wrong-\1', open(MANY).read()) +
               f'  - {{username: {USER}, password: "{SECRET}"}}\n')

# port, command, dialect, what is to be seen: accepted, refused, open, shut; udp where said
SERVERS = [
    (2201, seeing("weak", servers.sshd(2201, ED)), "ssh-password", "accepted"),
    (2202, seeing("sound", servers.sshd(2202, ED)), "ssh-password", "refused"),
    (2203, seeing("weak", servers.sshd(2203, RSA, *OLD)), "ssh-password", "accepted"),
    (2204, seeing("weak", servers.sshd(2204, ED, "PasswordAuthentication no", "KbdInteractiveAuthentication no")), "ssh-password", "shut"),
    (2205, seeing("sound", servers.sshd(2205, ED, "MaxAuthTries 1")), "ssh-password", "refused"),
    (2206, seeing("weak", servers.dropbear(2206)), "ssh-password", "accepted"),
    (2207, seeing("sound", servers.dropbear(2207)), "ssh-password", "refused"),
    # The right password is the third of one name: it must not be lost where a connection takes fewer.
    (2208, seeing("weak", servers.dropbear(2208, "-T", "1")), "ssh-password", "accepted"),
    (2209, seeing("weak", servers.dropbear(2209, "-T", "2")), "ssh-password", "accepted"),
    (2210, seeing("weak", servers.sshd(2210, ED, "MaxAuthTries 2")), "ssh-password", "accepted"),
    (2106, seeing("weak", servers.vsftpd(2106, "anonymous_enable=NO", "local_enable=YES", "max_login_fails=2")), "ftp", "accepted"),
    (2101, seeing("weak", servers.vsftpd(2101, "anonymous_enable=NO", "local_enable=YES")), "ftp", "accepted"),
    (2102, seeing("sound", servers.vsftpd(2102, "anonymous_enable=NO", "local_enable=YES")), "ftp", "refused"),
    (2103, seeing("sound", servers.vsftpd(2103, "anonymous_enable=YES")), "ftp", "open"),
    (2104, seeing("weak", servers.vsftpd(2104, "anonymous_enable=NO", "local_enable=YES", *FTPS)), "ftp", "accepted"),
    (2105, seeing("weak", servers.vsftpd(2105, "anonymous_enable=NO", "local_enable=YES", *FTPS, "implicit_ssl=YES")), "ftp", "accepted"),
    *[(port, seeing(kind, servers.waiting_telnetd(port, words)), "telnet", "accepted" if kind == "weak" else "refused")
      for port, kind, words in ((2301, "weak", "Press any key to continue"), (2302, "sound", "Press any key to continue"), (2303, "weak", "Go on> "), (2304, "sound", "Go on> "))],
    (80, seeing("weak", servers.dropbear(80)), "ssh-password", "accepted"),  # asked by HTTP before it may greet
    (554, seeing("sound", servers.vsftpd(554, "anonymous_enable=NO", "local_enable=YES")), "ftp", "refused"),
    (1883, servers.mosquitto(1883, 1884, 1885, 8883), "mqtt", "accepted"),
    (1884, None, "mqtt", "refused"),
    (1885, None, "mqtt", "open"),
    (8883, None, "mqtt", "accepted"),
    (1430, servers.dovecot("weak", 1430, 1100, SECRET), "imap", "accepted"),
    (1100, None, "pop3", "accepted"),
    (1431, servers.dovecot("sound", 1431, 1101, UNKNOWN), "imap", "refused"),
    (1101, None, "pop3", "refused"),
    (2501, servers.exim(2501, SECRET), "smtp-plain", "accepted"),
    (2502, servers.exim(2502, UNKNOWN), "smtp-plain", "refused"),
    (6379, servers.redis(6379, SECRET), "redis", "accepted"),
    (6380, servers.redis(6380, UNKNOWN), "redis", "refused"),
    (6381, servers.redis(6381, None), "redis", "open"),
    (6382, servers.redis(6382, UNKNOWN, "--user", USER, "on", ">" + SECRET, "~*", "+@all"), "redis", "accepted"),  # a user of its own
    (5901, servers.vnc(5901, SECRET), "vnc", "accepted"),
    (5902, servers.vnc(5902, UNKNOWN), "vnc", "refused"),
    (5903, servers.vnc(5903, None), "vnc", "open"),
    (8101, servers.lighttpd(8101, SECRET), "http-form", "accepted"),
    (8102, servers.lighttpd(8102, UNKNOWN), "http-form", "doubt"),  # wrong logins get the form back as it was
    (8103, servers.lighttpd(8103, UNKNOWN), "http-form", "refused"),  # the same, and the tester knows an account
]
DATAGRAMS = [
    ("udp/1611", ADDRESS, servers.snmpd(1611, "private"), "snmp-community", "accepted"),
    ("udp/1612", ADDRESS, servers.snmpd(1612, UNKNOWN), "snmp-community", "refused"),
    ("udp/69", "127.0.0.2", servers.tftp("127.0.0.2", ["config.bin"]), "tftp", "open"),
    ("udp/69", "127.0.0.3", servers.tftp("127.0.0.3", []), "tftp", "doubt"),
]
HABITS = [  # port, habit, password, what is to be seen
    (8201, "csrf", SECRET, "accepted"),
    (8202, "csrf", UNKNOWN, "refused"),
    (8203, "always 200", SECRET, "accepted"),
    (8204, "always 200", UNKNOWN, "refused"),
    (8205, "always redirect", SECRET, "accepted"),
    (8206, "always redirect", UNKNOWN, "refused"),
    (8207, "always the same", SECRET, "accepted"),
    (8208, "always the same", UNKNOWN, "refused"),
    (8209, "no marker", SECRET, "accepted"),
    (8210, "no marker", UNKNOWN, "refused"),
    (8211, "drops", SECRET, "accepted"),
    (8212, "anybody", UNKNOWN, "open"),
    (8213, "radio", SECRET, "accepted"),
    (8214, "choose", SECRET, "accepted"),
    (8215, "tel and domain", SECRET, "accepted"),
    (8216, "tel and domain", UNKNOWN, "refused"),
    (8217, "link", SECRET, "accepted"),
    (8218, "frame", SECRET, "accepted"),
    (8219, "frame", UNKNOWN, "refused"),
    (8222, "flash", SECRET, "accepted"),
    (8223, "flash", UNKNOWN, "doubt"),  # wrong logins get a page that no visitor gets
    (8224, "flash", UNKNOWN, "refused"),  # the same, and the tester knows an account
    (8225, "captcha", SECRET, "doubt"),
    (8226, "no name", SECRET, "accepted"),
    (8251, "base", SECRET, "accepted"),
    (8252, "base", UNKNOWN, "refused"),
    (8253, "button", SECRET, "accepted"),
    (8254, "button", UNKNOWN, "refused"),
    (8255, "base away", SECRET, "doubt"),  # nothing is sent to another host
    *[(8256 + 2 * at + sound, habit, UNKNOWN if sound else SECRET, "refused" if sound else "accepted")
      for at, habit in enumerate(("gzip", "deflate", "bare deflate")) for sound in (0, 1)],
    (8262, "brotli", SECRET, "unread"),
]

BASIC = [  # the same behind HTTP Basic, where only some accounts are known to the tester
    (8231, "says no", SECRET, "accepted"),
    (8232, "says no", UNKNOWN, "doubt"),
    (8233, "sent away", SECRET, "accepted"),
    (8234, "sent away", UNKNOWN, "doubt"),
    (8235, "not found", SECRET, "accepted"),
    (8236, "not found", UNKNOWN, "doubt"),
    (8237, "sent away", UNKNOWN, "refused"),  # the tester knows an account
    (8238, "first steps", SECRET, "accepted"),
    (8239, "first steps", UNKNOWN, "refused"),
    (8240, "drops", SECRET, "accepted"),
    (8241, "anybody", UNKNOWN, "open"),
]


def compare(where, seen, dialect, expected):
    facts, completion = seen["facts"], seen["completion"]
    equal(completion, "completed", f"{where}: {seen['error']}")
    equal(facts.get("credentials.dialect"), None if expected == "unread" else dialect, f"{where}: dialect; {seen['unobserved']}")
    if expected in ("doubt", "unread"):
        true("credentials.open" in seen["unobserved"], f"{where}: whether it is open stays open")
        return
    equal(facts.get("credentials.open"), expected == "open", f"{where}: open; {seen['unobserved']}, {seen['coverage']}")
    found = facts.get("credentials.accepted")
    true(found is not None, f"{where}: accepted is not known: {seen['unobserved']}, {seen['coverage']}")
    equal(len(found), 1 if expected == "accepted" else 0, f"{where}: {found}")
    true(all(entry["proof"] for entry in found), f"{where}: a hit has a proof")
    if expected in ("accepted", "refused"):
        equal(facts["credentials.lockout"]["observed"], False, f"{where}: no lockout: {facts['credentials.lockout']}")


def attack(where, address=ADDRESS, declared=None, **parameters):
    started = time.monotonic()
    seen, kept = daemons.probe("credentials", where, dut=declared or TRIED, address=address, dictionary="", **parameters)
    true(SECRET not in str(seen) + kept and UNKNOWN not in str(seen) + kept, f"{where}: a password stands in the records")
    return seen, time.monotonic() - started


def one(row):
    where, address, dialect, expected = row
    seen, took = attack(where, address, DECLARED.get(where))
    compare(f"{where} at {address} ({dialect}, {expected})", seen, dialect, expected)
    return took, where


def hydra(port, scheme, extra=()):
    """The password that hydra finds for the user, or nothing."""
    words = write("words", f"wrong-1\nwrong-2\n{SECRET}\n")
    names = ["-l", USER] if scheme not in ("vnc", "redis") else []
    out = subprocess.run([daemons.need("hydra"), "-I", "-t", "1", *names, "-P", words, "-s", str(port), *extra, ADDRESS, scheme],
                         capture_output=True, text=True, timeout=60).stdout
    found = re.search(r"password: (\S+)", out)
    return found.group(1) if found else None


def second_opinion(row):
    port, scheme, expected = row
    equal(hydra(port, scheme), expected, f"hydra at {scheme} on {port}")
    return 0, f"hydra {scheme}"


def budget_holds():
    """More candidates than the budget: the device's own count of wrong logins stays within it."""
    device = devices.serve(ADDRESS, 8220, devices.Device("always 200", UNKNOWN))
    seen, _ = attack("tcp/8220", declared=MANY)
    true(0 < device.seen[USER] <= BUDGET, f"the form saw {device.seen[USER]} logins of {USER}")
    equal(seen["coverage"]["login"]["skipped_budget"], 30 - device.seen[USER], "what the budget left out is said")
    for port, command, words in ((2220, servers.sshd(2220, ED), "Failed password for"), (2223, servers.sshd(2223, ED, "MaxAuthTries 3"), "Failed password for"),
                                 (2224, servers.dropbear(2224, "-T", "3"), "Bad password attempt for")):
        log = start_logged(seeing("sound", command), port)
        attack(f"tcp/{port}", declared=MANY)
        with open(log) as file:
            count = len(re.findall(f"{words} '?{USER}' ?|{words} {USER} ", file.read()))
        equal(count, BUDGET, f"{command[0]} on {port} counts the wrong passwords of {USER}")


def start_logged(command, port):
    number = len(daemons._running)
    daemons.start(command, port)
    return path(f"daemon{number}.log")


def locks():
    device = devices.serve(ADDRESS, 8221, devices.Device("lockout", UNKNOWN))
    seen, _ = attack("tcp/8221", declared=MANY)
    equal(seen["facts"]["credentials.lockout"]["observed"], True, "the account's lock is seen")
    equal(seen["facts"]["credentials.lockout"]["account"], USER, "whose lock it is")
    true(device.seen[USER] <= 5, f"a locked account is left alone: {device.seen}")


def asks_for_more():
    """A captcha after some wrong logins is a lock; a form without a name spends one account's budget."""
    device = devices.serve(ADDRESS, 8227, devices.Device("captcha later", UNKNOWN))
    seen, _ = attack("tcp/8227", declared=MANY)
    lockout = seen["facts"]["credentials.lockout"]
    true(lockout["observed"] and "captcha" in lockout["sign"], f"the captcha is seen: {lockout}")
    true(device.total <= 6, f"the device is left alone then: {device.total}")
    device = devices.serve(ADDRESS, 8228, devices.Device("no name", UNKNOWN))
    seen, _ = attack("tcp/8228", declared=MANY)
    true(0 < device.total <= BUDGET, f"the form without a name saw {device.total} logins")


def side_by_side():
    """On eight connections at once the same is found, also where a server turns away whoever is one too many, and no budget is exceeded."""
    for where, dialect in (("tcp/2101", "ftp"), ("tcp/1883", "mqtt"), ("tcp/2206", "ssh-password"), ("tcp/8201", "http-form"), ("tcp/1430", "imap")):
        seen, _ = attack(where, declared=SPREAD, connections=8)
        compare(f"{where} ({dialect}) on eight connections", seen, dialect, "accepted")
        equal([artifact["title"] for artifact in seen["artifacts"]].count("logins"), 9, f"{where}: each connection has a transcript")
    log = start_logged(seeing("sound", servers.sshd(2221, ED, "MaxStartups 3:50:6")), 2221)
    seen, _ = attack("tcp/2221", declared=MANY, connections=8)
    compare("sshd that turns some away", seen, "ssh-password", "refused")
    with open(log) as file:
        count = file.read().count(f"Failed password for {USER} ")
    true(0 < count <= BUDGET, f"sshd counts {count} wrong passwords of {USER}")


def fourth_of_a_name():
    """A right password that is the fourth of its name, where PAM has had enough after the third of a connection and no password is judged any more."""
    for port, lines in ((2225, []), (2226, ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"])):
        daemons.start(seeing("weak", servers.sshd(port, ED, *lines, pam="yes")), port)
        seen, _ = attack(f"tcp/{port}", declared=dut(["wrong-1", "wrong-2", "wrong-3", SECRET]))
        compare(f"sshd with PAM {' '.join(lines)}", seen, "ssh-password", "accepted")


def methods_by_name():
    """A server that takes no passwords of one name takes those of another: what is known of one name says nothing of the next."""
    mixed = write("dut-mixed.yaml", open(TRIED).read().replace(f'username: {USER}, password: "wrong-2"', 'username: guard, password: "wrong-2"'))
    daemons.start(seeing("weak", servers.sshd(2222, ED, "Match User guard", "PasswordAuthentication no", "KbdInteractiveAuthentication no")), 2222)
    seen, _ = attack("tcp/2222", declared=mixed)
    compare("sshd that takes no passwords of one name", seen, "ssh-password", "accepted")


# The spools and sockets of these have to be where the daemons look for them.
started = time.monotonic()
daemons.start_all([(command, port) for port, command, _, _ in SERVERS if command])
for _, _, command, _, _ in DATAGRAMS:
    daemons.start(command)
for port, habit, word, _ in HABITS:
    devices.serve(ADDRESS, port, devices.Device(habit, word))
for port, habit, word, _ in BASIC:
    devices.serve(ADDRESS, port, devices.Basic(habit, word))
for port, habit, word, _ in APIS:
    devices.serve(ADDRESS, port, devices.Api(habit, word))
peers.serve(ADDRESS, 5541, peers.camera_stream(USER, SECRET))
peers.serve(ADDRESS, 5542, peers.camera_stream(USER, UNKNOWN))
peers.serve(ADDRESS, 5543, peers.camera_stream(USER, SECRET, basic=True))
peers.serve(ADDRESS, 5544, peers.camera_stream(None, None))
rows = [(f"tcp/{port}", ADDRESS, dialect, expected) for port, _, dialect, expected in SERVERS]
rows += [(where, address, dialect, expected) for where, address, _, dialect, expected in DATAGRAMS]
rows += [(f"tcp/{port}", ADDRESS, "http-form", expected) for port, _, _, expected in HABITS]
rows += [(f"tcp/{port}", ADDRESS, "http-basic", expected) for port, _, _, expected in BASIC]
rows += [(f"tcp/{port}", ADDRESS, "http-json", expected) for port, _, _, expected in APIS]
rows += [("tcp/5541", ADDRESS, "rtsp-digest", "accepted"), ("tcp/5542", ADDRESS, "rtsp-digest", "refused"),
         ("tcp/5543", ADDRESS, "rtsp-basic", "accepted"), ("tcp/5544", ADDRESS, "rtsp", "open")]
opinions = [(2206, "ssh", SECRET), (2207, "ssh", None), (2101, "ftp", SECRET), (2102, "ftp", None), (1430, "imap", SECRET),
            (1101, "pop3", None), (5901, "vnc", SECRET), (6380, "redis", None)]
only = os.environ.get("ONLY", "")
failed, timed = [], []
with concurrent.futures.ThreadPoolExecutor(6) as pool:
    work = [pool.submit(one, row) for row in rows if only in str(row)]
    work += [pool.submit(task) for task in (budget_holds, locks, asks_for_more, side_by_side, fourth_of_a_name, methods_by_name) if not only or only in task.__name__]
    for done in work:
        try:
            timed.append(done.result() or (0, ""))
        except Exception as error:  # every row is looked at, then all that failed are told together
            failed.append(f"{type(error).__name__}: {error}")
    for done in [pool.submit(second_opinion, row) for row in opinions if not only]:
        try:
            done.result()
        except Exception as error:
            failed.append(f"{type(error).__name__}: {error}")
print("slowest", sorted(timed, reverse=True)[:6], "wall", round(time.monotonic() - started, 1))
true(not failed, "\n".join(failed))
print(f"checked {len(rows)} logins, and {len(opinions)} of them with hydra")
