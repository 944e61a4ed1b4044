"""Reads csvlog and jsonlog with Python's own csv and json modules. Bytes that are not UTF-8 are shown as \\xNN."""
import codecs
import csv
import dataclasses
import io
import json
import re

csv.field_size_limit(1 << 30)
AUTHENTICATION = "authentication"
STARTUP = "startup"
# log_statement in the languages of the corpus.
STATEMENT = re.compile(r"(?:statement|Anweisung|语句): |(?:execute|Ausführen|执行) [^:]*: ")
FILLERS = {"OR", "REPLACE", "TEMP", "TEMPORARY", "UNIQUE", "UNLOGGED"}  # CREATE OR REPLACE VIEW: CREATE VIEW
COMMENTS = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.S)


@dataclasses.dataclass(frozen=True)
class Row:
    time: str
    user: str
    host: str  # [local] for a socket
    server: str = dataclasses.field(compare=False)
    session: str
    line: str
    tag: str
    state: str
    message: str
    context: str
    query: str
    backend: str

    @property
    def actor(self):
        return f"{self.host}|{self.user}"

    @property
    def is_auth_failure(self):
        """Severity is translated and so left out: with these tags a FATAL alone has such a state."""
        return self.state in ("28P01", "28000") and self.tag in (AUTHENTICATION, STARTUP)

    @property
    def audit(self):
        """Class and command of a record of pgaudit's. What a RAISE made has a context, a record of pgaudit's none."""
        if self.state != "00000" or self.context or not self.message.startswith("AUDIT: "):
            return None
        fields = next(csv.reader([self.message[len("AUDIT: "):]]))
        return f"{fields[3]}|{fields[4]}"

    @property
    def statement(self):
        """The first two words of a record of log_statement."""
        if self.state != "00000" or self.context or self.query or not (found := STATEMENT.match(self.message)):
            return None
        return first_words(self.message[found.end():])


def first_words(text):
    words = re.findall(r"\w+", text[COMMENTS.match(text).end():].upper())
    return " ".join([word for i, word in enumerate(words) if i == 0 or word not in FILLERS][:2])


def read(file):
    return list((csv_rows if file.kind == "csv" else json_rows)(file))


def csv_rows(file):
    text = io.TextIOWrapper(io.BytesIO(file.path.read_bytes()), "utf-8", "backslashreplace", newline="")
    for row in csv.reader(text):
        # The port stands behind the last colon; an IPv6 address has no brackets.
        host = row[4] if row[4].startswith("[local]") else row[4].rpartition(":")[0]
        yield Row(row[0], row[1], host, file.server, row[5], row[6], row[7], row[12], row[13], row[18], row[19],
                  row[23])


def doubled_backslash(error):
    """JSON would take \\xNN for an escape of its own."""
    return "".join(f"\\\\x{byte:02x}" for byte in error.object[error.start:error.end]), error.end


codecs.register_error("doubledbackslash", doubled_backslash)


def json_rows(file):
    for line in file.path.read_bytes().split(b"\n"):
        if not line:
            continue
        row = json.loads(line.decode("utf-8", "doubledbackslash"))
        yield Row(
            row["timestamp"], row.get("user", ""), row.get("remote_host", ""), file.server, row["session_id"],
            str(row["line_num"]), row.get("ps", ""), row.get("state_code", "00000"), row.get("message", ""),
            row.get("context", ""), row.get("statement", ""), row.get("backend_type", ""))
