"""Logins of databases, agents of SNMP v3, CoAP behind DTLS, management controllers and cameras: weak ones are found and sound ones are
not by the probe, and the usual client of each says the same. What is not installed is left out and said so."""

import concurrent.futures
import os
import time

import daemons
import login_servers
import more_login_servers as servers
import peers
from daemons import ADDRESS, equal, true
from login_servers import SECRET, UNKNOWN, USER

daemons.own_namespace()
os.chmod(daemons.FOLDER, 0o755)
LONG = SECRET + "long"  # a user of SNMP v3 has at least eight letters


def look(where, *pairs, more=""):
    seen, kept = daemons.probe("credentials", where, dut=daemons.dut(pairs, more), dictionary="")
    for word in (SECRET, UNKNOWN, LONG):
        true(word not in str(seen) + kept, f"{where}: a password stands in the records")
    equal(seen["completion"], "completed", f"{where}: {seen['error']}")
    return seen


def names(seen):
    return [entry["username"] for entry in seen["facts"]["credentials.accepted"]]


def told(seen, where, dialect, accepted, is_open=False):
    facts = seen["facts"]
    equal(facts.get("credentials.dialect"), dialect, f"{where}: dialect; {seen['unobserved']}")
    equal(facts.get("credentials.open"), is_open, f"{where}: open; {seen['unobserved']}, {seen['coverage']}")
    true("credentials.accepted" in facts, f"{where}: {seen['unobserved']}, {seen['coverage']}")
    equal(names(seen), accepted, f"{where}: {facts['credentials.accepted']}, {seen['coverage']}")


def side_by_side(works):
    with concurrent.futures.ThreadPoolExecutor(len(works)) as helpers:
        for work in [helpers.submit(work) for work in works]:
            work.result()


def postgres():
    if not servers.postgres_tools() or os.geteuid() != 0:
        return "PostgreSQL is not installed, or nobody may become its user"
    server = servers.Postgres(5432)
    server.prepare()
    daemons.start(server.rules("scram-sha-256").command(), 5432)
    seen = look("tcp/5432", ("sound", SECRET), ("maker", "wrong-1"), ("maker", SECRET))
    told(seen, "SCRAM", "postgresql", ["maker"])
    equal(seen["facts"]["credentials.clear"], False, "SCRAM sends no password")
    true("knows the password too" in seen["facts"]["credentials.accepted"][0]["proof"], "the server shows that it knows the password")
    for name in ("old", "plain"):
        told(look("tcp/5432", (name, "wrong-1"), (name, SECRET)), f"account {name}", "postgresql", [name])
    told(look("tcp/5432", ("guest", "wrong-1")), "a trusted name", "postgresql", ["guest"])
    told(look("tcp/5432", ("sound", "wrong-1"), ("sound", SECRET)), "a sound account", "postgresql", [])
    equal((servers.psql(5432, "maker", SECRET), servers.psql(5432, "sound", SECRET)), (True, False), "psql says the same")
    named, _ = daemons.probe("services", "tcp/5432")
    true("postgresql" in [login["dialect"] for login in named["facts"]["service.logins"]], "services names the login")
    server.trust_everybody()
    for _ in range(200):
        if servers.psql(5432, "maker", "wrong-1"):
            break
        time.sleep(0.05)
    told(look("tcp/5432", ("trusted", SECRET)), "trust for all", "postgresql", [], is_open=True)
    return None


def mariadb():
    if not servers.found("mariadbd") or not os.path.exists("/usr/share/mysql/mysql_system_tables.sql"):
        return "MariaDB is not installed"
    daemons.start(servers.mariadb(3306), 3306)
    seen = look("tcp/3306", ("sound", SECRET), ("maker", "wrong-1"), ("maker", SECRET))
    told(seen, "MariaDB", "mysql", ["maker"])
    true(f'gave "{USER}@%"' in seen["facts"]["credentials.accepted"][0]["proof"], "the session says whose it is")
    told(look("tcp/3306", ("sound", "wrong-1"), ("sound", SECRET)), "a sound account", "mysql", [])
    locked = look("tcp/3306", ("locked", "x-1"))
    equal(locked["facts"]["credentials.lockout"]["observed"], True, f"a locked account is told: {locked['facts']}")
    named, _ = daemons.probe("services", "tcp/3306")
    equal([login["dialect"] for login in named["facts"]["service.logins"]], ["mysql"], "services names the login")
    return None


