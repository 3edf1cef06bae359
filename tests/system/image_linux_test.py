"""Images of SWUpdate, RAUC and Mender, made with their own tools: `assay image` reads them, and each mutation hits what it says. The updaters
themselves tell: they take the genuine one, refuse the mutation for the reason it was made for, and take a repaired mutation that
was signed anew, so that nothing but the signature was wrong with it."""
import hashlib
import os
import subprocess

from common import folder, need, side_by_side
from images import changed_bytes, content, mutated, refused, regions, signer, tool, verifies, within

need("openssl", "cpio", "swupdate", "rauc", "mksquashfs", "mender-artifact")


def make_swu(work, name, version, seed, signed=True):
    place = work / name
    place.mkdir()
    digest = content(place / "rootfs.ext4", seed)
    (place / "sw-description").write_text(f"""software =
{{
  version = "{version}";
  description = "Hub";
  hardware-compatibility: [ "1.0", "1.2" ];
  images: ( {{ filename = "rootfs.ext4"; type = "raw"; device = "{work}/slot"; sha256 = "{digest}"; }} );
}}
""")
    names = ["sw-description", "rootfs.ext4"]
    if signed:
        tool("openssl", "cms", "-sign", "-in", place / "sw-description", "-out", place / "sw-description.sig", "-signer", work / "maker.crt",
             "-inkey", work / "maker.key", "-outform", "DER", "-nosmimecap", "-binary")
        names.insert(1, "sw-description.sig")
    out = work / f"{name}.swu"
    with open(out, "wb") as file:
        subprocess.run(["cpio", "-o", "-H", "crc", "--quiet"], input="\n".join(names).encode(), stdout=file, cwd=place, check=True)
    return out


def swupdate(image, certificate):
    """Whether SWUpdate would install it, and its words: its exit code is now and then 1 after a success. Its sockets stand in a folder of
    this test, because others run it too."""
    place = image.parent / "run"
    place.mkdir(exist_ok=True)
    done = tool("swupdate", "-c", "-H", "hub:1.0", "-k", certificate, "-i", image, check=False,
                env={**os.environ, "TMPDIR": str(place), "RUNTIME_DIRECTORY": str(place)})
    return b"SWUPDATE successful" in done.stdout, f"exit {done.returncode}: {done.stdout.decode(errors='replace')}"


