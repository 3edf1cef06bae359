"""Shared parts of the side-by-side benchmarks: network namespaces, a delay link, whole-process timing, tables.

Everything stays inside namespaces named bm-* with addresses of 10.214.0.0/16 and is removed at the end.
Needs root, iproute2, nftables, gcc. Settings: BM_TMP (scratch folder, default $TMPDIR/assay-bench).
"""
import atexit
import ctypes
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TMP = os.environ.get("BM_TMP", os.path.join(tempfile.gettempdir(), "assay-bench"))
os.makedirs(TMP, exist_ok=True)
_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def sh(command, check=True):
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{command} -> {done.returncode}: {done.stdout[-500:]}")
    return done.stdout


def missing(tools):
    return [tool for tool in tools if not sh(f"command -v {tool}", check=False).strip()]


def _enter(namespace, processors=None):
    def before_exec():
        os.setsid()
        if processors:
            os.sched_setaffinity(0, processors)
        if namespace:
            fd = os.open("/run/netns/" + namespace, os.O_RDONLY)
            if _libc.setns(fd, CLONE_NEWNET):
                os._exit(126)
            os.close(fd)
    return before_exec


_children = []


def spawn(command, ns=None, processors=None, **options):
    """Start a helper (server, link), on these processors alone where they are given; its process group ends with this script."""
    child = subprocess.Popen(shlex.split(command) if isinstance(command, str) else command, stdin=subprocess.DEVNULL,
                             stdout=options.pop("stdout", subprocess.DEVNULL), stderr=subprocess.DEVNULL,
                             preexec_fn=_enter(ns, processors), **options)
    _children.append(child)
    return child


def stop(child, how=signal.SIGTERM):
    if child.poll() is None:
        try:
            os.killpg(child.pid, how)
            child.wait(3)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child in _children:
        _children.remove(child)


def stop_all():
    for child in list(_children):
        stop(child)


@atexit.register
def _cleanup():
    stop_all()
    for topology in list(_topologies):
        topology.close()


for _signal in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(_signal, lambda *_: sys.exit(130))


_TIMER = r"""
// starts argv[2..], waits, writes "user sys maxrss_kb status" to argv[1]; small, so that its own memory is no floor for the child's peak
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int c, char **v) {
    if (c < 3) return 2;
    pid_t p = fork();
    if (!p) { execvp(v[2], v + 2); _exit(127); }
    int st; struct rusage u; wait4(p, &st, 0, &u);
    FILE *f = fopen(v[1], "w");
    fprintf(f, "%ld.%06ld %ld.%06ld %ld %d\n", (long)u.ru_utime.tv_sec, (long)u.ru_utime.tv_usec, (long)u.ru_stime.tv_sec, (long)u.ru_stime.tv_usec, u.ru_maxrss, st);
    return fclose(f);
}
"""


def _timer():
    program = os.path.join(TMP, "timer")
    if not os.path.exists(program):
        with open(program + ".c", "w") as source:
            source.write(_TIMER)
        own = f"{program}.{os.getpid()}"
        sh(f"gcc -O2 -static -o {own} {program}.c && mv {own} {program}")
    return program


def compiled(name):
    """The program of NAME.c of this folder."""
    program, source = os.path.join(TMP, name), os.path.join(HERE, name + ".c")
    if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
        sh(f"gcc -O2 -o {program} {source}")
    return program


