"""Images of boot loaders and of small controllers: U-Boot's two forms, ESP-IDF, SUIT, Intel HEX and UF2. What a mutation hits, what it leaves
right, and whether the signature holds is told by U-Boot's tools, by openssl, by srecord and by sums made here once more."""
import binascii
import hashlib
import os
import random
import struct

from common import facts, folder, need, side_by_side
from images import changed_bytes, content, mutated, refused, regions, signer, tool, verifies, within

need("openssl", "mkimage", "dumpimage", "fdtget", "srec_info", "srec_cat")


UTC = {**os.environ, "TZ": "UTC"}


def uimage(work):
    content(work / "kernel.bin", 1)
    genuine, bad = work / "hub.uimage", work / "bad.uimage"
    tool("mkimage", "-A", "arm", "-O", "linux", "-T", "kernel", "-C", "none", "-n", "Hub 2.5.0", "-d", work / "kernel.bin", genuine)
    found = regions(genuine)
    assert found["format"] == "uimage" and found["facts"]["name"] == "Hub 2.5.0" and not found["doubts"], found
    assert found["facts"]["signature"] == {"present": False}

    def right():
        """Both checksums, told here."""
        data = bytearray(bad.read_bytes())
        header, size = data[:64], struct.unpack(">I", data[12:16])[0]
        said_header, said_data = struct.unpack(">I", header[4:8])[0], struct.unpack(">I", header[24:28])[0]
        header[4:8] = bytes(4)
        return binascii.crc32(header) == said_header and binascii.crc32(data[64:64 + size]) == said_data

    for mutation in ("flip_bit:payload", "flip_bit:header", "lie_version:9.9.9", "lie_size:16", "bomb"):
        mutated(genuine, mutation, bad, "--bomb-mib", "16")
        assert not right() and regions(bad)["doubts"], mutation
        mutated(genuine, mutation + "+repair", bad, "--bomb-mib", "16")
        assert mutation == "lie_size:16" or right(), mutation
    mutated(genuine, "lie_version:9.9.9+repair", bad)
    assert b"9.9.9" in tool("mkimage", "-l", bad).stdout
    mutated(genuine, "lie_date", bad)
    assert not right() and within(changed_bytes(genuine, bad), found, "header")
    mutated(genuine, "lie_date+repair", bad)
    assert right() and b"Dec 31 00:00:00 2037" in tool("mkimage", "-l", bad, env=UTC).stdout, tool("mkimage", "-l", bad, env=UTC).stdout
    content(work / "older.bin", 8, 200_000)
    tool("mkimage", "-A", "arm", "-O", "linux", "-T", "kernel", "-C", "none", "-n", "Hub 2.3.0", "-d", work / "older.bin", work / "older.uimage")
    mutated(genuine, "mix_older+repair", bad, "--older", work / "older.uimage")
    assert right() and b"Hub 2.5.0" in tool("mkimage", "-l", bad).stdout
    tool("dumpimage", "-T", "kernel", "-p", "0", "-o", work / "part", bad)
    assert (work / "part").read_bytes() == (work / "older.bin").read_bytes().ljust((work / "kernel.bin").stat().st_size, b"\0")
    assert "nothing that" in refused(genuine, "remove_signature", work / "none")


FIT = """/dts-v1/;
/ { description = "Hub"; #address-cells = <1>;
  images {
    kernel { description = "kernel"; data = /incbin/("kernel.bin"); type = "kernel"; arch = "arm"; os = "linux"; compression = "none"; load = <0x8000>; entry = <0x8000>;
      hash-1 { algo = "sha256"; }; hash-2 { algo = "crc32"; }; signature-1 { algo = "sha256,rsa2048"; key-name-hint = "maker"; }; };
    fdt { description = "tree"; data = /incbin/("tree.bin"); type = "flat_dt"; arch = "arm"; compression = "none"; hash-1 { algo = "sha1"; }; };
  };
  configurations { default = "conf"; conf { kernel = "kernel"; fdt = "fdt"; compatible = "acme,hub";
      signature-1 { algo = "sha256,rsa2048"; key-name-hint = "maker"; padding = "PADDING"; sign-images = "kernel", "fdt"; }; }; };
};
"""