def snmp():
    if not servers.found("snmpd") or not servers.found("snmpget"):
        return "snmpd or snmpget is not installed"
    daemons.start(servers.snmpd_users(1613))
    seen = look("udp/1613", ("nobody-here", LONG), ("maker", "wrong-1"), ("maker", LONG))
    told(seen, "SHA-1", "snmp-community", ["maker"])
    equal(seen["facts"]["credentials.dialects"], ["snmp-community", "snmp-user"], "both logins were tried")
    equal(seen["facts"]["credentials.accepted"][0]["dialect"], "snmp-user", "which login it is")
    side_by_side([lambda name=name: told(look("udp/1613", (name, "wrong-1-long"), (name, LONG)), f"user {name}", "snmp-community", [name])
                  for name in ("old", "newer", "hidden")]
                 + [lambda: told(look("udp/1613", ("nobody", "")), "a user without a password", "snmp-community", ["nobody"]),
                    lambda: told(look("udp/1613", ("sound", LONG), ("sound", "wrong-1-long")), "a sound user", "snmp-community", [])])
    equal((servers.snmpget(1613, "maker", LONG), servers.snmpget(1613, "sound", LONG)), (True, False), "snmpget says the same")
    return None


def communities():
    """What the budget counts is what the agent counts."""
    if not servers.found("snmpd") or not servers.found("snmpget"):
        return "snmpd or snmpget is not installed"
    daemons.start(login_servers.snmpd(1615, UNKNOWN))
    for _ in range(100):
        try:
            before = servers.wrong_communities(1615)
            break
        except ValueError:
            time.sleep(0.1)
    for budget in (4, 9):
        file = daemons.dut([("nobody-here", LONG)], f"pace: {{profile: fast, login_attempts_per_account: {budget}}}\n")
        seen, _ = daemons.probe("credentials", "udp/1615", dut=file)
        equal(seen["completion"], "completed", seen["error"])
        after = servers.wrong_communities(1615)
        true(3 <= after - before <= budget, f"the agent counts {after - before} wrong communities, the budget is {budget}: {seen['coverage']}")
        before = after
    return None


def coaps():
    if not servers.found("coap-server-openssl") or not servers.found("coap-client-openssl"):
        return "libcoap's server and client are not installed"
    daemons.start(servers.coap_server(5684, SECRET))
    daemons.start(servers.coap_server(5694, UNKNOWN))

    def weak():
        seen = look("udp/5684", ("device", "wrong-1"), ("device", SECRET))
        told(seen, "a weak key", "coaps-psk", ["device"])
        true("2.05" in seen["facts"]["credentials.accepted"][0]["proof"], "a question inside is answered")

    side_by_side([weak, lambda: told(look("udp/5694", ("device", "wrong-1"), ("device", SECRET)), "a sound key", "coaps-psk", [])])
    equal((servers.coap_client(5684, "device", SECRET), servers.coap_client(5694, "device", SECRET)), (True, False), "coap-client says the same")
    return None


def gnutls_coaps():
    if not servers.found("coap-server-gnutls"):
        return "libcoap's server with GnuTLS is not installed"
    daemons.start(servers.coap_server(5704, SECRET, "gnutls"))
    told(look("udp/5704", ("device", "wrong-1"), ("device", SECRET)), "a weak key behind GnuTLS", "coaps-psk", ["device"])
    return None


