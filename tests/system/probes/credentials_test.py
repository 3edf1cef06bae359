"""Default passwords of real logins are found where curl or the daemon's own log confirms them, and nowhere else."""

import base64
import os
import subprocess

import daemons
from daemons import ADDRESS, equal, path, true, write

daemons.own_namespace()
busybox = daemons.need("busybox")
curl = daemons.need("curl")
SECRET = "zlxx.7Q"


def attack(endpoint, passwords=(SECRET,), **settings):
    observation, kept = daemons.probe("credentials", endpoint, dut=daemons.dut([("maker", word) for word in passwords]), **settings)
    equal(observation["completion"], "completed", f"{endpoint}: {observation['error']}")
    text = str(observation) + kept
    true(SECRET not in text, f"{endpoint}: the password stands in the records")
    return observation


def accepted(observation):
    return [item["username"] for item in observation["facts"]["credentials.accepted"]]


def status(url, *arguments):
    command = [curl, "-sk", "-o", "/dev/null", "-w", "%{http_code}", *arguments, url]
    return subprocess.run(command, capture_output=True, text=True).stdout


def basic():
    os.makedirs(path("www"), exist_ok=True)
    write("www/index.html", "inside")
    write("weak.conf", f"/:maker:{SECRET}\n")
    write("sound.conf", "/:maker:Kq8-uncommon-0193\n")
    for port, conf in ((9101, "weak"), (9102, "sound")):
        daemons.start([busybox, "httpd", "-f", "-p", f"{ADDRESS}:{port}", "-h", path("www"), "-c", path(conf + ".conf")], port)
    seen = attack("tcp/9101")
    equal(seen["facts"]["credentials.dialect"], "http-basic", "dialect of httpd")
    equal(accepted(seen), ["maker"], "the weak login")
    equal(seen["facts"]["credentials.open"], False, "a login with a password is not open")
    equal(seen["facts"]["credentials.clear"], True, "without TLS")
    equal((status(f"http://{ADDRESS}:9101/", "-u", f"maker:{SECRET}"), status(f"http://{ADDRESS}:9101/", "-u", "maker:x")),
          ("200", "401"), "curl agrees")
    seen = attack("tcp/9102")
    equal(accepted(seen), [], "the sound login")
    true(seen["coverage"]["login"]["tried"] > 5, "candidates were tried")


def declared(pairs, limit):
    return daemons.dut(pairs, f"pace: {{login_attempts_per_account: {limit}}}\n")


def server_of(port, most):
    """nginx, which closes a connection after `most` requests, and its log: the count of its own."""
    log = path(f"{port}.log")
    write("logins", f"maker:{{PLAIN}}{SECRET}\n")
    conf = write(f"{port}.conf", f"""daemon off; master_process off; pid {path(f'{port}.pid')}; error_log {path('nginx.log')};
events {{ worker_connections 64; }}
http {{
  log_format own '$request_method $status $http_authorization';
  access_log {log} own;
  keepalive_requests {most};
  server {{ listen {ADDRESS}:{port}; root {path('www')}; location / {{ auth_basic "Hub"; auth_basic_user_file {path('logins')}; }} }}
}}
""")
    return daemons.start([daemons.need("nginx"), "-e", path("nginx.log"), "-c", conf], port), log


def counted(log):
    """Logins by user name."""
    counts = {}
    for line in open(log).read().splitlines():
        header = line.split(" ", 2)[2]
        if header.startswith("Basic "):
            user = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")[0]
            counts[user] = counts.get(user, 0) + 1
    return counts


def together():
    """Logins in one go, to a server that keeps its connections and to one that closes them: none is lost, and no account has more than the DUT file lets it."""
    limit = 3
    pairs = [(f"name{number % 9}", f"wrong-{number}") for number in range(24)] + [("maker", SECRET)]
    for port, most in ((9103, 1000), (9104, 7)):
        server, log = server_of(port, most)
        seen, kept = daemons.probe("credentials", f"tcp/{port}", dut=declared(pairs, limit), dictionary="", blank="false")
        server.terminate()
        server.wait(timeout=10)
        true(SECRET not in str(seen) + kept, f"{port}: the password stands in the records")
        told, counts = seen["coverage"]["login"], counted(log)
        equal(accepted(seen), ["maker"], f"{port}: the weak login; {told}")
        true("sent in one go" in kept, f"{port}: the server was not seen to keep the order")
        equal(told["tried"] + told["skipped_budget"], len(pairs), f"{port}: {told}")
        equal({user: count for user, count in counts.items() if count > limit}, {}, f"{port}: over the budget")
        equal(counts["maker"], 3, f"{port}: the right pair goes out twice, and a wrong password of the same name once")
        equal(sum(counts.values()), told["tried"] + told["controls"] + 1, f"{port}: what is told is what the server counted")
    server, log = server_of(9107, 1000)
    seen, _ = daemons.probe("credentials", "tcp/9107", dut=declared([("maker", f"wrong-{number}") for number in range(9)], limit), dictionary="", blank="false")
    server.terminate()
    server.wait(timeout=10)
    equal((seen["coverage"]["login"]["tried"], counted(log)["maker"]), (limit, limit), "the DUT file's budget holds against another profile of the command")


