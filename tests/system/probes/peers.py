"""Scripted services: each says as much of its protocol as a first exchange needs, over threads and plain sockets."""

import base64
import hashlib
import re
import secrets
import socket
import ssl
import struct
import threading

MODBUS = [b"Acme", b"PLC-7", b"V1.02"]


def receive(connection, size=4096):
    try:
        return connection.recv(size)
    except OSError:
        return b""


def lines(connection, greeting, answers, tls=None):
    """A line protocol: the first matching pattern answers; a reply ending in STARTTLS_NOW goes on in TLS."""
    if greeting:
        connection.sendall(greeting)
    while True:
        words = receive(connection)
        if not words:
            return
        for pattern, reply, upgrade in answers:
            found = re.match(pattern, words, re.I | re.S)
            if found:
                connection.sendall(reply)
                if upgrade:
                    connection = tls.wrap_socket(connection, server_side=True)
                break


def smtp(connection, tls):
    lines(connection, b"220 hub.example ESMTP Postfix\r\n", [
        (b"EHLO", b"250-hub.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n", False),
        (b"STARTTLS", b"220 ready\r\n", True), (b"", b"502 no such command\r\n", False)], tls)


def imap(connection, tls):
    lines(connection, b"* OK hub IMAP ready\r\n", [
        (b"\\S+ CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\na1 OK done\r\n", False),
        (b"\\S+ STARTTLS", b"a2 OK begin\r\n", True), (b"", b"* BAD what\r\n", False)], tls)


def pop3(connection, tls):
    lines(connection, b"+OK hub POP3 server ready\r\n", [
        (b"CAPA", b"+OK\r\nSTLS\r\nUSER\r\n.\r\n", False), (b"STLS", b"+OK begin\r\n", True), (b"", b"-ERR what\r\n", False)], tls)


def ftp(connection, tls):
    lines(connection, b"220 (vsFTPd 3.0.3)\r\n", [
        (b"FEAT", b"211-Features:\r\n AUTH TLS\r\n UTF8\r\n211 End\r\n", False), (b"USER", b"331 Please specify the password.\r\n", False),
        (b"AUTH TLS", b"234 Proceed with negotiation.\r\n", True), (b"", b"530 Please login with USER and PASS.\r\n", False)], tls)


