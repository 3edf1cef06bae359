"""Whoever has a challenge and the answer to it can guess the password at leisure. Servers that write down what they are answered with, and a
search of packets and transcripts for it: of passwords of the DUT file nothing of it is there. Nor are passwords that are words of our records."""

import base64
import hashlib
import hmac
import os
import pathlib
import re
import socket
import struct
import sys
import tempfile
import threading

import daemons
import more_login_servers as servers
from daemons import ADDRESS, equal, true, write
from login_servers import SECRET

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from secret_search import search, streams, texts_of  # noqa: E402

daemons.own_namespace()
PAIRS = [("service", "pin-4711"), ("maker", SECRET)]
WORDS = [("service", "Desktop"), ("acme-Zk9qPx-svc", "Zk9qPx"), ("maker", "telnet")]
LONG = [("maker", "wrong-1-long"), ("maker", SECRET + "long")]


def serve(port, talk):
    """`talk` has a connection, and a list for what lets a password be guessed."""
    heard = []
    listener = socket.create_server((ADDRESS, port), backlog=50)

    def one(connection):
        with connection:
            connection.settimeout(20)
            try:
                talk(connection, heard)
            except (OSError, ValueError, IndexError, struct.error):
                pass  # who listens only, or speaks another protocol

    def accept():
        while True:
            threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return heard


def mysql(connection, heard):
    def packet(number, body):
        return struct.pack("<I", len(body))[:3] + bytes([number]) + body

    salt = bytes(byte % 93 + 33 for byte in os.urandom(20))
    connection.sendall(packet(0, b"\x0a5.5.60-MariaDB\0" + struct.pack("<I", 7) + salt[:8] + b"\0" + struct.pack("<H", 0xf7ff) + b"\x08\x02\0"
                              + struct.pack("<H", 0x800f) + bytes([21]) + b"\0" * 10 + salt[8:] + b"\0mysql_native_password\0"))
    said = connection.recv(4096)
    user = said[36:].split(b"\0")[0]
    rest = said[36 + len(user) + 1:]
    answer = rest[1:1 + rest[0]]
    if user in (b"service", b"maker"):
        heard.append(answer)
    connection.sendall(packet(2, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied for user '" + user + b"'@'localhost'"))


def postgres_message(kind, body):
    return kind + struct.pack(">I", len(body) + 4) + body


REFUSED = postgres_message(b"E", b"SFATAL\0C28P01\0Mno\0\0")


def postgres_name(connection):
    said = connection.recv(4096)
    while said[4:8] == struct.pack(">I", 80877103):  # TLS?
        connection.sendall(b"N")
        said = connection.recv(4096)
    return said[8:].split(b"\0")[1]


def postgres_md5(connection, heard):
    postgres_name(connection)
    connection.sendall(postgres_message(b"R", struct.pack(">I", 5) + os.urandom(4)))
    said = connection.recv(4096)
    heard.append(said[5:].rstrip(b"\0"))
    connection.sendall(REFUSED)


def postgres_scram(connection, heard):
    name = postgres_name(connection)
    connection.sendall(postgres_message(b"R", struct.pack(">I", 10) + b"SCRAM-SHA-256\0\0"))
    first = connection.recv(4096).split(b"n,,")[1]
    salt = os.urandom(16)
    challenge = b"r=" + first.split(b"r=")[1] + b"server,s=" + base64.b64encode(salt) + b",i=4096"
    connection.sendall(postgres_message(b"R", struct.pack(">I", 11) + challenge))
    last = connection.recv(4096)[5:]
    bare, proof = last.split(b",p=")
    heard.append(proof)
    words = first + b"," + challenge + b"," + bare
    salted = hashlib.pbkdf2_hmac("sha256", SECRET.encode(), salt, 4096)
    key = hmac.digest(salted, b"Client Key", "sha256")
    mask = hmac.digest(hashlib.sha256(key).digest(), words, "sha256")
    right = base64.b64encode(bytes(a ^ b for a, b in zip(key, mask))) == proof and name == b"maker"
    if not right:
        connection.sendall(REFUSED)
        return
    signature = base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), words, "sha256"))
    heard.append(signature)
    connection.sendall(postgres_message(b"R", struct.pack(">I", 12) + b"v=" + signature) + postgres_message(b"R", struct.pack(">I", 0))
                       + postgres_message(b"Z", b"I"))
    connection.recv(4096)


def vnc(connection, heard):
    connection.sendall(b"RFB 003.008\n")
    connection.recv(12)
    connection.sendall(b"\1\2")
    connection.recv(1)
    connection.sendall(os.urandom(16))
    heard.append(connection.recv(16))
    connection.sendall(struct.pack(">II", 1, 2) + b"no")


