"""Real SSH servers in many settings: what the probe says of each is what the setting says, and what nmap and ssh-keyscan say."""

import os
import re
import resource
import socket
import subprocess
import threading
import time
import xml.etree.ElementTree as tree

import daemons
from daemons import ADDRESS, equal, path, true, write

daemons.own_namespace()
for tool in ("nmap", "ssh-keyscan", "ssh-keygen", "dropbearkey"):
    daemons.need(tool)
SSHD, DROPBEAR = daemons.need("sshd"), daemons.need("dropbear")
if subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], capture_output=True).returncode != 0:
    daemons.skip("sshd needs a folder of its own under /run")
os.makedirs("/run/sshd", mode=0o755)
GROUP_EXCHANGE = "diffie-hellman-group-exchange-sha256"
STRICT = "kex-strict-s-v00@openssh.com"
checked = []


def key(kind, bits=None):
    """A host key made by ssh-keygen, once for each kind and length."""
    file = path(f"key_{kind}_{bits or 0}")
    if not os.path.exists(file):
        length = ["-b", str(bits)] if bits else []
        subprocess.run(["ssh-keygen", "-q", "-t", kind, *length, "-N", "", "-f", file], check=True)
    return file


def dropbear_key(kind, bits=None):
    file = path(f"dropbear_{kind}_{bits or 0}")
    if not os.path.exists(file):
        length = ["-s", str(bits)] if bits else []
        subprocess.run(["dropbearkey", "-t", kind, "-f", file, *length], check=True, capture_output=True)
    return file


def sshd(port, keys, *lines):
    settings = [f"ListenAddress {ADDRESS}:{port}", "UsePAM no", "PidFile none", "StrictModes no",
                *(f"HostKey {file}" for file in keys), *lines]
    daemons.start([SSHD, "-D", "-e", "-f", write(f"sshd{port}.conf", "\n".join(settings) + "\n")], port)


def dropbear(port, keys, *flags):
    daemons.start([DROPBEAR, "-F", "-E", "-p", f"{ADDRESS}:{port}", *(f"-r{file}" for file in keys), *flags], port)


def nmap(port):
    """Lists, host keys and login methods as nmap's scripts tell them."""
    out = subprocess.run(["nmap", "-Pn", "-n", f"-p{port}", "-oX", "-", "--script",
                          "+ssh2-enum-algos,+ssh-auth-methods", "--script-args", "ssh.user=nobody-of-nmap", ADDRESS],
                         capture_output=True, text=True, check=True).stdout
    found = {}
    for script in tree.fromstring(out).iter("script"):
        for table in script.findall("table"):
            found[table.get("key")] = [item.text for item in table.findall("elem")]
    return found


def keyscan(port):
    """Fingerprints that ssh-keygen makes of what ssh-keyscan sees."""
    seen = subprocess.run(["ssh-keyscan", "-p", str(port), "-t", "rsa,ecdsa,ed25519", ADDRESS], capture_output=True, text=True).stdout
    lines = subprocess.run(["ssh-keygen", "-l", "-f", "-"], input=seen, capture_output=True, text=True).stdout
    return {(int(bits), print_) for bits, print_ in re.findall(r"^(\d+) (SHA256:\S+)", lines, re.M)}


def look(port, oracle=True, **settings):
    observation, kept = daemons.probe("ssh", f"tcp/{port}", **settings)
    facts = observation["facts"]
    if oracle:
        told = nmap(port)
        # nmap prints each list once, that of the client towards the server, and both when they differ.
        for mine, theirs in (("kex", "kex_algorithms"), ("host_key_algorithms", "server_host_key_algorithms"),
                             ("ciphers_to_server", "encryption_algorithms"), ("macs_to_server", "mac_algorithms"),
                             ("compression_to_server", "compression_algorithms")):
            equal(facts["ssh." + mine], told[theirs], f"tcp/{port}: {mine} as nmap lists them")
        plain = {(entry["bits"], entry["fingerprint"]) for entry in facts["ssh.host_keys"] if not entry["certificate"]}
        scanned = keyscan(port)
        true(scanned <= plain, f"tcp/{port}: {scanned} of ssh-keyscan are among {plain}")
        if "Supported authentication methods" in told and "ssh.auth_methods" in facts:
            equal(sorted(facts["ssh.auth_methods"]), sorted(told["Supported authentication methods"]), f"tcp/{port}: login methods")
    true("assay-" in kept or "ssh.auth_methods" not in facts, "the user is marked as ours")
    checked.append(port)
    return observation


