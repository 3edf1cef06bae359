"""Archives and packed streams as images, any other file as "raw", what a user writes wrong, and the memory that a large image takes."""
import hashlib
import pathlib
import subprocess
import sys
import tarfile
import zipfile

from common import ASSAY, assay, facts, folder, need, side_by_side
from images import changed_bytes, content, mutated, refused, regions, tool, within

need("cpio", "bsdtar", "zip", "unzip", "xz", "gzip")
TRAVERSAL = "../../../../../../tmp/assay-traversal"


def packed(data):
    return subprocess.run(["gzip", "-9c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def archives(work):
    content(work / "app.bin", 1)
    (work / "notes.txt").write_text("version 2.5.0\n")
    (work / "app.bin.gz").write_bytes(packed((work / "app.bin").read_bytes()))
    tar, cpio, bad = work / "hub.tar", work / "hub.cpio", work / "bad"
    tool("bsdtar", "-cf", tar, "--format", "pax", "notes.txt", "app.bin", cwd=work)
    with open(cpio, "wb") as file:
        subprocess.run(["cpio", "-o", "-H", "crc", "--quiet"], input=b"notes.txt\napp.bin\n", stdout=file, cwd=work, check=True)
    for genuine, name in ((tar, "tar"), (cpio, "cpio")):
        found = regions(genuine)
        assert found["format"] == name and found["facts"]["entries"] == ["notes.txt", "app.bin"] and not found["doubts"], found
        mutated(genuine, "traversal", bad)
        assert tool("bsdtar", "-tf", bad).stdout.decode().split() == ["notes.txt", "app.bin", TRAVERSAL], name
        mutated(genuine, "flip_bit:payload", bad)
        assert within(changed_bytes(genuine, bad), found, "payload"), name
        mutated(genuine, "bomb+repair", bad, "--bomb-mib", "16")
        inside = tool("bsdtar", "-xOf", bad, "app.bin").stdout
        assert len(subprocess.run(["gzip", "-dc"], input=inside, stdout=subprocess.PIPE, check=True).stdout) == 16 << 20, name
        mutated(genuine, "lie_size:16", bad)
        assert regions(bad)["doubts"], name
    # A sum over the content is in cpio's crc form only, and GNU cpio tells.
    mutated(cpio, "flip_bit:payload", bad)
    check = ["cpio", "-i", "--only-verify-crc"]
    assert b"checksum error" in tool(*check, stdin=open(bad, "rb")).stdout
    mutated(cpio, "flip_bit:payload+repair", bad)
    assert b"checksum error" not in tool(*check, stdin=open(bad, "rb")).stdout
    # tar's sum is over the header: with a flipped bit in it an archive is refused.
    mutated(tar, "flip_bit:header", bad)
    assert regions(bad)["doubts"]
    mutated(tar, "flip_bit:header+repair", bad)
    with tarfile.open(bad) as opened:
        assert len(opened.getnames()) == 2


def zips(work):
    content(work / "app.bin", 2)
    (work / "stored.bin").write_bytes((work / "app.bin").read_bytes()[:2000])
    genuine, bad = work / "hub.zip", work / "bad.zip"
    tool("zip", "-q", "-n", ".stored", genuine.name, "app.bin", "stored.bin", cwd=work)
    found = regions(genuine)
    assert found["format"] == "zip" and found["facts"]["entries"] == ["app.bin", "stored.bin"] and not found["doubts"], found
    mutated(genuine, "traversal", bad)
    with zipfile.ZipFile(bad) as opened:
        assert opened.namelist() == ["app.bin", "stored.bin", TRAVERSAL] and opened.testzip() is None
    mutated(genuine, "flip_bit:payload", bad)
    assert within(changed_bytes(genuine, bad), found, "payload") and tool("unzip", "-tq", bad, check=False).returncode != 0
    mutated(genuine, "bomb", bad, "--bomb-mib", "64")
    with zipfile.ZipFile(bad) as opened:
        assert opened.getinfo("app.bin").file_size == 64 << 20 and opened.testzip() is None
    mutated(genuine, "lie_size:16", bad)
    with zipfile.ZipFile(bad) as opened:
        assert opened.getinfo("app.bin").file_size == 16 * 600_000
    # Stored content can be changed and its CRC made right again.
    with zipfile.ZipFile(genuine, "w") as made:
        made.writestr("app.bin", (work / "app.bin").read_bytes())
    mutated(genuine, "flip_bit:payload+repair", bad)
    with zipfile.ZipFile(bad) as opened:
        assert opened.testzip() is None and opened.read("app.bin") != (work / "app.bin").read_bytes()


def wide_zips(work):
    """The extension for 64 bits: by Info-ZIP, by Python in the headers of entries alone, and by Python everywhere."""
    content(work / "app.bin", 2)
    data = (work / "app.bin").read_bytes()
    genuine, bad = work / "wide.zip", work / "bad.zip"

    def forced(mode):
        with zipfile.ZipFile(genuine, "w", mode) as made, made.open("app.bin", "w", force_zip64=True) as entry:
            entry.write(data)

    def everywhere(mode):
        limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 0
        try:
            forced(mode)
        finally:
            zipfile.ZIP64_LIMIT = limit

    def info_zip(mode):
        genuine.unlink(missing_ok=True)
        tool("zip", "-q", "-fz", *(["-0"] if mode == zipfile.ZIP_STORED else []), genuine.name, "app.bin", cwd=work)

    for make in (forced, everywhere, info_zip):
        make(zipfile.ZIP_DEFLATED)
        found = regions(genuine)
        assert found["format"] == "zip" and found["facts"]["entries"] == ["app.bin"] and not found["doubts"], (make, found)
        assert make != everywhere or "end of archive, in 64 bits" in [one["name"] for one in found["regions"]], found
        mutated(genuine, "traversal", bad)
        with zipfile.ZipFile(bad) as opened:
            assert opened.namelist() == ["app.bin", TRAVERSAL] and opened.testzip() is None, make
            assert opened.read(TRAVERSAL) == b"assay\n" and opened.read("app.bin") == data, make
        assert tool("unzip", "-tq", bad, check=False).returncode <= 1, make
        mutated(genuine, "flip_bit:payload", bad)
        assert within(changed_bytes(genuine, bad), found, "payload") and tool("unzip", "-tq", bad, check=False).returncode > 1, make
        mutated(genuine, "bomb", bad, "--bomb-mib", "64")
        with zipfile.ZipFile(bad) as opened:
            assert opened.getinfo("app.bin").file_size == 64 << 20 and opened.testzip() is None, make
        mutated(genuine, "lie_size:16", bad)
        with zipfile.ZipFile(bad) as opened:
            assert opened.getinfo("app.bin").file_size == 16 * len(data), make
        make(zipfile.ZIP_STORED)
        mutated(genuine, "flip_bit:payload+repair", bad)
        with zipfile.ZipFile(bad) as opened:
            assert opened.testzip() is None and opened.read("app.bin") != data, make


def all_zips(work):
    """One after the other: `everywhere` changes a limit of the whole process."""
    zips(work)
    wide_zips(work)


def streams(work):
    content(work / "app.bin", 3)
    bad = work / "bad"
    for packer, name in (("gzip", "gzip"), ("xz", "xz")):
        genuine = work / f"app.{name}"
        genuine.write_bytes(tool(packer, "-c", work / "app.bin").stdout)
        found = regions(genuine)
        assert found["format"] == name and not found["doubts"], found
        mutated(genuine, "flip_bit:payload", bad)
        assert within(changed_bytes(genuine, bad), found, "payload") and tool(packer, "-dc", bad, check=False).returncode != 0
        mutated(genuine, "bomb", bad, "--bomb-mib", "64")
        assert bad.stat().st_size < 200_000
        process = subprocess.Popen([packer, "-dc", bad], stdout=subprocess.PIPE)
        size = sum(len(piece) for piece in iter(lambda: process.stdout.read(1 << 20), b""))
        assert process.wait() == 0 and size == 64 << 20, name
    assert regions(work / "app.gzip")["facts"]["size_said"] == 600_000
    mutated(work / "app.gzip", "lie_size:16", bad)
    assert regions(bad)["facts"]["size_said"] == 16 * 600_000
    assert "no checksum that could be made right" in refused(work / "app.xz", "flip_bit:payload+repair", work / "none")


def raw(work):
    genuine, bad = work / "hub.img", work / "bad.img"
    content(genuine, 4)
    report = facts("image", genuine, "--mutations", check=0)
    assert report["map"]["format"] == "raw"
    possible = {one["name"] for one in report["mutations"] if one["possible"]}
    assert possible == {"flip_bit:payload", "flip_bit:1", "flip_bit:5", "flip_bit:10", "swap_content", "truncate:10", "truncate:90", "append:4096", "same"}, possible
    for tenth in range(1, 11):
        mutated(genuine, f"flip_bit:{tenth}", bad)
        (place,) = changed_bytes(genuine, bad)
        assert (tenth - 1) * 60_000 <= place < tenth * 60_000
    mutated(genuine, "truncate:90", bad)
    assert bad.read_bytes() == genuine.read_bytes()[:540_000]
    made = facts("image", genuine, "--mutate", "truncate:10", "--mutate", "append:10", "-o", work, check=0)["written"]
    assert [pathlib.Path(one["file"]).stat().st_size for one in made] == [60_000, 600_010]


def wrong_use(work):
    genuine = work / "hub.img"
    content(genuine, 5, 1000)
    for words in (["image"], ["image", work / "nothing"], ["image", work], ["image", genuine, "--mutate", "explode", "-o", work / "x"],
                  ["image", genuine, "--mutate", "bomb"], ["image", genuine, "-o", work / "x"], ["image", genuine, "--key", genuine],
                  ["image", genuine, "--mutate", "flip_bit:signature", "-o", work / "x"], ["image", genuine, "--signer-key", genuine]):
        done = assay(*words, check=2)
        assert done.stderr and not (work / "x").exists(), words


def memory(work):
    """64 MB, mutated in each way that goes through all of it, in less than that."""
    genuine = work / "large.img"
    with open(genuine, "wb") as file:
        piece = hashlib.sha256(b"piece").digest() * 2048
        for _ in range(1024):
            file.write(piece)
    tar = work / "large.tar"
    tool("bsdtar", "-cf", tar, "large.img", cwd=work)
    (work / "sw-description").write_text("software = { version = \"1\"; images: ( { filename = \"large.img\"; sha256 = \"%s\"; } ); }\n" %
                                         hashlib.sha256(genuine.read_bytes()).hexdigest())
    with open(work / "large.swu", "wb") as file:
        subprocess.run(["cpio", "-o", "-H", "crc", "--quiet"], input=b"sw-description\nlarge.img\n", stdout=file, cwd=work, check=True)
    for image, mutation in ((genuine, "flip_bit:5"), (genuine, "append:67108864"), (tar, "traversal"), (tar, "swap_content"), (work / "large.swu", "flip_bit:payload+repair")):
        script = ("import resource, subprocess, sys\n"
                  "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
                  "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        told = subprocess.run([sys.executable, "-c", script, ASSAY, "image", str(image), "--mutate", mutation, "-o", str(work / "bad"), "--older", str(tar)],
                              stdout=subprocess.PIPE, text=True, check=True, timeout=300)
        code, kib = map(int, told.stdout.split())
        assert code == 0 and kib < 64 * 1024, (mutation, code, kib)
        print(f"{mutation}: {kib // 1024} MiB")


with folder() as work:
    jobs = (archives, all_zips, streams, raw, wrong_use, memory)
    for job in jobs:
        (work / job.__name__).mkdir()
    side_by_side(*[lambda job=job: job(work / job.__name__) for job in jobs])
