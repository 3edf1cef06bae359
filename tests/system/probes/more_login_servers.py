"""Databases, agents of SNMP v3, CoAP behind DTLS, management controllers and cameras: each with a weak account and a sound one."""

import base64
import datetime
import hashlib
import os
import re
import subprocess

import daemons
from daemons import ADDRESS, path, write
from login_servers import SECRET, UNKNOWN, USER

DATABASE_USER = "postgres"  # servers of PostgreSQL refuse to run as root


def found(name):
    try:
        return daemons.need(name)
    except SystemExit:
        return None


def as_postgres(*command):
    return ["setpriv", "--reuid", DATABASE_USER, "--regid", DATABASE_USER, "--clear-groups", *command]


def postgres_tools():
    """The folder of initdb and postgres, which Debian keeps by version; nothing where there is none."""
    base = "/usr/lib/postgresql"
    versions = sorted(os.listdir(base), key=int) if os.path.isdir(base) else []
    return f"{base}/{versions[-1]}/bin" if versions else None


class Postgres:
    """One cluster on one port. Who logs in how is decided by the name: a rule for each account."""

    def __init__(self, port):
        self.port, self.tools = port, postgres_tools()
        self.folder = path(f"postgres{port}")

    def prepare(self):
        os.makedirs(self.folder)
        subprocess.run(["chown", DATABASE_USER, self.folder], check=True)
        subprocess.run(as_postgres(f"{self.tools}/initdb", "-D", self.folder + "/data", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"),
                       check=True, capture_output=True, cwd="/")
        accounts = "".join(f"SET password_encryption = '{kind}';\nCREATE ROLE {name} LOGIN PASSWORD '{word}';\n" for name, word, kind in (
            ("maker", SECRET, "scram-sha-256"), ("sound", UNKNOWN, "scram-sha-256"), ("old", SECRET, "md5"), ("plain", SECRET, "md5"), ("guest", UNKNOWN, "md5")))
        subprocess.run(as_postgres(f"{self.tools}/postgres", "--single", "-D", self.folder + "/data", "postgres"), input=accounts,
                       text=True, check=True, capture_output=True, cwd="/")

    def rules(self, method):
        write(f"postgres{self.port}/data/pg_hba.conf", f"host all old 127.0.0.0/8 md5\nhost all plain 127.0.0.0/8 password\nhost all guest 127.0.0.0/8 trust\n"
                                                       f"host all all 127.0.0.0/8 {method}\n")
        return self

    def trust_everybody(self):
        write(f"postgres{self.port}/data/pg_hba.conf", "host all all 127.0.0.0/8 trust\n")
        subprocess.run(as_postgres(f"{self.tools}/pg_ctl", "reload", "-D", self.folder + "/data"), check=True, capture_output=True, cwd="/")

    def command(self):
        return as_postgres(f"{self.tools}/postgres", "-D", self.folder + "/data", "-h", ADDRESS, "-p", str(self.port), "-k", self.folder, "-F",
                           "-c", "shared_buffers=16MB", "-c", "max_connections=20", "-c", "unix_socket_permissions=0700")


def psql(port, name, word):
    """Whether the usual client gets in."""
    command = [daemons.need("psql"), "-h", ADDRESS, "-p", str(port), "-U", name, "-d", "postgres", "-Atc", "SELECT current_user"]
    done = subprocess.run(command, env={**os.environ, "PGPASSWORD": word}, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.stdout.strip() == name


def mariadb(port):
    """MariaDB with its tables of rights, made from its own scripts: the installer belongs to a package of clients."""
    folder = path(f"mariadb{port}")
    os.makedirs(folder + "/mysql")
    tables = "".join(open(f"/usr/share/mysql/{name}").read() for name in ("mysql_system_tables.sql", "mysql_system_tables_data.sql"))
    subprocess.run([daemons.need("mariadbd"), "--no-defaults", "--user=root", "--bootstrap", f"--datadir={folder}", "--innodb-buffer-pool-size=8M",
                    "--innodb-log-file-size=4M"], input="use mysql;\n" + tables, text=True, check=True, capture_output=True, cwd="/")
    accounts = write(f"mariadb{port}.sql", "".join(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{word}';\n" for name, word in (("maker", SECRET), ("sound", UNKNOWN)))
                     + "CREATE USER 'locked'@'%' IDENTIFIED BY 'x-1' ACCOUNT LOCK;\n")
    return [daemons.need("mariadbd"), "--no-defaults", "--user=root", f"--datadir={folder}", f"--bind-address={ADDRESS}", f"--port={port}", f"--socket={folder}/socket",
            f"--pid-file={folder}/pid", "--skip-name-resolve", "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", f"--init-file={accounts}"]


def snmpd_users(port):
    """An agent whose users have each kind of digest, one that has none, and one that must encrypt."""
    lines = [f"createUser maker SHA {SECRET}long", f"createUser old MD5 {SECRET}long", f"createUser newer SHA-256 {SECRET}long", f"createUser sound SHA {UNKNOWN}",
             f"createUser hidden SHA {SECRET}long AES", "createUser nobody", "rouser maker auth", "rouser old auth", "rouser newer auth", "rouser sound auth",
             "rouser hidden priv", "rouser nobody noauth", "sysDescr Hub of the example"]
    conf = write(f"snmpd{port}.conf", "\n".join(lines) + "\n")
    os.makedirs(path(f"snmp{port}"), exist_ok=True)
    return ["env", f"SNMP_PERSISTENT_DIR={path(f'snmp{port}')}", daemons.need("snmpd"), "-f", "-Lo", "-C", "-c", conf, "-p", path(f"snmpd{port}.pid"), f"udp:{ADDRESS}:{port}"]


def snmpget(port, name, word):
    """Whether the usual client is answered."""
    done = subprocess.run(["snmpget", "-v3", "-l", "authNoPriv", "-u", name, "-a", "SHA", "-A", word, "-t", "5", "-r", "1", f"{ADDRESS}:{port}", "1.3.6.1.2.1.1.1.0"],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return "Hub of the example" in done.stdout


def coap_server(port, key, tool="openssl"):
    """CoAP on port - 1 in clear, and inside DTLS on this one."""
    return [daemons.need(f"coap-server-{tool}"), "-A", ADDRESS, "-p", str(port - 1), "-k", key]


def coap_client(port, name, key):
    """Whether the usual client is answered inside DTLS."""
    done = subprocess.run([daemons.need("coap-client-openssl"), "-B", "3", "-u", name, "-k", key, f"coaps://{ADDRESS}:{port}/.well-known/core"],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return "rt=" in done.stdout or "</>" in done.stdout


PSK = {"device": "c0ffee0123456789abcdef00c0ffee42", "zeros": "0000beef01", "sound": "5f8a6f0d11de4c7f93b0b2f7c8d9e1a4"}


def keyed_broker(port):
    """mosquitto behind TLS with keys by identity, and its log: every CONNECT that it heard inside stands there."""
    keys = write(f"psk{port}", "".join(f"{name}:{key}\n" for name, key in PSK.items()))
    conf = write(f"psk{port}.conf", f"user root\nallow_anonymous true\npersistence false\nlistener {port} {ADDRESS}\npsk_hint hub\npsk_file {keys}\n")
    return [daemons.need("mosquitto"), "-c", conf]


TESTER = ("tester", "qv-8812.Zt")


def choosy_broker(weak, sound):
    """mosquitto that takes clients alone whose id begins with "hub-"; the account of a tester gets in on both listeners."""
    lines = ["per_listener_settings true", "user root", "clientid_prefixes hub-"]
    for port, word in ((weak, SECRET), (sound, UNKNOWN)):
        for option, name, one in (("-c", USER, word), (None, *TESTER)):
            subprocess.run(["mosquitto_passwd", *filter(None, [option]), "-b", path(f"choosy{port}"), name, one], check=True, capture_output=True)
        lines += [f"listener {port} {ADDRESS}", "allow_anonymous false", f"password_file {path(f'choosy{port}')}"]
    return [daemons.need("mosquitto"), "-c", write(f"choosy{weak}.conf", "\n".join(lines) + "\n")]


def named_client(port, client, word):
    """Whether the usual client gets in under that id."""
    done = subprocess.run([daemons.need("mosquitto_pub"), "-h", ADDRESS, "-p", str(port), "-i", client, "-u", USER, "-P", word, "-t", "hub", "-m", "x"],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode == 0


def keyed_client(port, name, key):
    """Whether the usual client, which is libmosquitto's, gets its session."""
    done = subprocess.run([daemons.need("mosquitto_pub"), "-h", ADDRESS, "-p", str(port), "--psk-identity", name, "--psk", key, "-t", "hub", "-m", "x", "-q", "1"],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode == 0


def new_broker(port):
    """A server of TLS 1.3 alone with one key and no certificate."""
    return [daemons.need("openssl"), "s_server", "-tls1_3", "-nocert", "-psk", PSK["device"], "-psk_identity", "device", "-www", "-accept", f"{ADDRESS}:{port}"]


def certified(port, priority):
    """A server of GnuTLS that demands a certificate of every client."""
    daemons.certificate()
    return [daemons.need("gnutls-serv"), "--require-client-cert", f"--x509certfile={path('cert.pem')}", f"--x509keyfile={path('key.pem')}",
            f"--x509cafile={path('cert.pem')}", f"--priority={priority}", "--quiet", "-p", str(port)]


def keyed_gnutls(port, priority):
    """The same with keys by identity in place of certificates."""
    keys = write(f"gnutls{port}", "".join(f"{name}:{key}\n" for name, key in PSK.items()))
    return [daemons.need("gnutls-serv"), f"--pskpasswd={keys}", f"--priority={priority}", "--quiet", "-p", str(port)]


def new_client(port, name, key):
    """Whether OpenSSL's own client gets its session there."""
    done = subprocess.run([daemons.need("openssl"), "s_client", "-tls1_3", "-connect", f"{ADDRESS}:{port}", "-psk", key, "-psk_identity", name],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return "Reused, TLSv1.3" in done.stdout


def wrong_communities(port):
    """How many messages with a wrong community the agent has counted (snmpInBadCommunityNames, RFC 3418)."""
    done = subprocess.run(["snmpget", "-v2c", "-c", UNKNOWN, "-Oqv", "-t", "5", f"{ADDRESS}:{port}", "1.3.6.1.2.1.11.4.0"], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)
    return int(done.stdout)


def controller(port, word, anonymous=False):
    folder = path(f"ipmi{port}")
    os.makedirs(folder + "/state", exist_ok=True)
    nobody = 'user 1 true "" "" admin 10 none md2 md5 straight' if anonymous else ""
    conf = write(f"ipmi{port}/lan.conf", f"""name "hub{port}"
set_working_mc 0x20
  startlan 1
    addr {ADDRESS} {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  {nobody}
  user 2 true "{USER}" "{word}" admin 10 none md2 md5 straight
""")
    commands = write(f"ipmi{port}/hub.emu", "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 1000 0x0a\nmc_enable 0x20\n")
    return [daemons.need("ipmi_sim"), "-n", "-c", conf, "-f", commands, "-s", folder + "/state"]


def ipmitool(port, word, *more):
    """Whether the usual client opens a session."""
    done = subprocess.run([daemons.need("ipmitool"), "-I", "lanplus", "-H", ADDRESS, "-p", str(port), "-U", USER, "-P", word, *more, "mc", "info"],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return "Device ID" in done.stdout


SOAP = ('<?xml version="1.0"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
        ' xmlns:ter="http://www.onvif.org/ver10/error" xmlns:tt="http://www.onvif.org/ver10/schema"><env:Body>%s</env:Body></env:Envelope>')
NOT_AUTHORISED = ('<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>ter:NotAuthorized</env:Value></env:Subcode></env:Code>'
                  '<env:Reason><env:Text xml:lang="en">Sender not Authorized</env:Text></env:Reason></env:Fault>')


class Camera:
    """The device service of a camera whose clock is wrong by an hour; tokens older than a minute are refused. No word: all is open."""

    def __init__(self, word, away=3600):
        self.word, self.away, self.logins = word, away, 0

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.away)

    def right(self, body):
        def part(name):
            match = re.search(rf"<{name}(?: [^>]*)?>([^<]*)</{name}>", body)
            return match.group(1) if match else ""
        self.logins += "<Username>" in body
        created, nonce = part("Created"), part("Nonce")
        if not created or part("Username") != USER:
            return False
        age = (self.now() - datetime.datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)).total_seconds()
        digest = base64.b64encode(hashlib.sha1(base64.b64decode(nonce) + created.encode() + self.word.encode()).digest()).decode()
        return abs(age) < 60 and digest == part("Password")

    def answer(self, body):
        if "GetSystemDateAndTime" in body:
            now = self.now()
            return 200, ("<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute>"
                         "<tt:Second>%d</tt:Second></tt:Time><tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date></tt:UTCDateTime>"
                         "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>") % (now.hour, now.minute, now.second, now.year, now.month, now.day)
        if self.word is None or self.right(body):
            return 200, f"<tds:GetUsersResponse><tds:User><tt:Username>{USER}</tt:Username></tds:User></tds:GetUsersResponse>"
        return 400, NOT_AUTHORISED

    def __call__(self, connection, tls):
        words = b""
        while b"\r\n\r\n" not in words:
            words += (part := connection.recv(65536))
            if not part:
                return
        head, _, body = words.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.I)
        while length and len(body) < int(length.group(1)):
            body += (part := connection.recv(65536))
            if not part:
                return
        status, inside = (404, "") if not head.startswith(b"POST /onvif/device_service") else self.answer(body.decode())
        text = SOAP % inside if inside else "<html><body>not here</body></html>"
        connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode())