def prints(facts):
    return {(entry["type"], entry["bits"]) for entry in facts["ssh.host_keys"]}


def strong():
    sshd(2001, [key("ed25519")], "KexAlgorithms curve25519-sha256", "Ciphers aes256-gcm@openssh.com",
         "MACs hmac-sha2-256-etm@openssh.com", "Compression no", "PasswordAuthentication no", "KbdInteractiveAuthentication no")
    facts = look(2001)["facts"]
    equal(facts["ssh.kex"], ["curve25519-sha256", STRICT], "the only exchange, and the marker")
    equal(facts["ssh.markers"], [STRICT], "markers")
    equal(facts["ssh.ciphers_to_client"], ["aes256-gcm@openssh.com"], "the only cipher")
    equal(facts["ssh.compression_to_client"], ["none"], "no compression")
    equal(facts["ssh.auth_methods"], ["publickey"], "keys only")
    equal(facts["ssh.auth_none"], False, "nobody is let in")
    equal(facts["ssh.terrapin_precondition"], False, "strict key exchange")
    equal(prints(facts), {("ssh-ed25519", 256)}, "one key")
    equal(facts["ssh.protocol"], "2.0", "protocol 2 alone")


def weak_exchange():
    sshd(2002, [key("rsa", 2048)], "KexAlgorithms diffie-hellman-group1-sha1")
    facts = look(2002)["facts"]
    equal(facts["ssh.fixed_groups"], [{"method": "diffie-hellman-group1-sha1", "bits": 1024}], "a group of 1024 bits")
    equal(prints(facts), {("ssh-rsa", 2048)}, "the key over the weak exchange")
    true("password" in facts["ssh.auth_methods"], "an old exchange is no reason not to hear the methods")


def weak_cipher():
    sshd(2003, [key("ed25519")], "Ciphers aes128-ctr,3des-cbc", "MACs hmac-sha2-256")
    facts = look(2003)["facts"]
    equal(facts["ssh.ciphers_to_server"], ["aes128-ctr", "3des-cbc"], "one weak cipher")


def sha1_signatures():
    sshd(2004, [key("rsa", 2048)], "HostKeyAlgorithms ssh-rsa")
    facts = look(2004)["facts"]
    equal(facts["ssh.host_key_algorithms"], ["ssh-rsa"], "ssh-rsa alone")
    equal(facts["ssh.host_keys"][0]["signed_with"], "ssh-rsa", "signed with it")
    true(facts["ssh.auth_methods"], "and the methods are heard")


def small_key():
    sshd(2005, [key("rsa", 1024)], "RequiredRSASize 1024")
    facts = look(2005)["facts"]
    equal(prints(facts), {("ssh-rsa", 1024)}, "a short key")
    true("ssh.auth_methods" in facts, "whose server can be asked all the same")


def every_kind():
    """All kinds of keys and a certificate, which nmap lists and ssh-keyscan does not ask for."""
    certified = key("ed25519")
    subprocess.run(["ssh-keygen", "-q", "-s", key("rsa", 3072), "-I", "hub", "-h", certified + ".pub"], check=True)
    sshd(2006, [key("rsa", 3072), key("ecdsa", 256), key("ecdsa", 384), key("ecdsa", 521), certified],
         f"HostCertificate {certified}-cert.pub", f"Banner {write('banner', 'Authorised use only' + chr(10))}", "LogLevel ERROR")
    facts = look(2006)["facts"]
    true({("ssh-rsa", 3072), ("ssh-ed25519", 256), ("ssh-ed25519-cert-v01@openssh.com", 256)} <= prints(facts), prints(facts))
    true(any(type_.startswith("ecdsa-sha2-") for type_, _ in prints(facts)), prints(facts))
    equal(facts["ssh.auth_banner"], "Authorised use only\\n", "the banner")
    true("ssh.host_keys_unseen" not in facts, "every kind is shown")


