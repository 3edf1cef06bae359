"""Scripted web interfaces with the habits of real devices: each counts the logins that it saw, by account."""

import base64
import gzip
import http.server
import json
import re
import secrets
import threading
import urllib.parse
import zlib

USER, SECRET = "maker", "zlxx.7Q"
FORM = ('<html><head><title>Hub</title></head><body><form method="post" action="/login"><input type="hidden" name="token" value="{token}">'
        '<input name="user"><input type="password" name="pass"><input type="submit" name="go" value="Sign in"></form>{note}</body></html>')
HOME = "<html><body><table><tr><td>Uptime</td><td>12 days</td></tr><tr><td>Radio</td><td>on</td></tr></table></body></html>"
RADIO = ('<html><body><h1>Quick setup</h1><form method="post" action="/radio"><input name="ssid" value="Home"><input type="password" name="key">'
         '</form></body></html>')
CHOOSE = '<html><body><h1>First steps</h1><form method="post" action="/choose"><input type="password" name="new"></form></body></html>'
ANOTHER = ('<html><body><form method="post" action="/change"><input type="password" name="new"><input type="password" name="again"></form>'
           '<a href="/logout">Log out</a>{more}</body></html>')
FAILED = '<html><body><p>Sign in did not work.</p><a href="/">Back</a></body></html>'
PUZZLE = '<img src="/captcha.png"><input name="captcha">'
# What a visitor gets at "/" where the form stands at /login.html.
FRONT = {"link": '<h1>Cam</h1><a href="/reboot.cgi">Restart</a><a href="/login.html">Sign in</a>', "frame": '<frameset rows="*"><frame src="/login.html"></frameset>'}
# Where logins go, if not to the action of the form as it stands: the head of the page, the form, its button.
ELSEWHERE = {"base": ('<base href="/cgi/">', 'method="post" action="login"', ""),
             "button": ("", 'action="/search"', 'formaction="/cgi/login" formmethod="post"'),
             "base away": ('<base href="http://192.0.2.99/">', 'method="post" action="login"', "")}
# How a device sends its pages that keeps them compressed, whatever it was asked for; "deflate" as zlib writes it and as its name says.
PACKED = {"gzip": ("gzip", gzip.compress), "deflate": ("deflate", zlib.compress), "bare deflate": ("deflate", lambda page: zlib.compress(page)[2:-4]),
          "brotli": ("br", lambda page: page[::-1])}
LOCKED = "<p>This account is locked, try again later.</p>"


class Device:
    """One device: what it answers to a login, and whom it lets see its pages."""

    def __init__(self, habit, password=SECRET):
        self.habit, self.password = habit, password
        self.seen = {}        # account -> logins
        self.tokens = {}      # session -> token of the form
        self.inside = set()   # sessions that have logged in
        self.failed = set()   # sessions whose last login failed
        self.total = 0
        self.place = "/cgi/login" if habit in ELSEWHERE else "/login"

    def form(self, session, note=""):
        self.tokens[session] = secrets.token_hex(8)
        page = FORM.format(token=self.tokens[session], note=note)
        if self.habit == "tel and domain":
            page = page.replace('<input name="user">', '<input type="tel" name="user"><input name="domain" value="local">')
        if self.habit == "no name":
            page = page.replace('<input name="user">', "")
        if self.habit in ELSEWHERE:
            head, form, button = ELSEWHERE[self.habit]
            page = page.replace("<title>", head + "<title>").replace('method="post" action="/login"', form).replace('type="submit"', 'type="submit" ' + button)
        if self.habit == "captcha":
            page = page.replace('<input type="submit"', PUZZLE + '<input type="submit"')
        return 200, {}, page

    def page(self, session, path):
        if session in self.inside and self.habit == "forced":
            return (200, {}, ANOTHER.format(more="")) if path == "/change" else (302, {"Location": "/change"}, "")
        if session in self.inside and self.habit == "change beside":
            return 200, {}, HOME if path == "/status" else ANOTHER.format(more='<a href="/status">Status</a>')
        if session in self.inside:
            return 200, {}, {"radio": RADIO, "choose": CHOOSE}.get(self.habit, HOME)
        if session in self.failed and path == "/failed":
            return 200, {}, FAILED
        if self.habit in FRONT:
            return self.form(session) if path == "/login.html" else (200, {}, FRONT[self.habit]) if path == "/" else (302, {"Location": "/"}, "")
        if path == "/":
            return self.form(session)
        if path in ("/done.html", "/figures.html", "/failed"):
            return 302, {"Location": "/"}, ""
        return 404, {}, "not here"

    def login(self, session, fields):
        user = fields.get("user", "")
        self.seen[user] = self.seen.get(user, 0) + 1
        self.total += 1
        right = (user == USER or self.habit == "no name") and fields.get("pass") == self.password
        right = right and fields.get("domain") == ("local" if self.habit == "tel and domain" else None)
        if fields.get("token") != self.tokens.pop(session, None) or fields.get("go") != "Sign in":
            return 403, {}, "forged"
        if self.habit == "anybody":
            right = True
        if self.habit == "lockout" and self.seen[user] > 3:
            return self.form(session, LOCKED)
        if self.habit == "captcha" or (self.habit == "captcha later" and self.total > 4):
            return self.form(session, "<p>Sorry.</p>" + PUZZLE)
        if self.habit == "drops" and self.total % 3 == 0 and not right:
            return None
        if right:
            self.inside.add(session)
        return self.answer(session, right)

    def answer(self, session, right):
        if self.habit == "always redirect":
            return 302, {"Location": "/"}, ""
        if self.habit == "always the same":
            return 200, {}, "<html><body><p>Thank you, the request was carried out.</p></body></html>"
        if self.habit == "no marker":
            rows = "<tr><td>a</td><td>17</td></tr>" if right else "<tr><td>b</td><td>18</td></tr>"
            return 200, {}, f'<html><body><table>{rows}</table><a href="/figures.html">more</a></body></html>'
        if right:
            return (200, {}, HOME) if self.habit == "always 200" else (302, {"Location": "/done.html"}, "")
        if self.habit == "flash":
            self.failed.add(session)
            return 302, {"Location": "/failed"}, ""
        return self.form(session, "<p>Sorry.</p>")


