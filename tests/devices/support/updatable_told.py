"""How the scripted device tells its version beside its page: in a file, which its shell and its SNMP agent read, and retained at a broker,
with mosquitto's client. Nothing of it is there while the device does not run.
"""
import contextlib
import json
import os
import pathlib
import subprocess
import threading


class Notice:
    """`broker`: HOST:PORT:TOPIC or HOST:PORT:TOPIC:NAME:PASSWORD; nothing: it publishes nowhere."""

    def __init__(self, folder, broker, source):
        self.file, self.words, self.teller = pathlib.Path(folder) / "version", [], None
        if broker:
            host, port, topic, *login = broker.split(":")
            self.words = ["mosquitto_pub", "-h", host, "-p", port, "-A", source, "-q", "1", "-r", "-k", "5", "-t", topic]
            self.words += ["-u", login[0], "-P", login[1]] if login else []

    def show(self, version):
        self.file.write_text(version + "\n")
        if self.words:
            self.teller = Teller(self.words, json.dumps({"version": version}))

    def clear(self):
        self.file.unlink(missing_ok=True)
        if self.teller:
            self.teller.end()
            self.teller = None
            subprocess.run([*self.words, "-n"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


class Teller:
    """Says it once on a connection that stays, and again when the broker was away."""

    def __init__(self, words, message):
        self.words, self.message, self.process, self.ended = words, message, None, threading.Event()
        threading.Thread(target=self.tell, daemon=True).start()

    def tell(self):
        while not self.ended.is_set():
            self.process = subprocess.Popen([*self.words, "-l"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self.ended.is_set():
                self.process.kill()
            with contextlib.suppress(OSError):  # the broker is not there, and the client has ended
                os.write(self.process.stdin.fileno(), self.message.encode() + b"\n")
            self.process.wait()
            self.process.stdin.close()
            self.ended.wait(0.3)

    def end(self):
        self.ended.set()
        if self.process:
            self.process.kill()