def group_exchange():
    sshd(2007, [key("ed25519")], f"KexAlgorithms {GROUP_EXCHANGE}", "AuthenticationMethods publickey,password")
    observation = look(2007)
    given = observation["facts"]["ssh.group_exchange"]
    equal([entry["asked"] for entry in given], [1024, 2048, 3072], "what was asked")
    true(all(entry["bits"] >= 2048 for entry in given), f"OpenSSH gives no less than 2048: {given}")
    true(given[2]["bits"] >= 3072, given)
    equal(observation["facts"]["ssh.auth_methods"], ["publickey"], "the first of two steps")


def cbc_with_etm():
    sshd(2008, [key("ecdsa", 521)], "KexAlgorithms ecdh-sha2-nistp521", "Ciphers aes256-cbc", "MACs hmac-sha1-etm@openssh.com",
         "Compression yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes")
    facts = look(2008)["facts"]
    equal(facts["ssh.terrapin_precondition"], False, "the marker of strict key exchange is there")
    equal(facts["ssh.compression_to_server"], ["none", "zlib@openssh.com"], "compression")
    true("keyboard-interactive" in facts["ssh.auth_methods"], facts["ssh.auth_methods"])
    equal(prints(facts), {("ecdsa-sha2-nistp521", 521)}, "a key on the largest curve")


def post_quantum_only():
    """The library has no such exchange: the key is seen, the methods stay unobserved, and that is no absence."""
    sshd(2009, [key("ed25519")], "KexAlgorithms sntrup761x25519-sha512@openssh.com")
    observation = look(2009)
    equal(prints(observation["facts"]), {("ssh-ed25519", 256)}, "the key")
    true("ssh.auth_methods" in observation["unobserved"], "methods")


def dropbears():
    dropbear(2010, [dropbear_key("rsa", 1024), dropbear_key("ecdsa", 256), dropbear_key("ed25519")])
    facts = look(2010)["facts"]
    equal(prints(facts), {("ssh-rsa", 1024), ("ecdsa-sha2-nistp256", 256), ("ssh-ed25519", 256)}, "three keys")
    true(facts["ssh.software"].startswith("dropbear_"), facts["ssh.software"])
    equal(sorted(facts["ssh.auth_methods"]), ["password", "publickey"], "its methods")
    dropbear(2011, [dropbear_key("ed25519")], "-s")
    facts = look(2011)["facts"]
    equal(facts["ssh.auth_methods"], ["publickey"], "no passwords")
    # The same key on another port of the same device has the same fingerprint.
    dropbear(2012, [dropbear_key("ed25519")])
    again = look(2012)["facts"]
    equal(again["ssh.host_keys"][0]["fingerprint"], facts["ssh.host_keys"][0]["fingerprint"], "one key on two ports")


