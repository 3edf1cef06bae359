"""TLS that is asked for inside mail, directory, chat, file transfer and databases: real daemons, and the probe finds their settings."""

import glob
import os
import shutil
import subprocess

import daemons
from daemons import ADDRESS, equal, path, true, write

daemons.own_namespace()
openssl = daemons.need("openssl")
checked, faults = [], []


def expect(port, dialect, versions, suites=None, **settings):
    """`suites`: names the daemon was told to take; None: not told."""
    observation, kept = daemons.probe("tls", f"tcp/{port}", **settings)
    facts = observation["facts"]
    try:
        equal(observation["completion"], "completed", observation.get("error"))
        equal(facts.get("tls.starttls"), dialect, "dialect")
        equal(facts["tls.versions"], versions, "versions")
        equal(facts["tls.unsettled"], [], "all was settled")
        equal(facts["tls.certificates"][0][0]["sha256"], FINGERPRINT, "certificate")
        if suites is not None:
            equal(sorted(one["name"] for one in facts["tls.suites"]), sorted(suites), "suites")
    except (AssertionError, KeyError) as fault:
        faults.append(f"{dialect} on port {port}: {fault!r}\n{kept[:1500]}")
    checked.append(f"{dialect} {observation['coverage']['questions']['connections']} connections")


def found(program, *folders):
    there = shutil.which(program, path=":".join([os.environ["PATH"], "/usr/sbin", *folders]))
    if not there:
        print("left out:", program, "is not installed")
    return there


GCM = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
OPENSSL_GCM = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
GNUTLS_GCM = "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+AES-128-GCM:+AES-256-GCM:+AEAD:+GROUP-ALL:+SIGN-ALL:+COMP-NULL"


def mail_boxes():
    if not (program := found("dovecot")):
        return
    conf = write("dovecot.conf", f"""protocols = imap pop3
listen = {ADDRESS}
base_dir = {path("dovecot")}
log_path = /dev/stderr
ssl = required
ssl_cert = <{path("cert.pem")}
ssl_key = <{path("key.pem")}
ssl_min_protocol = TLSv1.1
ssl_cipher_list = ECDHE+AESGCM:@SECLEVEL=0
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=1000 gid=1000 home={path("home")}
}}
""")
    daemons.start_all([([program, "-F", "-c", conf], 143)])
    expect(143, "imap", ["TLSv1.2", "TLSv1.3"])
    expect(110, "pop3", ["TLSv1.2", "TLSv1.3"])


def mail_transfer():
    if not (program := found("exim4")):
        return
    os.mkdir(path("spool"))
    os.chmod(path("spool"), 0o777)
    conf = write("exim.conf", f"""primary_hostname = hub.example
local_interfaces = {ADDRESS}
daemon_smtp_ports = 25
spool_directory = {path("spool")}
log_file_path = {path("spool")}/%slog
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = *
tls_certificate = {path("cert.pem")}
tls_privatekey = {path("key.pem")}
tls_require_ciphers = {GNUTLS_GCM}
""")
    daemons.start([program, "-bdf", "-C", conf], 25)
    expect(25, "smtp", ["TLSv1.2"], GCM)


def directory():
    if not (program := found("slapd")):
        return
    conf = write("slapd.conf", f"""include /etc/ldap/schema/core.schema
pidfile {path("slapd.pid")}
TLSCertificateFile {path("cert.pem")}
TLSCertificateKeyFile {path("key.pem")}
TLSCipherSuite {GNUTLS_GCM}
""")
    daemons.start([program, "-d", "0", "-h", f"ldap://{ADDRESS}:389", "-f", conf], 389)
    expect(389, "ldap", ["TLSv1.2"], GCM)


