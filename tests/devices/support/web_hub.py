"""A web interface with sessions, two roles, a setting, a change of password and a set-up, and one flaw for each port.

usage: web_hub.py ADDRESS PORT=FLAW[,FLAW]…
sound            none
script-cookie    the cookie is open to scripts, and has neither SameSite nor no-store beside it
fixation         the visitor's id is the one of the session
invented         an id that nobody gave is taken
counter          ids count up
clock            ids of who is signed in are a hash of the time in seconds
logout-keeps     logging out takes the cookie away and leaves the session
no-token         changes need no token
any-token        a token of any session will do
open-page        the page of settings is shown to everybody
open-setting     and what it sends is obeyed without a session
open-role        the page of users is shown to every role
open-call        a call that only a script names is answered to everybody
open-described   a call that only the description of the API names is answered to everybody
open-role-call   a call about users is answered to every role
open-backup      the exported settings are given to everybody
json-plain       a call that changes the name takes what a form of another site can send
json-foreign     the same, and the cookie goes along with what other sites send
json-origin      a call takes what other sites send unless they say where they are
lax              the cookie is SameSite=Lax (no defect by itself)
get              the name is changed by GET, without a token
get-token        the same by a form with a token (no defect)
link-token       the same by a link with a token (no defect)
plain-form       the form has no token, and needs none
any-method       what the form sends by POST is taken by GET too
address-token    the token stands in the address of the form (no defect)
guarded          who says that another site sent him is refused, who says nothing is not
part-call        a call gives visitors another part of its data
error-call       calls answer visitors with status 200 and an error (no defect)
script-session   the id is told, and a script of the page makes it a cookie
short-id         ids are of chance, and short
endless          an idle session does not end
one-session      a login ends the session before it (no defect)
old-password     the old password goes on beside the new one
old-sessions     sessions go on after a change of the password
no-old           the change does not ask for the old password
any-password     every password will do
refuses-all      no password will do
eight            8 characters will do where 10 are wanted
factory          not set up yet: nothing but the set-up works
factory-open     not set up yet, and everybody may change settings
"""
import hashlib
import html
import http.server
import json
import re
import secrets
import socket
import sys
import threading
import time
import urllib.parse

ADMIN, USER = ("admin", "Wm4-kP7x-Tz2q"), ("guest", "Rb6-yN3v-Jd8s")
IDLE_SECONDS = 18
LISTED = {"password", "password123!", "welcome123!", "12345678", "admin123"}
PAGE = "<!doctype html><html><head><title>Hub</title></head><body>{}</body></html>"
LOGIN = ('<h1>Welcome</h1><form method="post" action="/login"><input name="user"><input type="password" name="pass">'
         '<button>Sign in</button></form><p>New here? See the <a href="/help.html">help</a>.</p>')
SET_UP = ('<h1>First start</h1><p>Choose a password for the account admin.</p><form method="post" action="/setup">'
          '<input type="password" name="new"><input type="password" name="again"><button>Begin</button></form>')
SCRIPT = "const load = () => fetch('/api/lamps').then(r => r.json()); const who = '/api/users'; const stop = '/api/reset';"
CALLS = {
    "/api/lamps": {"lamps": [1, 0]}, "/api/rooms": {"rooms": ["hall"]}, "/api/users": {"users": ["admin", "guest"]},
    "/backup.json": {"name": "Hub 2", "lamps": [1, 0]},
    "/openapi.json": {"openapi": "3.0.0", "servers": [{"url": "/api"}], "paths": {"/rooms": {"get": {}}, "/rooms/{id}": {"get": {}}, "/reset": {"post": {}}}},
}
OPEN_CALLS = {"/api/lamps": "open-call", "/api/rooms": "open-described", "/backup.json": "open-backup"}
HELP = "<h1>Help</h1><p>The password is printed below the stand. Lamps blink while an update runs.</p>"


def weak(password, user, old, least=10):
    """Why a password is refused; empty: it is taken."""
    if len(password) < least:
        return "too short"
    if password.lower() in LISTED:
        return "too common"
    if sum(bool(re.search(kind, password)) for kind in ("[A-Z]", "[a-z]", "[0-9]", "[^A-Za-z0-9]")) < 2:
        return "all of one kind"
    if re.search(r"(.)\1", password):
        return "too regular"
    return "the name or the old password" if password in (user, old) else ""


