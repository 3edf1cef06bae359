"""The images of the scripted device that takes updates: made by its maker, checked by the device.

An image is a header page, the payload as it is written to flash, and a trailer:
  header   512 bytes: magic 8, model 32, version 16, sequence 4 (little endian), size of the payload 4, SHA-256 of it 32, zeros
  trailer  832 bytes: magic 8, length of a public key 2, the key (DER) in 310, signature of the header 256, of all before it 256
Signatures are RSA with PKCS #1 v1.5 padding and SHA-256. A sound device looks at the last one alone: no byte is left out of it, so
no change of an image is harmless. The key in the trailer only says which one it was; a device that trusts it has a flaw.
"""
import hashlib
import random
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HEADER, TRAILER, SIGNATURE, KEY_ROOM = 512, 832, 256, 310
MAGIC, TRAILER_MAGIC = b"ABIMAGE1", b"ABTRAIL1"


class Refused(Exception):
    """The device's own words on why it does not take something."""


class CutShort(Refused):
    """The connection ended before the image did."""


class BadImage(Refused):
    """The image is not as the maker made it."""


def load_key(path):
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


def public_der(private):
    return private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_pem(private):
    return private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def sign(private, data):
    return private.sign(data, padding.PKCS1v15(), hashes.SHA256())


def is_signed_by(public, data, signature):
    """`public` is a key in DER."""
    try:
        key = serialization.load_der_public_key(public)
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def payload_for(name, size=3600):
    """Bytes that no two images share and that are the same at every start."""
    return random.Random(name).randbytes(size)


def make(private, model, version, sequence=1):
    payload = payload_for(model + version)
    head = MAGIC + struct.pack("<32s16sII32s", model.encode(), version.encode(), sequence, len(payload), hashlib.sha256(payload).digest())
    head = head.ljust(HEADER, b"\0")
    key = public_der(private)
    body = head + payload + TRAILER_MAGIC + struct.pack(f"<H{KEY_ROOM}s", len(key), key) + sign(private, head)
    return body + sign(private, body)


def parts_of_version(text):
    """2.10.0 is newer than 2.9.1."""
    words = text.split(".")
    if not 1 <= len(words) <= 4 or not all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
        raise Refused("that is no version: " + ascii(text[:16]))
    return [int(word) for word in words]


class Image:
    """What an image says of itself. Nothing of it is believed yet."""

    def __init__(self, data):
        if len(data) < HEADER or data[:8] != MAGIC:
            raise Refused("not an image of this maker")
        model, version, self.sequence, self.size, self.digest = struct.unpack("<32s16sII32s", data[8:96])
        try:
            self.model, self.version = (field.rstrip(b"\0").decode("ascii") for field in (model, version))
        except UnicodeDecodeError:
            raise Refused("the header is damaged") from None
        parts_of_version(self.version)
        self.header, self.payload = data[:HEADER], data[HEADER:HEADER + self.size]
        self.trailer = data[HEADER + self.size:HEADER + self.size + TRAILER]
        self.rest = data[HEADER + self.size + TRAILER:]

    def is_whole(self):
        return len(self.trailer) == TRAILER

    def check(self, public, flaw):
        """Raises BadImage unless it is as the maker made it. `flaw` is the one thing that this device does wrong."""
        if flaw == "truncated-accepted" and not self.is_whole():
            return
        if flaw == "optional-signature" and len(self.payload) == self.size and not self.trailer:
            return self.check_digest()
        if not self.is_whole():
            raise BadImage("the image is cut short")
        if self.rest and flaw != "trailing-data-accepted":
            raise BadImage("there is something behind the image")
        if flaw == "header-only-check":
            return
        if flaw != "signature-over-header":
            self.check_digest()
        if flaw != "no-signature-check":
            self.check_signature(public, flaw)

    def check_digest(self):
        if hashlib.sha256(self.payload).digest() != self.digest:
            raise BadImage("the digest does not match")

    def check_signature(self, public, flaw):
        length = min(struct.unpack("<H", self.trailer[8:10])[0], KEY_ROOM)
        key = self.trailer[10:10 + length] if flaw == "any-key" else public
        data, signature = self.header + self.payload + self.trailer[:-SIGNATURE], self.trailer[-SIGNATURE:]
        if flaw == "signature-over-header":
            data, signature = self.header, self.trailer[-2 * SIGNATURE:-SIGNATURE]
        if self.trailer[:8] != TRAILER_MAGIC or not is_signed_by(key, data, signature):
            raise BadImage("the signature does not match")

    def check_target(self, model, installed, announced, flaw):
        """Is it for this device, and newer than what is installed? `announced` is the version that the manifest told, or None."""
        fits = self.model.startswith(model) if flaw == "any-component" else self.model == model
        if not fits and flaw != "any-model":
            raise Refused("the image is for another model")
        version = self.version
        if announced is not None and flaw == "manifest-version-believed":
            version = announced
        elif announced is not None and announced != self.version:
            raise Refused("the image is not the version that was announced")
        ours, theirs = parts_of_version(installed), parts_of_version(version)
        if theirs == ours and flaw != "same-version-accepted":
            raise Refused("this version is installed")
        if theirs < ours and flaw != "no-downgrade-check":
            raise Refused("the image is older than what is installed")