def digest():
    lighttpd = daemons.need("lighttpd")
    write("users", f"maker:{SECRET}\n")
    write("lighttpd.conf", f"""
server.document-root = "{path('www')}"
server.port = 9103
server.bind = "{ADDRESS}"
server.modules = ("mod_openssl", "mod_auth", "mod_authn_file")
ssl.engine = "enable"
ssl.pemfile = "{daemons.certificate()}"
auth.backend = "plain"
auth.backend.plain.userfile = "{path('users')}"
auth.require = ("/" => ("method" => "digest", "realm" => "hub", "require" => "valid-user"))
""")
    daemons.start([lighttpd, "-D", "-f", path("lighttpd.conf")], 9103)
    seen = attack("tcp/9103")
    equal(seen["facts"]["credentials.dialect"], "http-digest", "dialect of lighttpd")
    equal(seen["facts"]["credentials.clear"], False, "inside TLS")
    equal(accepted(seen), ["maker"], "the weak Digest login")
    # "/" has no index page here: the right password gets 403 there, which must not pass for a lockout.
    equal([status(f"https://{ADDRESS}:9103/{page}", "--digest", "-u", f"maker:{word}")
           for page, word in (("", SECRET), ("index.html", SECRET), ("index.html", "x"))], ["403", "200", "401"], "curl agrees")
    equal(seen["facts"]["credentials.lockout"]["observed"], False, "no lockout")


def telnet():
    if os.environ.get("ASSAY_TEST_NAMESPACE") != "own" or os.geteuid() != 0:
        return
    word = subprocess.run([daemons.need("openssl"), "passwd", "-6", SECRET], capture_output=True, text=True, check=True).stdout.strip()
    write("passwd", "root:x:0:0:root:/root:/bin/sh\nmaker:x:0:0:maker:/:/bin/sh\n")
    write("shadow", f"root:*:19000:0:99999:7:::\nmaker:{word}:19000:0:99999:7:::\n", 0o600)
    for name in ("passwd", "shadow"):
        subprocess.run(["mount", "--bind", path(name), "/etc/" + name], check=True)
    login = write("login.sh", f"#!/bin/sh\nexec {busybox} login\n", 0o755)
    daemons.start([busybox, "telnetd", "-F", "-b", ADDRESS, "-p", "9104", "-l", login], 9104)
    seen = attack("tcp/9104")
    equal(seen["facts"]["credentials.dialect"], "telnet", "dialect of telnetd")
    equal(accepted(seen), ["maker"], "the weak telnet login")
    equal(seen["coverage"]["login"]["unclear"], 0, "no unclear answers")
    seen = attack("tcp/9104", passwords=("wrong1", "wrong2", "wrong3", "wrong4"), dictionary="")
    equal((seen["coverage"]["login"]["tried"], seen["coverage"]["login"]["unclear"]), (4, 0), "wrong logins are clearly refused")
    equal(accepted(seen), [], "three seconds of silence are no success")


def open_shell():
    daemons.start([busybox, "telnetd", "-F", "-b", ADDRESS, "-p", "9105", "-l", "/bin/sh"], 9105)
    seen = attack("tcp/9105")
    equal(seen["facts"]["credentials.open"], True, "a shell without a login")
    equal(accepted(seen), [], "an open shell accepts no pair")


def no_login():
    daemons.start([busybox, "httpd", "-f", "-p", f"{ADDRESS}:9106", "-h", path("www")], 9106)
    seen = attack("tcp/9106")
    true("credentials.dialect" in seen["absent"], "a page without a login has no dialect")


checked, skipped = [], []
for part in (basic, together, digest, open_shell, no_login, telnet):
    try:
        part()
        checked.append(part.__name__)
    except SystemExit:
        skipped.append(part.__name__)
print("checked", ", ".join(checked), "" if not skipped else "; left out " + ", ".join(skipped))
