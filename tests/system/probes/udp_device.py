"""A device of thirteen real UDP services, for the test of the probe udp and for the benchmark beside nmap."""

import os
import subprocess

TOOLS = ("dnsmasq", "toybox", "snmpd", "coap-server-openssl", "avahi-daemon", "memcached", "turnserver", "openvpn", "rpcbind", "openssl", "caddy")
SERVICES = {53: "dns", 67: "dhcp", 69: "tftp", 111: "rpcbind", 123: "ntp", 161: "snmp-v1, snmp-v2c, snmp-v3", 443: "quic",
            1194: "openvpn", 3478: "stun", 5353: "mdns", 5683: "coap", 5684: "dtls", 11211: "memcached"}


def commands(folder, address):
    """Writes what the daemons read into the folder and returns their command lines, for foreground and root."""
    def path(name):
        return os.path.join(folder, name)

    def write(name, text):
        with open(path(name), "w") as file:
            file.write(text)

    os.makedirs(path("tftp"), exist_ok=True)
    prefix = address.rsplit(".", 1)[0]
    write("dnsmasq.conf", f"""port=53
listen-address={address}
bind-interfaces
no-resolv
no-hosts
user=root
pid-file=
dhcp-range={prefix}.50,{prefix}.60,1h
dhcp-leasefile={path("leases")}
enable-tftp
tftp-root={path("tftp")}
""")
    write("snmpd.conf", f"agentaddress udp:{address}:161\nrocommunity public\npersistentDir {path('snmp')}\n")
    write("avahi.conf", "[server]\nhost-name=thing\nuse-ipv6=no\nenable-dbus=no\n[publish]\npublish-workstation=yes\n[rlimits]\n")
    write("Caddyfile", f"{{\nadmin off\nskip_install_trust\nauto_https disable_redirects\nstorage file_system {path('caddy')}\n}}\n"
                       f"https://{address} {{\ntls internal\nrespond thing\n}}\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                    "-subj", "/CN=thing", "-keyout", path("vpn.key"), "-out", path("vpn.crt")], check=True, capture_output=True)
    return [
        ["dnsmasq", "--keep-in-foreground", "--conf-file=" + path("dnsmasq.conf")],
        # Every packaged NTP daemon excludes the one that keeps this machine's own clock; this server is none of them.
        ["toybox", "sntp", "-S", "::"],
        ["snmpd", "-f", "-Lo", "-C", "-c", path("snmpd.conf"), "-p", path("snmpd.pid")],
        ["coap-server-openssl", "-A", address, "-k", "secret"],
        ["avahi-daemon", "--no-drop-root", "--no-chroot", "-f", path("avahi.conf")],
        ["memcached", "-u", "root", "-l", address, "-U", "11211"],
        ["turnserver", "-n", "--no-tls", "--no-dtls", "--no-cli", "-L", address, "--log-file", "stdout", "--pidfile", path("turn.pid"),
         "--db", path("turn.db")],
        # A server of many clients: a point-to-point peer is taken up for a minute by the first question.
        ["openvpn", "--dev", "tun", "--server", "10.215.0.0", "255.255.255.0", "--local", address, "--port", "1194", "--dh", "none",
         "--ca", path("vpn.crt"), "--cert", path("vpn.crt"), "--key", path("vpn.key"), "--verb", "1"],
        ["env", "HOME=" + folder, "caddy", "run", "--config", path("Caddyfile"), "--adapter", "caddyfile"],
        ["rpcbind", "-f", "-h", address],
    ]


def listening(enter):
    """UDP ports as the kernel of the device lists them; `enter` is the command that goes into its namespace."""
    lines = subprocess.run([*enter, "ss", "-Hluna"], check=True, capture_output=True, text=True).stdout.splitlines()
    return {int(line.split()[3].rsplit(":", 1)[1]) for line in lines}
