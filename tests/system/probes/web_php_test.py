"""Sessions of real PHP behind lighttpd: with its defaults an id is kept and one that nobody gave is taken, with care neither; and pages
behind the Basic login of lighttpd, where nothing outlives a request."""

import os
import subprocess

import daemons
from daemons import ADDRESS, equal, path, true, write

daemons.own_namespace()
lighttpd, php, curl = daemons.need("lighttpd"), daemons.need("php-cgi"), daemons.need("curl")
SECRET = "zlxx.7Q-long"
OWNER = daemons.dut(more=f"accounts: [{{role: owner, username: maker, secret: \"{SECRET}\"}}]\n")
CARE = """ini_set('session.use_strict_mode', '1');
session_set_cookie_params(['httponly' => true, 'samesite' => 'Strict', 'path' => '/']);
"""
APP = """<?php
ini_set('session.save_path', '{store}');
{care}session_start();
$renew = {renew};
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$in = isset($_SESSION['user']);
if ($_SERVER['REQUEST_METHOD'] === 'POST' && isset($_POST['word'])) {{
  if (hash_equals('{secret}', $_POST['word'])) {{
    if ($renew) {{ session_regenerate_id(true); }}
    $_SESSION['user'] = $_POST['name'];
    header('Location: /index.php?home');
    exit;
  }}
  echo '<p>Sorry.</p>';
}}
if (isset($_GET['logout'])) {{ $_SESSION = []; session_destroy(); header('Location: /index.php'); exit; }}
if ($in && isset($_GET['data'])) {{ header('Content-Type: application/json'); echo '{{"lamps": 2}}'; exit; }}
if ($in) {{ ?><html><body><h1>Home</h1><p>Two lamps and a lock.</p><a href="/index.php?data">Data</a> <a href="/index.php?logout">Log out</a></body></html><?php exit; }}
?><html><body><h1>Welcome</h1><form method="post" action="/index.php"><input name="name"><input type="password" name="word"><button>Go</button></form></body></html>
"""


def serve(port, name, care):
    os.makedirs(path(f"{name}/www"))
    os.makedirs(path(f"{name}/store"))
    write(f"{name}/www/index.php", APP.format(store=path(f"{name}/store"), care=CARE if care else "", renew="true" if care else "false", secret=SECRET))
    conf = write(f"{name}/lighttpd.conf", f"""
server.document-root = "{path(name + '/www')}"
server.bind = "{ADDRESS}"
server.port = {port}
server.modules = ("mod_cgi")
cgi.assign = (".php" => "{php}")
index-file.names = ("index.php")
""")
    daemons.start([lighttpd, "-D", "-f", conf], port)


def look(port):
    seen, kept = daemons.probe("web_session", f"tcp/{port}", dut=OWNER, logins=6)
    equal(seen["completion"], "completed", f"{port}: {seen['error']}")
    true(SECRET not in str(seen) + kept, f"{port}: the password stands in the records")
    return seen["facts"], seen, kept


def by_curl(port):
    """Whether an id that nobody gave is good after a login that brings it along."""
    cookie = "PHPSESSID=abcdefghijklmnopqrstuvwx"
    base = f"http://{ADDRESS}:{port}/index.php"
    subprocess.run([curl, "-s", "-b", cookie, "-d", f"name=maker&word={SECRET}", base], capture_output=True, check=True)
    return "lamps" in subprocess.run([curl, "-s", "-b", cookie, base], capture_output=True, text=True, check=True).stdout


for port, name, care in ((9301, "plain", False), (9302, "careful", True)):
    serve(port, name, care)
    facts, seen, kept = look(port)
    equal(facts["web.login"], "http-form", name)
    equal(facts["web.carrier"], "cookie", name)
    cookie = [one for one in facts["web.cookies"] if one["session"]]
    equal([one["name"] for one in cookie], ["PHPSESSID"], name)
    equal((cookie[0]["http_only"], cookie[0]["same_site"]), (care, "strict" if care else ""), name)
    equal(facts["web.fixation"]["kept"], not care, f"{name}: {facts['web.fixation']}")
    equal(facts["web.fixation"]["takes_invented"], by_curl(port), f"{name}: curl and the probe agree")
    equal(facts["web.fixation"]["takes_invented"], not care, name)
    equal(facts["web.tokens"]["relations"], [], f"{name}: {facts['web.tokens']}")
    true(facts["web.tokens"]["bits_at_most"] > 100, f"{name}: {facts['web.tokens']}")
    equal((facts["web.logout"]["ended"], facts["web.logout"]["browser_out"]), (True, True), f"{name}: {facts['web.logout']}")
    equal(facts["web.open"], [], name)
    for file in os.listdir(path(f"{name}/store")):
        true(file.removeprefix("sess_") not in str(seen) + kept, f"{name}: an id stands in the records: {file}")

os.makedirs(path("basic/www"))
write("basic/www/index.html", '<html><a href="/status.html">Status</a></html>')
write("basic/www/status.html", "<html>Two lamps</html>")
write("basic/users", f"maker:{SECRET}\n")
conf = write("basic/lighttpd.conf", f"""
server.document-root = "{path('basic/www')}"
server.bind = "{ADDRESS}"
server.port = 9303
server.modules = ("mod_auth", "mod_authn_file")
index-file.names = ("index.html")
mimetype.assign = (".html" => "text/html")
auth.backend = "plain"
auth.backend.plain.userfile = "{path('basic/users')}"
auth.require = ("/index" => ("method" => "basic", "realm" => "hub", "require" => "valid-user"),
                "/" => ("method" => "basic", "realm" => "hub", "require" => "valid-user"))
""")
daemons.start([lighttpd, "-D", "-f", conf], 9303)
facts, seen, kept = look(9303)
equal((facts["web.login"], facts["web.carrier"]), ("http-basic", "request"), str(facts))
true("web.tokens" in seen["absent"] and "web.logout" in seen["absent"], f"there are no sessions: {seen['absent']}")
equal((facts["web.pages"]["roles"], facts["web.open"]), ({"owner": 2}, []), f"pages of the owner: {facts['web.pages']}")
