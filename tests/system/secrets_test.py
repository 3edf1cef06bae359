"""Secrets of a device are nowhere in what a run writes: each is known here, and every byte of bundle and reports is searched for it in every
form. That the search finds secrets is shown by the run that reveals them, by what only the laboratory can read, and by planted ones."""
import base64
import functools
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import struct
import subprocess

from common import (ASSAY, EXIT_FAILED, EXIT_NOT_VERIFIED, EXIT_OPEN, EXIT_PASSED, EXIT_USAGE, SOURCE, assay, emulated, folder, journal,
                    library_of_few_logins, need, run, side_by_side, skip)
from secret_search import digests, forms, search

need("busybox", "mosquitto", "mosquitto_passwd", "snmpd", "openssl", "lighttpd", "dropbear", "vsftpd", "ip")
if os.geteuid() != 0:
    skip("the device needs namespaces of root")

OWNER = "Ow.ner=Pa55 %w\u00f6rd"
FOUND = {"page": "Vd9-kQ2w&Zp", "mqtt": 'mQ/tt+P%40"ss', "snmp": "cm-Zq8y4Kt"}
PIN = "7391"
SAMPLES = ["Hk3mQz81Lw", "Rt5vXc26Bn", "Yp9dFg47Ja"]
DECLARED = [OWNER, 'In7"egr@tion~Key', *FOUND.values(), *SAMPLES]
FORMATS = {"html": "report.html", "evidence-deck": "deck.html", "json": "report.json", "junit": "junit.xml", "console": "report.txt"}
LAB_KEY = bytes(range(32))
# The measure of guessing logs in with all that it knows within these; more of them are invented words, at 3.5 s each where the login is slow.
GUESSES = ("--set", "resistance.attempts=4")


def laboratory(work):
    """A key for names, a certificate for what is restricted, and the devices beside the library that runs read."""
    library_of_few_logins(work)
    shutil.copytree(SOURCE / "tests/devices", work / "tests/devices")
    vault = work / "tests/devices/vault"
    shutil.copytree(SOURCE / "tests/system/secrets", vault)
    (vault / "secret_web.py").rename(work / "tests/devices/support/secret_web.py")
    (work / "lab.key").write_text(f"assay-lab-key/1 {LAB_KEY.hex()}\n")
    os.chmod(work / "lab.key", 0o600)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Example Laboratory", "-days", "2",
                    "-keyout", work / "lab.pem", "-out", work / "lab.crt"], check=True, capture_output=True)
    os.environ.update(ASSAY_LIBRARY=str(work / "testplans"), VAULT_OWNER=OWNER)


def name_of(secret):
    """What the key makes of a secret, by another implementation of HMAC."""
    key_id = hmac.new(LAB_KEY, b"assay key id\n", hashlib.sha256).hexdigest()[:8]
    return f"hmac:{key_id}:" + hmac.new(LAB_KEY, b"assay secret\n" + secret.encode(), hashlib.sha256).hexdigest()[:16]


def assessed(device, out, *extra, **options):
    """A run with everything that it writes or says in one folder, in every format of report."""
    done = run(device, out, "--lab-key", out.parent / "lab.key", "--pace", "fast", "-v", *GUESSES, *extra, **options)
    (out / "stdout.txt").write_text(done.stdout)
    (out / "stderr.txt").write_text(done.stderr)
    for form, file in FORMATS.items():
        shown = assay("report", out, "--format", form, "-v", check=0)
        (out / ("again-" + file)).write_text(shown.stdout + shown.stderr)
    assay("verify", out, check=EXIT_PASSED)
    return done


def observations(out, probe):
    return [event["data"]["observation"] for event in journal(out)
            if event["type"] == "observation" and event["data"]["observation"]["invocation"]["probe"] == probe]


def accepted(out):
    return {entry["secret"]: entry for one in observations(out, "credentials") for entry in one["facts"].get("credentials.accepted", [])}


def sessions(count):
    """The ids of the first sessions of a vault."""
    return [hashlib.sha256(b"vault session %d" % number).hexdigest()[:24] for number in range(count)]


def sessions_of(device):
    """The ids of all sessions that the web interface of this vault opened."""
    return sessions(int((pathlib.Path(device["folder"]) / "sessions").read_text()))


