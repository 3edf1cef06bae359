"""Real DTLS servers of five stacks: what the probe finds is the configuration, and what an independent client finds."""

import os
import subprocess
import sys
import time

import daemons
from daemons import ADDRESS, equal, need, path, true, write

daemons.own_namespace()
openssl = need("openssl")
gnutls = need("gnutls-serv")
HERE = os.path.dirname(os.path.abspath(__file__))
KEY = "30313233343536373839616263646566"
checked = []


def start(command, port):
    """Starts a server and waits until its port is bound, as the kernel tells."""
    process = daemons.start(command)
    for _ in range(200):
        with open("/proc/net/udp") as table, open("/proc/net/udp6") as table6:
            if f":{port:04X} " in table.read() + table6.read():
                return process
        true(process.poll() is None, f"{command[0]} ended")
        time.sleep(0.05)
    raise AssertionError(f"{command[0]} did not bind {port}")


def facts_of(port, **settings):
    observation, kept = daemons.probe("tls", f"udp/{port}", **settings)
    equal(observation["completion"], "completed", f"the probe of port {port}: {observation.get('error')}")
    facts = observation["facts"]
    true(facts["tls.spoken"], "it speaks DTLS")
    equal(facts["tls.unsettled"], [], f"all was settled on {port}")
    equal(facts["tls.anomalies"], [], f"nothing odd on {port}")
    facts["absent"] = observation["absent"]
    print(port, facts["tls.versions"], len(facts["tls.suites"]), facts.get("tls.dtls"), observation["coverage"]["questions"])
    return facts


def suites(facts):
    return sorted((one["version"], one["name"]) for one in facts["tls.suites"])


def pairs(version, *names):
    return sorted((version, name) for name in names)


def by_client(port, version, cipher, *more):
    """Whether OpenSSL's own client gets as far as a cipher, or to the server's flight where it has no key."""
    flag = {"DTLSv1": "-dtls1", "DTLSv1.2": "-dtls1_2"}[version]
    out = subprocess.run(["timeout", "10", openssl, "s_client", flag, "-connect", f"{ADDRESS}:{port}", "-cipher",
                          cipher + ":@SECLEVEL=0", *more], input="Q\n", capture_output=True, text=True).stdout
    return "Cipher is (NONE)" not in out and "Cipher is " in out


def weakness(facts, name):
    return {one["name"]: one["state"] for one in facts["tls.weaknesses"]}[name]


def looks(facts, name):
    return facts["tls.behaviour"][name]["yes"]


def session(facts, version, ems=True):
    """A handshake was finished; resumption and the rest were told."""
    found = facts["tls.session"]
    equal((found["version"], found["extended_master_secret"], found["secure_renegotiation"]), (version, ems, True), f"session: {found}")
    equal(facts["tls.client_certificate"]["required"], False, "no certificate is wanted of the client")
    return found


def s_server(port, *words):
    daemons.certificate()
    return start([openssl, "s_server", "-accept", f"{ADDRESS}:{port}", "-cert", path("cert.pem"), "-key", path("key.pem"),
                  "-quiet", *words], port)


ECDSA_GCM = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
ECDSA_SHA = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
CCM8 = "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"
PSK_CCM8 = "TLS_PSK_WITH_AES_128_CCM_8"