def digest(protocol):
    """Of HTTP and RTSP."""
    def talk(connection, heard):
        while said := connection.recv(65536):
            answer = re.search(rb'response="([0-9a-f]+)"', said)
            if answer:
                heard.append(answer.group(1))
            number = re.search(rb"CSeq: (\d+)", said)
            connection.sendall(protocol + b' 401 Unauthorized\r\nWWW-Authenticate: Digest realm="hub", nonce="' + os.urandom(8).hex().encode()
                               + b'"' + (b', qop="auth"' if protocol.startswith(b"HTTP") else b"")
                               + (b"\r\nCSeq: " + number.group(1) if number else b"") + b"\r\nContent-Length: 0\r\n\r\n")
    return talk


def basic(connection, heard):
    """Lets the words in, and repeats them."""
    rights = {b"Basic " + base64.b64encode(f"{user}:{word}".encode()) for user, word in WORDS}
    while said := connection.recv(65536):
        given = re.search(rb"Authorization: (.*)\r", said)
        right = given and given.group(1) in rights
        heard.extend([given.group(1)] if right else [])
        body = " and ".join(word for _, word in WORDS).encode() if right else b""
        connection.sendall(b"HTTP/1.1 " + (b"200 OK" if right else b'401 Unauthorized\r\nWWW-Authenticate: Basic realm="hub"')
                           + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def before_snmpd(port, agent):
    """Between the probe and an agent: notes the digests of both."""
    heard, peers = [], {}
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.bind((ADDRESS, port))

    def note(message):
        if b"\x02\x01\x03" in message[:8]:  # else a community may be as long as a digest
            heard.extend(found for found in re.findall(rb"\x04\x0c(.{12})", message, re.S) if found.strip(b"\0"))

    def back(beyond, peer):
        while True:
            answer = beyond.recv(65536)
            note(answer)
            ours.sendto(answer, peer)

    def forth():
        while True:
            message, peer = ours.recvfrom(65536)
            note(message)
            if peer not in peers:
                peers[peer] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                peers[peer].connect((ADDRESS, agent))
                threading.Thread(target=back, args=(peers[peer], peer), daemon=True).start()
            peers[peer].send(message)

    threading.Thread(target=forth, daemon=True).start()
    return heard


def look(what, where, heard, pairs, dialect, accepted=()):
    """The folder of what was kept."""
    folder = tempfile.mkdtemp(dir=daemons.FOLDER)
    command = [os.environ["ASSAY"], "probe", "credentials", ADDRESS, "--library", daemons.LIBRARY, "--json", "--pace", "fast", "--artifacts", folder,
               "--endpoint", where, "--dut", daemons.dut(pairs), "--set", "dictionary=", "--set", "stop_at_first=false"]
    seen = daemons.observation(command)
    equal(dialect in seen["facts"].get("credentials.dialects", []), True, f"{what}: {seen['facts']}, {seen['unobserved']}")
    equal([entry["username"] for entry in seen["facts"].get("credentials.accepted", [])], list(accepted), f"{what}: accepted; {seen['coverage']}")
    answers = {answer for answer in heard if len(answer) >= 8}
    true(len(answers) >= len(pairs), f"{what}: the server heard {len(answers)} answers, which is too few to look for")
    captures = 0
    for file in pathlib.Path(folder).iterdir():
        data = file.read_bytes()
        captures += data[:4] == struct.pack("<I", 0x0A0D0D0A) and any(True for _ in streams(data))
        for text in texts_of(data):
            found = [answer for answer in answers if answer in text or answer.hex().encode() in text]
            true(not found, f"{what}: {file.name} has {len(found)} of {len(answers)} answers")
    true(captures, f"{what}: no packets were kept, so the search shows nothing")
    return folder


look("MySQL", "tcp/3306", serve(3306, mysql), PAIRS, "mysql")
look("PostgreSQL with MD5", "tcp/5432", serve(5432, postgres_md5), PAIRS, "postgresql")
look("PostgreSQL with SCRAM", "tcp/5433", serve(5433, postgres_scram), PAIRS, "postgresql", ["maker"])
look("VNC", "tcp/5900", serve(5900, vnc), PAIRS, "vnc")
look("HTTP Digest", "tcp/8080", serve(8080, digest(b"HTTP/1.1")), PAIRS, "http-digest")
look("RTSP Digest", "tcp/554", serve(554, digest(b"RTSP/1.0")), PAIRS, "rtsp-digest")
kept = look("HTTP Basic", "tcp/8081", serve(8081, basic), WORDS, "http-basic", [user for user, _ in WORDS])
for file in pathlib.Path(kept).iterdir():  # who had it may be told
    file.write_bytes(file.read_bytes().replace(b"acme-Zk9qPx-svc", b""))
equal(search(kept, [word for _, word in WORDS]), [], "passwords that are words of ours, or parts of a name")
if servers.found("snmpd"):
    daemons.start(servers.snmpd_users(1613))
    look("SNMP v3", "udp/1614", before_snmpd(1614, 1613), LONG, "snmp-user", ["maker"])
else:
    print("not looked at: snmpd is not installed")
