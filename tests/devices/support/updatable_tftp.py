"""The recovery of the scripted device: a TFTP server, which is atftpd, takes a file, and what it took is the image once nothing more comes."""
import os
import pathlib
import pwd
import shutil
import subprocess
import threading
import time

LARGEST = 64 << 10  # bytes: the memory for an image; what does not fit ends the server, which is started anew
QUIET = 0.7  # seconds without another byte, after which a file is taken for whole


class Recovery:
    def __init__(self, device, port):
        self.device, self.port, self.folder = device, port, pathlib.Path(device.folder) / "recovery"
        self.daemon, self.closed = None, threading.Event()

    def open(self):
        self.close()
        self.closed = threading.Event()
        self.serve()
        threading.Thread(target=self.watch, args=(self.closed,), daemon=True).start()

    def serve(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        user = pwd.getpwuid(os.geteuid()).pw_name
        address = self.device.options.source
        bound = [] if self.device.flaw == "no-size-bound" else ["prlimit", f"--fsize={LARGEST}"]
        self.daemon = subprocess.Popen([*bound, "atftpd", "--daemon", "--no-fork", "--no-multicast", "--user", user, "--group", "root" if user == "root" else user,
                                        "--bind-address", address, "--port", str(self.port), "--retry-timeout", "2", "--logfile", "/dev/null",
                                        str(self.folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.closed.set()
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None

    def watch(self, closed):
        size, since = 0, time.monotonic()
        while not closed.wait(0.1):
            if self.daemon.poll() is not None:
                self.device.tell("refused", "the file is too large", "")
                self.serve()
            files = [file for file in self.folder.iterdir() if file.is_file()]
            now = sum(file.stat().st_size for file in files)
            if now != size:
                size, since = now, time.monotonic()
            elif size and time.monotonic() - since > QUIET:
                data = files[0].read_bytes()
                for file in files:
                    file.unlink()
                size = 0
                self.device.take_upload(data)