class Api:
    """A JSON interface: a token or a cookie carries the session; it may say no with status 200 in the body alone."""

    def __init__(self, habit, password=SECRET):
        self.habit, self.password, self.inside, self.seen = habit, password, set(), {}

    def authorised(self, session, headers):
        given = headers.get("X-Token", "") if self.habit == "token" else session
        return given in self.inside

    def page(self, session, path, headers):
        if path != "/api/status":
            return 404, {}, "{}"
        if self.authorised(session, headers):
            return 200, {}, json.dumps({"code": 0, "data": {"uptime": 12, "radio": True}})
        return (200, {}, json.dumps({"code": 401, "message": "login first"})) if self.habit == "always 200" else (401, {}, "{}")

    def login(self, session, body):
        try:
            given = json.loads(body)
        except ValueError:
            return 400, {}, "{}"
        user = given.get("user", "")
        self.seen[user] = self.seen.get(user, 0) + 1
        if (user, given.get("secret")) != (USER, self.password):
            return (200, {}, json.dumps({"code": 1, "message": "wrong"})) if self.habit == "always 200" else (401, {}, "{}")
        token = secrets.token_hex(12)
        self.inside.add(token if self.habit == "token" else session)
        return 200, {}, json.dumps({"code": 0, "data": {"token": token}})


class Basic:
    """A page behind HTTP Basic: a visitor is asked (401), and a wrong login gets what the habit says. Counts the wrong logins."""

    WRONG = {"says no": (200, {}, "<html><body><h2>Zugriff verweigert</h2><p>Benutzername oder Kennwort falsch.</p></body></html>"),
             "sent away": (302, {"Location": "/error.html"}, ""), "not found": (404, {}, "no"), "limited": (503, {}, "")}

    def __init__(self, habit, password=SECRET, user=USER):
        self.habit, self.password, self.user, self.seen = habit, password, user, {}

    def answer(self, path, header, number):
        """`number`: of the logins of this connection."""
        asked = (401, {"WWW-Authenticate": 'Basic realm="hub"'}, "who")
        if not header.startswith("Basic "):
            return asked
        user, _, word = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        if self.habit == "anybody":
            return (200, {}, HOME) if path == "/" else (404, {}, "not here")
        if (user, word) == (self.user, self.password):
            return (302, {"Location": "/change_password.html"}, "") if self.habit == "first steps" else (200, {}, HOME)
        self.seen[user] = self.seen.get(user, 0) + 1
        if self.habit == "drops" and number % 2 == 0:
            return None
        if self.habit == "limited" and sum(self.seen.values()) <= 6:
            return asked
        return self.WRONG.get(self.habit, asked)


def basic_handler(device):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20
        logins = 0

        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self.logins += 1 if self.headers.get("Authorization") else 0
            answer = device.answer(self.path, self.headers.get("Authorization", ""), self.logins)
            if answer is None:
                self.close_connection = True
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body.encode())

        do_HEAD = do_GET

    return Handler


def handler(device):
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 20

        def log_message(self, *arguments):
            pass

        def session(self):
            found = re.search(r"sid=(\w+)", self.headers.get("Cookie", ""))
            return found.group(1) if found else ""

        def reply(self, answer, session):
            if answer is None:
                self.close_connection = True
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if session != self.session():
                self.send_header("Set-Cookie", f"sid={session}; Path=/; HttpOnly")
            body = body.encode()
            if getattr(device, "habit", "") in PACKED and body:
                coding, pack = PACKED[device.habit]
                body = pack(body)
                self.send_header("Content-Encoding", coding)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            session = self.session() or secrets.token_hex(8)
            extra = [self.headers] if isinstance(device, Api) else []
            self.reply(device.page(session, self.path, *extra), session)

        def do_POST(self):
            session = self.session() or secrets.token_hex(8)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            fields = body if isinstance(device, Api) else dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
            missed = isinstance(device, Device) and self.path != device.place
            self.reply((404, {}, "not here") if missed else device.login(session, fields), session)

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def serve(address, port, device):
    server = Server((address, port), basic_handler(device) if isinstance(device, Basic) else handler(device))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return device
