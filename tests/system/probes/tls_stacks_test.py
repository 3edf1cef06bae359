"""Servers of seven independent TLS stacks in known configurations: every fact of the probe is the configuration.

On one server of each stack two other tools look as well; the last lines tell how many configurations were checked."""

import concurrent.futures
import re
import xml.etree.ElementTree as xml

import tls_stacks
from daemons import ADDRESS, need
from tls_stacks import tool


def by_sslscan(port):
    out = tool(need("sslscan"), "--xml=-", f"{ADDRESS}:{port}")
    return {(cipher.get("sslversion").replace("TLSv1.0", "TLSv1"), cipher.get("id").lower()) for cipher in xml.fromstring(out).iter("cipher")}


def by_nmap(port):
    out = tool(need("nmap"), "-n", "-Pn", "-p", str(port), "--script", "ssl-enum-ciphers", ADDRESS)
    found, version = set(), None
    for line in out.splitlines():
        if match := re.match(r"\|\s+(TLSv1\.\d):", line):
            version = match.group(1).replace("TLSv1.0", "TLSv1")
        elif match := re.match(r"\|\s+(TLS_\S+)", line):
            found.add((version, match.group(1).replace("TLS_AKE_WITH_", "TLS_")))
    return found


def compare(one):
    """What another tool finds and we do not is a fault of ours; what it misses is told."""
    codes = {(fact["version"], fact["code"]) for fact in one["facts"]["tls.suites"]}
    names = {(fact["version"], fact["name"]) for fact in one["facts"]["tls.suites"]}
    out = []
    # Of a server of NSS sslscan 2.0.7 finds the same suites, in 107 s.
    by = [("nmap", by_nmap, names)] + ([] if one["name"].startswith("NSS") else [("sslscan", by_sslscan, codes)])
    for who, ask, ours in by:
        theirs = ask(one["port"])
        print(f"{one['name']}: {who} finds {len(theirs)} of {len(ours)}" + (f", not {sorted(ours - theirs)[:4]}" if ours - theirs else ""))
        out += [f"{one['name']}: {who} finds {sorted(theirs - ours)}, we do not"] if theirs - ours else []
    return out


def main():
    samples = tls_stacks.start()
    cases = tls_stacks.cases
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        faults = [line for lines in pool.map(tls_stacks.differences, cases) for line in lines]
        faults += [line for lines in pool.map(compare, [one for one in cases if one["port"] in samples]) for line in lines]
    print(f"{len(cases)} configurations: " + ", ".join(f"{stack} {count}" for stack, count in tls_stacks.stacks.items()))
    if faults:
        raise AssertionError("\n".join(faults))


main()
