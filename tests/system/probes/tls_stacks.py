"""Servers of seven independent TLS stacks in known configurations, shared by the tests that look at them.

What is expected comes from the configuration, by the stack's own listing of what its words stand for or by registered names, never from
our own output. A stack that is not installed is left out and said so."""

import base64
import datetime
import os
import re
import shutil
import subprocess
import time

import daemons
from daemons import ADDRESS, path, write

daemons.own_namespace()
HERE = os.path.dirname(os.path.abspath(__file__))
openssl = daemons.need("openssl")
TLS10, TLS11, TLS12, TLS13 = "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"
OPENSSL_FLAG = {TLS10: "-tls1", TLS11: "-tls1_1", TLS12: "-tls1_2", TLS13: "-tls1_3"}
# Registered numbers (IANA, TLS parameters).
GROUP = {"P-256": 23, "P-384": 24, "P-521": 25, "X25519": 29, "X448": 30, "ffdhe2048": 256, "ffdhe3072": 257}
SUITE13 = {"TLS_AES_128_GCM_SHA256": "0x1301", "TLS_AES_256_GCM_SHA384": "0x1302", "TLS_CHACHA20_POLY1305_SHA256": "0x1303",
           "TLS_AES_128_CCM_SHA256": "0x1304", "TLS_AES_128_CCM_8_SHA256": "0x1305"}
# RFC 2409, 6.2: the group of 1024 bits.
OAKLEY_2 = ("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
            "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
            "49286651ECE65381FFFFFFFFFFFFFFFF")
cases = []
stacks = {}


def code(number):
    return f"0x{number:04x}"


def tool(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, check=True, **options).stdout


def next_port():
    return 9601 + len(cases)


def case(stack, name, command, **expected):
    """One server. `{port}` in the command is its port. `expected`: facts by short name, see `found_in`."""
    port = next_port()
    cases.append({"name": f"{stack}: {name}", "port": port, "expected": expected,
                  "command": [part.replace("{port}", str(port)) for part in command]})
    stacks[stack] = stacks.get(stack, 0) + 1
    return port


# Certificates -------------------------------------------------------------------------------------------------------

def make_key(name, *words):
    tool(openssl, "genpkey", "-out", path(name + ".key"), *words)


def self_signed(name, *words):
    make_key(name, *words)
    tool(openssl, "req", "-x509", "-key", path(name + ".key"), "-subj", f"/CN={name}.example", "-days", "30", "-out", path(name + ".pem"))
    return fingerprint(name)


def fingerprint(name):
    return tool(openssl, "x509", "-in", path(name + ".pem"), "-noout", "-fingerprint", "-sha256").split("=")[1].strip().replace(":", "").lower()


def expired(name, key):
    """Ends at the second in which it begins."""
    shutil.copy(path(key + ".key"), path(name + ".key"))
    tool(openssl, "x509", "-in", path(key + ".pem"), "-signkey", path(key + ".key"), "-days", "0", "-out", path(name + ".pem"))
    return fingerprint(name)


def not_after(name):
    text = tool(openssl, "x509", "-in", path(name + ".pem"), "-noout", "-enddate").split("=")[1].strip()
    return datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").strftime("%Y-%m-%dT%H:%M:%SZ")


def signed(name, issuer, authority=False):
    make_key(name, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    tool(openssl, "req", "-new", "-key", path(name + ".key"), "-subj", f"/CN={name}.example", "-out", path(name + ".csr"))
    extensions = write(name + ".ext", f"basicConstraints=CA:{'TRUE' if authority else 'FALSE'}\n")
    tool(openssl, "x509", "-req", "-in", path(name + ".csr"), "-CA", path(issuer + ".pem"), "-CAkey", path(issuer + ".key"),
         "-CAcreateserial", "-days", "20", "-extfile", extensions, "-out", path(name + ".pem"))
    return fingerprint(name)


EC = ("-algorithm", "EC", "-pkeyopt")
KEYS = {"rsa1024": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"), "rsa2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "rsa3072": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"), "rsa4096": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"),
        "ec256": (*EC, "ec_paramgen_curve:P-256"), "ec384": (*EC, "ec_paramgen_curve:P-384"), "ec521": (*EC, "ec_paramgen_curve:P-521"),
        "ed25519": ("-algorithm", "ED25519"), "pss": ("-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")}