def swu(work):
    (work / "slot").write_bytes(bytes(1_000_000))
    genuine = make_swu(work, "hub-2.5.0", "2.5.0", 1)
    older = make_swu(work, "hub-2.3.0", "2.3.0", 2)
    found = regions(genuine)
    assert found["format"] == "swu" and not found["doubts"], found
    assert found["facts"]["version"] == "2.5.0" and found["facts"]["compatible"] == ["1.0", "1.2"], found["facts"]
    assert found["facts"]["signature"]["scheme"] == "cms" and found["facts"]["signature"]["key_bits"] == 2048, found["facts"]
    assert [region["name"] for region in found["regions"] if region["kind"] == "payload"] == ["rootfs.ext4"]
    for key in ("maker.crt", "maker.pub"):
        assert verifies(genuine, work / key) == (True, [])
    assert verifies(genuine, work / "other.crt")[0] is False and verifies(genuine, work / "other.pub")[0] is False
    assert swupdate(genuine, work / "maker.crt")[0]

    bad = work / "bad.swu"
    anew = work / "anew.swu"
    own = ("--signer-key", work / "other.key", "--signer-certificate", work / "other.crt")

    def only_the_signature_is_wrong(mutation, *more):
        """The maker's certificate refuses it before any digest is looked at; signed by another, that one's takes it."""
        mutated(genuine, mutation, bad, *more)
        taken, words = swupdate(bad, work / "maker.crt")
        assert not taken and "HASH mismatch" not in words and "Signature" in words or "verif" in words.lower(), (mutation, words)
        mutated(bad, "resign:other_key", anew, *own)
        taken, words = swupdate(anew, work / "other.crt")
        assert taken, (mutation, words)

    for where in ("manifest", "signature", "payload"):
        mutated(genuine, f"flip_bit:{where}", bad)
        places = changed_bytes(genuine, bad)
        assert len(places) == 1 and within(places, found, where), (where, places)
        taken, words = swupdate(bad, work / "maker.crt")
        assert not taken, (where, words)
        assert ("HASH mismatch" in words) == (where == "payload"), (where, words)
    assert verifies(bad, work / "maker.crt") == (True, ["rootfs.ext4"])
    only_the_signature_is_wrong("flip_bit:payload+repair")
    only_the_signature_is_wrong("lie_version:9.9.9")
    assert regions(bad)["facts"]["version"] == "9.9.9"
    only_the_signature_is_wrong("bomb+repair", "--bomb-mib", "64")
    only_the_signature_is_wrong("swap_content+repair", "--older", older)
    mutated(genuine, "swap_content", bad, "--older", older)
    assert "HASH mismatch" in swupdate(bad, work / "maker.crt")[1]
    mutated(genuine, "mix_older", bad, "--older", older)
    assert "HASH mismatch" in swupdate(bad, work / "maker.crt")[1] and verifies(bad, work / "maker.crt") == (True, ["rootfs.ext4"])
    only_the_signature_is_wrong("mix_older+repair", "--older", older)

    mutated(genuine, "resign:other_key", bad)  # with a key that is made for it
    assert regions(bad)["facts"]["signature"]["signer"] == found["facts"]["signature"]["signer"]
    assert not swupdate(bad, work / "maker.crt")[0] and verifies(bad, work / "maker.crt")[0] is False
    mutated(genuine, "remove_signature", bad)
    assert regions(bad)["facts"]["signature"] == {"present": False} and not swupdate(bad, work / "maker.crt")[0]
    assert tool("bsdtar", "-tf", bad).stdout.split() == [b"sw-description", b"rootfs.ext4"]
    mutated(genuine, "traversal", bad)
    assert b"../../../../../../tmp/assay-traversal" in tool("bsdtar", "-tf", bad).stdout
    assert verifies(bad, work / "maker.crt")[0] is True, "the signature stays right"
    mutated(genuine, "lie_size:16", bad)
    assert not swupdate(bad, work / "maker.crt")[0]
    assert "has no signature" in refused(make_swu(work, "unsigned", "1", 3, signed=False), "resign:other_key", work / "none.swu")
    assert "lent no signer" in refused(genuine, "resign:expired", work / "none.swu")


def make_bundle(work, name, version, seed, kind):
    place = work / name
    place.mkdir()
    content(place / "rootfs.img", seed)
    (place / "manifest.raucm").write_text(f"[update]\ncompatible=Hub\nversion={version}\nbuild=20260131-1\n\n" + ("[bundle]\nformat=verity\n\n" if kind == "verity" else "") +
                                          "[image.rootfs]\nfilename=rootfs.img\n")
    out = work / f"{name}.raucb"
    tool("rauc", "bundle", f"--cert={work}/maker.crt", f"--key={work}/maker.key", place, out)
    return out


def rauc_takes(bundle, certificate):
    return tool("rauc", "info", f"--keyring={certificate}", bundle, check=False).returncode == 0


def verity_root(data, salt):
    """dm-verity's root, computed here once more."""
    level = b"".join(hashlib.sha256(salt + data[at:at + 4096]).digest() for at in range(0, len(data), 4096))
    while len(level) > 32:
        level += bytes(-len(level) % 4096)
        level = b"".join(hashlib.sha256(salt + level[at:at + 4096]).digest() for at in range(0, len(level), 4096))
    return level.hex()