def chat():
    if not (program := found("prosody")):
        return
    os.makedirs(path("prosody"))
    conf = write("prosody.cfg.lua", f"""daemonize = false
run_as_root = true
pidfile = "{path("prosody.pid")}"
data_path = "{path("prosody")}"
interfaces = {{ "{ADDRESS}" }}
modules_enabled = {{ "tls" }}
modules_disabled = {{ "s2s" }}
c2s_require_encryption = true
log = {{ info = "*console" }}
VirtualHost "hub.example"
ssl = {{ certificate = "{path("cert.pem")}"; key = "{path("key.pem")}"; protocol = "tlsv1_2"; ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"; }}
""")
    daemons.start([program, "--config", conf, "-F"], 5222)
    expect(5222, "xmpp", ["TLSv1.2"], GCM, server_name="hub.example")


def file_transfer():
    if not (program := found("vsftpd")):
        return
    os.makedirs(path("empty"), exist_ok=True)
    conf = write("vsftpd.conf", f"""listen=YES
listen_address={ADDRESS}
background=NO
anonymous_enable=YES
anon_root={path("empty")}
secure_chroot_dir={path("empty")}
ssl_enable=YES
allow_anon_ssl=YES
ssl_tlsv1=YES
rsa_cert_file={path("cert.pem")}
rsa_private_key_file={path("key.pem")}
ssl_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384
seccomp_sandbox=NO
""")
    daemons.start([program, conf], 21)
    observation, _ = daemons.probe("tls", "tcp/21")
    versions = observation["facts"].get("tls.versions", [])
    true("TLSv1.2" in versions, f"versions of vsftpd: {versions}")
    expect(21, "ftp", versions)


def mariadb():
    """Its handshake is MySQL's."""
    if not (program := found("mariadbd")):
        return
    os.makedirs(path("mariadb"))
    daemons.start([program, "--no-defaults", "--user=root", f"--datadir={path('mariadb')}", "--skip-innodb", "--default-storage-engine=MyISAM",
                   "--skip-grant-tables", f"--bind-address={ADDRESS}", "--port=3306", f"--socket={path('mariadb')}/socket",
                   f"--ssl-cert={path('cert.pem')}", f"--ssl-key={path('key.pem')}", "--tls-version=TLSv1.2", f"--ssl-cipher={OPENSSL_GCM}"], 3306)
    expect(3306, "mysql", ["TLSv1.2"], GCM)


def postgresql():
    """No package is asked for: Debian's makes a database and starts a server. It does not run as root, nor does the maker of its files."""
    if not (program := found("postgres", *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True))):
        return
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    home = path("postgresql")
    os.makedirs(home)
    try:
        os.chown(home, 65534, 65534)
        subprocess.run([*nobody, os.path.join(os.path.dirname(program), "initdb"), "-D", home + "/data", "-A", "trust", "-U", "admin", "--no-sync"],
                       check=True, capture_output=True)
    except OSError as reason:
        print("left out: postgres does not run as root, and this is no other user:", reason)
        return
    shutil.copy(path("key.pem"), home + "/data/key.pem")
    os.chown(home + "/data/key.pem", 65534, 65534)
    os.chmod(home + "/data/key.pem", 0o600)
    settings = {"listen_addresses": ADDRESS, "unix_socket_directories": "", "fsync": "off", "ssl": "on", "ssl_cert_file": path("cert.pem"),
                "ssl_key_file": "key.pem", "ssl_min_protocol_version": "TLSv1.1", "ssl_max_protocol_version": "TLSv1.2", "ssl_ciphers": OPENSSL_GCM}
    daemons.start([*nobody, program, "-D", home + "/data", *(word for one in settings.items() for word in ("-c", "=".join(one)))], 5432)
    expect(5432, "postgresql", ["TLSv1.2"], GCM)


daemons.certificate()
for name, mode in (("", 0o711), ("key.pem", 0o644)):  # for daemons that do not stay root
    os.chmod(path(name), mode)
FINGERPRINT = subprocess.run([openssl, "x509", "-in", path("cert.pem"), "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True,
                             check=True).stdout.split("=")[1].strip().replace(":", "").lower()
for part in (mail_boxes, mail_transfer, directory, chat, file_transfer, mariadb, postgresql):
    part()
if not checked:
    daemons.skip("no such daemon is installed")
print("checked", ", ".join(checked))
if faults:
    raise AssertionError("\n".join(faults))
