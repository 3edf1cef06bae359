"""Images for swupdate as a maker builds them: cpio with checksums, a signed description first. Made with openssl alone."""
import hashlib
import pathlib
import subprocess
import tempfile


def cpio(files):
    """The "crc" form of cpio (magic 070702), which swupdate reads: names and contents in order."""
    out = b""
    for number, (name, data) in enumerate([*files, ("TRAILER!!!", b"")], 1):
        last = name == "TRAILER!!!"
        encoded = name.encode() + b"\0"
        fields = [0 if last else number, 0 if last else 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), sum(data) & 0xffffffff]
        out += b"070702" + b"".join(b"%08X" % field for field in fields) + encoded
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out + b"\0" * (-len(out) % 512)


def signature(description, certificate, key):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sw-description"
        path.write_bytes(description)
        done = subprocess.run(["openssl", "cms", "-sign", "-in", path, "-signer", certificate, "-inkey", key, "-outform", "DER", "-nosmimecap",
                               "-binary"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return done.stdout


def describe(fits, version, flash, files):
    """`fits` is the hardware that it says it is for. Both copies, so that the device chooses the slot that it does not run from."""
    def copy(slot):
        entries = ",\n".join(f'        {{ filename = "{name}"; path = "{flash}/{slot}/{name}"; sha256 = "{hashlib.sha256(data).hexdigest()}"; }}'
                             for name, data in files)
        return f"    copy-{slot}: {{ files: (\n{entries}\n    ); }};\n"
    return (f'software = {{\n  version = "{version}";\n  hardware-compatibility = [ "{fits}" ];\n  stable = {{\n'
            + copy("a") + copy("b") + "  };\n}\n").encode()


def make(model, version, flash, certificate, key, fits=""):
    files = [("app", hashlib.sha256((model + version).encode()).digest() * 64), ("release", (version + "\n").encode())]
    description = describe(fits or model + "-1.0", version, flash, files)
    return cpio([("sw-description", description), ("sw-description.sig", signature(description, certificate, key)), *files])


def write_all(folder, flash, options):
    folder.mkdir(exist_ok=True)
    for model, version in ((options.model, "2.3.0"), (options.model, "2.4.0"), (options.model, "2.5.0"), ("plug", "2.5.0")):
        fits = "#RE:^.*-1[.]0$" if options.flaw == "any-model" else ""
        (folder / f"{model}-{version}.swu").write_bytes(make(model, version, flash, options.maker, options.maker_key, fits))
    (folder / f"other-key-{options.model}-2.5.0.swu").write_bytes(make(options.model, "2.5.0", flash, options.other, options.other_key))
