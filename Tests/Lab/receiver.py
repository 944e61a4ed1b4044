"""An HTTP server that keeps what it is sent, a JSON line a request, and can be made to behave badly.

receiver.py PORT FILE [--tls CERT KEY CLIENT_CA] [--auth VALUE] [--refuse WORD] [--fail COUNT]
  --auth    the Authorization header that it wants, else 401
  --refuse  400 for a body that holds the word
  --fail    503 for the first COUNT requests
"""

import argparse
import gzip
import http.server
import json
import ssl

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("file")
parser.add_argument("--tls", nargs=3)
parser.add_argument("--auth")
parser.add_argument("--refuse")
parser.add_argument("--fail", type=int, default=0)
options = parser.parse_args()
kept = open(options.file, "a")
left = options.fail


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global left
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        text = body.decode()
        status = 200
        if options.auth and self.headers.get("Authorization") != options.auth:
            status = 401
        elif left > 0:
            left -= 1
            status = 503
        elif options.refuse and options.refuse in text:
            status = 400
        if status == 200:
            kept.write(
                json.dumps({"path": self.path, "headers": dict(self.headers), "body": json.loads(text)}) + "\n"
            )
            kept.flush()
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls[0], options.tls[1])
    context.load_verify_locations(options.tls[2])
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
