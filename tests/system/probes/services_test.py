"""Real daemons on ports that do not suggest them are identified by what they say, with the logins they offer."""

import os
import subprocess

import daemons
from daemons import ADDRESS, equal, path, true, write

daemons.own_namespace()
busybox = daemons.need("busybox")
checked = []


def look(endpoint, **expected):
    observation, kept = daemons.probe("services", endpoint)
    facts = observation["facts"]
    for name, value in expected.items():
        equal(facts.get("service." + name), value, f"{endpoint} service.{name} (facts {facts})")
    true(observation["evidence"].get("service.protocol"), f"{endpoint} has evidence for its protocol")
    true(kept, f"{endpoint} keeps its exchange")
    return observation


def named(observation, cpe):
    """The CPE name holds the version that the daemon tells."""
    facts = observation["facts"]
    true(facts.get("service.cpe", "").startswith(cpe + facts["service.version"] + ":"), f"{cpe} in {facts}")


def logins(observation):
    return [(login["dialect"], login["clear"]) for login in observation["facts"]["service.logins"]]


def web():
    os.makedirs(path("www"), exist_ok=True)
    write("www/index.html", "<title>Hub</title><form method=post><input name=u><input type=password name=p></form>")
    write("httpd.conf", "/private:admin:admin\n")
    daemons.start([busybox, "httpd", "-f", "-p", f"{ADDRESS}:9001", "-h", path("www"), "-c", path("httpd.conf")], 9001)
    seen = look("tcp/9001", protocol="http", tls=False, redirects_to_tls=False)
    equal(logins(seen), [("http-form", True)], "the form of httpd")


def web_tls():
    lighttpd = daemons.need("lighttpd")
    pem = daemons.certificate()
    write("users", "admin:secret\n")
    write("lighttpd.conf", f"""
server.document-root = "{path('www')}"
server.port = 9002
server.bind = "{ADDRESS}"
server.modules = ("mod_openssl", "mod_auth", "mod_authn_file", "mod_redirect")
ssl.engine = "enable"
ssl.pemfile = "{pem}"
auth.backend = "plain"
auth.backend.plain.userfile = "{path('users')}"
auth.require = ("/" => ("method" => "digest", "realm" => "hub", "require" => "valid-user"))
$SERVER["socket"] == "{ADDRESS}:9003" {{
  ssl.engine = "disable"
  auth.require = ()
  url.redirect = ("" => "https://{ADDRESS}:9002/")
}}
""")
    daemons.start([lighttpd, "-D", "-f", path("lighttpd.conf")], 9002)
    seen = look("tcp/9002", protocol="http", tls=True, product="lighttpd")
    true(seen["facts"]["service.tls_version"].startswith("TLSv1."), "a TLS version")
    true(("http-digest", False) in logins(seen), "the Digest login inside TLS")
    named(seen, "cpe:2.3:a:lighttpd:lighttpd:")
    certificate = seen["facts"]["service.certificate"]
    fingerprint = subprocess.run(["openssl", "x509", "-in", path("cert.pem"), "-noout", "-fingerprint", "-sha256"],
                                 capture_output=True, text=True, check=True).stdout
    equal(certificate["sha256"], fingerprint.split("=")[1].strip().replace(":", "").lower(), "certificate digest")
    equal(certificate["self_signed"], True, "self-signed")
    true("hub.example" in certificate["subject"], "subject of the certificate")
    look("tcp/9003", protocol="http", tls=False, redirects_to_tls=True)
    status = subprocess.run([daemons.need("curl"), "-sk", "-o", "/dev/null", "-w", "%{http_code}", f"https://{ADDRESS}:9002/"],
                            capture_output=True, text=True).stdout
    equal(seen["facts"]["service.details"]["status"], int(status), "curl sees the same status")


def telnet():
    shell = write("login.sh", "#!/bin/sh\nprintf 'hub login: '; read -r name; printf 'Password: '; read -r word; sleep 3\n", 0o755)
    daemons.start([busybox, "telnetd", "-F", "-b", ADDRESS, "-p", "9004", "-l", shell], 9004)
    equal(logins(look("tcp/9004", protocol="telnet", tls=False)), [("telnet", True)], "the login of telnetd")


def shell():
    """A raw shell on a port, as a debug console has it, and telnet that asks for no login."""
    script = write("shell.sh", f"#!/bin/sh\nexec {busybox} sh -i 2>&1\n", 0o755)
    daemons.start([busybox, "nc", "-ll", "-p", "9012", "-e", script], 9012)
    look("tcp/9012", protocol="shell", shell=True, tls=False)
    daemons.start([busybox, "telnetd", "-F", "-b", ADDRESS, "-p", "9013", "-l", "/bin/sh"], 9013)
    look("tcp/9013", protocol="telnet", shell=True)