def rauc(work):
    own = ("--signer-key", work / "other.key", "--signer-certificate", work / "other.crt")
    for kind in ("plain", "verity"):
        genuine = make_bundle(work, kind, "2.5.0", 4, kind)
        older = make_bundle(work, f"{kind}-older", "2.3.0", 5, kind)
        bad = work / f"bad-{kind}.raucb"
        anew = work / f"anew-{kind}.raucb"
        found = regions(genuine)
        assert found["format"] == "rauc" and found["facts"]["bundle_format"] == kind and not found["doubts"], found
        assert found["facts"]["signature"]["scheme"] == "cms" and found["facts"]["signature"]["key_bits"] == 2048
        assert (found["facts"].get("version"), found["facts"].get("compatible")) == (("2.5.0", ["Hub"]) if kind == "verity" else (None, None))
        assert verifies(genuine, work / "maker.crt") == (True, []) and verifies(genuine, work / "maker.pub") == (True, [])
        assert verifies(genuine, work / "other.crt")[0] is False
        assert rauc_takes(genuine, work / "maker.crt")

        mutated(genuine, "flip_bit:payload", bad)
        assert within(changed_bytes(genuine, bad), found, "payload")
        assert verifies(bad, work / "maker.crt") == ((False, []) if kind == "plain" else (True, ["squashfs"]))
        assert kind == "verity" or not rauc_takes(bad, work / "maker.crt")
        mutated(genuine, "flip_bit:signature", bad)
        assert not rauc_takes(bad, work / "maker.crt")
        mutated(genuine, "resign:other_key", bad, *own)
        assert rauc_takes(bad, work / "other.crt") and not rauc_takes(bad, work / "maker.crt")
        mutated(genuine, "resign:other_key", bad)
        assert not rauc_takes(bad, work / "maker.crt")
        mutated(genuine, "remove_signature", bad)
        assert bad.read_bytes() == genuine.read_bytes()[:bad.stat().st_size] and not rauc_takes(bad, work / "maker.crt")
        mutated(genuine, "swap_content", bad, "--older", older)
        verified, uncovered = verifies(bad, work / "maker.crt")
        assert not verified if kind == "plain" else uncovered == ["squashfs"]
        mutated(genuine, "lie_size:16", bad)
        assert not rauc_takes(bad, work / "maker.crt")
        if kind == "plain":
            assert "has a checksum outside its signature" in refused(genuine, "flip_bit:payload+repair", work / "none.raucb")
            assert "no manifest outside" in refused(genuine, "lie_version:9", work / "none.raucb")
            assert "shows a date" in refused(genuine, "lie_date", work / "none.raucb")
            mutated(genuine, "mix_older", bad, "--older", older)
            assert verifies(bad, work / "maker.crt")[0] is False and not rauc_takes(bad, work / "maker.crt")
            continue
        mutated(genuine, "lie_date+repair", bad)
        assert regions(bad)["facts"]["created"] == "20371231-1" and not rauc_takes(bad, work / "maker.crt")
        mutated(bad, "resign:other_key", anew, *own)
        assert b"20371231-1" in tool("rauc", "info", f"--keyring={work}/other.crt", anew).stdout
        mutated(genuine, "mix_older", bad, "--older", older)
        assert verifies(bad, work / "maker.crt") == (True, ["squashfs"])
        tree = next(region["offset"] for region in regions(older)["regions"] if region["name"] == "padding")
        assert bad.read_bytes()[:tree] == older.read_bytes()[:tree]
        mutated(genuine, "mix_older+repair", bad, "--older", older)
        assert verifies(bad, work / "maker.crt")[0] is False and not rauc_takes(bad, work / "maker.crt")
        mutated(bad, "resign:other_key", anew, *own)
        assert verifies(anew, work / "other.crt") == (True, []) and rauc_takes(anew, work / "other.crt")
        mutated(genuine, "lie_version:9.9.9", bad)
        assert regions(bad)["facts"]["version"] == "9.9.9" and not rauc_takes(bad, work / "maker.crt")
        mutated(bad, "resign:other_key", anew, *own)
        assert rauc_takes(anew, work / "other.crt") and b"9.9.9" in tool("rauc", "info", f"--keyring={work}/other.crt", anew).stdout
        mutated(genuine, "flip_bit:payload+repair", bad)
        assert not rauc_takes(bad, work / "maker.crt")
        mutated(bad, "resign:other_key", anew, *own)
        told = dict(line.strip().split(":", 1) for line in tool("rauc", "info", f"--keyring={work}/other.crt", anew).stdout.decode().splitlines() if "Verity" in line)
        salt, root = (told[key].strip().strip("'") for key in ("Verity Salt", "Verity Hash"))
        data = next(region for region in regions(anew)["regions"] if region["name"] == "hash tree")["offset"]
        assert verity_root(anew.read_bytes()[:data], bytes.fromhex(salt)) == root, "the tree's root is the one that is signed"
        assert verifies(anew, work / "other.crt") == (True, [])