SHA = {name: self_signed(name, *words) for name, words in KEYS.items()}
SHA["intermediate"] = signed("intermediate", "ec256", authority=True)
SHA["leaf"] = signed("leaf", "intermediate")
SHA["expired"] = expired("expired", "ec256")
write("wrong_order.pem", "".join(open(path(name + ".pem")).read() for name in ("ec256", "intermediate")))


# OpenSSL ------------------------------------------------------------------------------------------------------------

def by_openssl(words, version, kinds, no_dh=False):
    """Codes of what cipher words stand for in one version, for a server with certificates of these kinds."""
    out = set()
    for line in tool(openssl, "ciphers", "-V", "-s", OPENSSL_FLAG[version], words).splitlines():
        number, _, _, _, exchange, signer = line.split()[:6]
        first, second = number.split(",")
        if signer[3:] in kinds and exchange in ("Kx=ECDH", "Kx=DH", "Kx=RSA") and not (no_dh and exchange == "Kx=DH"):
            out.add((version, first.lower() + second[2:].lower()))
    return out


def s_server(name, key, *words, ciphers="ALL:@SECLEVEL=0", suites13=(), versions=(TLS12,), kinds=("RSA",), anonymous=False, no_dh=False, chain=None, **expected):
    suites = set().union(*(by_openssl(ciphers, version, kinds + (("None",) if anonymous else ()), no_dh) for version in versions if version != TLS13))
    if TLS13 in versions:
        suites |= {(TLS13, SUITE13[one]) for one in suites13}
        words += ("-ciphersuites", ":".join(suites13))
    command = [openssl, "s_server", "-accept", f"{ADDRESS}:{{port}}", "-cert", path(key + ".pem"), "-key", path(key + ".key"), "-www",
               "-cipher", ciphers, *words]
    for version in set(OPENSSL_FLAG) - set(versions):
        command.append(OPENSSL_FLAG[version].replace("-tls", "-no_tls"))
    return case("OpenSSL", name, command, versions=list(versions), suites=suites, certificates=[chain or [SHA[key]]], **expected)


ALL13 = tuple(SUITE13)[:3]
EVERY = (TLS10, TLS11, TLS12, TLS13)


