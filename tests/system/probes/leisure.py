"""What somebody does who has only the files of a run: tries all short passwords against whatever was made with the right one.

Each of these takes the messages of one file and the words to try, and gives the word that fits. All read masked files as well as they can."""

import base64
import hashlib
import hmac
import os
import re
import subprocess
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from secret_search import payloads, search  # noqa: E402, F401

ROW = re.compile(rb"[0-9a-f]{8} ((?: [0-9a-f]{2}){1,16}) *\|")


def messages(data):
    """Every message of a transcript or of a packet file, without its direction."""
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return [payload for _, _, payload in payloads(data)]
    out = []
    for line in data.split(b"\n"):
        row = ROW.match(line)
        if row and out:
            out[-1] += bytes.fromhex(row.group(1).decode())
        elif re.match(rb"[<>] \+", line):
            out.append(b"")
    return out


def keyed(key, data, kind):
    return hmac.new(key, data, kind).digest()


def digest_proof(said, words):
    """rspauth of HTTP and RTSP (RFC 7616, 3.5), in hex or base64."""
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    def digits_of(proof):
        return proof if len(proof) == 32 else base64.b64decode(proof).hex()

    whole = b"".join(said).decode("latin-1")
    for proof, cnonce, count in re.findall(r'rspauth="([0-9a-f]{32}|[0-9A-Za-z+/]{22}==)", cnonce="(\w+)", nc=(\w+)', whole):
        asked = re.search(r'nonce="(\w+)", uri="([^"]*)"[^\n]*cnonce="' + cnonce, whole)
        for word in words if asked else ():
            if md5(md5(f"maker:hub:{word}") + f":{asked[1]}:{count}:{cnonce}:auth:" + md5(":" + asked[2])) == digits_of(proof):
                return word
    return None


def scram_proof(said, words):
    """v= of SCRAM (RFC 5802, 3), as PostgreSQL sends it."""
    for login in b"".join(said).split(b"n,,")[1:]:
        ours, theirs = re.match(rb"n=[^,]*,r=\w{24}", login), re.search(rb"(r=([!-+\--~]+),s=([^,]+),i=(\d+))", login[27:])
        proof = re.search(rb"\x0cv=([A-Za-z0-9+/]{43}=)", login)
        for word in words if ours and theirs and proof else ():
            salted = hashlib.pbkdf2_hmac("sha256", word.encode(), base64.b64decode(theirs[3]), int(theirs[4]))
            signed = ours[0] + b"," + theirs[1] + b",c=biws,r=" + theirs[2]
            if keyed(keyed(salted, b"Server Key", "sha256"), signed, "sha256") == base64.b64decode(proof[1]):
                return word
    return None


def session_code(said, words):
    """The code of a packet inside a session of IPMI, made with a key of the password (IPMI 2.0, 13.28, 13.31)."""
    ours = theirs = who = None
    for one in said:
        if one[5:6] == b"\x12" and len(one) > 44:
            ours, who = one[24:40], one[40:41] + one[43:44] + one[44:44 + one[43]]
        elif one[5:6] == b"\x13" and len(one) >= 40:
            theirs = one[24:40]
        elif one[4:5] == b"\x06" and len(one) > 40 and one[5] & 0x40 and ours and theirs:
            for kind, size in (("sha256", 16), ("sha1", 12)):
                for word in words:
                    session = keyed(word.encode().ljust(20, b"\0"), ours + theirs + who, kind)
                    first = keyed(session, b"\x01" * hashlib.new(kind).digest_size, kind)
                    if keyed(first, one[4:-size], kind)[:size] == one[-size:]:
                        return word
    return None


def scoped_text(said, words):
    """What a user of SNMP v3 encrypts names the engine, which stands beside it in clear (RFC 3414, A.2.2; RFC 3826)."""
    for one in said:
        found = re.search(rb"\x04.(\x80\x00.{3,30}?)\x02(.{2,5}?)\x02(.{2,5}?)\x04\x06hidden\x04.(?:\{[^{}]*\}|.{12})\x04\x08(.{8})\x04(.)", one, re.S)
        if not found:
            continue
        engine, boots, time, salt = found[1], found[2][1:], found[3][1:], found[4]
        start = found.end() + (found[5][0] - 0x80 if found[5][0] > 0x80 else 0)
        iv = boots.rjust(4, b"\0") + time.rjust(4, b"\0") + salt
        for word in words:
            plain = hashlib.sha1((word.encode() * (2**20 // len(word) + 1))[:2**20]).digest()
            key = hashlib.sha1(plain + engine + plain).digest()[:16]
            text = subprocess.run(["openssl", "enc", "-d", "-aes-128-cfb", "-K", key.hex(), "-iv", iv.hex()], input=one[start:], capture_output=True).stdout
            if engine in text:
                return word
    return None