def fit(work):
    content(work / "kernel.bin", 2)
    content(work / "tree.bin", 3, 2000)
    content(work / "older.bin", 9, 200_000)
    for name, padding, more in (("within", "pkcs-1.5", ()), ("behind", "pss", ("-E",))):
        genuine, bad, part = work / f"{name}.itb", work / f"{name}.bad", work / f"{name}.part"
        (work / f"{name}.its").write_text(FIT.replace("PADDING", padding))
        tool("mkimage", "-f", f"{name}.its", *more, "-k", ".", "-r", genuine.name, cwd=work)
        found = regions(genuine)
        assert found["format"] == "fit" and not found["doubts"], found
        assert found["facts"]["compatible"] == ["acme,hub"] and found["facts"]["entries"] == ["kernel", "fdt"]
        assert found["facts"]["signature"]["over"] == ["configuration", "image"] and found["facts"]["signature"]["key_bits"] == 2048
        # U-Boot's tool signed it: that our own sum of what is covered fits is told by the maker's key.
        assert verifies(genuine, work / "maker.crt") == (True, []) and verifies(genuine, work / "maker.pub") == (True, [])
        assert verifies(genuine, work / "other.crt")[0] is False

        mutated(genuine, "flip_bit:payload", bad)
        assert within(changed_bytes(genuine, bad), found, "payload")
        assert verifies(bad, work / "maker.crt") == (False, ["2 contents whose digest is another"])
        mutated(genuine, "flip_bit:payload+repair", bad)
        assert verifies(bad, work / "maker.crt") == (False, [])
        tool("dumpimage", "-T", "flat_dt", "-p", "0", "-o", part, bad)
        digest = tool("fdtget", "-t", "bx", bad, "/images/kernel/hash-1", "value").stdout
        assert bytes(int(one, 16) for one in digest.split()) == hashlib.sha256(part.read_bytes()).digest()
        for where in ("manifest", "signature"):
            mutated(genuine, f"flip_bit:{where}", bad)
            assert within(changed_bytes(genuine, bad), found, where) and verifies(bad, work / "maker.crt", broken=True)[0] is False

        mutated(genuine, "resign:other_key", bad, "--signer-key", work / "other.key", "--signer-certificate", work / "other.crt")
        assert verifies(bad, work / "other.crt") == (True, []) and verifies(bad, work / "maker.crt")[0] is False
        value = tool("fdtget", "-t", "bx", bad, "/images/kernel/signature-1", "value").stdout
        (work / f"{name}.sig").write_bytes(bytes(int(one, 16) for one in value.split()))
        tool("dumpimage", "-T", "flat_dt", "-p", "0", "-o", part, bad)
        tool("openssl", "dgst", "-sha256", "-verify", work / "other.pub", "-signature", work / f"{name}.sig", part)
        mutated(genuine, "remove_signature", bad)
        # fdtget stops at the NOP tags that the nodes became; dtc reads them as the specification has it.
        assert b"signature" not in tool("dtc", "-q", "-I", "dtb", "-O", "dts", bad).stdout and b"Sign algo" not in tool("mkimage", "-l", bad).stdout
        mutated(genuine, "bomb+repair", bad, "--bomb-mib", "16")
        tool("dumpimage", "-T", "flat_dt", "-p", "0", "-o", part, bad)
        assert len(tool("gzip", "-dc", part).stdout) == 16 << 20
        mutated(genuine, "lie_size:16", bad)
        assert regions(bad)["doubts"]
        assert "names no version" in refused(genuine, "lie_version:9", work / "none")
        mutated(genuine, "lie_date+repair", bad)
        assert b"Dec 31 00:00:00 2037" in tool("dumpimage", "-l", bad, env=UTC).stdout and within(changed_bytes(genuine, bad), found, "manifest")
        assert verifies(bad, work / "maker.crt") == (False, []), "the root's properties are under the configuration's signature"
        (work / f"{name}-older.its").write_text((work / f"{name}.its").read_text().replace("kernel.bin", "older.bin"))
        tool("mkimage", "-f", f"{name}-older.its", *more, "-k", ".", "-r", f"{name}-older.itb", cwd=work)
        mutated(genuine, "mix_older", bad, "--older", work / f"{name}-older.itb")
        tool("dumpimage", "-T", "flat_dt", "-p", "0", "-o", part, bad)
        assert part.read_bytes() == (work / "older.bin").read_bytes().ljust((work / "kernel.bin").stat().st_size, b"\0")
        assert verifies(bad, work / "maker.crt") == (False, ["2 contents whose digest is another"])
        mutated(genuine, "mix_older+repair", bad, "--older", work / f"{name}-older.itb")
        assert verifies(bad, work / "maker.crt") == (False, [])


