"""How real logins bear guessing: what daemons take without end, and what a guard in front of them does to whom."""

import concurrent.futures
import http.server
import os
import subprocess
import threading
import time

import daemons
import login_servers as servers
from daemons import ADDRESS, equal, path, true, write

daemons.own_namespace()
busybox = daemons.need("busybox")
SECRET = "zlxx.7Q"
OTHER = "127.0.0.9"


def dut(sources=False, guesses=40):
    lab = f"lab:\n  sources: [{OTHER}/32]\n" if sources else ""
    return daemons.dut(more=f"pace: {{profile: fast, guesses_per_login: {guesses}}}\n{lab}accounts: [{{role: owner, username: maker, secret: \"{SECRET}\"}}]\n")


def measure(endpoint, file=None, **settings):
    observation, kept = daemons.probe("resistance", endpoint, dut=file or dut(), **settings)
    equal(observation["completion"], "completed", f"{endpoint}: {observation['error']}")
    true(SECRET not in str(observation) + kept, f"{endpoint}: the password stands in the records")
    return observation["facts"], observation


def plain_http():
    """busybox httpd takes wrong passwords for ever: the whole budget of them, and no more by its own log."""
    os.makedirs(path("www"), exist_ok=True)
    write("www/index.html", "inside")
    write("httpd.conf", f"/:maker:{SECRET}\n")
    daemons.start([busybox, "httpd", "-f", "-vv", "-p", f"{ADDRESS}:9201", "-h", path("www"), "-c", path("httpd.conf")], 9201)
    facts, seen = measure("tcp/9201")
    equal(facts["resistance.dialect"], "http-basic", "dialect of httpd")
    equal(facts["resistance.account"], {"known": True, "role": "owner"}, "the account is a real one")
    equal((facts["resistance.reaction"]["seen"], facts["resistance.reaction"]["after"]), (False, 33), "no reaction")
    equal(facts["resistance.right_password"]["in_attack"], True, "the right password")
    equal(facts["resistance.rate"]["by_device"], False, "nothing but our pace")
    true(facts["resistance.rate"]["per_day_low"] > 10_000, f"rate {facts['resistance.rate']}")
    true("more than 33 was not looked for" in facts["resistance.rate"]["basis"], f"how far it was looked: {facts['resistance.rate']}")
    true(facts["resistance.attempts"] <= 40, "the budget")


def lighttpd_digest():
    lighttpd = daemons.need("lighttpd")
    write("users", f"maker:{SECRET}\n")
    write("lighttpd.conf", f"""
server.document-root = "{path('www')}"
server.port = 9202
server.bind = "{ADDRESS}"
server.modules = ("mod_auth", "mod_authn_file", "mod_accesslog")
accesslog.filename = "{path('access.log')}"
index-file.names = ("index.html")
auth.backend = "plain"
auth.backend.plain.userfile = "{path('users')}"
auth.require = ("/" => ("method" => "digest", "realm" => "hub", "require" => "valid-user"))
""")
    process = daemons.start([lighttpd, "-D", "-f", path("lighttpd.conf")], 9202)
    facts, seen = measure("tcp/9202", dut(guesses=20))
    equal(facts["resistance.dialect"], "http-digest", "dialect of lighttpd")
    equal(facts["resistance.reaction"]["seen"], False, "no reaction")
    true(17 <= facts["resistance.attempts"] <= 19, f"the pace's budget is spent, but for its reserve: {facts['resistance.attempts']}")
    process.terminate()
    process.wait()
    with open(path("access.log")) as log:
        asked = [line for line in log if '"GET ' in line]
    # One look without credentials, one for each login, and one for a new nonce after the right one.
    equal(len(asked), facts["resistance.attempts"] + 2, "the server's own count")


class Guarded(http.server.BaseHTTPRequestHandler):
    """A login that locks an address for some seconds after a few failures. Its counts are the server's own."""
    protocol_version = "HTTP/1.1"
    judged, failures, until = 0, {}, {}
    after, seconds = 5, 6

    def do_GET(self):
        given, source = self.headers.get("Authorization"), self.client_address[0]
        if given is None:
            return self.answer(401)
        Guarded.judged += 1
        now = time.monotonic()
        if now < self.until.get(source, 0):
            return self.answer(429)
        if given == Guarded.right:
            self.failures[source] = 0
            return self.answer(200)
        if self.until.pop(source, 0):
            self.failures[source] = 0
        self.failures[source] = self.failures.get(source, 0) + 1
        if self.failures[source] >= self.after:
            self.until[source] = now + self.seconds
        return self.answer(401)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="hub"')
        self.end_headers()

    def log_message(self, *_):
        pass


