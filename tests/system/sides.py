"""A device with several sides, made of network namespaces: `device` is joined by veth pairs to `lan`, `wan` and `home`, the
namespace that assay runs in. Its services are real daemons (busybox httpd), each on the address of one side."""
import contextlib
import os
import subprocess
import time

from common import ASSAY, need, skip

SIDES = {"lan": "10.9.1", "wan": "10.9.2", "guest": "10.9.3"}


def address(side):
    return SIDES[side] + ".2"


class Lab:
    def __init__(self, work):
        self.work = work
        self.processes = []
        self.pids = {}
        (work / "www").mkdir()
        (work / "www/index.html").write_text("hello\n")

    def namespace(self, name):
        process = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"], stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout.readline() == "up\n"
        self.pids[name] = process.pid

    def enter(self, name):
        return ["nsenter", "-t", str(self.pids[name]), "-n"]

    def netns(self, name):
        return f"/proc/{self.pids[name]}/ns/net"

    def ip(self, name, command):
        subprocess.run([*self.enter(name), "ip", *command.split()], check=True)

    def join(self, name, side, interface):
        """A veth pair between the device and that namespace, .2 and .1 of the side's network."""
        self.ip(name, f"link add {interface} type veth peer name {side} netns {self.pids['device']}")
        for where, link, host in ((name, interface, 1), ("device", side, 2)):
            self.ip(where, f"addr add {SIDES[side]}.{host}/24 dev {link}")
            self.ip(where, f"link set {link} up")

    def serve(self, side, port):
        """A web service of the device; returns when it accepts."""
        return self.start(side, port, ["busybox", "httpd", "-f", "-p", f"{address(side)}:{port}", "-h", self.work / "www"])

    def ssh(self, side, port):
        key = self.work / "host_key"
        subprocess.run(["dropbearkey", "-t", "ed25519", "-f", key], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self.start(side, port, ["dropbear", "-F", "-E", "-r", key, "-p", f"{address(side)}:{port}", "-P", self.work / "ssh.pid"])

    def start(self, side, port, command):
        process = subprocess.Popen([*self.enter("device"), *command], stderr=subprocess.DEVNULL)
        self.processes.append(process)
        for _ in range(100):
            if self.listens(side, port):
                return process
            time.sleep(0.05)
        raise AssertionError(f"no service at {address(side)}:{port}")

    def listens(self, side, port):
        out = subprocess.run([*self.enter("device"), "ss", "-Htln", "src", f"{address(side)}:{port}"], stdout=subprocess.PIPE, text=True, check=True)
        return bool(out.stdout.strip())

    def script(self, name, text):
        path = self.work / name
        path.write_text("#!/bin/sh\nset -e\n" + text)
        path.chmod(0o755)

    def assay(self, *arguments, timeout=400, check=None):
        done = subprocess.run([*self.enter("home"), ASSAY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout)
        if check is not None and done.returncode not in check:
            raise AssertionError(f"assay {arguments}\nexit {done.returncode}, not {check}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done


@contextlib.contextmanager
def lab(work):
    """The namespaces with the device on all sides, and nothing left of them afterwards."""
    need("unshare", "nsenter", "ip", "ss", "busybox")
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        skip("network namespaces need root")
    made = Lab(work)
    try:
        for name in ("device", "home", "lan", "wan"):
            made.namespace(name)
        # The kernel of a small device answers as often as it is asked; ours would make UDP scans last minutes.
        subprocess.run([*made.enter("device"), "sh", "-c", "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit"], check=True)
        made.join("lan", "lan", "t0")
        made.join("wan", "wan", "t0")
        made.join("home", "guest", "guest0")
        yield made
    finally:
        for process in reversed(made.processes):
            process.kill()
            process.wait()
