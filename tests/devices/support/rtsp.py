"""An RTSP/1.0 server that speaks OPTIONS and asks for Basic credentials before DESCRIBE (RFC 2326, RFC 7617).

usage: rtsp.py ADDRESS PORT USER PASSWORD
"""
import base64
import socket
import socketserver
import sys

SDP = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=Camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
LIMIT = 8192


class Session(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        try:
            while self.one_request():
                pass
        except OSError:
            pass

    def one_request(self):
        head = []
        size = 0
        while True:
            line = self.rfile.readline(LIMIT)
            size += len(line)
            if not line or size > LIMIT:
                return False
            line = line.decode("latin-1").rstrip("\r\n")
            if not line:
                break
            head.append(line)
        if not head:
            return True
        words = head[0].split(" ")
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if len(words) != 3 or not words[2].startswith("RTSP/"):
            return self.reply(400, "Bad Request", headers) and False
        return self.answer(words[0], headers)

    def answer(self, method, headers):
        if method == "OPTIONS":
            return self.reply(200, "OK", headers, ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"])
        if method != "DESCRIBE":
            return self.reply(405, "Method Not Allowed", headers, ["Allow: OPTIONS, DESCRIBE"])
        if headers.get("authorization") != "Basic " + self.server.token:
            return self.reply(401, "Unauthorized", headers, ['WWW-Authenticate: Basic realm="camera"'])
        return self.reply(200, "OK", headers, ["Content-Type: application/sdp"], SDP)

    def reply(self, code, reason, headers, extra=(), body=""):
        lines = ["RTSP/1.0 %d %s" % (code, reason), "CSeq: " + headers.get("cseq", "0"), "Server: camera/1.0", *extra]
        if body:
            lines.append("Content-Length: %d" % len(body))
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1", "replace"))
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self):
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def main():
    address, port, user, password = sys.argv[1:]
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with Server((address, int(port)), Session) as server:
        server.token = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
        server.serve_forever()


if __name__ == "__main__":
    main()
