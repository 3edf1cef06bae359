"""A change of a password on devices with rules of their own: the password of the DUT file comes back, or whoever tests is told where the one
that holds is; and a page application whose script sends a header."""

import http.server
import json
import os
import re
import secrets
import stat
import subprocess
import tempfile
import threading

import daemons
from daemons import ADDRESS, LIBRARY, equal, true, write

daemons.own_namespace()
OWN = "Wm4kP7xTz2qa"


class Hub(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, habit):
        super().__init__((ADDRESS, 0), Page)
        self.habit, self.password, self.past, self.inside, self.name, self.changes = habit, OWN, [OWN], {}, "Hub 2", 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def refuses(self, new):
        return (len(new) < 8 or not re.search("[A-Z]", new) or not re.search("[a-z]", new) or not re.search("[0-9]", new)
                or (self.habit == "max12" and len(new) > 12) or (self.habit == "nospecial" and not new.isalnum())
                or (self.habit == "history" and new in self.past[-5:]) or (self.habit == "minage" and self.changes > 0))


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, kind="application/json", cookies=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for cookie in cookies:
            self.send_header("Set-Cookie", f"{cookie}; Path=/; SameSite=Strict")
        self.end_headers()
        self.wfile.write(data)

    def session(self):
        found = re.search(r"sid=(\w+)", self.headers.get("Cookie", ""))
        return self.server.inside.get(found.group(1)) and found.group(1) if found else None

    def do_GET(self):
        if not self.path.startswith("/api/"):
            return self.answer(200, b"<html><body><div id=app></div></body></html>", "text/html")
        if not self.session():
            return self.answer(401, {"error": "login"})
        return self.answer(200, {"name": self.server.name} if self.path == "/api/name" else {"uptime": 12})

    def do_POST(self):
        hub = self.server
        data = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
        if self.path == "/api/login":
            if data.get("user") != "maker" or data.get("password") != hub.password:
                return self.answer(401, {"error": "login"})
            name, token = secrets.token_hex(16), secrets.token_hex(16)
            hub.inside[name] = token
            return self.answer(200, {}, cookies=(f"sid={name}; HttpOnly", f"token={token}"))
        if not self.session():
            return self.answer(401, {"error": "login"})
        if hub.habit == "header" and self.headers.get("X-Token") != hub.inside[self.session()]:
            return self.answer(403, {"error": "token"})
        if self.path == "/api/logout":
            hub.inside.pop(self.session())
        elif self.path == "/api/name":
            hub.name = data["name"]
        elif self.path == "/api/password":
            new = data.get("new", "")
            if data.get("old") != hub.password or hub.refuses(new):
                return self.answer(422, {"error": "refused"})
            hub.password, hub.changes = new, hub.changes + 1
            hub.past.append(new)
            hub.inside = {self.session(): hub.inside[self.session()]}
        return self.answer(200, {})

    def log_message(self, *_):
        pass


def dut_for(hub, extra=""):
    return write(f"dut-{hub.server_port}.yaml", f"""assay: dut/1
device: {{vendor: Example, model: Hub}}
samples:
  - {{id: A, at: {{lan: {ADDRESS}}}}}
scope: [{ADDRESS}/32]
pace: {{profile: fast}}
accounts:
  - {{role: owner, username: maker, secret: {OWN}}}
logins:
  - {{port: tcp/{hub.server_port}, path: /api/login, body: '{{"user": "{{username}}", "password": "{{password}}"}}', check: /api/status}}
web:
  - port: tcp/{hub.server_port}
    log_out: {{path: /api/logout, body: '{{}}'{extra}}}
    setting: {{path: /api/name, body: '{{"name": "{{value}}"}}', read: /api/name, value: Hub 2{extra}}}
    change_password: {{path: /api/password, body: '{{"old": "{{old}}", "new": "{{password}}"}}'}}
    pages: [{{path: /settings}}, {{path: /api/status}}]
""")


def look(probe, hub, extra=""):
    """The observation, what was said to the person, and the folder of its artifacts."""
    folder = tempfile.mkdtemp(dir=daemons.FOLDER)
    command = [os.environ["ASSAY"], "probe", probe, ADDRESS, "--library", LIBRARY, "--json", "--artifacts", folder, "--capture", "off",
               "--dut", dut_for(hub, extra), "--endpoint", f"tcp/{hub.server_port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    seen = json.loads(done.stdout)
    equal(seen["completion"], "completed", str(seen["error"]))
    return seen, done.stderr, folder


def left_in(folder):
    return [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("passwords-left")]


LAX = {"short", "listed", "doubled"}  # no rule of these devices is about lists or equal characters, and 9 will do; only one knows its past
for habit, length, weak in (("sound", 14, LAX | {"previous"}), ("max12", 12, LAX | {"previous"}), ("nospecial", 12, {"previous"}), ("history", 14, LAX)):
    hub = Hub(habit)
    seen, said, folder = look("password_change", hub)
    facts = seen["facts"]
    equal(facts["password.change"]["taken"], True, habit)
    equal(facts["password.change"]["length"], length, f"{habit}: the strongest that is taken")
    equal(facts["password.again"], True, habit)
    equal(facts["password.restored"], True, habit)
    equal({one["kind"] for one in facts["password.weak"] if one["taken"]}, weak, f"{habit}: weak ones")
    equal(hub.password, OWN, f"{habit}: the device's password")
    equal(left_in(folder), [], f"{habit}: nothing is left")
    true("password other than" not in said, said)

hub = Hub("minage")
seen, said, folder = look("password_change", hub)
facts = seen["facts"]
equal(facts["password.restored"], False, "too early to change it again")
equal(facts["password.again"], False, "nothing more is taken")
true("password.weak" in seen["unobserved"] and "password.old_asked" in seen["unobserved"], str(seen["unobserved"]))
true(hub.password != OWN, "the device has another password")
files = left_in(folder)
equal(len(files), 1, "the file with it")
equal(stat.S_IMODE(os.stat(files[0]).st_mode), 0o600, "nobody else reads it")
account = json.load(open(files[0]))["accounts"][0]
equal((account["account"], account["holds"]), ("maker", hub.password), "what the file says")
true("maker" in said and files[0] in said, f"whoever tests is told: {said}")
others = "".join(open(os.path.join(folder, name), errors="replace").read() for name in os.listdir(folder) if not name.startswith("passwords-left"))
true(hub.password not in others + said + json.dumps(seen), "it stands nowhere else")

# A script of the page sends a token in a header.
hub = Hub("header")
seen, _, _ = look("web_session", hub)
true("403" in seen["unobserved"]["web.forgery"] and "403" in seen["unobserved"]["web.logout"], str(seen["unobserved"]))
seen, _, _ = look("web_session", hub, extra=", headers: ['X-Token: {token}'], token: cookie token")
facts = seen["facts"]
forgery = facts["web.forgery"]
equal((forgery["control"], forgery["missing"], forgery["other_session"], forgery["foreign_page"], forgery["tokens"]),
      (True, False, False, False, ["X-Token"]), "a sound token")
equal(facts["web.logout"]["ended"], True, "logging out")
equal([(page["path"], page["declared"], page["shell"]) for page in facts["web.open"] if page["path"] == "/settings"], [("/settings", True, True)],
      "the frame of the application")
print("checked")