def make_artifact(work, name, seed, key, *more):
    (work / name).mkdir()
    content(work / name / "rootfs.ext4", seed)
    tool("mender-artifact", "write", "rootfs-image", "-t", "hub", "-n", name, "-f", work / name / "rootfs.ext4", "-o", work / f"{name}.mender", "-k", key, *more)
    return work / f"{name}.mender"


def mender_takes(artifact, key):
    return tool("mender-artifact", "validate", "-k", key, artifact, check=False).returncode == 0


def mender(work):
    tool("openssl", "rsa", "-in", work / "maker.key", "-traditional", "-out", work / "maker-rsa.key")
    tool("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", work / "maker-ec.key")
    tool("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", work / "other-ec.key")
    tool("openssl", "ec", "-in", work / "maker-ec.key", "-pubout", "-out", work / "maker-ec.pub")
    tool("openssl", "ec", "-in", work / "other-ec.key", "-pubout", "-out", work / "other-ec.pub")

    def one(name, private, public, other_private, other_public, *how):
        genuine = make_artifact(work, f"hub-{name}", 6, private, *how)
        older = make_artifact(work, f"older-{name}", 7, private, *how)
        bad = work / f"bad-{name}.mender"
        anew = work / f"anew-{name}.mender"
        found = regions(genuine)
        assert found["format"] == "mender" and not found["doubts"], found
        assert found["facts"]["version"] == f"hub-{name}" and found["facts"]["compatible"] == ["hub"], found["facts"]
        assert found["facts"]["signature"]["scheme"] == ("ecdsa_raw" if "ec" in name else "rsa")
        assert mender_takes(genuine, public) and verifies(genuine, public) == (True, [])
        assert verifies(genuine, other_public)[0] is False
        for where in ("header", "manifest", "signature", "payload"):
            mutated(genuine, f"flip_bit:{where}", bad)
            assert within(changed_bytes(genuine, bad), found, where) and not mender_takes(bad, public), where
        for mutation in ("flip_bit:payload+repair", "lie_version:9.9.9+repair", "swap_content+repair", "mix_older+repair"):
            mutated(genuine, mutation, bad, "--older", older)
            assert not mender_takes(bad, public), mutation
            mutated(bad, "resign:other_key", anew, "--signer-key", other_private)
            assert mender_takes(anew, other_public) and verifies(anew, other_public) == (True, []), mutation
            if mutation.startswith("lie_version"):
                assert b"9.9.9" in tool("mender-artifact", "read", anew).stdout
        mutated(genuine, "lie_version:9.9.9", bad)
        assert verifies(bad, public)[1] and not mender_takes(bad, public)
        mutated(genuine, "remove_signature", bad)
        assert regions(bad)["facts"]["signature"] == {"present": False} and not mender_takes(bad, public)
        for mutation in ("resign:other_key", "swap_content", "mix_older", "lie_size:16", "traversal", "bomb"):
            mutated(genuine, mutation, bad, "--older", older, "--bomb-mib", "16")
            assert mutation == "traversal" or not mender_takes(bad, public), mutation

    side_by_side(lambda: one("rsa", work / "maker-rsa.key", work / "maker.pub", work / "other.key", work / "other.pub"),
                 lambda: one("ec", work / "maker-ec.key", work / "maker-ec.pub", work / "other-ec.key", work / "other-ec.pub"),
                 lambda: one("flat", work / "maker-rsa.key", work / "maker.pub", work / "other.key", work / "other.pub", "--compression", "none"))


with folder() as work:
    signer(work, "maker")
    signer(work, "other")
    parts = {name: work / name for name in ("swu", "rauc", "mender")}
    for part in parts.values():
        part.mkdir()
        for file in work.glob("*.???"):
            if file.is_file():
                (part / file.name).write_bytes(file.read_bytes())
    side_by_side(lambda: swu(parts["swu"]), lambda: rauc(parts["rauc"]), lambda: mender(parts["mender"]))