def masked(work):
    """The vault as a laboratory runs it: nothing in clear, every secret named, what shows secrets sealed."""
    with emulated("vault") as device:
        out = work / "masked"
        assessed(device, out, "--lab-certificate", work / "lab.crt", "--capture", "on", check=EXIT_FAILED)
        opened = sessions_of(device)
    names = accepted(out)
    for secret in [*FOUND.values(), PIN]:
        assert name_of(secret) in names, (secret, names)
    leaks = search(out, [*DECLARED, *opened], digests_of=[PIN, *DECLARED])
    assert not leaks, leaks
    named = next(event["data"] for event in journal(out) if event["type"] == "secrets")
    assert {entry["secret"] for entry in named["named"]} == {name_of(secret) for secret in [*DECLARED, PIN]}, named
    assert named["revealed"] is False and named["restricted_to"][0]["subject"] == "CN=Example Laboratory", named
    restricted(work, out, opened)
    recognised(work, out)
    return out


def restricted(work, out, ids):
    """The laboratory opens what is sealed without our tool, and there the secrets are. Nobody else does."""
    opened = work / "opened"
    opened.mkdir()
    sealed = sorted((out / "bundle/restricted").iterdir())
    for file in sealed:
        assert hashlib.sha256(file.read_bytes()).hexdigest() == file.name
        subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", file, "-inkey", work / "lab.pem", "-out", opened / file.name],
                       check=True, capture_output=True)
    found = {secret for _, secret, _ in search(opened, [*FOUND.values(), *ids])}
    assert set(FOUND.values()) <= found and any(session in found for session in ids), found
    references = [artifact for event in journal(out) for artifact in event["data"].get("observation", event["data"]).get("artifacts", [])
                  if artifact["restricted"]]
    assert {artifact["sha256"] for artifact in references} == {file.name for file in sealed}
    assert any("packets of" in artifact["title"] for artifact in references) and any("logins" in artifact["title"] for artifact in references)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Other", "-keyout", work / "other.pem", "-out",
                    work / "other.crt"], check=True, capture_output=True)
    stranger = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", sealed[0], "-inkey", work / "other.pem"],
                              capture_output=True)
    assert stranger.returncode != 0
    assert "bundle/restricted/" in (out / "report.html").read_text()


def recognised(work, out):
    """The laboratory asks which secret of a bundle a value is; another key is told so, and verdicts need none."""
    find = functools.partial(find_in, out)
    done = find(FOUND["mqtt"], "--lab-key", work / "lab.key", check=EXIT_PASSED)
    assert "vendor_credentials entry 3" in done.stdout and "credentials.accepted" in done.stdout, done.stdout
    find("never", "--lab-key", work / "lab.key", check=EXIT_FAILED)
    assay("secret", "key", "--lab-key", work / "other.key", check=EXIT_PASSED)
    other = find(PIN, "--lab-key", work / "other.key", check=EXIT_USAGE)
    assert name_of("")[5:13] in other.stderr, other.stderr
    os.chmod(work / "other.key", 0o644)
    find(PIN, "--lab-key", work / "other.key", check=EXIT_USAGE)
    assay("replay", out, check=EXIT_PASSED, env={**os.environ, "XDG_CONFIG_HOME": str(work / "nobody")})
    assert not (work / "nobody").exists()
    copy = work / "copy"
    shutil.copytree(out, copy)
    sealed = next((copy / "bundle/restricted").iterdir())
    sealed.write_bytes(sealed.read_bytes()[:-1])
    assay("verify", copy, check=EXIT_NOT_VERIFIED)