class Hub:
    """One device: accounts, sessions, a name, and what is wrong with it."""

    def __init__(self, flaws):
        self.flaws, self.lock = flaws, threading.RLock()
        self.passwords, self.old = dict([ADMIN, USER]), {}
        self.sessions, self.count, self.name = {}, 4711, "Hub 2"
        self.ready = not any(flaw.startswith("factory") for flaw in flaws)

    def has(self, flaw):
        return flaw in self.flaws

    def new_id(self, user):
        self.count += 1
        if self.has("counter"):
            return f"{self.count:08d}"
        if self.has("clock") and user:
            return hashlib.md5(str(int(time.time())).encode()).hexdigest()
        return secrets.token_hex(3 if self.has("short-id") else 16)

    def session(self, sid):
        """The session of an id: visitors have one too."""
        found = self.sessions.get(sid)
        if found is None and self.has("invented") and sid:
            found = self.sessions[sid] = self.empty()
        if found and found["user"] and time.monotonic() - found["last"] > IDLE_SECONDS and not self.has("endless"):
            del self.sessions[sid]
            found = None
        if found:
            found["last"] = time.monotonic()
        return found

    @staticmethod
    def empty():
        return {"user": "", "token": secrets.token_hex(8), "last": time.monotonic()}

    def right(self, user, password):
        return user in self.passwords and (self.passwords[user] == password or
                                           (self.has("old-password") and self.old.get(user) == password))

    def change(self, user, old, new):
        """Why a change is refused; empty: it was done."""
        if self.has("refuses-all"):
            return "not now"
        if not self.has("no-old") and not self.right(user, old):
            return "the old password is wrong"
        refused = "" if self.has("any-password") else weak(new, user, self.passwords[user], 8 if self.has("eight") else 10)
        if not refused:
            self.old[user], self.passwords[user] = self.passwords[user], new
            if not self.has("old-sessions"):
                for sid in [sid for sid, one in self.sessions.items() if one["user"] == user]:
                    del self.sessions[sid]
        return refused


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    hub = None

    def log_message(self, *_):
        pass

    def reply(self, status, body="", kind="text/html", **headers):
        data = (PAGE.format(body) if kind == "text/html" else body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if self.fresh is not None and not self.hub.has("script-session"):
            same_site = "" if self.hub.has("json-foreign") else "; SameSite=Lax" if self.hub.has("lax") else "; SameSite=Strict"
            flags = "; Path=/" if self.hub.has("script-cookie") else "; Path=/; HttpOnly" + same_site
            self.send_header("Set-Cookie", f"sid={self.fresh}{flags}" if self.fresh else f"sid=; Max-Age=0{flags}")
        if not self.hub.has("script-cookie"):
            self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin(self):
        found = re.search(r"sid=([\w-]+)", self.headers.get("Cookie", ""))
        self.sid = found.group(1) if found else ""
        self.fresh = None
        self.me = self.hub.session(self.sid)
        self.user = self.me["user"] if self.me else ""

    def give_session(self, user=""):
        """A new id, or with a flaw the one that the visitor has."""
        keeps = user and self.me is not None and (self.hub.has("fixation") or self.hub.has("invented"))
        if user and self.hub.has("one-session"):
            for sid in [sid for sid, one in self.hub.sessions.items() if one["user"] == user]:
                del self.hub.sessions[sid]
        if not keeps:
            self.sid = self.fresh = self.hub.new_id(user)
            self.me = self.hub.sessions[self.sid] = self.hub.empty()
        self.me["user"] = user

    def do_GET(self):
        with self.hub.lock:
            self.begin()
            place = urllib.parse.urlsplit(self.path)
            fields = dict(urllib.parse.parse_qsl(place.query, keep_blank_values=True))
            if place.path == "/set" and self.hub.flaws & {"get", "get-token", "link-token"}:
                return self.settings(fields)
            if place.path == "/settings" and self.hub.has("any-method"):
                return self.settings(fields)
            self.page(place.path)

    def page(self, path):
        if path in ("/", "/login"):
            if self.user:
                return self.reply(302, Location="/home.html")
            if self.me is None:
                self.give_session()
            return self.reply(200, LOGIN if self.hub.ready else SET_UP)
        if path == "/help.html":
            return self.reply(200, HELP)
        if path == "/app.js":
            return self.reply(200, SCRIPT, "text/javascript")
        if not self.hub.ready and not (self.hub.has("factory-open") and path == "/settings.html"):
            return self.reply(302, Location="/")
        open_page = path == "/settings.html" and (self.hub.has("open-page") or self.hub.has("open-setting") or
                                                  self.hub.has("factory-open"))
        open_page = open_page or any(path == call and self.hub.has(flaw) for call, flaw in OPEN_CALLS.items())
        if not self.user and self.hub.has("error-call") and (path.startswith("/api/") or path.endswith(".json")):
            return self.reply(200, json.dumps({"error": {"code": 17, "text": "not logged in"}}), "application/json")
        if not self.user and self.hub.has("part-call") and path == "/api/lamps":
            return self.reply(200, json.dumps({"hall": True}), "application/json")
        if not self.user and not open_page:
            return self.reply(302, Location="/")
        if path == "/users.html" and self.user != ADMIN[0] and not self.hub.has("open-role"):
            return self.reply(403, "<p>Only for the administrator.</p>")
        return self.inner(path)

    def inner(self, path):
        hidden = f'<input type="hidden" name="token" value="{self.me["token"] if self.me else ""}">'
        hidden = "" if self.hub.has("plain-form") else hidden
        method, action, within = ("get", "/set", hidden) if self.hub.has("get-token") else ("post", "/settings", hidden)
        if self.hub.has("address-token"):
            action, within = f'/settings?token={self.me["token"] if self.me else ""}', ""
        setter = (f'<form method="{method}" action="{action}">{within}<input name="name" value="{html.escape(self.hub.name)}"><button>Store</button></form>'
                  if not self.hub.has("link-token") else
                  f'<p>{html.escape(self.hub.name)}</p><a href="/set?name=Hub+3&amp;token={self.me["token"] if self.me else ""}">Name it Hub 3</a>')
        users = '<a href="/users.html">Users</a> ' if self.user == ADMIN[0] else ""
        pages = {
            "/home.html": '<h1>Home</h1><p>Two lamps, one lock.</p><a href="/settings.html">Settings</a> ' + users +
                          '<script src="/app.js"></script><a href="/status.json">Status</a> <a href="/password.html">Password</a> <a href="/reboot">Restart</a>'
                          f'<form method="post" action="/logout">{hidden}<button>Log out</button></form>',
            "/settings.html": f"<h1>Settings</h1>{setter}",
            "/users.html": f'<h1>Users</h1><form method="post" action="/users">{hidden}<input name="guest"><button>Store</button></form>',
            "/password.html": f'<h1>Password</h1><form method="post" action="/password">{hidden}<input type="password" name="old">'
                              '<input type="password" name="new"><button>Store</button></form>',
        }
        if path in CALLS and (path != "/api/users" or self.user == ADMIN[0] or self.hub.has("open-role-call")):
            return self.reply(200, json.dumps(CALLS[path]), "application/json")
        if path == "/api/users":
            return self.reply(403, "{}", "application/json")
        if path == "/api/name":
            return self.reply(200, json.dumps({"name": self.hub.name}), "application/json")
        if path == "/status.json":
            return self.reply(200, json.dumps({"uptime": 12, "lock": "closed"}), "application/json")
        if path == "/reboot":
            self.hub.rebooted = True
        return self.reply(200, pages[path]) if path in pages else self.reply(404, "<p>Nothing here.</p>")

    def do_POST(self):
        with self.hub.lock:
            self.begin()
            body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), 65536)).decode(errors="replace")
            if self.path == "/api/name":
                return self.rename(body)
            if self.path == "/api/login" and self.hub.has("script-session"):
                return self.tell_id(json.loads(body))
            place = urllib.parse.urlsplit(self.path)
            fields = dict(urllib.parse.parse_qsl(f"{place.query}&{body}", keep_blank_values=True))
            {"/login": self.log_in, "/logout": self.log_out, "/settings": self.settings, "/password": self.password,
             "/setup": self.set_up}.get(place.path, lambda _: self.reply(404))(fields)

    def log_in(self, fields):
        if not self.hub.ready or not self.hub.right(fields.get("user"), fields.get("pass")):
            return self.reply(200, "<p>Sorry.</p>" + LOGIN)
        self.give_session(fields["user"])
        if self.hub.has("script-session"):
            return self.reply(200, f'<script>document.cookie = "sid={self.sid}; path=/; SameSite=Strict"; location = "/home.html"</script>')
        return self.reply(302, Location="/home.html")

    def tell_id(self, given):
        """The call behind a login page that is a script."""
        if not self.hub.right(given.get("user"), given.get("pass")):
            return self.reply(401, "{}", "application/json")
        self.give_session(given["user"])
        return self.reply(200, json.dumps({"token": self.sid}), "application/json")

    def allowed(self, fields):
        """The request is one that this session's own page made."""
        if self.hub.has("open-setting") or (self.hub.has("factory-open") and not self.hub.ready):
            return True
        if not self.user:
            return False
        sender = self.headers.get("Origin") or self.headers.get("Referer")
        if self.hub.has("guarded") and sender and urllib.parse.urlsplit(sender).netloc != self.headers.get("Host"):
            return False
        tokens = [one["token"] for one in self.hub.sessions.values()] if self.hub.has("any-token") else [self.me["token"]]
        return bool(self.hub.flaws & {"no-token", "plain-form", "get"}) or fields.get("token") in tokens

    def log_out(self, fields):
        if not self.allowed(fields):
            return self.reply(403, "<p>Forged.</p>")
        if not self.hub.has("logout-keeps"):
            self.hub.sessions.pop(self.sid, None)
        self.fresh = ""
        return self.reply(302, Location="/")

    def settings(self, fields):
        if not self.allowed(fields):
            return self.reply(403, "<p>Forged.</p>")
        self.hub.name = fields.get("name", self.hub.name)[:64]
        return self.reply(302, Location="/settings.html")

    def rename(self, body):
        """The call behind the page: no form of another site can say that it sends JSON."""
        abroad = self.headers.get("Origin", "null") not in ("null", f"http://{self.headers.get('Host')}")
        if abroad and self.hub.has("json-origin"):
            return self.reply(403, "{}", "application/json")
        if not self.user or (self.headers.get("Content-Type") != "application/json" and not self.hub.flaws & {"json-plain", "json-foreign", "json-origin"}):
            return self.reply(403, "{}", "application/json")
        self.hub.name = str(json.loads(body)["name"])[:64]
        return self.reply(200, "{}", "application/json")

    def password(self, fields):
        if not self.allowed(fields):
            return self.reply(403, "<p>Forged.</p>")
        refused = self.hub.change(self.user, fields.get("old", ""), fields.get("new", ""))
        if refused:
            return self.reply(200, f"<p>Not changed: {refused}.</p>")
        if self.sid not in self.hub.sessions:
            self.me = None
            self.give_session(self.user)
        return self.reply(302, Location="/home.html")

    def set_up(self, fields):
        new = fields.get("new", "")
        refused = "" if self.hub.has("any-password") else weak(new, ADMIN[0], "")
        if self.hub.ready or refused or new != fields.get("again"):
            return self.reply(200, f"<p>Not done: {refused}.</p>" + SET_UP)
        self.hub.passwords[ADMIN[0]], self.hub.ready = new, True
        self.give_session(ADMIN[0])
        return self.reply(302, Location="/home.html")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, port, flaws):
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), type("HandlerOfOne", (Handler,), {"hub": Hub(flaws)}))

    def server_bind(self):
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        http.server.HTTPServer.server_bind(self)


def main():
    address = sys.argv[1]
    servers = []
    for word in sys.argv[2:]:
        port, _, flaws = word.partition("=")
        servers.append(Server(address, int(port), set(flaws.split(","))))
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
