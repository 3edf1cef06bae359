"""Real daemons on the loopback of a network namespace of this script's own, and the probes run against them."""

import atexit
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ADDRESS = "127.0.0.1"
FOLDER = tempfile.mkdtemp(prefix="assay-probes-")
LIBRARY = os.path.join(os.environ.get("ASSAY_SOURCE_DIR", os.getcwd()), "testplans")
_running = []
_numbers = itertools.count()

# The laboratory's key of the tests, and not that of whoever runs them.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="assay-laboratory-")
atexit.register(shutil.rmtree, os.environ["XDG_CONFIG_HOME"], ignore_errors=True)


def skip(reason):
    print("skipped:", reason)
    raise SystemExit(77)


def own_namespace():
    """Starts the script again with a network and mounts of its own, so that ports are ours alone."""
    if os.environ.get("ASSAY_TEST_NAMESPACE"):
        if os.environ["ASSAY_TEST_NAMESPACE"] == "own":
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    for flags in (["-n", "-m"], ["-r", "-n", "-m"]):
        if subprocess.run(["unshare", *flags, "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0:
            os.environ["ASSAY_TEST_NAMESPACE"] = "own"
            os.execvp("unshare", ["unshare", *flags, sys.executable, "-B", *sys.argv])
    skip("no network namespace can be made here (root or user namespaces are needed)")


def need(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        skip(f"{name} is not installed")
    return found


def path(name):
    return os.path.join(FOLDER, name)


def write(name, text, mode=0o644):
    with open(path(name), "w") as file:
        file.write(text)
    os.chmod(path(name), mode)
    return path(name)


def dut(pairs=(), more="", lan=ADDRESS):
    """A DUT file of a hub at `lan`, with (name, password) pairs of its maker, and what else it says."""
    rows = "".join(f'  - {{username: {user}, password: "{word}"}}\n' for user, word in pairs)
    return write(f"dut-{next(_numbers)}.yaml", f"""assay: dut/1
device: {{vendor: Example, model: Hub}}
samples:
  - {{id: A, at: {{lan: {lan}}}}}
scope: [127.0.0.0/16]
{"vendor_credentials:" if rows else ""}
{rows}{more}""")


def start(command, tcp=None, cwd=None, stdin=subprocess.DEVNULL):
    """Starts a daemon in the foreground and waits until its TCP port accepts."""
    return _accepting(*_launch(command, cwd, stdin), tcp)


def start_all(daemons):
    """Starts all (command, port) at once, and waits until every port accepts."""
    launched = [(_launch(command, None), port) for command, port in daemons]
    return [_accepting(*one, port) for one, port in launched]


def _launch(command, cwd, stdin=subprocess.DEVNULL):
    log = open(path(f"daemon{len(_running)}.log"), "w")
    process = subprocess.Popen(command, stdout=log, stderr=log, stdin=stdin, cwd=cwd or FOLDER)
    _running.append(process)
    return command, process, log


def _accepting(command, process, log, tcp):
    for _ in range(200):
        if process.poll() is not None:
            break
        if tcp is None:
            time.sleep(0.5)
            return process
        try:
            socket.create_connection((ADDRESS, tcp), 1).close()
            return process
        except OSError:
            time.sleep(0.05)
    with open(log.name) as file:
        raise AssertionError(f"{command[0]} did not start: {file.read()[:2000]}")


def certificate():
    """A self-signed certificate and its key in one file, made by the openssl tool."""
    if not os.path.exists(path("tls.pem")):
        subprocess.run([need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-days", "30", "-subj", "/O=Example/CN=hub.example", "-keyout", path("key.pem"),
                        "-out", path("cert.pem")], check=True, capture_output=True)
        write("tls.pem", open(path("key.pem")).read() + open(path("cert.pem")).read())
    return path("tls.pem")


def probe(name, endpoint=None, pace="fast", dut=None, address=None, **settings):
    """One observation as JSON, and the text of its artifacts."""
    folder = tempfile.mkdtemp(dir=FOLDER)
    command = [os.environ["ASSAY"], "probe", name, address or ADDRESS, "--library", LIBRARY, "--json", "--pace", pace, "--artifacts", folder]
    command += ["--endpoint", endpoint] if endpoint else []
    command += ["--dut", dut] if dut else []
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    seen = observation(command)
    kept = "".join(open(os.path.join(folder, file), errors="replace").read() for file in os.listdir(folder))
    return seen, kept


def observation(command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=280)
    try:
        return json.loads(result.stdout)
    except ValueError:
        raise AssertionError(f"{command}: no JSON, exit {result.returncode}: {result.stderr[:2000]}")


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


@atexit.register
def _stop():
    for process in _running:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
    shutil.rmtree(FOLDER, ignore_errors=True)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


def make_rsa_key():
    """An RSA key and its own certificate for CN=hub.example: files rsa.key and rsa.pem of the test, and both as DER."""
    openssl = need("openssl")
    run(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=hub.example", "-keyout",
        path("rsa.key"), "-out", path("rsa.pem"))
    return (run(openssl, "rsa", "-in", path("rsa.key"), "-traditional", "-outform", "DER"),
            run(openssl, "x509", "-in", path("rsa.pem"), "-outform", "DER"))