def run(command, ns=None, timeout=600):
    """Run one contestant to its end. CPU = user+sys of it and every child it waited for; RSS = its largest process (wait4)."""
    out_path = os.path.join(TMP, f"out.{os.getpid()}")
    usage = os.path.join(TMP, f"usage.{os.getpid()}")
    if os.path.exists(usage):
        os.unlink(usage)
    with open(out_path, "wb") as out:
        start = time.monotonic()
        process = subprocess.Popen([_timer(), usage, "/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, preexec_fn=_enter(ns))
        timed_out = False
        while process.poll() is None:
            spent = time.monotonic() - start
            if spent > timeout + 10:
                os.killpg(process.pid, signal.SIGKILL)
            elif spent > timeout:  # end the contestant, not the timer, so that its usage is still reported
                how = signal.SIGKILL if spent > timeout + 5 else signal.SIGTERM
                timed_out = True
                for child in open(f"/proc/{process.pid}/task/{process.pid}/children").read().split():
                    os.kill(int(child), how)
            time.sleep(0.002 if spent < 2 else 0.01)
        wall = time.monotonic() - start
    try:
        os.killpg(process.pid, signal.SIGKILL)  # whatever the contestant left behind in its group
    except ProcessLookupError:
        pass
    user, system, rss, status = open(usage).read().split() if os.path.exists(usage) else ("0", "0", "0", "9")
    with open(out_path, errors="replace") as out:
        text = out.read()
    return {"wall": wall, "cpu": float(user) + float(system), "rss_mb": int(rss) / 1024.0,
            "rc": os.waitstatus_to_exitcode(int(status)), "timed_out": timed_out, "out": text}


_topologies = []


class Topology:
    """client namespace <-> target namespace over veth; with rtt_ms > 0 a middle one with the delay link between them."""

    def __init__(self, tag, subnet, rtt_ms=0.0):
        self.client_ns, self.middle_ns, self.target_ns = (f"bm-{tag}-{end}" for end in "cmt")
        self.client, self.host = f"10.214.{subnet}.1", f"10.214.{subnet}.2"
        for namespace in (self.client_ns, self.middle_ns, self.target_ns):
            sh(f"ip netns del {namespace}", check=False)
        _topologies.append(self)
        self.link = None
        self.link_stats = ""
        sh(f"ip netns add {self.client_ns}")
        sh(f"ip netns add {self.target_ns}")
        if rtt_ms > 0:
            self._join_by_link(rtt_ms)
        else:
            sh(f"ip -n {self.client_ns} link add eth0 type veth peer name eth0 netns {self.target_ns}")
        for namespace, address in ((self.client_ns, self.client), (self.target_ns, self.host)):
            sh(f"ip netns exec {namespace} sysctl -qw net.ipv6.conf.all.disable_ipv6=1", check=False)
            sh(f"ip -n {namespace} addr add {address}/24 dev eth0")
            sh(f"ip -n {namespace} link set eth0 txqueuelen 10000")
            sh(f"ip -n {namespace} link set eth0 up")
            sh(f"ip -n {namespace} link set lo up")
            self._no_offload(namespace, "eth0")
        if rtt_ms > 0:
            self._start_link(rtt_ms)
        self._know_neighbours()
        sh(f"ip netns exec {self.target_ns} nft add table inet bm")

    @staticmethod
    def _no_offload(namespace, interface):
        sh(f"ip netns exec {namespace} ethtool -K {interface} tx off rx off gso off tso off gro off", check=False)

    def _join_by_link(self, rtt_ms):
        sh(f"ip netns add {self.middle_ns}")
        for namespace, end in ((self.client_ns, "va"), (self.target_ns, "vb")):
            sh(f"ip -n {namespace} link add eth0 type veth peer name {end} netns {self.middle_ns}")
            sh(f"ip netns exec {self.middle_ns} sysctl -qw net.ipv6.conf.{end}.disable_ipv6=1", check=False)
            sh(f"ip -n {self.middle_ns} link set {end} up")

    def _start_link(self, rtt_ms):
        for end in ("va", "vb"):
            self._no_offload(self.middle_ns, end)
        self.link = subprocess.Popen([compiled("link"), "va", "vb", str(int(rtt_ms * 500))], stdout=subprocess.PIPE, text=True,
                                     preexec_fn=_enter(self.middle_ns))
        self.link.stdout.readline()

    def _know_neighbours(self):
        """Static neighbours: no ARP exchange inside the timings."""
        mac = {namespace: json.loads(sh(f"ip -j -n {namespace} link show eth0"))[0]["address"]
               for namespace in (self.client_ns, self.target_ns)}
        self.target_mac = mac[self.target_ns]
        for namespace, address, other in ((self.client_ns, self.host, self.target_ns),
                                          (self.target_ns, self.client, self.client_ns)):
            sh(f"ip -n {namespace} neigh replace {address} lladdr {mac[other]} dev eth0 nud permanent")

    def sysctl(self, namespace, name, value):
        sh(f"ip netns exec {namespace} sysctl -qw {name}={value}")

    def _table(self, name, body):
        """Replaces one nftables table of the target; an empty body only removes it."""
        sh(f"ip netns exec {self.target_ns} nft delete table inet {name}", check=False)
        if body:
            sh(f"ip netns exec {self.target_ns} nft -f - <<'END'\ntable inet {name} {{\n{body}\n}}\nEND")

    def loss(self, percent):
        """Random loss in each direction, inside the target's kernel."""
        drop = f'numgen random mod 1000 < {int(percent * 10)} drop'
        self._table("bmloss", percent and f"""
 chain i {{ type filter hook prerouting priority -300; iifname "eth0" {drop}; }}
 chain o {{ type filter hook postrouting priority 300; oifname "eth0" {drop}; }}""")

    def drop_ports(self, low, high, keep):
        """TCP ports low-high are dropped silently except `keep`; low 0 removes the rule."""
        self._table("bmdrop", low and f"""
 chain i {{ type filter hook input priority 0; iifname "eth0" tcp dport {{ {",".join(map(str, keep))} }} accept;
  iifname "eth0" tcp dport {low}-{high} drop; }}""")

    def weak(self, per_second):
        """A weak device: SYNs beyond the rate are dropped silently; 0 removes the rule."""
        self._table("bmweak", per_second and f"""
 chain i {{ type filter hook prerouting priority -290;
  iifname "eth0" tcp flags & (syn|ack) == syn limit rate over {per_second}/second burst {max(5, per_second // 10)} packets drop; }}""")

    def count_connections(self):
        """From now on `connections` counts the SYNs that reach the target."""
        self._table("bmconnections", """
 chain i { type filter hook input priority -10; iifname "eth0" tcp flags & (syn|ack) == syn counter; }""")

    def connections(self):
        rules = json.loads(sh(f"ip netns exec {self.target_ns} nft -j list table inet bmconnections"))["nftables"]
        return next(part["counter"]["packets"] for rule in rules for part in rule.get("rule", {}).get("expr", []) if "counter" in part)

    def sent_packets(self):
        return json.loads(sh(f"ip -j -s -n {self.client_ns} link show eth0"))[0]["stats64"]["tx"]["packets"]

    def close(self):
        if self in _topologies:
            _topologies.remove(self)
        if self.link:
            self.link.terminate()
            try:
                self.link_stats = self.link.communicate(timeout=3)[0]
            except subprocess.TimeoutExpired:
                self.link.kill()
        for namespace in (self.client_ns, self.middle_ns, self.target_ns):
            sh(f"ip netns del {namespace}", check=False)


def median(rows, key):
    values = [row[key] for row in rows if row.get(key) is not None]
    return statistics.median(values) if values else None


def spread(rows, key, form="%.2f"):
    """median (min-max), or the one value they all have."""
    values = [row[key] for row in rows if row.get(key) is not None]
    if not values:
        return "-"
    middle, low, high = form % statistics.median(values), form % min(values), form % max(values)
    return middle if low == high else f"{middle} ({low}-{high})"


def ratio(ours, theirs, key):
    """Median of the ratios of pairs that ran one after the other: drift of the machine cancels."""
    pairs = [mine[key] / other[key] for mine, other in zip(ours, theirs) if other.get(key)]
    return round(statistics.median(pairs), 3) if pairs else None


def table(head, rows):
    widths = [max(len(str(cell)) for cell in column) for column in zip(head, *rows)]
    line = lambda row: "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) + " |"
    print(line(head))
    print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in rows:
        print(line(row))
    sys.stdout.flush()


def emit(name, rows):
    print("JSON " + json.dumps({"bench": name, "cores": os.cpu_count(), "kernel": os.uname().release, "rows": rows},
                               sort_keys=True), flush=True)


def progress(*words):
    print(time.strftime("[%H:%M:%S]"), *words, file=sys.stderr, flush=True)