def openssl_cases():
    wide = s_server("everything, RSA 1024", "rsa1024", ciphers="ALL:eNULL:@SECLEVEL=0", suites13=tuple(SUITE13), versions=EVERY, anonymous=True, preference="client")
    ecdhe = s_server("usual, RSA 2048", "rsa2048", "-serverpref", ciphers="HIGH:!aNULL", suites13=ALL13, versions=(TLS12, TLS13), preference="server",
                     groups12={"X25519", "P-256", "P-384", "P-521", "X448"}, client_asked=False)
    s_server("TLS 1.3 alone, one suite, one group", "rsa3072", "-groups", "X25519", suites13=("TLS_AES_128_CCM_SHA256",), versions=(TLS13,), groups13={"X25519"})
    s_server("TLS 1.3 alone, P-384 and a finite field", "ec256", "-groups", "P-384:ffdhe2048", suites13=ALL13, versions=(TLS13,), groups13={"P-384", "ffdhe2048"})
    s_server("CBC alone, RSA 4096", "rsa4096", ciphers="AES256-SHA:AES128-SHA256:ECDHE-RSA-AES128-SHA")
    s_server("ECDSA P-256, two suites", "ec256", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA", kinds=("ECDSA",))
    s_server("ECDSA P-384, its curve alone", "ec384", "-groups", "P-384", ciphers="ECDHE", kinds=("ECDSA",), groups12={"P-384"})
    s_server("ECDSA P-256, another curve alone", "ec256", "-groups", "P-521:P-256", ciphers="ECDHE+AESGCM", kinds=("ECDSA",), groups12={"P-521", "P-256"})
    s_server("ECDSA P-521", "ec521", suites13=ALL13, versions=(TLS12, TLS13), ciphers="ECDHE+CHACHA20", kinds=("ECDSA",))
    s_server("Ed25519", "ed25519", suites13=ALL13, versions=(TLS12, TLS13), ciphers="ECDHE+AESGCM", kinds=("ECDSA",), signatures={0x0807})
    s_server("RSA-PSS key", "pss", suites13=ALL13, versions=(TLS12, TLS13), ciphers="ECDHE+AESGCM")
    s_server("two signature schemes", "rsa2048", "-sigalgs", "RSA+SHA256:RSA-PSS+SHA384", ciphers="ECDHE+AESGCM", signatures={0x0401, 0x0805})
    s_server("chain with its intermediate", "leaf", "-cert_chain", path("intermediate.pem"), ciphers="ECDHE+AESGCM", kinds=("ECDSA",), chain=[SHA["leaf"], SHA["intermediate"]])
    s_server("chain without its intermediate", "leaf", ciphers="ECDHE+AESGCM", kinds=("ECDSA",))
    s_server("chain in the wrong order", "leaf", "-cert_chain", path("wrong_order.pem"), ciphers="ECDHE+AESGCM", kinds=("ECDSA",), chain=[SHA["leaf"], SHA["ec256"], SHA["intermediate"]])
    s_server("expired certificate", "expired", ciphers="ECDHE+AESGCM", kinds=("ECDSA",), not_after=[not_after("expired")])
    s_server("client certificate asked for", "rsa2048", "-verify", "1", ciphers="ECDHE+AESGCM", client_asked=True)
    s_server("client certificate demanded", "rsa2048", "-Verify", "1", ciphers="ECDHE+AESGCM", client_asked=True)
    s_server("ALPN", "rsa2048", "-alpn", "h2", suites13=ALL13, versions=(TLS12, TLS13), ciphers="ECDHE+AESGCM", alpn="h2")
    s_server("TLS 1.0 alone", "rsa2048", versions=(TLS10,), anonymous=True)
    s_server("TLS 1.1 alone", "ec256", versions=(TLS11,), kinds=("ECDSA",), anonymous=True)
    s_server("finite field of 1024 bits", "rsa2048", "-dhparam", path("dh1024.pem"), ciphers="DHE-RSA-AES128-SHA:@SECLEVEL=0", dh={1024})
    s_server("no encryption", "rsa2048", ciphers="eNULL:!aNULL:@SECLEVEL=0")
    s_server("no finite field", "rsa2048", "-no_dhe", ciphers="kEECDH+AESGCM:kEDH+AESGCM", no_dh=True)
    return wide, ecdhe


# GnuTLS -------------------------------------------------------------------------------------------------------------

def gnutls(name, key, priority, kinds, *words, **expected):
    suites = set()
    listing = tool("gnutls-cli", "-l", "--priority", priority)
    names = {"VERS-TLS1.0": TLS10, "VERS-TLS1.1": TLS11, "VERS-TLS1.2": TLS12, "VERS-TLS1.3": TLS13}
    versions = sorted(names[word] for word in re.search(r"Protocols: (.*)", listing).group(1).split(", ") if word in names)
    for suite, first, second, least in re.findall(r"^(TLS_\S+)\s+0x(\w\w), 0x(\w\w)\s+TLS(1\.\d)", listing, re.MULTILINE):
        signer = "ECDSA" if "_ECDSA_" in suite else "ANON" if "_ANON_" in suite else "RSA"
        for version in versions:
            fits = (version == TLS13) == (least == "1.3") and version >= ("TLSv1" if least == "1.0" else "TLSv" + least)
            if fits and (version == TLS13 or signer in kinds):
                suites.add((version, "0x" + first + second))
    case("GnuTLS", name, ["gnutls-serv", "--port", "{port}", "--http", "--quiet", "--x509certfile", path(key + ".pem"), "--x509keyfile", path(key + ".key"),
                          "--priority", priority, *words], versions=versions, suites=suites, certificates=[[SHA[key]]], **expected)


def gnutls_cases():
    gnutls("usual, RSA", "rsa2048", "NORMAL", ("RSA",), "-a", client_asked=False)
    gnutls("3DES, ARCFOUR and no encryption, TLS 1.0 to 1.2", "rsa2048", "NONE:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:+3DES-CBC:+ARCFOUR-128:+NULL:+SHA1:"
           "+RSA:+ECDHE-RSA:+GROUP-ALL:+SIGN-ALL:+COMP-NULL", ("RSA",), "-a")
    gnutls("ECDSA, curves P-256 and X25519", "ec256", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519", ("ECDSA",), "-a", groups12={"P-256", "X25519"})
    gnutls("TLS 1.3 alone, P-521", "ec384", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP521R1", ("ECDSA",), "-a", groups13={"P-521"})
    gnutls("one signature scheme", "rsa2048", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-SHA384", ("RSA",), "-a", signatures={0x0501})
    gnutls("client certificate asked for", "rsa2048", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA", ("RSA",), client_asked=True)
    gnutls("Camellia and CCM_8, Ed25519", "ed25519", "NORMAL:+CAMELLIA-128-GCM:+AES-128-CCM-8:-VERS-ALL:+VERS-TLS1.2", ("ECDSA",), "-a")


# NSS ----------------------------------------------------------------------------------------------------------------

def nss(name, key, low, high, codes, *words, **expected):
    order = [TLS10, TLS11, TLS12, TLS13]
    words_of = {TLS10: "tls1.0", TLS11: "tls1.1", TLS12: "tls1.2", TLS13: "tls1.3"}
    versions = order[order.index(low):order.index(high) + 1]
    suites = {(version, code(one)) for one in codes for version in versions if (one >> 8 == 0x13) == (version == TLS13) and (version == TLS12 or version == TLS13 or one in OLD)}
    case("NSS", name, [shutil.which("selfserv"), "-d", path("nss"), "-n" if key.startswith("rsa") else "-e", key, "-p", "{port}", "-w", "", "-L", "600",
                       "-V", f"{words_of[low]}:{words_of[high]}", "-c", "".join(f":{one:04X}" for one in codes), *words],
         versions=versions, suites=suites, certificates=[[SHA[key]]], **expected)


OLD = {0x000A, 0x002F, 0x0035, 0xC013, 0xC014, 0xC009, 0xC00A, 0x0005}  # of these: usable before TLS 1.2


def nss_cases():
    os.mkdir(path("nss"))
    tool("certutil", "-N", "-d", path("nss"), "--empty-password")
    for key in ("rsa2048", "ec256"):
        tool(openssl, "pkcs12", "-export", "-in", path(key + ".pem"), "-inkey", path(key + ".key"), "-name", key, "-passout", "pass:", "-out", path(key + ".p12"))
        tool("pk12util", "-i", path(key + ".p12"), "-d", path("nss"), "-W", "")
    nss("TLS 1.0 to 1.2, 3DES too", "rsa2048", TLS10, TLS12, [0xC02F, 0xC030, 0xCCA8, 0xC013, 0xC014, 0x009C, 0x002F, 0x0035, 0x000A])
    nss("TLS 1.2 and 1.3", "rsa2048", TLS12, TLS13, [0x1301, 0x1303, 0xC02F, 0xC027], "-I", "P256,x25519", groups12={"P-256", "X25519"}, groups13={"P-256", "X25519"})
    nss("ECDSA, P-384 and P-256", "ec256", TLS12, TLS12, [0xC02B, 0xC02C, 0xC009, 0xCCA9], "-I", "P384,P256", groups12={"P-384", "P-256"})
    nss("client certificate demanded", "rsa2048", TLS12, TLS12, [0xC02F], "-r", "-r", client_asked=True)
    nss("one signature scheme", "rsa2048", TLS12, TLS12, [0xC02F, 0xC030], "-J", "rsa_pss_rsae_sha256", signatures={0x0804})


# Botan --------------------------------------------------------------------------------------------------------------

def botan(name, key, versions, policy, kinds, **expected):
    text = "".join(f"allow_{version.lower().replace('v', '').replace('.', '') if version != TLS10 else 'tls10'} = {'true' if version in versions else 'false'}\n"
                   for version in (TLS10, TLS11, TLS12)) + policy
    rules = write(f"botan{len(cases)}.txt", text)
    suites = set()
    for version in versions:
        for suite in tool("botan", "tls_ciphers", "--policy=" + rules, "--version=" + {TLS10: "tls1.0", TLS11: "tls1.1", TLS12: "tls1.2"}[version]).split():
            if ("ECDSA" if "_ECDSA_" in suite else "RSA") in kinds:
                suites.add((version, "TLS_" + suite))
    case("Botan", name, ["botan", "tls_server", path(key + ".pem"), path(key + ".key"), "--port={port}", "--policy=" + rules],
         versions=list(versions), suite_names=suites, certificates=[[SHA[key]]], **expected)


def botan_cases():
    common = "macs = AEAD SHA-256 SHA-1\nsignature_hashes = SHA-256 SHA-1\nsignature_methods = RSA ECDSA IMPLICIT\n"
    botan("TLS 1.0 to 1.2, 3DES and RSA transport", "rsa2048", (TLS10, TLS11, TLS12), common + "ciphers = AES-128/GCM AES-256 3DES\n"
          "key_exchange_methods = ECDH RSA\nkey_exchange_groups = x25519 secp256r1\n", ("RSA",))
    botan("ECDSA", "ec256", (TLS12,), common + "ciphers = ChaCha20Poly1305 AES-256/GCM\nkey_exchange_methods = ECDH\nkey_exchange_groups = secp384r1 secp256r1\n",
          ("ECDSA",), groups12={"P-384", "P-256"})
    botan("finite field", "rsa2048", (TLS12,), common + "ciphers = AES-128/GCM\nkey_exchange_methods = DH\nkey_exchange_groups = ffdhe/ietf/2048\n", ("RSA",), dh={2048})


# Mbed TLS and wolfSSL -----------------------------------------------------------------------------------------------

def compiled(source, *libraries):
    program = path(source[:-2])
    done = subprocess.run(["cc", "-o", program, os.path.join(HERE, "stacks", source), *libraries], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr[:2000])
    return program


def mbedtls_cases():
    program = compiled("mbedtls_server.c", "-lmbedtls", "-lmbedx509", "-lmbedcrypto")
    minor = {TLS10: "1", TLS11: "2", TLS12: "3"}

    def mbedtls(name, key, versions, suites, curves="secp256r1,secp384r1", auth="0", **expected):
        names = {(version, one.replace("-", "_")) for version in versions for one in suites if version == TLS12 or one.endswith("-SHA")}
        case("Mbed TLS", name, [program, "{port}", path(key + ".pem"), path(key + ".key"), minor[versions[0]], minor[versions[-1]], ",".join(suites), curves, auth],
             versions=list(versions), suite_names=names, certificates=[[SHA[key]]], **expected)

    wanted = ["TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256", "TLS-RSA-WITH-AES-128-CBC-SHA", "TLS-DHE-RSA-WITH-AES-256-CBC-SHA", "TLS-RSA-WITH-CAMELLIA-128-CBC-SHA",
              "TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256"]
    mbedtls("TLS 1.0 to 1.2", "rsa2048", (TLS10, TLS11, TLS12), wanted)
    # Its own order decides, and a client without the curve of the certificate is refused: P-384 can never be chosen.
    mbedtls("ECDSA P-256, CCM_8 alone", "ec256", (TLS12,), ["TLS-ECDHE-ECDSA-WITH-AES-128-CCM-8"], groups12={"P-256"})
    mbedtls("ECDSA P-384, its curve alone", "ec384", (TLS12,), ["TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384", "TLS-ECDHE-ECDSA-WITH-AES-128-CCM"], "secp384r1", groups12={"P-384"})
    mbedtls("client certificate asked for", "rsa2048", (TLS12,), ["TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384"], auth="1", client_asked=True)
    mbedtls("RSA transport alone", "rsa3072", (TLS12,), ["TLS-RSA-WITH-AES-256-GCM-SHA384", "TLS-RSA-WITH-AES-256-CCM"])


def wolfssl_cases():
    program = compiled("wolfssl_server.c", "-lwolfssl")
    minor = {TLS11: "2", TLS12: "3", TLS13: "4"}

    def wolfssl(name, key, versions, suites, auth="0", **expected):
        """`suites`: the library's name -> registered number."""
        codes = {(version, code(number)) for version in versions for number in suites.values()
                 if (number >> 8 == 0x13 or number in (0xC0B4, 0xC0B5)) == (version == TLS13) and (version > TLS11 or number in OLD)}
        case("wolfSSL", name, [program, "{port}", path(key + ".pem"), path(key + ".key"), minor[versions[0]], minor[versions[-1]], ":".join(suites), auth],
             versions=list(versions), suites=codes, certificates=[[SHA[key]]], **expected)

    usual = {"ECDHE-RSA-AES128-GCM-SHA256": 0xC02F, "ECDHE-RSA-AES256-GCM-SHA384": 0xC030, "ECDHE-RSA-CHACHA20-POLY1305": 0xCCA8, "ECDHE-RSA-AES128-SHA": 0xC013}
    modern = {"TLS13-AES128-GCM-SHA256": 0x1301, "TLS13-AES256-GCM-SHA384": 0x1302, "TLS13-CHACHA20-POLY1305-SHA256": 0x1303, "TLS13-AES128-CCM-SHA256": 0x1304}
    wolfssl("TLS 1.2 and 1.3, RSA", "rsa2048", (TLS12, TLS13), usual | modern)
    wolfssl("TLS 1.3 alone, suites without encryption too", "ec256", (TLS13,), modern | {"TLS13-SHA256-SHA256": 0xC0B4, "TLS13-SHA384-SHA384": 0xC0B5, "TLS13-AES128-CCM-8-SHA256": 0x1305})
    wolfssl("TLS 1.2, RC4 and 3DES", "rsa2048", (TLS12,), {"ECDHE-RSA-RC4-SHA": 0xC011, "ECDHE-RSA-DES-CBC3-SHA": 0xC012, "ECDHE-RSA-AES256-SHA384": 0xC028})
    wolfssl("TLS 1.1 and 1.2, ECDSA", "ec256", (TLS11, TLS12), {"ECDHE-ECDSA-AES128-SHA": 0xC009, "ECDHE-ECDSA-AES128-CCM-8": 0xC0AE, "ECDHE-ECDSA-AES256-GCM-SHA384": 0xC02C})
    wolfssl("client certificate demanded", "rsa2048", (TLS12,), usual, auth="2", client_asked=True)


# Erlang/OTP ---------------------------------------------------------------------------------------------------------

def erlang_cases():
    def erlang(name, key, versions, suites, groups="", **expected):
        order = {"tlsv1": TLS10, "tlsv1.1": TLS11, "tlsv1.2": TLS12, "tlsv1.3": TLS13}
        taken = {(order[version], one) for version in versions for one in suites
                 if (one in SUITE13) == (version == "tlsv1.3") and (version in ("tlsv1.2", "tlsv1.3") or one.endswith("_SHA"))}
        case("Erlang", name, ["escript", os.path.join(HERE, "stacks", "erlang_server.escript"), "{port}", path(key + ".pem"), path(key + ".key"),
                              ",".join(versions), ",".join(suites), groups],
             versions=sorted(order[version] for version in versions), suite_names=taken, certificates=[[SHA[key]]], **expected)

    ecdhe = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"]
    erlang("TLS 1.2 and 1.3, two groups", "rsa2048", ["tlsv1.3", "tlsv1.2"], ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", *ecdhe], "x25519,secp384r1",
           groups13={"X25519", "P-384"})
    erlang("TLS 1.2 down to 1.0", "rsa2048", ["tlsv1.2", "tlsv1.1", "tlsv1"], [*ecdhe, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"])
    erlang("ECDSA, CCM", "ec256", ["tlsv1.2"], ["TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"])


# What the probe says, in the words above ----------------------------------------------------------------------------

def found_in(facts, expected):
    groups = {version: {one["code"] for one in facts["tls.groups"] if one["version"] == version} for version in (TLS12, TLS13)}
    found = {"versions": facts["tls.versions"], "unsettled": facts["tls.unsettled"], "anomalies": facts["tls.anomalies"],
             "suites": {(one["version"], one["code"]) for one in facts["tls.suites"]},
             "suite_names": {(one["version"], one["name"]) for one in facts["tls.suites"]},
             "groups12": groups[TLS12], "groups13": groups[TLS13], "preference": facts.get("tls.preference"),
             "signatures": {int(one["code"], 16) for one in facts["tls.signatures"]}, "dh": {one["bits"] for one in facts["tls.dh"]},
             "not_after": [chain[0]["not_after"] for chain in facts.get("tls.certificates", [])],
             "certificates": [[one["sha256"] for one in chain] for chain in facts.get("tls.certificates", [])],
             "client_asked": facts["tls.client_certificate"]["asked"], "alpn": facts.get("tls.session", {}).get("alpn")}
    return {key: found[key] for key in expected}


def differences(one):
    expected = {"unsettled": [], "anomalies": [], **one["expected"]}
    for key in ("groups12", "groups13"):
        if key in expected:
            expected[key] = {code(GROUP[name]) for name in expected[key]}
    began = time.monotonic()
    observation, _ = daemons.probe("tls", f"tcp/{one['port']}")
    if time.monotonic() - began > 3:
        print(f"{one['name']}: {time.monotonic() - began:.1f} s {observation['coverage']['questions']}")
    one["facts"] = observation["facts"]
    if observation["completion"] != "completed":
        return [f"{one['name']}: {observation['completion']}: {observation.get('error')}"]
    found = found_in(observation["facts"], expected)
    out = []
    for key, value in expected.items():
        if found[key] != value:
            sets = isinstance(value, set)
            out.append(f"{one['name']} (port {one['port']}): {key}: " + (f"missing {sorted(value - found[key])}, too many {sorted(found[key] - value)}" if sets
                                                                         else f"found {found[key]}, expected {value}"))
    return out


def start():
    """Starts every server. The ports of one of each stack, two of OpenSSL's."""
    write("dh1024.cnf", f"asn1=SEQUENCE:group\n[group]\np=INTEGER:0x{OAKLEY_2}\ng=INTEGER:2\n")
    tool(openssl, "asn1parse", "-genconf", path("dh1024.cnf"), "-noout", "-out", path("dh1024.der"))
    body = base64.encodebytes(open(path("dh1024.der"), "rb").read()).decode()
    write("dh1024.pem", f"-----BEGIN DH PARAMETERS-----\n{body}-----END DH PARAMETERS-----\n")
    samples = list(openssl_cases())
    for stack, programs, make in (("GnuTLS", ["gnutls-serv", "gnutls-cli"], gnutls_cases), ("NSS", ["selfserv", "certutil", "pk12util"], nss_cases),
                                  ("Botan", ["botan"], botan_cases), ("Mbed TLS", ["cc", "/usr/include/mbedtls/ssl.h"], mbedtls_cases),
                                  ("wolfSSL", ["cc", "/usr/include/wolfssl/ssl.h"], wolfssl_cases), ("Erlang", ["escript"], erlang_cases)):
        absent = [program for program in programs if not (os.path.exists(program) or shutil.which(program))]
        if absent:
            print(f"{stack} is left out: no {', '.join(absent)}")
            continue
        samples.append(next_port())
        make()
    daemons.start_all([(one["command"], one["port"]) for one in cases])
    return samples