def choosy_mqtt():
    """A broker refuses clients by their id in the words of a wrong password: what the DUT file says of it tells the two apart."""
    if not servers.found("mosquitto") or not servers.found("mosquitto_pub"):
        return "mosquitto and its client are not installed"
    daemons.start(servers.choosy_broker(1893, 1894), 1893)
    pairs = [(USER, "wrong-1"), (USER, SECRET)]
    account = f"accounts:\n  - {{role: admin, username: {servers.TESTER[0]}, secret: {servers.TESTER[1]}}}\n"
    for port, found in ((1893, [USER]), (1894, [])):
        named = f"brokers:\n  - {{port: tcp/{port}, client_id: 'hub-{{random}}'}}\n"
        told(look(f"tcp/{port}", *pairs, more=named), f"{port}: an id that is named", "mqtt", found)
        told(look(f"tcp/{port}", *pairs, more=account + named), f"{port}: an id that is named, and an account", "mqtt", found)
        seen = look(f"tcp/{port}", *pairs, more=account + f"brokers:\n  - {{port: tcp/{port}, account: admin}}\n")
        true("took no account of the DUT file" in seen["unobserved"].get("credentials.accepted", ""), f"{port}: an account that is refused: {seen['facts']}")
        told(look(f"tcp/{port}", *pairs), f"{port}: nothing tells", "mqtt", [])
    equal([servers.named_client(1893, name, SECRET) for name in ("hub-7", "cam-7")], [True, False], "mosquitto_pub says the same")
    return None


def keyed_mqtt():
    if not servers.found("mosquitto") or not servers.found("mosquitto_pub"):
        return "mosquitto and its client are not installed"
    daemons.start(servers.keyed_broker(8884), 8884)
    right, zeros, sound = (servers.PSK[name] for name in ("device", "zeros", "sound"))
    wrong = "0" + right[1:]
    seen = look("tcp/8884", ("nobody-here", right), ("sound", right), ("device", wrong), ("device", right.upper()), ("sound", "not hex"))
    told(seen, "a weak key", "mqtt-psk", ["device"])
    proof = seen["facts"]["credentials.accepted"][0]["proof"]
    true("both sides having shown the key" in proof and "CONNACK 0" in proof, f"what was reached: {proof}")
    equal(seen["facts"]["credentials.clear"], False, "no key is sent")
    true(right.upper() not in str(seen), "the key stands in the records")
    told(look("tcp/8884", ("zeros", zeros)), "a key that begins with zeros", "mqtt-psk", ["zeros"])
    told(look("tcp/8884", ("sound", wrong), ("sound", right)), "a sound key", "mqtt-psk", [])
    equal([servers.keyed_client(8884, name, key) for name, key in (("device", right), ("zeros", zeros), ("device", wrong), ("sound", sound))],
          [True, True, False, True], "mosquitto_pub says the same")
    return None


def keyed_tls13():
    if not servers.found("openssl"):
        return "OpenSSL's tools are not installed"
    daemons.start(servers.new_broker(8894), 8894)
    right = servers.PSK["device"]
    wrong = "0" + right[1:]
    seen = look("tcp/8894", ("nobody-here", right), ("device", wrong), ("device", right))
    told(seen, "a weak key by TLS 1.3", "mqtt-psk", ["device"])
    true("with TLS_" in seen["facts"]["credentials.accepted"][0]["proof"], seen["facts"]["credentials.accepted"][0]["proof"])
    told(look("tcp/8894", ("device", wrong)), "a sound key by TLS 1.3", "mqtt-psk", [])
    equal([servers.new_client(8894, "device", right), servers.new_client(8894, "device", wrong)], [True, False], "s_client says the same")
    return None


