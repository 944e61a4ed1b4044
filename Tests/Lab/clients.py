"""Clients of the lab: bytes on the wire, from any address of this machine, which libpq cannot do.

Reads a JSON list of sessions from standard input, plays them one after the other, and prints a JSON list of what the
server answered: {"login": "ok" or a SQLSTATE or "closed", "results": [a SQLSTATE or "00000" for each query]}.
A session: {"from", "port", "user", "database", "password", "application", "queries": [...], "bound": [...]};
"bound" are sent as prepared statements with parameters ([text, value, ...]). "raw" sends bytes instead of a login.
"""
import base64, hashlib, hmac, json, os, socket, struct, sys


def hmac256(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class Session:
    def __init__(self, wanted):
        self.wanted = wanted
        self.socket = socket.socket()
        self.socket.settimeout(30)
        self.socket.bind((wanted["from"], 0))
        self.socket.connect(("127.0.0.1", wanted["port"]))
        self.file = self.socket.makefile("rb")

    def send(self, kind, *parts):
        body = b"".join(part if isinstance(part, bytes) else part.encode() + b"\0" for part in parts)
        self.socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def receive(self):
        head = self.file.read(5)
        if len(head) < 5:
            raise ConnectionError
        return head[:1], self.file.read(struct.unpack("!I", head[1:])[0] - 4)

    @staticmethod
    def sqlstate(body):
        return next((part[1:].decode() for part in body.split(b"\0") if part[:1] == b"C"), "?????")

    def login(self):
        names = [("user", "user"), ("database", "database"), ("application_name", "application")]
        packet = [struct.pack("!I", 196608)]
        for key, name in names:
            if name in self.wanted:
                packet += [key, self.wanted[name]]
        self.send(b"", *packet, b"\0")
        while True:
            kind, body = self.receive()
            if kind == b"E":
                return self.sqlstate(body)
            if kind == b"Z":
                return "ok"
            if kind == b"R":
                self.authenticate(struct.unpack("!I", body[:4])[0], body[4:])

    def authenticate(self, method, body):
        if method == 10:
            self.first = "n=,r=" + base64.b64encode(os.urandom(18)).decode()
            text = ("n,," + self.first).encode()
            self.send(b"p", "SCRAM-SHA-256", struct.pack("!I", len(text)), text)
        elif method == 11:
            server = body.decode()
            fields = dict(part.split("=", 1) for part in server.split(","))
            password = self.wanted["password"].encode()
            salted = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(fields["s"]), int(fields["i"]))
            key = hmac256(salted, b"Client Key")
            final = "c=biws,r=" + fields["r"]
            signature = hmac256(hashlib.sha256(key).digest(), ",".join([self.first, server, final]).encode())
            proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
            self.send(b"p", (final + ",p=" + proof).encode())

    def answer(self):
        result = "00000"
        while True:
            kind, body = self.receive()
            if kind == b"E":
                result = self.sqlstate(body)
            if kind == b"Z":
                return result

    def query(self, text):
        self.send(b"Q", text)
        return self.answer()

    def bound(self, text, *values):
        self.send(b"P", "", text, struct.pack("!H", 0))
        data = b"".join(struct.pack("!I", len(value.encode())) + value.encode() for value in values)
        self.send(b"B", "", "", struct.pack("!HH", 0, len(values)) + data + struct.pack("!H", 0))
        self.send(b"E", "", struct.pack("!I", 0))
        self.send(b"S")
        return self.answer()

    def play(self):
        if "raw" in self.wanted:
            self.socket.sendall(self.wanted["raw"].encode())
            self.socket.shutdown(socket.SHUT_WR)
            self.file.read()
            return {"login": "closed", "results": []}
        results = []
        try:
            login = self.login()
            if login == "ok":
                results += [self.query(text) for text in self.wanted.get("queries", [])]
                results += [self.bound(*parts) for parts in self.wanted.get("bound", [])]
                self.send(b"X")
                self.file.read()
        except (ConnectionError, socket.timeout):
            login = "closed"
        finally:
            self.file.close()
            self.socket.close()
        return {"login": login, "results": results}


json.dump([Session(wanted).play() for wanted in json.load(sys.stdin)], sys.stdout)
