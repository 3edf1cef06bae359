"""SUIT envelopes (draft-ietf-suit-manifest) of the scripted device: made by its maker, checked by the device. The payload lies beside the
envelope, at the address that the manifest names, or within it under the name "#payload" (integrated). One component, one COSE_Sign1 with ES256 over the SHA-256 of the manifest.

The version is the sequence number: 2.5.0 is 20500. A manifest carries a long text beside what is done, as those of products do.
"""
import hashlib
import io
import urllib.parse
import uuid

try:
    import cbor2
except ImportError:  # only a device of envelopes needs it
    cbor2 = None
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from updatable_images import BadImage, Refused, parts_of_version, payload_for, public_pem

FLAWS = {
    "payload-not-compared": "the envelope is checked, the digest of the payload is not",
    "manifest-not-compared": "the signature of the manifest's digest is checked, the manifest is not held against the digest",
}
ENVELOPE, SIGN1, SHA256, ES256 = 107, 18, -16, -7
AUTHENTICATION, MANIFEST = 2, 3
SEQUENCE, COMMON, INSTALL, TEXT = 2, 3, 20, 23
SHARED, OVERRIDE, FETCH = 4, 20, 21
VENDOR, CLASS, DIGEST, SIZE, URI = 1, 2, 3, 14, 21
INTEGRATED = "#payload"
VENDOR_ID = uuid.uuid5(uuid.NAMESPACE_DNS, "example.org").bytes


def class_of(model):
    return uuid.uuid5(uuid.UUID(bytes=VENDOR_ID), model).bytes


def digest_of(data):
    return cbor2.dumps([SHA256, hashlib.sha256(data).digest()])


def to_be_signed(protected, digest):
    return cbor2.dumps(["Signature1", protected, b"", digest])


def make(private, model, version, url):
    payload = payload_for(model + version)
    major, minor, patch = parts_of_version(version)
    shared = [OVERRIDE, {VENDOR: VENDOR_ID, CLASS: class_of(model), DIGEST: digest_of(payload), SIZE: len(payload)}, 1, 15, 2, 15]
    install = [OVERRIDE, {URI: url}, FETCH, 2, 3, 15]
    words = cbor2.dumps({"en": {1: f"The {model} of version {version}. " + "What is new is told on the page of the maker. " * 8}})
    manifest = cbor2.dumps({1: 1, SEQUENCE: major * 10000 + minor * 100 + patch, COMMON: cbor2.dumps({2: [[b"\0"]], SHARED: cbor2.dumps(shared)}),
                            INSTALL: cbor2.dumps(install), TEXT: words})
    digest, protected = digest_of(cbor2.dumps(manifest)), cbor2.dumps({1: ES256})
    r, s = utils.decode_dss_signature(private.sign(to_be_signed(protected, digest), ec.ECDSA(hashes.SHA256())))
    message = cbor2.dumps(cbor2.CBORTag(SIGN1, [protected, {}, None, r.to_bytes(32, "big") + s.to_bytes(32, "big")]))
    envelope = cbor2.CBORTag(ENVELOPE, {AUTHENTICATION: cbor2.dumps([digest, message]), MANIFEST: manifest})
    if url == INTEGRATED:
        envelope.value[INTEGRATED] = payload
    return cbor2.dumps(envelope), payload


def write(folder, private, model, polled, integrated):
    for name, version in ((model, "2.3.0"), (model, "2.4.0"), (model, "2.5.0"), ("plug", "2.5.0"), (model + "-radio", "2.5.0")):
        file = f"{name}-{version}"
        split = urllib.parse.urlsplit(polled)
        envelope, payload = make(private, name, version, INTEGRATED if integrated else f"{split.scheme}://{split.netloc}/{file}.bin")
        (folder / (file + ".suit")).write_bytes(envelope)
        if not integrated:
            (folder / (file + ".bin")).write_bytes(payload)
    (folder / "maker.pub.pem").write_bytes(public_pem(private))


def whole(data):
    """One item and nothing behind it."""
    stream = io.BytesIO(data)
    item = cbor2.CBORDecoder(stream).decode()
    if stream.tell() != len(data):
        raise BadImage("there is something behind what was to be read")
    return item


def check_signature(messages, digest, public):
    for message in messages:
        protected, _, content, signature = whole(message).value
        try:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            public.verify(utils.encode_dss_signature(r, s), to_be_signed(protected, digest), ec.ECDSA(hashes.SHA256()))
            if content is None and whole(protected) == {1: ES256} and len(signature) == 64:
                return
        except InvalidSignature:
            pass
    raise BadImage("the manifest is not signed by the maker")


def opened(data, public, model, flaw):
    """What the manifest says, once it is known to be the maker's and for this device; nothing of it counts before."""
    try:
        return _opened(data, public, model, flaw)
    except (cbor2.CBORDecodeError, KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, MemoryError, OverflowError):
        raise BadImage("the envelope cannot be read") from None


def _opened(data, public, model, flaw):
    envelope = whole(data)
    if envelope.tag != ENVELOPE:
        raise BadImage("that is no envelope")
    digest, *messages = whole(envelope.value[AUTHENTICATION])
    text = envelope.value[MANIFEST]
    if flaw != "no-signature-check" and (messages or flaw != "optional-signature"):
        check_signature(messages, digest, public)
    if flaw != "manifest-not-compared" and whole(digest) != [SHA256, hashlib.sha256(cbor2.dumps(text)).digest()]:
        raise BadImage("the manifest is not the one that was signed")
    manifest = whole(text)
    says = {}
    for sequence in (whole(manifest[COMMON])[SHARED], manifest[INSTALL]):
        commands = whole(sequence)
        for command, value in zip(commands[::2], commands[1::2]):
            if command == OVERRIDE:
                says |= value
    if flaw != "any-model" and (says[VENDOR], says[CLASS]) != (VENDOR_ID, class_of(model)):
        raise Refused("the manifest is for another vendor or class")
    number, (algorithm, expected) = int(manifest[SEQUENCE]), whole(says[DIGEST])
    if algorithm != SHA256 or not isinstance(says[URI], str):
        raise BadImage("the manifest asks for what is not known here")
    held = envelope.value[says[URI]] if says[URI].startswith("#") else None
    if not isinstance(held, (bytes, type(None))):
        raise BadImage("the payload within the envelope cannot be read")
    return {"version": f"{number // 10000}.{number // 100 % 100}.{number % 100}", "url": says[URI], "size": int(says[SIZE]), "digest": expected,
            "integrated": held}


class Payload:
    """What was fetched for a manifest."""

    def __init__(self, manifest, data, flaw):
        if len(data) != manifest["size"]:
            raise BadImage("the size is not what the manifest says")
        if flaw != "payload-not-compared" and hashlib.sha256(data).digest() != manifest["digest"]:
            raise BadImage("the digest does not match")
        self.version, self.payload = manifest["version"], data