def esp_image(payload, version=b"2.5.0", counter=3, built=(b"12:00:00", b"Jan  1 2026")):
    """As esp-idf's documentation lays it out: header, segments, checksum, SHA-256."""
    description = struct.pack("<II8x32s32s16s16s32s", 0xABCD5432, counter, version, b"hub", *built, b"v5.1").ljust(256, b"\0")
    segments = [(0x3F400020, description + payload), (0x40080000, payload[:5000])]
    out = bytearray(struct.pack("<BBBBIB3sHBHH4sB", 0xE9, len(segments), 2, 0x20, 0x40081000, 0xEE, bytes(3), 0, 0, 0, 0xFFFF, bytes(4), 1))
    checksum = 0xEF
    for address, data in segments:
        out += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    out += bytes(15 - len(out) % 16) + bytes([checksum])
    return bytes(out) + hashlib.sha256(out).digest()


def esp_signed(image, work, name):
    """Secure boot version 2: a sector with a block of key and signature, made with openssl alone."""
    padded = image + b"\xff" * (-len(image) % 4096)
    (work / "padded").write_bytes(padded)
    tool("openssl", "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sign", work / f"{name}.key", "-out", work / "pss", work / "padded")
    text = tool("openssl", "rsa", "-pubin", "-in", work / f"{name}.pub", "-noout", "-modulus").stdout.decode()
    n = int(text.split("=")[1], 16)
    block = b"\xe7\x02\x00\x00" + hashlib.sha256(padded).digest() + n.to_bytes(384, "little") + struct.pack("<I", 65537)
    block += pow(2, 6144, n).to_bytes(384, "little") + struct.pack("<I", -pow(n, -1, 1 << 32) % (1 << 32)) + (work / "pss").read_bytes()[::-1]
    return padded + (block + struct.pack("<I", binascii.crc32(block)) + bytes(16)).ljust(4096, b"\xff")


def esp_signed_by_curve(image, work, name, bits):
    """The same with ECDSA: r, s and the point with their lowest bytes first, the digest and the curve by the key's length."""
    padded = image + b"\xff" * (-len(image) % 4096)
    half, digest = bits // 8, hashlib.sha256 if bits == 256 else hashlib.sha384
    r, s = both_numbers(work, name, padded, "sha256" if bits == 256 else "sha384")
    point = tool("openssl", "pkey", "-pubin", "-in", work / f"{name}.pub", "-pubout", "-outform", "DER").stdout[-2 * half:]
    block = bytes([0xe7, 3, bits == 384, 0]) + digest(padded).digest() + bytes([2 if bits == 256 else 3])
    block += point[:half][::-1] + point[half:][::-1] + r.to_bytes(half, "little") + s.to_bytes(half, "little")
    block = block.ljust(1196, b"\0")
    return padded + (block + struct.pack("<I", binascii.crc32(block)) + bytes(16)).ljust(4096, b"\xff")