def without_marker(port, behind):
    """A server that does not know strict key exchange, made from one that does: the marker is overwritten on the way."""
    listener = socket.create_server((ADDRESS, port))

    def pump(source, sink, change):
        try:
            while data := source.recv(65536):
                sink.sendall(data.replace(STRICT.encode(), b"kex-strikt-s-v00@openssh.com") if change else data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve():
        while True:
            near, _ = listener.accept()
            far = socket.create_connection((ADDRESS, behind))
            threading.Thread(target=pump, args=(far, near, True), daemon=True).start()
            threading.Thread(target=pump, args=(near, far, False), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def terrapin():
    sshd(2013, [key("ed25519")], "Ciphers chacha20-poly1305@openssh.com", "KexAlgorithms curve25519-sha256")
    equal(look(2013)["facts"]["ssh.terrapin_precondition"], False, "with the marker")
    without_marker(2014, 2013)
    facts = look(2014, oracle=False)["facts"]
    equal(facts["ssh.terrapin_precondition"], True, "without it")


def turned_away():
    """A server that takes one login at a time, and somebody else is there: nothing is said to be absent."""
    sshd(2015, [key("ed25519")], "MaxStartups 1:100:1")
    holder = socket.create_connection((ADDRESS, 2015))
    while not holder.recv(64).startswith(b"SSH-"):  # until the one that waited for the port is forgotten
        holder.close()
        holder = socket.create_connection((ADDRESS, 2015))
    observation, _ = daemons.probe("ssh", "tcp/2015")
    true("ssh.kex" in observation["unobserved"], observation)
    true("ssh.kex" not in observation["absent"] and "ssh.host_keys" not in observation["absent"], observation["absent"])
    equal(observation["coverage"]["ssh"]["dropped"], 3, "tried three times")
    holder.close()
    checked.append(2015)


def hostile(port, behave):
    listener = socket.create_server((ADDRESS, port))

    def one(connection):
        try:
            behave(connection)
        except OSError:
            pass
        connection.close()

    def serve():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def flood(connection, bytes_):
    connection.settimeout(90)
    while True:
        connection.sendall(bytes_)


def endless_lines(connection):
    flood(connection, b"Welcome to a device that talks and talks\r\n" * 100)


def long_packet(connection):
    connection.sendall(b"SSH-2.0-Hostile\r\n" + (16 << 20).to_bytes(4, "big"))
    flood(connection, b"x" * 65536)


def short_lies(connection):
    connection.sendall(b"SSH-2.0-Hostile\r\n\x00\x00\x00\x10\xff" + b"\x14" * 200)
    connection.recv(1 << 16)


def drip(connection):
    for byte in b"SSH-2.0-Hostile\r\n" + (4000).to_bytes(4, "big") + b"x" * 4000:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


def old_protocol(connection):
    """What a server of protocol 1 sends: its two keys."""
    connection.sendall(b"SSH-1.5-OldHub\n")
    connection.recv(64)

    def number(bytes_):
        return (len(bytes_) * 8).to_bytes(2, "big") + bytes_

    body = (b"\x02" + b"c" * 8 + (768).to_bytes(4, "big") + number(b"\x25") + number(b"\xbb" * 96) + (1024).to_bytes(4, "big")
            + number(b"\x23") + number(b"\xcc" * 128) + (2).to_bytes(4, "big") + (0x48).to_bytes(4, "big") + (0x0c).to_bytes(4, "big"))
    length = len(body) + 4
    connection.sendall(length.to_bytes(4, "big") + bytes(8 - length % 8) + body + bytes(4))
    connection.recv(64)


def hostiles():
    for port, behave in ((2101, endless_lines), (2102, long_packet), (2103, short_lies), (2104, drip)):
        hostile(port, behave)
        start = time.monotonic()
        observation, kept = daemons.probe("ssh", f"tcp/{port}")
        took = time.monotonic() - start
        true("ssh.kex" in observation["unobserved"], f"{behave.__name__}: {observation['facts']}")
        true(took < 60, f"{behave.__name__} took {took:.1f} s")
        true(len(kept) < 2 << 20, f"{behave.__name__} left {len(kept)} characters")
        print(f"  {behave.__name__}: {took:.1f} s, {observation['unobserved']['ssh.kex']}")
        checked.append(port)
    hostile(2105, old_protocol)
    facts = daemons.probe("ssh", "tcp/2105")[0]["facts"]
    equal(facts["ssh.protocol"], "1.5", "protocol 1 alone")
    equal(facts["ssh.protocol1"]["host_key_bits"], 1024, facts["ssh.protocol1"])
    equal(facts["ssh.protocol1"]["ciphers"], ["3des", "blowfish"], facts["ssh.protocol1"])
    checked.append(2105)


for part in (strong, weak_exchange, weak_cipher, sha1_signatures, small_key, every_kind, group_exchange, cbc_with_etm,
             post_quantum_only, dropbears, terrapin, turned_away, hostiles):
    print(part.__name__, flush=True)
    part()
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
true(most < 200 << 10, f"the largest child used {most} KiB")
print(f"{len(checked)} servers, at most {most} KiB")