def openssl_with_cookie():
    s_server(9601, "-dtls1_2", "-listen", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-CCM8", "-serverpref")
    facts = facts_of(9601)
    equal(suites(facts), pairs("DTLSv1.2", ECDSA_GCM, CCM8), "suites")
    equal(facts["tls.preference"], "server", "order")
    equal(facts["tls.dtls"]["cookie"], "asked", "cookie")
    equal(weakness(facts, "dtls_amplification"), "not_shown", "amplification")
    equal(facts["tls.certificates"][0][0]["key_type"], "EC", "certificate")
    true(session(facts, "DTLSv1.2")["given"], "there is something to resume the session by")
    equal(session(facts, "DTLSv1.2")["cipher"], "ECDHE-ECDSA-AES128-GCM-SHA256", "the server's first choice")
    equal(looks(facts, "resumes_by_ticket"), True, "resumption, as OpenSSL does by itself")
    true(by_client(9601, "DTLSv1.2", "ECDHE-ECDSA-AES128-CCM8"), "the other client takes what was found")
    true(not by_client(9601, "DTLSv1.2", "ECDHE-ECDSA-AES256-SHA"), "and is refused what was not")


def openssl_without_listening():
    s_server(9602, "-dtls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA")
    facts = facts_of(9602)
    equal(suites(facts), pairs("DTLSv1.2", ECDSA_GCM, ECDSA_SHA), "suites")
    equal(facts["tls.dtls"]["cookie"], "asked", "cookie")


def openssl_old():
    s_server(9603, "-dtls1", "-listen", "-cipher", "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    facts = facts_of(9603)
    equal(suites(facts), pairs("DTLSv1", ECDSA_SHA, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"), "suites")
    session(facts, "DTLSv1")
    true(by_client(9603, "DTLSv1", "ECDHE-ECDSA-AES128-SHA"), "the other client takes what was found")


def openssl_both_with_psk():
    s_server(9604, "-dtls", "-listen", "-psk", KEY, "-psk_hint", "hub-7", "-cipher",
             "ECDHE-ECDSA-AES128-SHA:PSK-AES128-CCM8:PSK-AES128-CBC-SHA:@SECLEVEL=0")
    facts = facts_of(9604)
    equal(facts["tls.versions"], ["DTLSv1", "DTLSv1.2"], "versions")
    equal(suites(facts), sorted(
        pairs("DTLSv1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_AES_128_CBC_SHA") +
        pairs("DTLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_AES_128_CBC_SHA", PSK_CCM8)), "suites")
    equal(looks(facts, "psk_identity_hint"), True, "hint")


def gnutls_serv(port, priority, *words):
    daemons.certificate()
    return start([gnutls, "--udp", "-p", str(port), "--priority", priority, "--x509certfile", path("cert.pem"),
                  "--x509keyfile", path("key.pem"), "-q", *words], port)


def gnutls_with_cookie():
    gnutls_serv(9605, "NONE:+VERS-DTLS1.2:+AEAD:+AES-128-CCM-8:+AES-128-GCM:+ECDHE-ECDSA:+SIGN-ECDSA-SHA256:"
                      "+GROUP-SECP256R1:+COMP-NULL")
    facts = facts_of(9605)
    equal(suites(facts), pairs("DTLSv1.2", ECDSA_GCM, CCM8), "suites")
    equal(facts["tls.dtls"]["cookie"], "asked", "cookie")
    equal([one["name"] for one in facts["tls.groups"]], ["secp256r1"], "groups")


def gnutls_without_cookie():
    gnutls_serv(9606, "NONE:+VERS-DTLS1.0:+VERS-DTLS1.2:+SHA1:+AES-128-CBC:+AES-256-CBC:+ECDHE-ECDSA:+SIGN-ALL:"
                      "+GROUP-ALL:+COMP-NULL", "--nocookie")
    facts = facts_of(9606)
    names = ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", ECDSA_SHA)
    equal(suites(facts), sorted(pairs("DTLSv1", *names) + pairs("DTLSv1.2", *names)), "suites")
    equal(facts["tls.dtls"]["cookie"], "never", "cookie")
    first = facts["tls.dtls"]["first_hello"]
    true(first["factor"] > 1 and first["answer_bytes"] > 500, f"amplification: {first}")
    equal(weakness(facts, "dtls_amplification"), "precondition", "amplification")


def coap_openssl_psk():
    server = need("coap-server-openssl")
    start([server, "-A", ADDRESS, "-p", "9617", "-k", "0123456789abcdef", "-h", "hub-7"], 9618)
    facts = facts_of(9618)
    names = {name for _, name in suites(facts)}
    true(PSK_CCM8 in names and all("PSK" in name for name in names), f"suites with PSK alone: {names}")
    true("tls.certificates" in facts["absent"], "no suite that it takes shows a certificate, and all were asked for")
    equal(facts["tls.dtls"]["cookie"], "asked", "cookie")
    equal(looks(facts, "psk_identity_hint"), True, "hint")
    for version, cipher, name in (("DTLSv1.2", "PSK-AES128-CCM8", PSK_CCM8),
                                  ("DTLSv1.2", "PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384"),
                                  ("DTLSv1.2", "PSK-NULL-SHA", "TLS_PSK_WITH_NULL_SHA")):
        equal(by_client(9618, version, cipher, "-psk", KEY), name in names, f"{cipher} by the other client")


def coap_gnutls_certificate():
    server = need("coap-server-gnutls")
    pem = daemons.certificate()
    start([server, "-A", ADDRESS, "-p", "9619", "-c", pem, "-j", path("key.pem"), "-n"], 9620)
    facts = facts_of(9620)
    names = {name for version, name in suites(facts) if version == "DTLSv1.2"}
    true(CCM8 in names and ECDSA_GCM in names, f"suites: {names}")
    for cipher, name in (("ECDHE-ECDSA-AES128-CCM8", CCM8), ("ECDHE-ECDSA-AES128-GCM-SHA256", ECDSA_GCM),
                         ("ECDHE-ECDSA-CAMELLIA128-SHA256", "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256")):
        equal(by_client(9620, "DTLSv1.2", cipher), name in names, f"{cipher} by the other client")


def wolfssl(port, version, ciphers, *hint):
    daemons.certificate()
    return start([sys.executable, "-B", os.path.join(HERE, "wolfssl_dtls.py"), str(port), version, ciphers, path("cert.pem"),
                  path("key.pem"), *hint], port)


def wolfssl_new():
    wolfssl(9609, "1.2", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA")
    true(by_client(9609, "DTLSv1.2", "ECDHE-ECDSA-AES256-SHA"), "the other client takes what will be found")
    facts = facts_of(9609)
    equal(suites(facts), pairs("DTLSv1.2", ECDSA_GCM, ECDSA_SHA), "suites")
    equal(facts["tls.dtls"]["cookie"], "asked", "cookie")


def wolfssl_psk():
    wolfssl(9610, "1.2", "DHE-PSK-AES128-GCM-SHA256", "hub-7")
    facts = facts_of(9610)
    equal(suites(facts), pairs("DTLSv1.2", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256"), "suites")


def mbedtls(port, low, high, suites_of_it, cookie, *identity):
    if not os.path.exists("/usr/include/mbedtls/ssl.h"):
        print("left out: Mbed TLS is not installed")
        return False
    daemons.certificate()
    program = path("mbedtls_dtls_server")
    if not os.path.exists(program):
        subprocess.run([need("cc"), "-o", program, os.path.join(HERE, "stacks", "mbedtls_dtls_server.c"), "-lmbedtls", "-lmbedx509",
                        "-lmbedcrypto"], check=True)
    minor = {"DTLSv1": "2", "DTLSv1.2": "3"}
    start([program, str(port), path("cert.pem"), path("key.pem"), minor[low], minor[high], suites_of_it, cookie, *identity], port)
    return True


def mbedtls_with_cookie():
    if not mbedtls(9621, "DTLSv1.2", "DTLSv1.2", "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256,TLS-ECDHE-ECDSA-WITH-AES-128-CCM-8", "1"):
        return
    facts = facts_of(9621)
    equal(suites(facts), pairs("DTLSv1.2", ECDSA_GCM, CCM8), "suites")
    equal(facts["tls.dtls"]["cookie"], "asked", "cookie")
    equal(weakness(facts, "dtls_amplification"), "not_shown", "amplification")
    equal(facts["tls.certificates"][0][0]["key_type"], "EC", "certificate")
    true(by_client(9621, "DTLSv1.2", "ECDHE-ECDSA-AES128-CCM8"), "the other client takes what was found")
    true(not by_client(9621, "DTLSv1.2", "ECDHE-ECDSA-AES256-SHA"), "and is refused what was not")


def mbedtls_old_without_cookie():
    if not mbedtls(9622, "DTLSv1", "DTLSv1.2", "TLS-ECDHE-ECDSA-WITH-AES-256-CBC-SHA,TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256", "0"):
        return
    facts = facts_of(9622)
    equal(suites(facts), sorted(pairs("DTLSv1", ECDSA_SHA) + pairs("DTLSv1.2", ECDSA_SHA, ECDSA_GCM)), "suites")
    equal(facts["tls.dtls"]["cookie"], "never", "cookie")
    equal(weakness(facts, "dtls_amplification"), "precondition", "amplification")


def mbedtls_psk():
    if not mbedtls(9623, "DTLSv1.2", "DTLSv1.2", "TLS-PSK-WITH-AES-128-CCM-8,TLS-ECDHE-PSK-WITH-AES-128-CBC-SHA256", "1", "hub-7"):
        return
    facts = facts_of(9623)
    equal(suites(facts), pairs("DTLSv1.2", PSK_CCM8, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"), "suites")
    equal(looks(facts, "psk_identity_hint"), False, "this library knows no hints")


only = sys.argv[1:]
for part in (openssl_with_cookie, openssl_without_listening, openssl_old, openssl_both_with_psk, gnutls_with_cookie,
             gnutls_without_cookie, coap_openssl_psk, coap_gnutls_certificate, wolfssl_new, wolfssl_psk, mbedtls_with_cookie,
             mbedtls_old_without_cookie, mbedtls_psk):
    if only and part.__name__ not in only:
        continue
    part()
    checked.append(part.__name__)
print("checked", ", ".join(checked))
