"""What a device tells in pieces, and what is made with its password, is in no plain file of a run: each byte of transcripts and packets is
searched, and the password is worked out from them as somebody would who has nothing else. Both succeed where secrets are revealed."""

import concurrent.futures
import os
import subprocess
import sys
import tempfile

import daemons
import leisure
import more_login_servers as servers
from daemons import ADDRESS, equal, path, true, write
from leisure import search

daemons.own_namespace()
os.chmod(daemons.FOLDER, 0o755)
if os.geteuid() != 0:
    daemons.skip("packets need root")
KEY = "Kx8-zed9Pa"
PIN, LONG = "7391", "hub-pin7391"
PINS = [f"{number:04d}" for number in range(10000)]
FEW = PINS[7350:7400]  # where one try takes milliseconds
PAGE, ECHO, DIGEST, CAMERA = 8001, 2301, 8002, 5541


def look(where, user, word, *more):
    """The files that a run of one login keeps, in a folder; the login is found."""
    folder = tempfile.mkdtemp(dir=daemons.FOLDER)
    dut = daemons.dut([(user, word)])
    done = subprocess.run([os.environ["ASSAY"], "probe", "credentials", ADDRESS, "--library", daemons.LIBRARY, "--endpoint", where, "--pace", "fast", "--dut", dut,
                           "--set", "dictionary=", "--set", "communities=", "--json", "--capture", "on", "--artifacts", folder, *more],
                          capture_output=True, text=True, timeout=280)
    true(f'"username":"{user}"' in done.stdout.replace(" ", "").replace("\n", ""), f"{where}: the login is found: {done.stdout[-3000:]}{done.stderr[-1000:]}")
    with open(os.path.join(folder, "observation.json"), "w") as file:
        file.write(done.stdout)
    return folder


def files(folder):
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            yield name, file.read()


def packets_of(data):
    return data[:4] == b"\x0a\x0d\x0d\x0a"


def in_pieces(where, *more):
    """`more`: forms beside the plain one in which the device tells it, which the search finds where it is revealed."""
    revealed = {(form, packets_of(open(os.path.join(folder, file), "rb").read())) for folder in [look(where, "maker", KEY, "--reveal-secrets")]
             for file, _, form in search(folder, [KEY])}
    wanted = {(form, packets) for form in ("plain", *more) for packets in (False, True)}
    true(wanted <= revealed, f"{where}: the search finds it where it is revealed: {revealed}")
    equal(search(look(where, "maker", KEY), [KEY]), [], f"{where}: places of the password")


def made_with(where, user, word, crack, words):
    told = {packets_of(data) for _, data in files(look(where, user, word, "--reveal-secrets")) if crack(leisure.messages(data), words) == word}
    equal(told, {True, False}, f"{where}: what is revealed, in transcripts and packets, tells the password")
    folder = look(where, user, word)
    for name, data in files(folder):
        equal(crack(leisure.messages(data), words), None, f"{where}: the password worked out from {name}")
    if len(word) > 4:
        equal(search(folder, [word]), [], f"{where}: places of the password")


def telling():
    script = os.path.join(os.environ["ASSAY_SOURCE_DIR"], "tests/system/secrets/telling.py")
    daemons.start([sys.executable, "-B", script, ADDRESS, KEY, str(PAGE), str(ECHO), "8003", "5542"], ECHO)
    daemons.start([sys.executable, "-B", script, ADDRESS, PIN, "8004", "2302", str(DIGEST), str(CAMERA)], CAMERA)


def page():
    in_pieces(f"tcp/{PAGE}", "upper case", "lower case", "first letter upper", "HEX with blanks")


def echo():
    in_pieces(f"tcp/{ECHO}", "upper case", "reversed")


def digest():
    made_with(f"tcp/{DIGEST}", "maker", PIN, leisure.digest_proof, PINS)


def camera():
    made_with(f"tcp/{CAMERA}", "maker", PIN, leisure.digest_proof, PINS)


def postgres():
    if not servers.postgres_tools():
        return "PostgreSQL is not installed"
    servers.SECRET = PIN
    server = servers.Postgres(5432)
    server.prepare()
    daemons.start(server.rules("scram-sha-256").command(), 5432)
    made_with("tcp/5432", "maker", PIN, leisure.scram_proof, FEW)
    return None


def controller():
    if not servers.found("ipmi_sim"):
        return "ipmi_sim is not installed"
    daemons.start(servers.controller(623, PIN))
    made_with("udp/623", servers.USER, PIN, leisure.session_code, PINS)
    return None


def agent():
    if not servers.found("snmpd"):
        return "snmpd is not installed"
    conf = write("hidden.conf", f"createUser hidden SHA {LONG} AES\nrouser hidden priv\nsysDescr Hub\n")
    os.makedirs(path("hidden"))
    daemons.start(["env", f"SNMP_PERSISTENT_DIR={path('hidden')}", "snmpd", "-f", "-Lo", "-C", "-c", conf, "-p", path("hidden.pid"), f"udp:{ADDRESS}:1611"])
    made_with("udp/1611", "hidden", LONG, leisure.scoped_text, ["hub-pin" + pin for pin in FEW])
    return None


telling()
only = os.environ.get("ONLY", "")
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    works = {work.__name__: pool.submit(work) for work in (page, echo, digest, camera, postgres, controller, agent) if only in work.__name__}
    for name, work in works.items():
        if left_out := work.result():
            print(f"left out: {name}: {left_out}")