def find_in(out, value, *extra, check):
    done = subprocess.run([ASSAY, "secret", "find", str(out), *map(str, extra)], input=value + "\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
    return done


def revealed(work):
    """The same device with --reveal-secrets: the search finds every secret that was met, and every report says what it is."""
    with emulated("vault") as device:
        out = work / "revealed"
        done = assessed(device, out, "--reveal-secrets", "--capture", "on", check=EXIT_FAILED)
        opened = sessions_of(device)
    found = search(out, [*DECLARED, *opened])
    for secret in [*FOUND.values(), *SAMPLES, 'In7"egr@tion~Key']:
        assert secret in {of for _, of, _ in found}, (secret, "is not found where it is in clear")
    for file in ("report.html", "report.json", "junit.xml", "bundle/journal.jsonl"):
        assert any(name == file and secret == FOUND["page"] for name, secret, _ in found) or file == "junit.xml", file
    assert any(session in {of for _, of, _ in found} for session in opened)
    assert PIN in {entry["clear"] for entry in accepted(out).values()}
    for file in ("report.html", "junit.xml", "again-deck.html", "again-report.txt", "stdout.txt"):
        text = (out / file).read_text()
        assert "CONTAINS SECRETS" in text or file == "stdout.txt", file
    assert "CONTAINS SECRETS" in done.stderr
    assert json.loads((out / "report.json").read_text())["contains_secrets"] is True
    assert not (out / "bundle/restricted").exists()


def shipped(work, name, code, *extra):
    """A shipped device with secrets in its DUT file, some of them named, and without a certificate: what shows secrets is not kept."""
    with emulated(name) as device:
        dut = work / f"{name}.yaml"
        text = pathlib.Path(device["dut"]).read_text().replace("accounts:\n", "accounts:\n  - {role: maker, username: maker, secret: env:VAULT_OWNER}\n")
        if "accounts:" not in text:
            text += "accounts: [{role: maker, username: maker, secret: env:VAULT_OWNER}]\n"
        dut.write_text(text + "vendor_credentials: [{username: maker2, password: Vd9-kQ2w&Zp}]\n"
                       f"password_samples: [{{secret: {SAMPLES[0]}, serial: A}}, {{secret: {SAMPLES[1]}, serial: B}}]\n")
        out = work / name
        assessed({**device, "dut": dut}, out, *extra, check=code)
    own = {"hub-sound": ["Kd7-wP3z-Hq9t-Bn5v", "Vn4-qT8s-Lc2x-Yr6m"]}.get(name, [])
    secrets = [OWNER, FOUND["page"], *SAMPLES[:2], *own]
    leaks = search(out, secrets, digests_of=secrets)
    assert not leaks, leaks
    assert not (out / "bundle/restricted").exists()
    kept = (out / "bundle/inputs/dut.yaml").read_text()
    assert kept.count("masked:hmac:") == 3 + len(own) and "env:VAULT_OWNER" in kept, kept
    assert not (out / "resume.json").exists()


def segmented(secret):
    """A pcapng file in which a secret is split over two segments that came in the wrong order, with something between."""
    def block(kind, body):
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    def packet(sequence, payload):
        tcp = struct.pack(">HHIIBBHHH", 40000, 23, sequence, 0, 0x50, 0x18, 65535, 0, 0) + payload
        frame = b"\x45\0" + struct.pack(">H", 20 + len(tcp)) + b"\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02" + tcp
        return block(6, struct.pack("<IIIII", 0, 0, 0, len(frame), len(frame)) + frame + b"\0" * (-len(frame) % 4))
    data, half = secret.encode(), len(secret.encode()) // 2
    return (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 101, 0, 65535)) +
            packet(1005 + half, data[half:] + b"\r\n") + packet(1000, b"PASS ") + packet(1005, data[:half]) + packet(1005, data[:half]))


def planted(work):
    """Each form, planted alone among bytes that are no secret, is found as what it is."""
    place = work / "planted"
    place.mkdir()
    filler = bytes(range(32, 127)) * 3
    for secret in [OWNER, *FOUND.values(), *sessions(1)]:
        for form, shape in forms(secret).items():
            (place / "file").write_bytes(filler + shape + filler)
            assert form in {found for _, of, found in search(place, [secret]) if of == secret}, (secret, form)
        for before in (b"", b"x", b"xy"):
            (place / "file").write_bytes(filler + base64.b64encode(before + secret.encode() + b"!?"))
            assert any("base64" in found for *_, found in search(place, [secret])), (secret, before)
    for form, shape in digests(PIN).items():
        (place / "file").write_bytes(filler + shape + filler)
        assert form in {found for *_, found in search(place, [], digests_of=[PIN])}, form
    rows = "".join(f"{at:08x}  {part.hex(' '):<48} |x|\n" for at in range(0, 48, 16)
                   for part in [(b"0123456789PASS " + FOUND["page"].encode() + b"\r\n0123456789012345")[at:at + 16]] if part)
    (place / "file").write_text("# logins\n> +0.1 42 bytes\n" + rows)
    assert FOUND["page"].encode() not in (place / "file").read_bytes()
    assert ("file", FOUND["page"], "plain") in search(place, [FOUND["page"]])
    (place / "file").write_bytes(segmented(FOUND["page"]))
    assert FOUND["page"].encode() not in (place / "file").read_bytes()
    assert ("file", FOUND["page"], "plain") in search(place, [FOUND["page"]])
    (place / "file").write_bytes(filler)
    assert not search(place, DECLARED, digests_of=[PIN])


with folder() as work:
    laboratory(work)
    planted(work)
    side_by_side(*[functools.partial(check, work) for check in (masked, revealed)], functools.partial(shipped, work, "camera-weak", EXIT_FAILED),
                 functools.partial(shipped, work, "hub-sound", EXIT_OPEN))
