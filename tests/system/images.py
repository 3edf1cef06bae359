"""Firmware images made with the tools that makers use, for the tests of `assay image`."""
import hashlib
import json
import pathlib
import random
import subprocess

from common import assay, facts


def tool(*words, check=True, **options):
    """An independent tool: its exit code and all that it said."""
    done = subprocess.run([str(word) for word in words], stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout[-2000:]!r}")
    return done


def signer(folder, name, kind="rsa:2048"):
    """NAME.key, NAME.crt (for signing code) and NAME.pub."""
    tool("openssl", "req", "-x509", "-newkey", kind, "-nodes", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt", "-days", "30",
         "-subj", f"/O=Maker/CN={name}", "-addext", "keyUsage=digitalSignature", "-addext", "extendedKeyUsage=codeSigning,emailProtection")
    public = tool("openssl", "x509", "-in", folder / f"{name}.crt", "-pubkey", "-noout").stdout
    (folder / f"{name}.pub").write_bytes(public)


def content(path, seed, size=300_000):
    """Bytes that do not pack, then bytes that do, as a file system has them."""
    path.write_bytes(random.Random(seed).randbytes(size) + bytes(size))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def mutated(image, mutation, out, *more):
    """Makes one mutation and returns the sentence that says what was done."""
    return facts("image", image, "--mutate", mutation, "-o", out, *more, check=0)["written"][0]["what"]


def refused(image, mutation, out, *more):
    """A mutation that the format does not allow: what `assay` says."""
    done = assay("image", image, "--mutate", mutation, "-o", out, *more, check=2)
    assert not pathlib.Path(out).exists()
    return done.stderr


def verifies(image, key, broken=False):
    """(by the key, parts that are not covered); the exit code must say the same. `broken`: the format may not be readable any more."""
    done = assay("image", image, "--key", key, "--json")
    if broken and done.returncode == 2:
        return False, []
    result = json.loads(done.stdout)["verified"]
    sound = result["verified"] and not result["uncovered"]
    assert done.returncode == (0 if sound else 6), (done.returncode, result)
    return result["verified"], result["uncovered"]


def regions(image):
    """What lies where, checked: side by side and within the image."""
    report = facts("image", image, check=0)
    end = 0
    for region in report["map"]["regions"]:
        assert region["offset"] >= end and region["length"] > 0, region
        end = region["offset"] + region["length"]
    assert end <= report["size"]
    assert report["sha256"] == hashlib.sha256(pathlib.Path(image).read_bytes()).hexdigest()
    return report["map"]


def changed_bytes(one, other):
    """Places at which two files of one length differ."""
    first, second = pathlib.Path(one).read_bytes(), pathlib.Path(other).read_bytes()
    assert len(first) == len(second), (len(first), len(second))
    return [at for at, (a, b) in enumerate(zip(first, second)) if a != b]


def within(places, image_map, kind):
    """Every place lies in a region of that kind."""
    return places and all(any(region["kind"] == kind and region["offset"] <= at < region["offset"] + region["length"]
                              for region in image_map["regions"]) for at in places)
