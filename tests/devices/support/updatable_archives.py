"""The other form of image that the scripted device knows: an archive as swupdate has it, checked by this script.

cpio with checksums; first `sw-description` (model, version, the files with their SHA-256), then `sw-description.sig`, the maker's RSA
signature of it (PKCS #1 v1.5, SHA-256), then the files. `rootfs.gz` is what a slot holds, compressed. A sound device unpacks nothing
before the description is known to be the maker's and the files those that it lists, and then only plain names up to a bound.
"""
import gzip
import hashlib
import re
import zlib

import updatable_images as images
from swupdate_images import cpio
from updatable_images import BadImage, Refused

ENTRIES, LARGEST, ROOM = 32, 1 << 20, 16 << 20
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class OutOfMemory(Exception):
    """More was unpacked than the device has room for."""


def make(private, model, version, extra=()):
    files = [("rootfs.gz", gzip.compress(images.payload_for(model + version), mtime=0)), *extra]
    entries = ",\n".join(f'    {{ filename = "{name}"; sha256 = "{hashlib.sha256(data).hexdigest()}"; }}' for name, data in files)
    description = (f'software = {{\n  version = "{version}";\n  hardware-compatibility = [ "{model}" ];\n  images: (\n{entries}\n  );\n}}\n').encode()
    return cpio([("sw-description", description), ("sw-description.sig", images.sign(private, description)), *files])


def entries_of(data):
    """(name, content) of each entry; the order is kept."""
    out, at = [], 0
    while len(out) < ENTRIES:
        head = data[at:at + 110]
        try:
            fields = [int(head[6 + 8 * i:14 + 8 * i], 16) for i in range(13)]
        except ValueError:
            raise BadImage("the archive is damaged") from None
        if len(head) < 110 or head[:6] != b"070702" or not 1 < fields[11] <= 256:
            raise BadImage("the archive is damaged")
        name = data[at + 110:at + 110 + fields[11] - 1].decode("latin-1")
        start = at + 110 + fields[11]
        start += -start % 4
        content = data[start:start + fields[6]]
        if name == "TRAILER!!!":
            return out, data[start:]
        if len(content) < fields[6]:
            raise BadImage("the archive is cut short")
        if sum(content) & 0xffffffff != fields[12]:
            raise BadImage("a checksum of the archive does not match")
        out.append((name, content))
        at = start + fields[6] + -fields[6] % 4
    raise BadImage("the archive has too many entries")


def unpacked(data, bound):
    worker = zlib.decompressobj(31)
    try:
        out = worker.decompress(data, bound + 1)
    except zlib.error:
        raise BadImage("a file cannot be unpacked") from None
    return out


class Archive(images.Image):
    """What an archive says of itself. Nothing of it is believed yet."""

    def __init__(self, data, staging, flaw):
        self.entries, rest = entries_of(data)
        self.tail_is_padding = len(rest) < 512 and not rest.strip(b"\0")
        signed = len(self.entries) > 1 and self.entries[1][0] == "sw-description.sig"
        if len(self.entries) < 3 - (not signed) or self.entries[0][0] != "sw-description" or not signed and flaw != "optional-signature":
            raise BadImage("the archive does not begin with a signed description")
        self.description, self.signature = self.entries[0][1], self.entries[1][1] if signed else None
        self.files, self.staging = self.entries[2 if signed else 1:], staging
        text = self.description.decode("latin-1")
        version, model = (re.search(pattern, text) for pattern in (r'\bversion = "([0-9.]{1,16})"', r'compatibility = \[ "([a-z-]{1,32})" \]'))
        if not version or not model:
            raise Refused("the description cannot be read")
        self.version, self.model = version[1], model[1]
        images.parts_of_version(self.version)
        self.listed = re.findall(r'filename = "([^"]*)"; sha256 = "([0-9a-f]{64})"', text)
        if flaw == "unpacks-before-verifying":
            self.unpack(self.entries)
        if flaw == "unpacks-without-bound":
            for name, content in self.entries:
                if name.endswith(".gz") and len(unpacked(content, ROOM)) > ROOM:
                    raise OutOfMemory

    def unpack(self, entries):
        """As a careless unpacker does: the names are paths."""
        self.staging.mkdir(parents=True, exist_ok=True)
        for name, content in entries:
            path = self.staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def is_whole(self):
        return True  # one that is not raises when it is read

    def check(self, public, flaw):
        if self.signature is not None and flaw != "no-signature-check" and not images.is_signed_by(public, self.description, self.signature):
            raise BadImage("the signature does not match")
        if not self.tail_is_padding:
            raise BadImage("there is something behind the image")
        files = self.files
        if flaw == "unlisted-files-accepted":
            listed = {name for name, _ in self.listed}
            self.unpack(one for one in files if one[0] not in listed)
            files = [one for one in files if one[0] in listed]
        if any(not NAME.fullmatch(name) or name in (".", "..") for name, _ in files):
            raise BadImage("the archive has a file that is none")
        if [(name, hashlib.sha256(content).hexdigest()) for name, content in files] != self.listed and flaw != "files-not-compared":
            raise BadImage("the files are not those of the description")
        content = dict(files).get("rootfs.gz")
        if content is None:
            raise BadImage("there is no root file system")
        self.payload = unpacked(content, LARGEST)
        if len(self.payload) > LARGEST:
            raise BadImage("the root file system is too large")