def xmpp(connection, tls):
    head = (b"<?xml version='1.0'?><stream:stream from='hub.example' id='7' version='1.0' xmlns='jabber:client' "
            b"xmlns:stream='http://etherx.jabber.org/streams'>")
    lines(connection, b"", [
        (b"<starttls", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", True),
        (b".*<stream:stream", head + b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
         b"</stream:features>", False),
        (b"", head + b"<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>", False)], tls)


def ldap(connection, tls):
    while True:
        words = receive(connection)
        if words[:1] != b"\x30" or len(words) < 6:
            return
        if words[5] == 0x63:
            connection.sendall(bytes.fromhex("301d0201016418040030143012040a76656e646f724e616d65310404024f4c")
                               + bytes.fromhex("300c02010165070a010004000400"))
        elif words[5] == 0x77:
            connection.sendall(bytes.fromhex("300c02010278070a010004000400"))
            connection = tls.wrap_socket(connection, server_side=True)


def postgresql(connection, tls, offers_tls=True):
    words = receive(connection)
    if words == struct.pack(">II", 8, 80877103):
        connection.sendall(b"S" if offers_tls else b"N")
        if offers_tls:
            connection = tls.wrap_socket(connection, server_side=True)
        words = receive(connection)
    if words[4:8] == b"\x00\x03\x00\x00":
        connection.sendall(b"R" + struct.pack(">II", 12, 5) + b"salt")
    elif words:
        text = b"SFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol\0\0"
        connection.sendall(b"E" + struct.pack(">I", len(text) + 4) + text)


def mysql(connection, tls):
    body = (b"\x0a8.0.36\0" + struct.pack("<I", 8) + b"saltsalt\0\xff\xff\xff\x02\x00\xff\xdf\x15" + bytes(10) + b"saltsaltsalt\0"
            + b"caching_sha2_password\0")
    connection.sendall(struct.pack("<I", len(body)) + body)
    receive(connection)


def modbus(connection, tls):
    while True:
        words = receive(connection)
        if len(words) < 8 or words[2:4] != b"\0\0":
            return
        if words[7:9] == b"\x2b\x0e":
            body = b"\x2b\x0e\x01\x01\x00\x00\x03" + b"".join(bytes([i, len(t)]) + t for i, t in enumerate(MODBUS))
        else:
            body = bytes([words[7] | 0x80, 1])
        connection.sendall(words[:4] + struct.pack(">HB", len(body) + 1, words[6]) + body)


def opcua(connection, tls):
    words = receive(connection)
    if words[:4] == b"HELF":
        connection.sendall(b"ACKF" + struct.pack("<6I", 28, 0, 65536, 65536, 0, 0))
        receive(connection)


def amqp(connection, tls):
    words = receive(connection)
    if words != b"AMQP\0\0\x09\x01":
        connection.sendall(b"AMQP\0\0\x09\x01")
        return
    table = b"\x07productS" + struct.pack(">I", 8) + b"RabbitMQ" + b"\x07versionS" + struct.pack(">I", 6) + b"3.10.8"
    payload = (b"\x00\x0a\x00\x0a\x00\x09" + struct.pack(">I", len(table)) + table + struct.pack(">I", 14) + b"PLAIN AMQPLAIN"
               + struct.pack(">I", 5) + b"en_US")
    connection.sendall(b"\x01\0\0" + struct.pack(">I", len(payload)) + payload + b"\xce")
    receive(connection)


def amqp10(connection, tls):
    words = receive(connection)
    connection.sendall(b"AMQP\x03\x01\0\0")
    if words == b"AMQP\x03\x01\0\0":
        connection.sendall(bytes.fromhex("0000001802010000005340c00b01e00801a305") + b"PLAIN")
        receive(connection)


def smb(connection, tls):
    words = receive(connection)
    if words[4:8] != b"\xfeSMB":
        return
    body = b"\xfeSMB" + struct.pack("<HHIHH", 64, 0, 0, 0, 1) + bytes(48) + struct.pack("<HHH", 65, 1, 0x0302)
    body += bytes(64 + 65 - len(body))
    connection.sendall(struct.pack(">I", len(body)) + body)
    receive(connection)


def rdp(connection, tls):
    if receive(connection)[:2] == b"\x03\x00":
        connection.sendall(bytes.fromhex("030000130ed000001234000200080002000000"))
        receive(connection)


def vnc(connection, tls):
    connection.sendall(b"RFB 003.008\n")
    if receive(connection)[:4] == b"RFB ":
        connection.sendall(b"\x01\x02")
        receive(connection)


def adb(connection, tls):
    words = receive(connection)
    if words[:4] == b"CNXN":
        banner = b"device::ro.product.name=hub;ro.product.model=Hub;ro.product.device=hub;\0"
        connection.sendall(b"CNXN" + struct.pack("<5I", 0x01000000, 4096, len(banner), sum(banner), 0x4E584E43 ^ 0xFFFFFFFF) + banner)
        receive(connection)


def sip(connection, tls):
    words = receive(connection)
    if words.startswith(b"OPTIONS sip:"):
        via = re.search(rb"Via: [^\r]*\r\n", words).group(0)
        connection.sendall(b"SIP/2.0 200 OK\r\n" + via + b"CSeq: 1 OPTIONS\r\nServer: Acme-Phone/1.2\r\nContent-Length: 0\r\n\r\n")
        receive(connection)
    elif words:
        connection.sendall(b"SIP/2.0 400 Bad Request\r\nCSeq: 0 x\r\nServer: Acme-Phone/1.2\r\nContent-Length: 0\r\n\r\n")


def rtsp(connection, tls):
    while True:
        words = receive(connection)
        if not words:
            return
        number = re.search(rb"CSeq: (\d+)", words)
        number = number.group(1) if number else b"0"
        if words.startswith(b"OPTIONS"):
            connection.sendall(b"RTSP/1.0 200 OK\r\nCSeq: " + number + b"\r\nServer: Cam/1.4\r\nPublic: OPTIONS, DESCRIBE, SETUP\r\n\r\n")
        elif words.startswith(b"DESCRIBE"):
            connection.sendall(b"RTSP/1.0 401 Unauthorized\r\nCSeq: " + number + b"\r\nWWW-Authenticate: Digest realm=\"cam\", nonce=\"n\"\r\n\r\n")
        else:
            connection.sendall(b"RTSP/1.0 400 Bad Request\r\nCSeq: " + number + b"\r\n\r\n")


def camera_stream(user, password, basic=False):
    """A camera whose stream asks for Basic or Digest, or with no user for nothing."""
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    def right(head, nonce):
        given = re.search(r"Authorization: (\w+) ([^\r]*)", head)
        if user is None:
            return True
        if given is None:
            return False
        if basic:
            return given.group(2) == base64.b64encode(f"{user}:{password}".encode()).decode()
        part = dict(re.findall(r'(\w+)="?([^",]*)"?', given.group(2)))
        uri = head.split(" ")[1]
        whole = f"{md5(f'{user}:cam:{password}')}:{nonce}:{md5('DESCRIBE:' + uri)}"
        return part.get("username") == user and part.get("nonce") == nonce and part.get("response") == md5(whole)

    def serve(connection, tls):
        nonce = secrets.token_hex(8)
        while True:
            head = receive(connection).decode("latin-1")
            if not head:
                return
            number = re.search(r"CSeq: (\d+)", head)
            line = f"CSeq: {number.group(1) if number else 0}\r\n"
            asks = 'Basic realm="cam"' if basic else f'Digest realm="cam", nonce="{nonce}"'
            if not head.startswith("DESCRIBE"):
                reply = f"RTSP/1.0 400 Bad Request\r\n{line}\r\n"
            elif right(head, nonce):
                body = "v=0\r\ns=Camera\r\n"
                reply = f"RTSP/1.0 200 OK\r\n{line}Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            else:
                reply = f"RTSP/1.0 401 Unauthorized\r\n{line}WWW-Authenticate: {asks}\r\n\r\n"
            connection.sendall(reply.encode())
    return serve


def web(pages, server):
    """An HTTP server of a few answers: path pattern -> (status line, headers, body)."""
    def serve(connection, tls):
        words = b""
        while b"\r\n\r\n" not in words:
            part = receive(connection)
            if not part:
                return
            words += part
        length = re.search(rb"content-length: (\d+)", words, re.I)
        while length and len(words.partition(b"\r\n\r\n")[2]) < int(length.group(1)):
            part = receive(connection)
            if not part:
                return
            words += part
        parts = words.split(b" ")
        path = parts[1] if len(parts) > 1 else b"/"
        if not words.split(b"\r\n")[0].endswith((b"HTTP/1.1", b"HTTP/1.0")):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        status, head, body = b"404 Not Found", b"", b""
        for pattern, answer in pages.items():
            if re.fullmatch(pattern, path):
                status, head, body = answer(words) if callable(answer) else answer
                break
        name = b"Server: " + server + b"\r\n" if server else b""
        connection.sendall(b"HTTP/1.1 " + status + b"\r\n" + name + head + b"Content-Length: " + str(len(body)).encode()
                           + b"\r\nConnection: close\r\n\r\n" + body)
    return serve


def ipp_answer(words):
    body = words.partition(b"\r\n\r\n")[2]
    number = body[4:8] if len(body) >= 8 else bytes(4)
    name, value = b"printer-make-and-model", b"Acme LaserJet 3"
    return (b"200 OK", b"Content-Type: application/ipp\r\n", b"\x01\x01\x00\x00" + number + b"\x04\x41" + struct.pack(">H", len(name)) + name
            + struct.pack(">H", len(value)) + value + b"\x03")


DESCRIPTION = (b"<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device><friendlyName>Hub</friendlyName>"
               b"<manufacturer>Acme</manufacturer><modelName>H1</modelName><modelNumber>2</modelNumber></device></root>")
HNAP = (b"<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>"
        b"<GetDeviceSettingsResponse xmlns=\"http://purenetworks.com/HNAP1/\"><VendorName>Acme</VendorName><ModelName>R1</ModelName>"
        b"<FirmwareVersion>1.05</FirmwareVersion></GetDeviceSettingsResponse></soap:Body></soap:Envelope>")
ONVIF = (b"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
         b"xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\"><s:Body><tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime/></tds:GetSystemDateAndTimeResponse></s:Body></s:Envelope>")
printer = web({b"/ipp/print": ipp_answer, b"/": (b"200 OK", b"", b"<title>Printer</title>")}, b"CUPS/2.4 IPP/2.1")
gateway = web({b"/.*": (b"401 Unauthorized", b"WWW-Authenticate: Digest realm=\"cpe\", nonce=\"n\", qop=\"auth\"\r\n", b"")}, b"")
upnp = web({b"/rootDesc.xml": (b"200 OK", b"Content-Type: text/xml\r\n", DESCRIPTION)}, b"Linux/5.4 UPnP/1.0 MiniUPnPd/2.2.1")
router = web({b"/HNAP1/": (b"200 OK", b"", HNAP), b"/": (b"200 OK", b"", b"<title>Router</title>")}, b"mini_httpd/1.30 26Oct2018")
camera = web({b"/onvif/device_service": (b"200 OK", b"", ONVIF), b"/": (b"200 OK", b"", b"<title>Cam</title>")}, b"GoAhead-Webs")


def echo(connection, tls):
    while True:
        words = receive(connection)
        if not words:
            return
        connection.sendall(words)


def silent(connection, tls):
    while receive(connection):
        pass


def noise(connection, tls):
    connection.sendall(bytes([7, 1, 200, 3, 0, 9, 130, 77]))
    silent(connection, tls)


def late_telnet(connection, tls):
    threading.Event().wait(2.5)
    connection.sendall(b"\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03\r\nhub login: ")
    silent(connection, tls)


def tls_context(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def serve(address, port, peer, tls=None, counts=None):
    """Runs a peer on a port until the process ends."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(128)

    def one(connection):
        with connection:
            try:
                peer(connection, tls)
            except (OSError, ValueError):
                pass

    def accept():
        while True:
            connection, _ = listener.accept()
            if counts is not None:
                counts[port] = counts.get(port, 0) + 1
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


PEERS = [  # port, protocol, peer
    (21, "ftp", ftp), (25, "smtp", smtp), (110, "pop3", pop3), (143, "imap", imap), (389, "ldap", ldap), (445, "smb", smb), (502, "modbus", modbus),
    (554, "rtsp", rtsp), (631, "http", printer), (3306, "mysql", mysql), (3389, "rdp", rdp), (4840, "opcua", opcua), (5060, "sip", sip),
    (5222, "xmpp", xmpp), (5432, "postgresql", postgresql), (5433, "postgresql", lambda c, t: postgresql(c, t, False)), (5555, "adb", adb),
    (5672, "amqp", amqp), (5673, "amqp", amqp10), (5900, "vnc", vnc), (7547, "http", gateway), (8000, "http", camera), (8080, "http", router),
    (49152, "http", upnp), (2324, "telnet", late_telnet), (7007, "echo", echo), (7001, None, silent), (7002, None, noise), (9100, None, silent),
]
