"""Real login servers, each with a weak and a sound account: the same daemon, and a password that others know or not."""

import os
import subprocess

import daemons
from daemons import ADDRESS, path, write

USER, SECRET, UNKNOWN = "maker", "zlxx.7Q", "Kq8-uncommon-0193"
VNC_SERVER = r"""
#include <rfb/rfb.h>
#include <stdlib.h>
int main(int argc, char** argv) {
  static char* words[2] = {0, 0};
  rfbScreenInfoPtr screen = rfbGetScreen(&argc, argv, 64, 48, 8, 3, 4);
  screen->port = atoi(argv[1]);
  screen->ipv6port = 0;
  screen->frameBuffer = calloc(64 * 48, 4);
  words[0] = argc > 2 ? argv[2] : 0;
  if (words[0]) { screen->authPasswdData = words; screen->passwordCheck = rfbCheckPasswordByList; }
  rfbInitServer(screen);
  rfbRunEventLoop(screen, 20000, 0);
  return 0;
}
"""


def own_run_folder():
    """A /run of the script's own, with what sshd wants there. For scripts in a namespace of their own; else they are skipped."""
    if os.geteuid() != 0 or os.environ.get("ASSAY_TEST_NAMESPACE") != "own":
        daemons.skip("accounts of its own need root and mounts of its own")
    if subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], capture_output=True).returncode != 0:
        daemons.skip("daemons need a folder of their own under /run")
    os.makedirs("/run/sshd", mode=0o755)


def accounts():
    """Account bases, of which a daemon sees the one that it is started with. In those that are expired a login has to set a new password."""
    write("passwd", "root:x:0:0:root:/root:/bin/sh\nsshd:x:110:65534::/run/sshd:/usr/sbin/nologin\nftp:x:111:65534::/srv/ftp:/usr/sbin/nologin\n"
                    "nobody:x:65534:65534::/:/usr/sbin/nologin\nmaker:x:1000:1000:maker:/:/bin/sh\n")
    for name, word, changed in (("weak", SECRET, 19000), ("sound", UNKNOWN, 19000), ("expired", SECRET, 0), ("sound-expired", UNKNOWN, 0)):
        digest = subprocess.run([daemons.need("openssl"), "passwd", "-6", word], capture_output=True, text=True, check=True).stdout.strip()
        write("shadow-" + name, f"root:*:19000:0:99999:7:::\nmaker:{digest}:{changed}:0:99999:7:::\n", 0o600)
    os.makedirs(path("pam"), exist_ok=True)
    write("pam/assay", "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession optional pam_permit.so\n")
    # As it stands on a small device: this module has enough after three wrong passwords, and sshd lists no password from then on.
    for name in ("sshd", "login"):
        write("pam/" + name, "auth required pam_unix.so nodelay\naccount required pam_unix.so\npassword required pam_unix.so\nsession optional pam_permit.so\n")


def seeing(kind, command):
    """The command with the accounts of one kind in its own /etc."""
    binds = " && ".join(f"mount --bind {path(name)} {place}" for name, place in (("passwd", "/etc/passwd"), ("shadow-" + kind, "/etc/shadow"), ("pam", "/etc/pam.d")))
    return ["unshare", "-m", "sh", "-c", f"{binds} && exec {' '.join(command)}"]


def ssh_key(kind, *length):
    file = path("key-" + kind)
    if not os.path.exists(file):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, *length, "-N", "", "-f", file], check=True)
    return file


def sshd(port, *lines, pam="no"):
    settings = [f"ListenAddress {ADDRESS}:{port}", f"UsePAM {pam}", "PidFile none", "StrictModes no", *lines]
    return [daemons.need("sshd"), "-D", "-e", "-f", write(f"sshd{port}.conf", "\n".join(settings) + "\n")]


def dropbear(port, *options):
    file = path("dropbear-key")
    if not os.path.exists(file):
        subprocess.run(["dropbearkey", "-t", "ed25519", "-f", file], check=True, capture_output=True)
    return [daemons.need("dropbear"), "-F", "-E", "-p", f"{ADDRESS}:{port}", "-r", file, *options]


def vsftpd(port, *lines):
    for folder in ("empty", "guest"):
        os.makedirs(path(folder), exist_ok=True)
    settings = ["listen=YES", "background=NO", f"listen_address={ADDRESS}", f"listen_port={port}", "pam_service_name=assay", "seccomp_sandbox=NO",
                "delay_failed_login=0", f"secure_chroot_dir={path('empty')}", f"anon_root={path('guest')}", *lines]
    return [daemons.need("vsftpd"), write(f"vsftpd{port}.conf", "\n".join(settings) + "\n")]


def waiting_telnetd(port, words):
    """telnetd whose login begins behind a key."""
    script = write(f"behind-key{port}", f"#!/bin/bash\nread -rsn1 -p '{words}'\necho\nexec {daemons.need('login')}\n", 0o755)
    return [daemons.need("busybox"), "telnetd", "-F", "-b", ADDRESS, "-p", str(port), "-l", script]


def over_tls():
    daemons.certificate()
    return ["ssl_enable=YES", f"rsa_cert_file={path('tls.pem')}", "force_local_logins_ssl=YES", "require_ssl_reuse=NO", "ssl_ciphers=HIGH"]