def lock_by_address():
    """A lock of the address: from another one the same account is guessed at again, and both counts agree."""
    subprocess.run(["ip", "address", "add", f"{OTHER}/8", "dev", "lo"], check=True)
    import base64
    Guarded.right = "Basic " + base64.b64encode(f"maker:{SECRET}".encode()).decode()
    server = http.server.ThreadingHTTPServer((ADDRESS, 9203), Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    facts, seen = measure("tcp/9203", dut(sources=True))
    reaction = facts["resistance.reaction"]
    equal((reaction["seen"], reaction["sign"], reaction["repeated"]), (True, "limited", True), f"reaction {reaction}")
    equal((reaction["bound"], reaction["afresh"]), ("source", "another address"), f"reaction {reaction}")
    equal(reaction["after"], 5, "threshold")
    equal(facts["resistance.right_password"]["in_attack"], False, "the right password is locked out too")
    recovery = facts["resistance.recovery"]
    true(recovery["seen"] and recovery["seconds_least"] <= 6 <= recovery["seconds_most"] + 0.5, f"recovery {recovery}")
    equal(facts["resistance.rate"]["by_device"], True, "held back by the device")
    true({ADDRESS, OTHER} <= set(Guarded.failures), "both addresses were seen by the server")
    equal(Guarded.judged, facts["resistance.attempts"], "the server counts what the probe says")
    true(Guarded.judged <= 40, "the budget")


def nginx_limit():
    """A real limiter: ten a minute with a burst of seventeen. Its own log says what it let through in the end."""
    nginx = daemons.need("nginx")
    write("nginx-users", f"maker:{{PLAIN}}{SECRET}\n")
    os.chmod(daemons.FOLDER, 0o755)
    conf = write("nginx.conf", f"""daemon off; master_process off; worker_processes 1; pid {path('nginx.pid')}; error_log {path('nginx-error.log')};
events {{}}
http {{
  log_format told '$msec $status $remote_user'; access_log {path('nginx-access.log')} told;
  client_body_temp_path {path('nginx-body')}; proxy_temp_path {path('nginx-proxy')}; fastcgi_temp_path {path('nginx-fastcgi')};
  uwsgi_temp_path {path('nginx-uwsgi')}; scgi_temp_path {path('nginx-scgi')};
  limit_req_zone $server_name zone=a:1m rate=10r/m;
  limit_req_status 429;
  server {{ listen {ADDRESS}:9207; server_name hub; root {path('www')}; index index.html;
    location / {{ limit_req zone=a burst=17 nodelay; auth_basic hub; auth_basic_user_file {path('nginx-users')}; }} }}
}}
""")
    daemons.start([nginx, "-c", conf, "-e", path("nginx-start.log")], 9207)
    facts, seen = measure("tcp/9207", dut(guesses=130))
    reaction, rate = facts["resistance.reaction"], facts["resistance.rate"]
    equal((reaction["seen"], reaction["sign"], reaction["repeated"]), (True, "limited", True), f"reaction {reaction}")
    equal(reaction["sooner"], True, "it fills up by and by")
    # Ten a minute are 14,400 a day.
    true(4_000 < rate["per_day_low"] <= 14_400 <= rate["per_day_high"] and rate["by_device"], f"rate {rate}")
    with open(path("nginx-access.log")) as log:
        lines = [line.split() for line in log]
    true(any(status == "429" for _, status, _ in lines), "nginx limited by its own log")
    # The bucket is empty: what asks next is held before any login is seen, and waited for.
    facts, seen = measure("tcp/9207", dut(guesses=12), recover=20)
    equal(facts["resistance.dialect"], "http-basic", "dialect behind a limiter that still holds")
    facts, seen = drained("tcp/9207")
    true("resistance.dialect" not in seen["absent"] and "status 429" in seen["unobserved"]["resistance.dialect"], f"{seen['unobserved']}")


def drained(endpoint):
    """Without any wait, right after the bucket was emptied."""
    import urllib.error
    import urllib.request
    for _ in range(40):
        try:
            urllib.request.urlopen(f"http://{ADDRESS}:{endpoint[4:]}/")
        except urllib.error.HTTPError:
            pass
    return measure(endpoint, dut(guesses=12), recover=0)


def telnet():
    """Three seconds for each login: what is returned measures them while the others run."""
    if os.environ.get("ASSAY_TEST_NAMESPACE") != "own" or os.geteuid() != 0:
        return lambda: None
    word = subprocess.run([daemons.need("openssl"), "passwd", "-6", SECRET], capture_output=True, text=True, check=True).stdout.strip()
    write("telnet-passwd", "root:x:0:0:root:/root:/bin/sh\nmaker:x:0:0:maker:/:/bin/sh\n")
    write("telnet-shadow", f"root:*:19000:0:99999:7:::\nmaker:{word}:19000:0:99999:7:::\n", 0o600)
    for name in ("passwd", "shadow"):
        subprocess.run(["mount", "--bind", path("telnet-" + name), "/etc/" + name], check=True)
    login = write("login.sh", f"#!/bin/sh\nexec {busybox} login\n", 0o755)
    daemons.start([busybox, "telnetd", "-F", "-b", ADDRESS, "-p", "9204", "-l", login], 9204)
    return measure_telnet


def measure_telnet():
    facts, seen = measure("tcp/9204", attempts=14, seconds=60, recover=0)
    equal(facts["resistance.dialect"], "telnet", "dialect of telnetd")
    equal(facts["resistance.reaction"]["seen"], False, "three seconds for each are as usual, and a new connection is free")
    rate = facts["resistance.rate"]
    true(15_000 < rate["per_day"] < 40_000, f"three seconds each: {rate}")


def ssh():
    """dropbear takes wrong passwords without end, by its own log; a server that takes keys alone is asked for no password."""
    if os.environ.get("ASSAY_TEST_NAMESPACE") != "own" or os.geteuid() != 0:
        return
    if subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], capture_output=True).returncode != 0:
        daemons.skip("sshd needs a folder of its own under /run")
    os.makedirs("/run/sshd", mode=0o755)
    os.chmod(daemons.FOLDER, 0o755)
    servers.accounts()
    equal(servers.SECRET, SECRET, "the account of the DUT file")
    log = path(f"daemon{len(daemons._running)}.log")
    daemons.start(servers.seeing("weak", servers.dropbear(9205)), 9205)
    keys = ["HostKey " + servers.ssh_key("ed25519"), "PasswordAuthentication no", "KbdInteractiveAuthentication no"]
    keys_log = path(f"daemon{len(daemons._running)}.log")
    daemons.start(servers.seeing("weak", servers.sshd(9206, *keys, "LogLevel VERBOSE")), 9206)
    facts, seen = measure("tcp/9205", attempts=26, seconds=30, recover=0)
    equal(facts["resistance.dialect"], "ssh-password", "dialect of dropbear")
    equal(facts["resistance.account"], {"known": True, "role": "owner"}, "the account is a real one")
    equal((facts["resistance.reaction"]["seen"], facts["resistance.reaction"]["after"]), (False, 19), "no reaction")
    equal(facts["resistance.right_password"]["in_attack"], True, "the right password")
    true({"resistance.let_in", "resistance.per_connection"} <= set(seen["absent"]), f"one connection for each login is no limit: {seen['absent']}")
    with open(log) as file:
        text = file.read()
    equal(text.count("Bad password attempt for 'maker'"), 19, "dropbear's own count of wrong passwords")
    equal(text.count("Password auth succeeded for 'maker'"), 2, "and of right ones")
    facts, seen = measure("tcp/9206", attempts=26, seconds=30, recover=0)
    equal((facts["resistance.dialect"], facts["resistance.attempts"]), ("ssh-password", 0), "keys alone: nothing is guessed")
    true({"resistance.reaction", "resistance.rate", "resistance.let_in"} <= set(seen["absent"]), f"keys alone: {seen['absent']}")
    with open(keys_log) as file:
        true("Failed password" not in file.read(), "sshd saw no password")


checked, skipped = [], []
with concurrent.futures.ThreadPoolExecutor() as pool:
    slow = pool.submit(telnet())
    for part in (plain_http, lighttpd_digest, lock_by_address, nginx_limit, ssh):
        try:
            part()
            checked.append(part.__name__)
        except SystemExit:
            skipped.append(part.__name__)
    slow.result()
print("checked telnet,", ", ".join(checked), "" if not skipped else "; left out " + ", ".join(skipped))