def ftps():
    """TLS on a connection that began in clear."""
    vsftpd = daemons.need("vsftpd")
    pem = daemons.certificate()
    text = open(path("vsftpd.conf")).read().replace("9008", "9014")
    write("vsftpd-tls.conf", text + f"ssl_enable=YES\nrsa_cert_file={pem}\nrsa_private_key_file={pem}\n")
    daemons.start([vsftpd, path("vsftpd-tls.conf")], 9014)
    seen = look("tcp/9014", protocol="ftp", tls=False, starttls=True)
    equal(seen["facts"]["service.starttls_session"]["certificate"]["self_signed"], True, "its certificate")


def ssh():
    dropbear = daemons.need("dropbear")
    daemons.start([dropbear, "-F", "-E", "-R", "-p", f"{ADDRESS}:9005", "-P", path("dropbear.pid"), "-r", host_key()], 9005)
    seen = look("tcp/9005", protocol="ssh", tls=False, product="dropbear")
    equal(logins(seen), [("ssh-password", False)], "the login of dropbear")
    named(seen, "cpe:2.3:a:dropbear_ssh_project:dropbear_ssh:")
    true("ssh-ed25519" in seen["facts"]["service.details"]["host_key"], "its host key types")


def host_key():
    subprocess.run([daemons.need("dropbearkey"), "-t", "ed25519", "-f", path("host_key")], check=True, capture_output=True)
    return path("host_key")


def mqtt():
    mosquitto = daemons.need("mosquitto")
    write("open.conf", f"listener 9006 {ADDRESS}\nallow_anonymous true\n")
    write("shut.conf", f"listener 9007 {ADDRESS}\nallow_anonymous false\n")
    daemons.start([mosquitto, "-c", path("open.conf")], 9006)
    daemons.start([mosquitto, "-c", path("shut.conf")], 9007)
    seen = look("tcp/9006", protocol="mqtt")
    equal(seen["facts"]["service.details"]["anonymous"], True, "an open broker")
    equal(logins(seen), [], "an open broker asks for nothing")
    equal(logins(look("tcp/9007", protocol="mqtt")), [("mqtt", True)], "a shut broker")


def ftp():
    vsftpd = daemons.need("vsftpd")
    os.makedirs(path("empty"), exist_ok=True)
    write("vsftpd.conf", f"""listen=YES
listen_ipv6=NO
listen_address={ADDRESS}
listen_port=9008
background=NO
anonymous_enable=NO
local_enable=YES
seccomp_sandbox=NO
secure_chroot_dir={path('empty')}
""")
    if os.geteuid() == 0:
        os.chown(path("vsftpd.conf"), 0, 0)
    daemons.start([vsftpd, path("vsftpd.conf")], 9008)
    seen = look("tcp/9008", protocol="ftp", tls=False, product="vsFTPd")
    equal(logins(seen), [("ftp", True)], "the login of vsftpd")
    named(seen, "cpe:2.3:a:vsftpd_project:vsftpd:")


def coap():
    server = daemons.need("coap-server-openssl")
    daemons.start([server, "-A", ADDRESS, "-p", "9010"], 9010)
    look("udp/9010", protocol="coap", tls=False)
    look("tcp/9010", protocol="coap", tls=False)


def dns():
    dnsmasq = daemons.need("dnsmasq")
    daemons.start([dnsmasq, "-k", "--conf-file=/dev/null", "-a", ADDRESS, "-z", "-R", "-p", "9015", "-u", "root", "--pid-file="], 9015)
    named(look("tcp/9015", protocol="dns", tls=False, product="dnsmasq"), "cpe:2.3:a:thekelleys:dnsmasq:")


def web_named():
    server = daemons.need("mini_httpd")
    daemons.start([server, "-D", "-p", "9016", "-h", ADDRESS, "-d", path("www"), "-u", "root"], 9016)
    named(look("tcp/9016", protocol="http", tls=False, product="mini_httpd"), "cpe:2.3:a:acme:mini-httpd:")


def snmp():
    snmpd = daemons.need("snmpd")
    write("snmpd.conf", "rocommunity public\nsysDescr Example hub 2\n")
    daemons.start([snmpd, "-f", "-Lo", "-C", "-c", path("snmpd.conf"), "-p", path("snmpd.pid"), f"udp:{ADDRESS}:9011"])
    look("udp/9011", protocol="snmp", product="Example hub 2")


def nothing():
    observation, _ = daemons.probe("services", "tcp/9999")
    equal(observation["completion"], "refused", "a closed port")
    equal(observation["facts"], {"service.reachable": False}, "facts of a closed port")
    observation, _ = daemons.probe("services", "udp/9999")
    equal(observation["facts"], {"service.reachable": False}, "facts of a closed UDP port")


skipped = []
for part in (web, web_tls, telnet, shell, ssh, mqtt, ftp, ftps, coap, dns, web_named, snmp, nothing):
    try:
        part()
        checked.append(part.__name__)
    except SystemExit:
        skipped.append(part.__name__)
print("checked", ", ".join(checked), "" if not skipped else "; left out " + ", ".join(skipped))
raise SystemExit(0 if len(checked) > 2 else 77)