def mosquitto(weak, sound, open_port, tls_port):
    """One broker with four listeners of their own settings."""
    daemons.certificate()
    for name, word in (("weak", SECRET), ("sound", UNKNOWN)):
        subprocess.run(["mosquitto_passwd", "-c", "-b", path("mqtt-" + name), USER, word], check=True, capture_output=True)
        os.chmod(path("mqtt-" + name), 0o644)
    lines = ["per_listener_settings true", "user root"]
    for port, kind in ((weak, "weak"), (sound, "sound"), (open_port, None), (tls_port, "weak")):
        lines += [f"listener {port} {ADDRESS}", f"allow_anonymous {'false' if kind else 'true'}"]
        lines += [f"password_file {path('mqtt-' + kind)}"] if kind else []
        lines += [f"certfile {path('cert.pem')}", f"keyfile {path('key.pem')}"] if port == tls_port else []
    return [daemons.need("mosquitto"), "-c", write("mosquitto.conf", "\n".join(lines) + "\n")]


def snmpd(port, community):
    conf = write(f"snmpd{port}.conf", f"rocommunity {community}\nsysDescr Hub of the example\n")
    os.makedirs(path(f"snmp{port}"), exist_ok=True)
    return ["env", f"SNMP_PERSISTENT_DIR={path(f'snmp{port}')}", daemons.need("snmpd"), "-f", "-Lo", "-C", "-c", conf, "-p", path(f"snmpd{port}.pid"), f"udp:{ADDRESS}:{port}"]


def dovecot(name, imap, pop3, word):
    users = write(f"dovecot-{name}.users", f"{USER}:{{PLAIN}}{word}:1000:1000::{path('home')}\n")
    os.makedirs(path("home"), exist_ok=True)
    conf = write(f"dovecot-{name}.conf", f"""protocols = imap pop3
listen = {ADDRESS}
base_dir = {path("dovecot-" + name)}
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
mail_location = maildir:{path("home")}/%u-{name}
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {users}
}}
userdb {{
  driver = static
  args = uid=1000 gid=1000 home={path("home")}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
""")
    return [daemons.need("dovecot"), "-F", "-c", conf]


def exim(port, word):
    os.makedirs(path(f"spool{port}"), exist_ok=True)
    os.chmod(path(f"spool{port}"), 0o777)
    conf = write(f"exim{port}.conf", f"""primary_hostname = hub.example
local_interfaces = {ADDRESS}
daemon_smtp_ports = {port}
spool_directory = {path(f"spool{port}")}
log_file_path = {path(f"spool{port}")}/%slog
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{word}}}}}}}}}
  server_set_id = $auth2
""")
    return [daemons.need("exim4"), "-bdf", "-C", conf, "-oP", path(f"exim{port}.pid")]


def redis(port, word, *rules):
    return [daemons.need("redis-server"), "--bind", ADDRESS, "--port", str(port), "--save", "''", "--appendonly", "no", "--dir", path("."),
            *(["--requirepass", word] if word else ["--protected-mode", "no"]), *rules]


def vnc(port, word):
    if not os.path.exists(path("vnc")):
        subprocess.run([daemons.need("cc"), "-o", path("vnc"), write("vnc.c", VNC_SERVER), "-lvncserver"], check=True, capture_output=True)
    return [path("vnc"), str(port), *([word] if word else [])]


def tftp(address, files):
    root = path("tftp-" + address)
    os.makedirs(root, exist_ok=True)
    for name in files:
        write(f"tftp-{address}/{name}", "settings of the hub\n" * 40)
    return [daemons.need("dnsmasq"), "-d", "--conf-file=/dev/null", "--port=0", "--enable-tftp", f"--tftp-root={root}", f"--listen-address={address}", "--bind-interfaces",
            f"--pid-file={root}.pid", "--user=root"]


def lighttpd(port, word):
    """A form behind CGI that keeps its sessions as files."""
    folder = path(f"www{port}")
    os.makedirs(folder + "/sessions", exist_ok=True)
    write(f"www{port}/login.cgi", f"""#!/bin/sh
read -r body
case $body in
  *user={USER}\\&pass={word}*) touch {folder}/sessions/$$; printf 'Status: 303 See Other\\r\\nSet-Cookie: s=%s; Path=/\\r\\nLocation: /index.cgi\\r\\n\\r\\n' $$ ;;
  *) printf 'Status: 200 OK\\r\\nContent-Type: text/html\\r\\n\\r\\n<html><form method=post action=/login.cgi><input name=user><input type=password name=pass></form></html>' ;;
esac
""", 0o755)
    write(f"www{port}/index.cgi", f"""#!/bin/sh
name=${{HTTP_COOKIE#s=}}
if [ -n "$name" ] && [ -e {folder}/sessions/$name ]; then printf 'Status: 200 OK\\r\\nContent-Type: text/html\\r\\n\\r\\n<html><h1>Hub</h1></html>'
else printf 'Status: 302 Found\\r\\nLocation: /login.cgi\\r\\n\\r\\n'; fi
""", 0o755)
    conf = write(f"lighttpd{port}.conf", f"""server.document-root = "{folder}"
server.port = {port}
server.bind = "{ADDRESS}"
server.modules = ("mod_cgi")
cgi.assign = (".cgi" => "/bin/sh")
index-file.names = ("index.cgi")
""")
    return [daemons.need("lighttpd"), "-D", "-f", conf]