def both_numbers(work, name, data, digest):
    """Of openssl's signature in DER: a sequence of two integers."""
    (work / "padded").write_bytes(data)
    der = tool("openssl", "dgst", "-" + digest, "-sign", work / f"{name}.key", work / "padded").stdout
    at = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    first = der[at + 1]
    second = der[at + 2 + first + 1]
    return int.from_bytes(der[at + 2:at + 2 + first], "big"), int.from_bytes(der[at + 4 + first:at + 4 + first + second], "big")


def esp_curves(work):
    payload = random.Random(5).randbytes(40_000)
    for bits, curve in ((256, "P-256"), (384, "P-384")):
        genuine, bad, anew = work / f"hub-{bits}.bin", work / "bad-curve.bin", work / "anew-curve.bin"
        for name in ("maker", "other"):
            tool("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + curve, "-out", work / f"{name}.key")
            tool("openssl", "pkey", "-in", work / f"{name}.key", "-pubout", "-out", work / f"{name}.pub")
        genuine.write_bytes(esp_signed_by_curve(esp_image(payload), work, "maker", bits))
        found = regions(genuine)
        assert found["format"] == "esp" and not found["doubts"] and found["facts"]["signature"]["key_bits"] == bits, found
        assert found["facts"]["rollback"] == {"by": "secure_version", "value": 3, "signed": True}, found["facts"]
        assert verifies(genuine, work / "maker.pub") == (True, []) and verifies(genuine, work / "other.pub")[0] is False
        mutated(genuine, "resign:other_key", bad, "--signer-key", work / "other.key")
        expected, data = esp_signed_by_curve(esp_image(payload), work, "other", bits), bad.read_bytes()
        start, signature = len(expected) - 4096, 4 + bits // 8 + 1 + bits // 4
        assert data[:start + signature] == expected[:start + signature] and verifies(bad, work / "other.pub") == (True, [])
        assert struct.unpack("<I", data[start + 1196:start + 1200])[0] == binascii.crc32(data[start:start + 1196])
        mutated(genuine, "flip_bit:payload+repair", bad)
        data, digest = bad.read_bytes(), hashlib.sha256 if bits == 256 else hashlib.sha384
        assert digest(data[:start]).digest() == data[start + 4:start + 4 + bits // 8] and verifies(bad, work / "maker.pub")[0] is False
        mutated(bad, "resign:other_key", anew, "--signer-key", work / "other.key")
        assert verifies(anew, work / "other.pub") == (True, [])


def esp(work):
    signer(work, "maker", "rsa:3072")
    signer(work, "other", "rsa:3072")
    payload = random.Random(4).randbytes(40_000)
    genuine, bad, anew = work / "hub.bin", work / "bad.bin", work / "anew.bin"
    genuine.write_bytes(esp_signed(esp_image(payload), work, "maker"))
    (work / "unsigned.bin").write_bytes(esp_image(payload))
    found = regions(genuine)
    assert found["format"] == "esp" and not found["doubts"], found
    assert (found["facts"]["version"], found["facts"]["sequence_number"], found["facts"]["name"]) == ("2.5.0", 3, "hub"), found["facts"]
    assert found["facts"]["signature"]["scheme"] == "rsa_pss" and regions(work / "unsigned.bin")["facts"]["signature"] == {"present": False}
    assert verifies(genuine, work / "maker.pub") == (True, []) and verifies(genuine, work / "other.pub")[0] is False

    mutated(genuine, "resign:other_key", bad, "--signer-key", work / "other.key")
    expected = esp_signed(esp_image(payload), work, "other")
    start = len(expected) - 4096
    # The signature has a salt; all else of the block is the same as what was made here. Its CRC is over the signature too.
    assert bad.read_bytes()[:start + 812] == expected[:start + 812] and verifies(bad, work / "other.pub") == (True, [])
    block = bad.read_bytes()[start:start + 1216]
    assert struct.unpack("<I", block[1196:1200])[0] == binascii.crc32(block[:1196])
    mutated(genuine, "remove_signature", bad)
    assert bad.read_bytes() == genuine.read_bytes()[:start]

    for mutation in ("flip_bit:payload", "lie_version:9.9.9", "lie_date"):
        mutated(genuine, mutation, bad)
        assert within(changed_bytes(genuine, bad), found, "payload" if "flip" in mutation else "manifest")
        mutated(genuine, mutation + "+repair", bad)
        data = bad.read_bytes()
        end = len(esp_image(payload)) - 32
        assert hashlib.sha256(data[:end]).digest() == data[end:end + 32], "the appended SHA-256 is right again"
        assert hashlib.sha256(data[:start]).digest() == data[start + 4:start + 36], "so is the block's"
        assert verifies(bad, work / "maker.pub")[0] is False
        mutated(bad, "resign:other_key", anew, "--signer-key", work / "other.key")
        assert verifies(anew, work / "other.pub") == (True, [])
    mutated(work / "unsigned.bin", "lie_version:9.9.9+repair", bad)
    assert bad.read_bytes() == esp_image(payload, b"9.9.9"), "an unsigned image is what its maker would have built"
    mutated(work / "unsigned.bin", "lie_date+repair", bad)
    assert bad.read_bytes() == esp_image(payload, built=(b"00:00:00", b"Dec 31 2037")) and regions(bad)["facts"]["created"] == "Dec 31 2037 00:00:00"
    (work / "older.bin").write_bytes(esp_image(random.Random(7).randbytes(40_000), b"2.3.0", 2))
    mutated(work / "unsigned.bin", "mix_older+repair", bad, "--older", work / "older.bin")
    mixed, segment = bad.read_bytes(), slice(32 + 256, 32 + 256 + len(payload))
    assert regions(bad)["facts"]["version"] == "2.5.0" and not regions(bad)["doubts"]
    assert mixed[segment] == (work / "older.bin").read_bytes()[segment] and mixed[segment.stop:-33] == esp_image(payload)[segment.stop:-33]
    mutated(genuine, "lie_size:16", bad)
    assert regions(bad)["doubts"]
    esp_curves(work)


def raw_signature(work, key, message):
    """r and s side by side, from openssl's DER."""
    (work / "message").write_bytes(message)
    der = tool("openssl", "dgst", "-sha256", "-sign", work / f"{key}.key", work / "message").stdout
    at, out = 2, b""
    for _ in range(2):
        length = der[at + 1]
        out += der[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + length
    return out


def suit(work):
    try:
        import cbor2
    except ImportError:
        print("without SUIT: python3-cbor2 is not installed")
        return
    for name in ("maker", "other"):
        tool("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", work / f"{name}.key")
        tool("openssl", "ec", "-in", work / f"{name}.key", "-pubout", "-out", work / f"{name}.pub")
    payload = random.Random(5).randbytes(20_000)
    digest = cbor2.dumps([-16, hashlib.sha256(payload).digest()])
    parameters = {1: bytes(range(16)), 2: bytes(range(16, 32)), 3: digest, 14: len(payload)}
    common = cbor2.dumps({2: [[b"\0"]], 4: cbor2.dumps([20, parameters, 1, 15, 2, 15])})
    manifest = cbor2.dumps(cbor2.dumps({1: 1, 2: 7, 3: common, 20: cbor2.dumps([21, {21: "#image"}])}))
    manifest_digest = cbor2.dumps([-16, hashlib.sha256(manifest).digest()])
    header = cbor2.dumps({1: -7})
    sign1 = cbor2.CBORTag(18, [header, {}, None, raw_signature(work, "maker", cbor2.dumps(["Signature1", header, b"", manifest_digest]))])
    genuine, bad, anew = work / "hub.suit", work / "bad.suit", work / "anew.suit"
    wrapper = cbor2.dumps([manifest_digest, cbor2.dumps(sign1)])
    genuine.write_bytes(cbor2.dumps(cbor2.CBORTag(107, {2: wrapper, 3: cbor2.loads(manifest), "#image": payload})))
    found = regions(genuine)
    assert found["format"] == "suit" and found["facts"]["sequence_number"] == 7 and not found["doubts"], found
    assert found["facts"]["signature"]["algorithm"] == "ES256" and found["facts"]["size_said"] == len(payload), found["facts"]
    assert verifies(genuine, work / "maker.pub") == (True, []) and verifies(genuine, work / "other.pub")[0] is False

    for where in ("manifest", "signature", "payload"):
        mutated(genuine, f"flip_bit:{where}", bad)
        assert within(changed_bytes(genuine, bad), found, where)
        verified, uncovered = verifies(bad, work / "maker.pub")
        assert verified == (where != "signature") and {"manifest": "manifest" in uncovered, "signature": uncovered == [], "payload": uncovered == ["#image"]}[where], where
    for mutation in ("flip_bit:payload+repair", "swap_content+repair", "lie_version:8+repair", "lie_size:2+repair"):
        mutated(genuine, mutation, bad)
        assert verifies(bad, work / "maker.pub") == (False, []), mutation
        mutated(bad, "resign:other_key", anew, "--signer-key", work / "other.key")
        assert verifies(anew, work / "other.pub") == (True, []), mutation
        envelope = cbor2.loads(anew.read_bytes()).value
        said = cbor2.loads(cbor2.loads(envelope[2])[0])[1]
        assert said == hashlib.sha256(cbor2.dumps(envelope[3])).digest(), mutation
    mutated(genuine, "remove_signature", bad)
    assert len(cbor2.loads(cbor2.loads(bad.read_bytes()).value[2])) == 1 and regions(bad)["facts"]["signature"]["present"] is False
    mutated(genuine, "lie_version:99.99.99", bad)
    assert cbor2.loads(cbor2.loads(bad.read_bytes()).value[3])[2] == 1007


def controllers(work):
    (work / "app.bin").write_bytes(random.Random(6).randbytes(70_000))
    genuine, bad = work / "hub.hex", work / "bad.hex"
    tool("srec_cat", work / "app.bin", "-binary", "-offset", "0x08000000", "-o", genuine, "-intel")
    found = regions(genuine)
    assert found["format"] == "ihex" and found["facts"]["size_said"] == 70_000 and found["facts"]["address"] == "0x8000000", found
    assert not found["doubts"] and tool("srec_info", genuine, "-intel").returncode == 0
    mutated(genuine, "flip_bit:payload", bad)
    assert within(changed_bytes(genuine, bad), found, "payload") and tool("srec_info", bad, "-intel", check=False).returncode != 0
    mutated(genuine, "flip_bit:payload+repair", bad)
    tool("srec_cat", bad, "-intel", "-offset", "-0x08000000", "-o", work / "back.bin", "-binary")
    places = changed_bytes(work / "app.bin", work / "back.bin")
    assert len(places) == 1, places

    blocks = [random.Random(at).randbytes(256) for at in range(40)]
    genuine = work / "hub.uf2"
    genuine.write_bytes(b"".join(struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * at, 256, at, len(blocks), 0xE48BFF56) +
                                 block.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30) for at, block in enumerate(blocks)))
    found = regions(genuine)
    assert found["format"] == "uf2" and found["facts"]["blocks"] == 40 and found["facts"]["compatible"] == ["0xe48bff56"] and not found["doubts"], found
    mutated(genuine, "flip_bit:payload", bad)
    assert within(changed_bytes(genuine, bad), found, "payload")
    mutated(genuine, "lie_size:4", bad)
    assert all(struct.unpack("<I", bad.read_bytes()[at + 24:at + 28])[0] == 160 for at in range(0, 40 * 512, 512))
    assert {one["name"] for one in facts("image", genuine, "--mutations", check=0)["mutations"] if not one["possible"]} >= {"bomb", "resign:other_key", "traversal"}


with folder() as work:
    parts = {name: work / name for name in ("uimage", "fit", "esp", "suit", "controllers")}
    for part in parts.values():
        part.mkdir()
    for name in ("maker", "other"):
        signer(parts["fit"], name)
    side_by_side(*[lambda job=job, part=parts[job.__name__]: job(part) for job in (uimage, fit, esp, suit, controllers)])
