"""Searches the whole output of a run for secrets: every byte of every file, in every form that a secret may have, in the bytes behind hex
dumps, and in the streams that TCP split over packets. Its own implementation of all of that: it must not share the masks' blind spots."""
import base64
import hashlib
import html
import json
import pathlib
import re
import struct
import urllib.parse

DUMP = re.compile(rb"^[0-9a-f]{8} ((?: [0-9a-f]{2}){1,16}) *\|", re.M)
CODE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[0-Z\\-~]|[\x07\x0e\x0f\x7f]")
CHUNK = re.compile(rb"^([<>]) \+[0-9.]+ \d+ bytes?$", re.M)
PACKET, INTERFACE, SECTION = 6, 1, 0x0A0D0D0A
ETHERNET, RAW_IP, LOOP = 1, 101, 0


def base64_cores(data):
    """What base64 makes of the bytes inside something longer, at each of the three places where they can begin."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data)
        core = encoded[-(-before * 8 // 6):(before + len(data)) * 8 // 6]
        if len(core) >= 6:
            yield core
            yield core.translate(bytes.maketrans(b"+/", b"-_"))


def forms(secret):
    """form -> bytes. Forms of fewer than 6 bytes are left out, but for the secret itself."""
    data = secret.encode()
    out = {"plain": data, "base64": base64.b64encode(data).rstrip(b"="), "base64url": base64.urlsafe_b64encode(data).rstrip(b"="),
           "hex": data.hex().encode(), "HEX": data.hex().upper().encode(), "hex with blanks": data.hex(" ").encode(),
           "hex with colons": data.hex(":").encode(), "address": urllib.parse.quote(secret, safe="").encode(),
           "address, small": re.sub("%..", lambda found: found.group().lower(), urllib.parse.quote(secret, safe="")).encode(),
           "form": urllib.parse.quote_plus(secret).encode(), "json": json.dumps(secret)[1:-1].encode(),
           "json, solidus": json.dumps(secret)[1:-1].replace("/", "\\/").encode(), "html": html.escape(secret).encode(),
           "html, text": html.escape(secret, quote=False).encode(), "html, three digits": html.escape(secret).replace("&#x27;", "&#039;").encode(),
           "html, xml": html.escape(secret).replace("&#x27;", "&apos;").encode(), "html, numbers": "".join(f"&#{ord(c)};" for c in secret).encode(),
           "address, component": urllib.parse.quote(secret, safe="!~*'()").encode(), "address, path": urllib.parse.quote(secret).encode(),
           "address, whole": urllib.parse.quote(secret, safe="!~*'();/?:@&=+$,#").encode(),
           "address, twice": urllib.parse.quote(urllib.parse.quote(secret, safe=""), safe="").encode(),
           "json, for html": re.sub("[<>&]", lambda found: f"\\u{ord(found.group()):04x}", json.dumps(secret)[1:-1]).encode(),
           "utf-16 little": secret.encode("utf-16-le"), "utf-16 big": secret.encode("utf-16-be"), "reversed": data[::-1],
           "json, all escaped": "".join(f"\\u{ord(c):04x}" for c in secret).encode(), "HEX with blanks": data.hex(" ").upper().encode(),
           "upper case": data.upper(), "lower case": data.lower(), "first letter upper": data[:1].upper() + data[1:].lower()}
    for number, core in enumerate(base64_cores(data)):
        out[f"base64 inside {number}"] = core
    return {name: form for name, form in out.items() if name == "plain" or len(form) >= 6}


def digests(secret):
    """What can be turned back by trying all short secrets."""
    out = {}
    for kind in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        for tail in (b"", b"\n"):
            digest = hashlib.new(kind, secret.encode() + tail).digest()
            name = kind + (" with newline" if tail else "")
            out[name + " hex"], out[name + " HEX"] = digest.hex().encode(), digest.hex().upper().encode()
            out[name + " base64"], out[name + " raw"] = base64.b64encode(digest).rstrip(b"="), digest
            out[name + " cut"] = digest.hex()[:16].encode()
    return out


def dumped(data):
    """The bytes behind the hex dumps of a transcript, one text for each direction and one for both in their order."""
    sides = {b"<": bytearray(), b">": bytearray(), b"": bytearray()}
    marks = [(found.start(), found.group(1)) for found in CHUNK.finditer(data)]
    at = -1
    for row in DUMP.finditer(data):
        while at + 1 < len(marks) and marks[at + 1][0] < row.start():
            at += 1
        piece = bytes.fromhex(row.group(1).decode())
        sides[b""] += piece
        if at >= 0:
            sides[marks[at][1]] += piece
    return [bytes(side) for side in sides.values() if side]


def packets(data):
    """(link type, frame) of a pcapng file (little endian, as written)."""
    at, links = 0, []
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length >= 12 and length % 4 == 0, "a block of no length"
        if kind == SECTION:
            links = []
        elif kind == INTERFACE:
            links.append(struct.unpack_from("<H", data, at + 8)[0])
        elif kind == PACKET:
            interface, _, _, captured, _ = struct.unpack_from("<IIIII", data, at + 8)
            yield links[interface], data[at + 28:at + 28 + captured]
        at += length


def ip_of(link, frame):
    if link == ETHERNET:
        return frame[14:] if frame[12:14] in (b"\x08\x00", b"\x86\xdd") else b""
    return frame[4:] if link == LOOP else frame


def payloads(data):
    """(conversation and side, sequence number or None, payload) of each TCP and UDP packet."""
    for link, frame in packets(data):
        packet = ip_of(link, frame)
        if not packet:
            continue
        if packet[0] >> 4 == 4:
            head, protocol, places = (packet[0] & 15) * 4, packet[9], packet[12:20]
            packet = packet[:struct.unpack_from(">H", packet, 2)[0] or None]
        else:
            head, protocol, places = 40, packet[6], packet[8:40]
        ports = packet[head:head + 4]
        if protocol == 6:
            yield (places, ports), struct.unpack_from(">I", packet, head + 4)[0], packet[head + (packet[head + 12] >> 4) * 4:]
        elif protocol == 17:
            yield (places, ports), None, packet[head + 8:]


def streams(data):
    """What each side of each conversation said, put together; a retransmission counts once, a gap parts the text."""
    sides = {}
    for side, sequence, payload in payloads(data):
        if payload:
            sides.setdefault(side, []).append((sequence, payload))
    for pieces in sides.values():
        if pieces[0][0] is None:
            yield b"\n".join(payload for _, payload in pieces)
            continue
        first = pieces[0][0]
        text, end = bytearray(), None
        for at, payload in sorted((((sequence - first + 2**31) % 2**32, payload) for sequence, payload in pieces), key=lambda piece: piece[0]):
            if end is None or at > end:
                text += b"\n" + payload if end is not None else payload
                end = at + len(payload)
            elif at + len(payload) > end:
                text += payload[end - at:]
                end = at + len(payload)
        yield bytes(text)


def as_shown(text):
    """The text, and what a terminal gets of it: without codes, and without what was written where a backspace went back to."""
    yield text
    if b"\x1b" in text or b"\x08" in text:
        without = CODE.sub(b"", text)
        yield without.replace(b"\x08", b"")
        yield re.sub(rb"\x08[ -~]", b"", without)


def texts_of(data):
    """The bytes themselves and all that is folded up in them."""
    yield from as_shown(data)
    inside = streams(data) if data[:4] == struct.pack("<I", SECTION) else dumped(data) if DUMP.search(data) else ()
    for text in inside:
        yield from as_shown(text)


def search(folder, secrets, digests_of=()):
    """Every place where a secret, or the digest of a short one, stands: [(file, secret, form)]."""
    wanted = {}  # the bytes -> which secret in which form they are: one search for forms that are equal
    for kind, those in ((forms, secrets), (digests, digests_of)):
        for secret in those:
            for form, shape in kind(secret).items():
                wanted.setdefault(shape, []).append((secret, form))
    found = set()
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(folder))
        for text in texts_of(path.read_bytes()):
            for shape, meanings in wanted.items():
                if shape in text:
                    found.update((name, secret, form) for secret, form in meanings)
    return sorted(found)
