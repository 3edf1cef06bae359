"""What the system tests share: the binary, emulated devices, runs, and small checks. Standard library only.

A test is a script: it passes by ending, fails by an assertion, and is skipped by skip("reason") (exit 77).
"""
import atexit
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("ASSAY_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
ASSAY = os.environ.get("ASSAY", str(SOURCE / "build/release/bin/assay"))
PLAN = "cls-iot/1"

# The laboratory's key of the tests, and not that of whoever runs them.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="assay-laboratory-")
atexit.register(shutil.rmtree, os.environ["XDG_CONFIG_HOME"], ignore_errors=True)
# For runs that are about something else: where a login is slow to refuse, a measure of how it bears guessing takes a minute.
FEW_GUESSES = ("--set", "resistance.attempts=1")

EXIT_PASSED, EXIT_FAILED, EXIT_USAGE, EXIT_OPEN, EXIT_ERROR, EXIT_REFUSED, EXIT_NOT_VERIFIED = range(7)
EXIT_INTERRUPTED = 130


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def need(*programs):
    """Skips when a program of a real daemon or an independent tool is not installed."""
    for program in programs:
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            skip(program + " is not installed")


def assay(*arguments, timeout=480, check=None, as_user=(), **options):
    """Runs the binary; `check` is the exit code that must come."""
    done = subprocess.run([*as_user, ASSAY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=timeout, **options)
    if check is not None and done.returncode != check:
        raise AssertionError(f"assay {' '.join(map(str, arguments))}\nexit {done.returncode}, not {check}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


def facts(*arguments, **options):
    """Runs a verb with --json and returns its document."""
    done = assay(*arguments, "--json", **options)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(f"no JSON from {arguments}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


@contextlib.contextmanager
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="assay-test-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def emulated(name, isolation=None, as_user=()):
    """A running emulated device: what `assay emulate NAME --json` prints. `as_user` is a command that runs another."""
    extra = ["--isolation", isolation] if isolation else []
    process = subprocess.Popen([*as_user, ASSAY, "emulate", name, *extra, "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"{name} did not start: {process.stderr.read()}")
        device = json.loads(line)
        device["process"] = process
        yield device
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"{name} did not stop within 10 s")


def side_by_side(*jobs, at_once=None):
    """Calls every job in a thread and returns their results in order; the first that failed fails the test. For what mostly waits."""
    with concurrent.futures.ThreadPoolExecutor(at_once or len(jobs)) as pool:
        started = [pool.submit(job) for job in jobs]
    return [one.result() for one in started]


def inside(device, command, **options):
    """Runs an independent tool from where the device can be reached."""
    enter = []
    if device["netns"]:
        pid = device["netns"].split("/")[2]
        enter = ["nsenter", "-t", pid, "-n"] + (["-U", "--preserve-credentials"] if device["userns"] else [])
    return subprocess.run([*enter, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=options.pop("timeout", 120), **options)


def library_of_few_logins(work):
    """A copy of the test plans whose list of factory logins is short: a server that lets each wrong one wait makes them last. With the
    first two camera-weak is entered, and nothing else has any."""
    copy = pathlib.Path(work) / "testplans"
    shutil.copytree(SOURCE / "testplans", copy)
    (copy / "dictionaries/iot-common.yaml").write_text(
        "assay: dictionary/1\nid: iot-common\ntitle: Three factory logins\nsource: a test\ncredentials:\n"
        "  - {username: admin, password: admin}\n  - {username: root, password: root}\n  - {username: user, password: user}\n")
    return copy


def with_pace(dut, pace):
    """The text of a DUT file with another pace."""
    return re.sub("^pace:.*(\n .*)*$", f"pace: {pace}", dut, flags=re.M)


def port(device, name):
    return int(device["endpoints"][name].split("/")[1])


def run(device, out, *extra, plan=PLAN, **options):
    return assay("run", "--plan", plan, "--dut", device["dut"], "-o", out, "-q", *extra, **options)


def expected_failures(name, isolation):
    """The `fail` list of expected.yaml, read with the one independent reader at hand."""
    import yaml
    for one in yaml.safe_load((SOURCE / "tests/devices" / name / "expected.yaml").read_text())["expectations"]:
        if one["plan"] == PLAN and isolation in one.get("modes", [isolation]):
            return set(one["fail"])
    raise AssertionError(f"{name} has no expectation for {isolation}")


def verdicts(out):
    """Requirement id -> verdict word of a closed run."""
    stored = json.loads((pathlib.Path(out) / "bundle/verdicts.json").read_text())
    return {requirement["id"]: requirement["verdict"] for requirement in stored["requirements"]}


def journal(out):
    lines = (pathlib.Path(out) / "bundle/journal.jsonl").read_bytes().split(b"\n")
    events = []
    for line in lines:
        if line:
            try:
                events.append(json.loads(line))
            except json.JSONDecodeError:
                break  # torn by a kill
    return events


def units(out):
    """(unit id, unit) of a closed run."""
    stored = json.loads((pathlib.Path(out) / "bundle/verdicts.json").read_text())
    for requirement in stored["requirements"]:
        for case in requirement["cases"]:
            for unit in case["units"]:
                yield unit["id"], unit