def keyed_gnutls():
    """Servers of GnuTLS: those that demand a certificate have no keys that could be tried, those that have keys do."""
    if not servers.found("gnutls-serv"):
        return "GnuTLS's tools are not installed"
    right = servers.PSK["device"]
    for port, versions in ((8904, "-VERS-TLS1.3"), (8905, ""), (8906, "-VERS-ALL:+VERS-TLS1.3")):
        daemons.start(servers.certified(port, ":".join(["NORMAL", *filter(None, [versions])])), port)
        seen = look(f"tcp/{port}", ("device", right))
        # By TLS 1.3 a client has finished before it hears that it lacks a certificate.
        why = "a TLS endpoint whose handshake failed" if port == 8904 else "a TLS endpoint that ends sessions after their handshake"
        true(why in seen["unobserved"].get("credentials.accepted", ""), f"{versions}: {seen['facts']} {seen['unobserved']}")
        true("credentials.dialect" not in seen["facts"], f"{versions}: {seen['facts']}")
    for port, versions in ((8907, "-VERS-TLS1.3"), (8908, "-VERS-ALL:+VERS-TLS1.3")):
        daemons.start(servers.keyed_gnutls(port, f"NORMAL:{versions}:-KX-ALL:+PSK:+ECDHE-PSK:+DHE-PSK"), port)
        told(look(f"tcp/{port}", ("sound", right), ("device", right)), f"keys behind GnuTLS ({versions})", "mqtt-psk", ["device"])
    return None


def ipmi():
    if not servers.found("ipmi_sim") or not servers.found("ipmitool"):
        return "ipmi_sim and ipmitool are not installed"
    daemons.start(servers.controller(623, SECRET))
    daemons.start(servers.controller(6230, UNKNOWN))
    seen = look("udp/623", ("stranger", SECRET), (USER, "wrong-1"), (USER, SECRET))
    told(seen, "a weak account", "ipmi-rakp", [USER])
    true(any(f'password of "{USER}"' in given for given in seen["facts"]["credentials.given_away"]), "its digest is given to whoever names it")
    sound = look("udp/6230", (USER, "wrong-1"), (USER, SECRET))
    told(sound, "a sound account", "ipmi-rakp", [])
    true(any(f'password of "{USER}"' in given for given in sound["facts"]["credentials.given_away"]), "and so is that of a sound one")
    equal((servers.ipmitool(623, SECRET), servers.ipmitool(6230, SECRET)), (True, False), "ipmitool says the same")
    named, _ = daemons.probe("services", "udp/623")
    equal([login["dialect"] for login in named["facts"]["service.logins"]], ["ipmi-rakp"], f"services names the login: {named['facts']}")
    return None


def cameras():
    weak, sound, opened = servers.Camera(SECRET), servers.Camera(UNKNOWN), servers.Camera(None)
    for port, camera in ((8899, weak), (2020, sound), (10080, opened)):
        peers.serve(ADDRESS, port, camera)
    told(look("tcp/8899", (USER, "wrong-1"), (USER, SECRET)), "a weak camera", "onvif", [USER])
    told(look("tcp/2020", (USER, "wrong-1"), (USER, SECRET)), "a sound camera", "onvif", [])
    told(look("tcp/10080", (USER, "wrong-1")), "an open camera", "onvif", [], is_open=True)
    true(0 < sound.logins <= 6, f"the camera counts {sound.logins} logins: two candidates and the controls")
    named, _ = daemons.probe("services", "tcp/8899")
    equal([login["dialect"] for login in named["facts"]["service.logins"]], ["onvif"], "services names the login")
    return None


only = os.environ.get("ONLY", "")
tasks = [task for task in (postgres, mariadb, snmp, communities, coaps, gnutls_coaps, choosy_mqtt, keyed_mqtt, keyed_tls13, keyed_gnutls, ipmi, cameras) if only in task.__name__]
failed, done = [], []


def timed(task):
    start = time.monotonic()
    left_out = task()
    return task.__name__, round(time.monotonic() - start, 1), left_out


with concurrent.futures.ThreadPoolExecutor(len(tasks)) as pool:
    for work in [pool.submit(timed, task) for task in tasks]:
        try:
            done.append(work.result())
        except Exception as error:  # each is looked at, then all that failed are told together
            failed.append(f"{type(error).__name__}: {error}")
print("took", done)
true(not failed, "\n".join(failed))
