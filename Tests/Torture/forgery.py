#!/usr/bin/env python3
"""Writes what attackers may write into names, statements and messages, as the server would log it in every format, and
looks at what pgvigil makes of it.

    forgery.py BINARY [--rounds N] [--seed N] [--only FORMAT] [--keep]

Between the forged records stand honest ones. Wanted is that each record is read as what it is: no event of an address,
user or time that only forged text speaks of, none of the honest ones hidden, no ban or alert about the third party, and
where it can be known a `forgery.attempt` about who did it. What the commands print of it holds no control character, no
mark of writing direction, and no cell that a spreadsheet would run. One line for each format, one of JSON at the end;
exit code 1 when anything is made, hidden or banned.
"""

import argparse
import collections
import csv
import io
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("binary")
parser.add_argument("--rounds", type=int, default=200, help="forged texts for each format and place (default 200)")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--only", default="")
parser.add_argument("--all-output", action="store_true", help="look at what the commands print for each format")
parser.add_argument("--keep", action="store_true", help="leave the folder there")
options = parser.parse_args()
binary = os.path.abspath(options.binary)
random = random.Random(options.seed)

# Who is spoken of in forged text, and has done nothing; who speaks so; who is honest.
VICTIM, ATTACKER, HONEST = "9.9.9.9", "198.51.100.66", "192.0.2.20"


class Clock:
    """Times a quarter of a minute apart, so that nothing is counted together."""

    def __init__(self):
        self.seconds = 0

    def next(self):
        self.seconds += 15
        day, rest = divmod(self.seconds, 86400)
        return f"2026-03-{2 + day:02} {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.374"


class Record:
    """One record as the server knows it; texts are bytes."""

    def __init__(self, time, **more):
        self.time, self.user, self.database, self.application = time, b"bob", b"shop", b"psql"
        self.address, self.port, self.pid, self.line, self.start = ATTACKER, 40000, 7, 1, 0x69A55D0D
        self.tag, self.severity, self.state, self.message = "idle", "LOG", "00000", b""
        self.detail = self.hint = self.context = self.query = None
        self.__dict__.update(more)

    @property
    def session(self):
        return f"{self.start:x}.{self.pid:x}"


def quoted(text):
    return b"" if text is None else b'"' + text.replace(b'"', b'""') + b'"'


def csvlog(columns):
    def write(r):
        parts = [
            f"{r.time} UTC".encode(), quoted(r.user), quoted(r.database), b"%d" % r.pid,
            f'"{r.address}:{r.port}"'.encode(), r.session.encode(), b"%d" % r.line, quoted(r.tag.encode()),
            f"{r.time[:19]} UTC".encode(), b"3/4", b"0", r.severity.encode(), r.state.encode(), quoted(r.message),
            quoted(r.detail), quoted(r.hint), b"", b"", quoted(r.context), quoted(r.query), b"", b"",
            quoted(r.application), b'"client backend"', b"", b"0"]
        return b",".join(parts[:columns]) + b"\n"
    return write


def escaped(text):
    """A JSON string as escape_json of PostgreSQL writes it."""
    short = {8: b"\\b", 12: b"\\f", 10: b"\\n", 13: b"\\r", 9: b"\\t", 34: b'\\"', 92: b"\\\\"}
    return b'"' + b"".join(
        short.get(c, b"\\u%04x" % c if c < 32 else bytes([c])) for c in text) + b'"'


def jsonlog(r):
    parts = [("timestamp", f"{r.time} UTC".encode()), ("user", r.user), ("dbname", r.database), ("pid", r.pid),
             ("remote_host", r.address.encode()), ("remote_port", r.port), ("session_id", r.session.encode()),
             ("line_num", r.line), ("ps", r.tag.encode()), ("session_start", f"{r.time[:19]} UTC".encode()),
             ("vxid", b"3/4"), ("txid", 0), ("error_severity", r.severity.encode()),
             ("state_code", None if r.state == "00000" else r.state.encode()), ("message", r.message),
             ("detail", r.detail), ("hint", r.hint), ("context", r.context), ("statement", r.query),
             ("application_name", r.application), ("backend_type", b"client backend"), ("query_id", 0)]
    return b"{" + b",".join(b'"%s":%s' % (key.encode(), b"%d" % value if isinstance(value, int) else escaped(value))
                            for key, value in parts if value is not None) + b"}\n"


def prefix(form, r):
    values = {b"m": f"{r.time} UTC".encode(), b"p": b"%d" % r.pid, b"q": b"", b"u": r.user, b"d": r.database,
              b"h": r.address.encode(), b"r": f"{r.address}({r.port})".encode(), b"c": r.session.encode(),
              b"l": b"%d" % r.line, b"a": r.application, b"e": r.state.encode(), b"i": r.tag.encode(),
              b"b": b"client backend"}
    return re.sub(rb"%(.)", lambda found: values[found[1]], form)


def stderr(form):
    def write(r):
        parts = [(r.severity, r.message), ("DETAIL", r.detail), ("HINT", r.hint), ("CONTEXT", r.context),
                 ("STATEMENT", r.query)]
        head = prefix(form, r)
        return b"".join(head + label.encode() + b":  " + text.replace(b"\n", b"\n\t") + b"\n"
                        for label, text in parts if text is not None)
    return write


def syslog(form):
    def write(r):
        number = [0]

        def part(line):
            number[0] += 1
            clean = re.sub(rb"[\x00-\x1f\x7f]", lambda found: b"#%03o" % found[0][0], line)
            return b"Mar %2d %s pg postgres[%d]: [%d-%d] " % (
                int(r.time[8:10]), r.time[11:19].encode(), r.pid, r.line, number[0]) + clean + b"\n"

        out = b""
        for line in stderr(form)(r).split(b"\n")[:-1]:
            while line or line == b"":
                out += part(line[:900])
                line = line[900:]
                if not line:
                    break
        return out
    return write


def bouncer(r):
    """What PgBouncer says of a failed login; LF becomes LF TAB, blanks at the end go, 2048 bytes at most."""
    at = b"%s/%s@%s:%d" % (r.database, r.user, r.address.encode(), r.port)
    head, client = f"{r.time} UTC [1] ".encode(), b"C-0x%x: " % (0x55D0 + r.pid * 16)
    lines = [b"LOG " + client + at + b" login attempt: db=%s user=%s tls=no" % (r.database, r.user),
             b"LOG " + client + at + b" closing because: SASL authentication failed (age=0s)",
             b"WARNING " + client + at + b" pooler error: SASL authentication failed"]
    return b"".join(head + line[:2000].replace(b"\n", b"\n\t").rstrip() + b"\n" for line in lines)


def audit_csv(r):
    """pgauditlogtofile 1.8."""
    parts = [f"{r.time}123 UTC".encode()[:26] + b" UTC", r.user, r.database, b"%d" % r.pid,
             f"{r.address}:{r.port}".encode(), r.session.encode(), r.tag.encode(), b"3/4", b"0", r.state.encode(),
             r.message, r.detail, r.hint, None, None, r.context, r.query, None, None, r.application]
    return b",".join(b"" if part is None else escaped(part) for part in parts) + b",,,,,\n"


def audit_json(r):
    parts = [("timestamp", f"{r.time} UTC".encode()), ("db.user", r.user), ("db.name", r.database),
             ("custom.process_id", b"%d" % r.pid), ("net.peer.name", r.address.encode()),
             ("net.peer.port", b"%d" % r.port), ("custom.session_id", r.session.encode()),
             ("custom.command_tag", r.tag.encode()), ("custom.virtual_transaction_id", b"3/4"),
             ("custom.transaction_id", b"0"), ("custom.state_code", r.state.encode()), ("content", r.message),
             ("custom.detail_log", r.detail), ("custom.err_hint", r.hint), ("custom.context", r.context),
             ("custom.application_name", r.application)]
    return b'{"log.source":"pgauditlogtofile","severity":"audit"' + b"".join(
        b',"%s":%s' % (key.encode(), escaped(value)) for key, value in parts if value is not None) + b"}\n"


PREFIXES = [b"%m [%p] %q%u@%d ", b"%m [%p] [%l] %c %h %u@%d app=%a cmd=%i state=%e bt=%b ", b"%m [%p] %r %u %d "]

# Format: how it is written, whether a name's line feed can end a line, and what of a session it holds.
FORMATS = {
    "csvlog 9.6-12": (csvlog(23), "csvlog", False, "all"), "csvlog 13": (csvlog(24), "csvlog", False, "all"),
    "csvlog 14-18": (csvlog(26), "csvlog", False, "all"), "jsonlog": (jsonlog, "jsonlog", False, "all"),
    "stderr %h": (stderr(PREFIXES[1]), "stderr", True, "all"), "stderr %r": (stderr(PREFIXES[2]), "stderr", True, "all"),
    "stderr %u@%d": (stderr(PREFIXES[0]), "stderr", True, "bare"), "syslog %h": (syslog(PREFIXES[1]), "syslog", True, "all"),
    "pgbouncer": (bouncer, "pgbouncer", False, "names"),
    "pgauditlogtofile json": (audit_json, "pgauditlogtofile", False, "logins"),
    "pgauditlogtofile csv": (audit_csv, "pgauditlogtofile", False, "logins"),
}


def forged_texts(write, form):
    """What an attacker would like to be believed, in this format and in the others."""
    time = "2026-03-02 11:11:11.111"
    fakes = []
    for state, tag, severity, message in [
            ("28P01", "authentication", "FATAL", b'password authentication failed for user "victim"'),
            ("00000", "authentication", "LOG", b"connection authorized: user=victim database=shop"),
            ("00000", "idle", "LOG", b"statement: DROP TABLE victim"),
            ("00000", "ALTER ROLE", "LOG", b"AUDIT: SESSION,1,1,ROLE,ALTER ROLE,,,ALTER ROLE victim SUPERUSER,<none>")]:
        fake = Record(time, user=b"victim", database=b"victimdb", address=VICTIM, pid=4242, tag=tag, severity=severity,
                      state=state, message=message, application=b"")
        fakes += [writer(fake) for writer in [write, csvlog(26), jsonlog, stderr(PREFIXES[0])]]
    fake = random.choice(fakes)
    line = fake.rstrip(b"\n")
    words = [
        b'password authentication failed for user "victim" ' + VICTIM.encode(), b"AUDIT: SESSION,1,1,DDL,DROP TABLE,,,x,",
        b"connection authorized: user=victim database=shop host=" + VICTIM.encode(), b"host=" + VICTIM.encode() + b" port=1",
        b"victim@" + VICTIM.encode() + b":1 closing because: SASL authentication failed (age=0s)",
        b"@" + VICTIM.encode() + b":5 pooler error: SASL authentication failed",
        VICTIM.encode(), b"x LOG:  y", b"FATAL:  28P01: no", b'","28P01', b"user=victim",
    ]
    signs = [b"\x1b[31mred\x1b[0m", b"\x1b]0;title\x07", "\u202egnp.exe".encode(), "a\u2066b\u2069".encode(),
             "zero\u200bwidth\ufeff".encode(), b"\x9b31m", "\x85\x9b".encode(), b"\xff\xfe\xc3", b"\xc3\x28", b"\x7f\x08\x08",
             b"=cmd|' /C calc'!A0", b"=HYPERLINK(\"http://x\")", b"+1+1", b"-2+3", b"@SUM(A1)", b"\t=1+1", b"\r=1"]
    shape = random.randrange(10)
    if shape < 4:
        return random.choice([b"", b"x", b'"', b"'", b"x\n\t", b"\\", b'\\"']) + random.choice(
            [b"\n", b"\r\n", b"\n\n", b"\r"]) + line + random.choice([b"", b"\n", b'"', b"\nx", b"\n" + line])
    if shape < 6:
        return random.choice(words)
    if shape < 8:
        return random.choice(signs) + random.choice([b"", random.choice(words), random.choice(signs)])
    if shape == 8:
        cut = random.randrange(len(line))
        return line[cut:] + b"\n" + line[:cut]
    return bytes(random.choice(b'\n\r\t",\\{}:;@/[] xX09') for _ in range(random.randrange(1, 60)))


def looks_forged(text):
    """Texts that must be called forged: a whole record, or words of the server, behind the end of a line."""
    return re.search(rb"[\n\r].*(2026-03-02 11:11:11\.111 UTC|\"timestamp\":\"2026)", text, re.S) is not None


def clean(text, limit=63):
    """A name in the start-up packet ends at its first zero byte, and after 63 bytes."""
    return text.replace(b"\0", b"")[:limit] or b"x"


def application(text):
    """What PostgreSQL 16 keeps of an application's name."""
    return b"".join(bytes([c]) if 32 <= c < 127 else b"\\x%02x" % c for c in clean(text))[:63]


class Log:
    def __init__(self, write, scope, lines_end):
        self.write, self.scope, self.lines_end = write, scope, lines_end
        self.clock, self.number = Clock(), 0
        self.bytes = bytearray()
        self.wanted = collections.Counter()
        # Of these one cannot know whether they are read, only that they are read as nothing else.
        self.doubted = 0
        self.forged, self.marked = 0, 0

    def add(self, *records):
        for record in records:
            self.bytes += self.write(record)

    def session(self):
        self.number += 1
        return dict(pid=100 + self.number, start=0x69A55D0D + self.number, port=20000 + self.number % 40000)

    def failure(self, user, database, address, app=b""):
        session = self.session()
        return Record(self.clock.next(), user=user, database=database, address=address, application=app,
                      tag="authentication", severity="FATAL", state="28P01",
                      message=b'password authentication failed for user "%s"' % user,
                      detail=b'Connection matched pg_hba.conf line 3: "host all all all scram-sha-256"', **session)

    def honest(self):
        self.add(self.failure(b"carol", b"shop", HONEST))
        self.wanted["auth.failure", HONEST if self.scope != "bare" else "", "carol"] += 1
        if self.scope in ("all", "bare"):
            self.add(Record(self.clock.next(), user=b"dba", address=HONEST, message=b"statement: DROP TABLE honest",
                            **self.session()))
            self.wanted["ddl.drop", HONEST if self.scope != "bare" else "", "dba"] += 1

    def forge(self, text):
        """One forged text in one place, then something honest."""
        places = ["user", "database"]
        if self.scope in ("all", "bare"):
            places += ["application", "statement", "raise", "error", "raise detail", "raise fatal"]
        place = random.choice(places)
        self.forged += 1
        who = ATTACKER if self.scope != "bare" else ""
        if place in ("user", "database"):
            name = clean(text)
            user, database = (name, b"shop") if place == "user" else (b"mallory", name)
            self.add(self.failure(user, database, ATTACKER))
            # Where names are written as they are, a name may make its own record unreadable.
            if self.lines_end:
                self.doubted += 1
            else:
                self.wanted["auth.failure", who, None] += 1
        elif place == "application":
            self.add(Record(self.clock.next(), application=application(text), user=b"mallory",
                            message=b"statement: SELECT 1", **self.session()))
        elif place == "statement":
            body = text.replace(b"\0", b"").replace(b"'", b"''")
            self.add(Record(self.clock.next(), user=b"mallory", message=b"statement: SELECT '%s'" % body, **self.session()))
            self.marked += looks_forged(text)
        elif place == "error":
            body = text.replace(b"\0", b"")
            self.add(Record(self.clock.next(), user=b"mallory", tag="SELECT", severity="ERROR", state="42601",
                            message=b'syntax error at or near "%s"' % body[:40], query=b"SELECT 1 " + body,
                            **self.session()))
        else:
            body = text.replace(b"\0", b"")
            state = "28P01" if place == "raise fatal" else "00000"
            detail = body if place == "raise detail" else None
            self.add(Record(
                self.clock.next(), user=b"mallory", tag="DO", state=state, severity="ERROR" if state != "00000" else "LOG",
                message=body if detail is None else b"x", detail=detail,
                context=b"PL/pgSQL function inline_code_block line 1 at RAISE", query=b"DO 'x'", **self.session()))
            self.marked += looks_forged(text)
        if random.random() < .5:
            self.honest()


def pgvigil(*words, data=None):
    done = subprocess.run([binary, *map(str, words)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


# Control characters but the line feed, marks of direction, invisible characters, C1 controls, line separators.
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def unsafe_output(store, log, form, folder):
    """What the commands print of the store that a terminal or a spreadsheet would obey."""
    problems = []
    logs = folder / "explain.log"
    logs.write_bytes(log[:200_000])
    commands = [["events"], ["alerts"], ["events", "--group-by", "user.name,db.namespace"], ["activity"], ["status"],
                ["bans", "--all"], ["why", ATTACKER], ["why", VICTIM], ["story", ATTACKER], ["story", "mallory"]]
    commands = [[*words, "--store", store] for words in commands]
    for words in list(commands[:6]):
        commands += [[*words, "--format", "csv"], [*words, "--format", "jsonl"]]
    for name in ["plain", "fail2ban", "nft", "ipset", "haproxy", "crowdsec", "json", "pg_hba"]:
        commands.append(["blocklist", "--store", store, "--format", name, "--at", "2026-03-02T12:00:00Z"])
    alerts = [json.loads(line)["alert.id"] for line in
              pgvigil("alerts", "--store", store, "--format", "jsonl")[1].splitlines()]
    commands += [["alerts", "show", "--store", store, alert] for alert in alerts[:20]]
    commands.append(["explain", "--format", form])
    for words in commands:
        data = log[:200_000] if words[0] == "explain" else None
        code, output, talk = pgvigil(*words, data=data)
        if code not in (0, 1) or (code == 1 and words[0] not in ("why", "story", "explain")):
            problems.append(f"{words[:2]}: exit code {code}: {talk[-200:]!r}")
        text = (output + talk).decode("utf-8", "backslashreplace")
        if words[-2:] == ["--format", "csv"]:
            # A line break inside a quoted cell is as it must be.
            for row in list(csv.reader(io.StringIO(text)))[1:]:
                for cell in row:
                    if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.fullmatch(r"-?\d+(\.\d+)?", cell):
                        problems.append(f"{words[:2]}: the cell {cell[:60]!r}")
        # Tables of nftables are indented by tabs.
        if words[0] == "blocklist":
            text = text.replace("\n\t\t", "\n").replace("\n\t", "\n")
        if found := UNSAFE.search(text):
            place = max(0, found.start() - 40)
            problems.append(f"{words[0]} {words[-1]}: {text[place:found.end() + 10]!r}")
        if words[0] == "blocklist" and VICTIM in text:
            problems.append(f"{words}: bans {VICTIM}")
    return problems


def try_format(name, folder):
    write, form, lines_end, scope = FORMATS[name]
    log = Log(write, scope, lines_end)
    for _ in range(3):
        log.honest()
    for _ in range(options.rounds):
        log.forge(forged_texts(write, form))
    for _ in range(3):
        log.honest()
    # A flood that a wrong reading would ban somebody for.
    path, store = folder / "log", folder / "a.db"
    for old in folder.iterdir():
        old.unlink()
    path.write_bytes(log.bytes)
    words = ["--format", form]
    code, _, talk = pgvigil("replay", *words, "--store", store, path)
    result = collections.Counter(forged=log.forged)
    problems = [] if code == 0 else [f"exit code {code}: {talk.decode()[-300:]}"]
    found = collections.Counter()
    forgeries = 0
    for line in pgvigil("events", "--store", store, "--format", "jsonl")[1].splitlines():
        event = json.loads(line)
        address, action, user = event.get("source.address", ""), event["event.action"], event.get("user.name", "")
        forgeries += "forgery.attempt" in event.get("tags", [])
        if "forgery.attempt" in event.get("tags", []) and address not in (ATTACKER, ""):
            problems.append(f"forgery of {address}: {line[:300]}")
        known = address in (ATTACKER, HONEST, "")
        if not known or user == "victim" or event.get("db.namespace") == "victimdb" or "11:11:11.111" in event["@timestamp"]:
            result["made"] += 1
            problems.append(f"made: {line.decode()[:400]}")
        key = (action, address, user)
        found[key if key in log.wanted else (action, address, None)] += event.get("event.count", 1)
    for (action, address, user), count in log.wanted.items():
        lost = count - found[action, address, user]
        if lost > 0 or (lost < 0 and user is not None):
            result["hidden" if lost > 0 else "made"] += abs(lost)
            problems.append(f"{action} of {address} {user}: {found[action, address, user]} of {count}")
    logins = sum(count for (action, _, user), count in found.items() if action.startswith("auth.") and user is None)
    wanted = sum(count for (action, _, user), count in log.wanted.items() if user is None)
    if not wanted <= logins <= wanted + log.doubted:
        result["made"] += max(0, logins - wanted - log.doubted)
        problems.append(f"{logins} logins of the attacker, {wanted} and at most {log.doubted} wanted")
    for what in ["alerts", "bans"]:
        more = ["--all"] if what == "bans" else []
        for line in pgvigil(what, *more, "--store", store, "--format", "jsonl")[1].splitlines():
            row = json.loads(line)
            if row.get("source.ip") not in (None, ATTACKER, HONEST) or VICTIM in row.get("cidr", ""):
                result["wrong bans" if what == "bans" else "wrong alerts"] += 1
                problems.append(f"{what}: {line.decode()[:300]}")
    if forgeries < log.marked and not lines_end:
        problems.append(f"{forgeries} forgeries told of {log.marked}")
    result["forgery.attempt"] = forgeries
    # The commands print what the store holds, whatever it was read from.
    looks = options.all_output or name in ("csvlog 14-18", "stderr %r")
    shown = unsafe_output(store, bytes(log.bytes), form, folder) if looks else []
    result["unsafe output"] = len(shown)
    problems += shown
    unread = re.search(rb"unread: (\d+)", talk)
    print(f"{name:24} forged {log.forged:6}  made {result['made']}  hidden {result['hidden']}  wrong bans "
          f"{result['wrong bans']}  told as forgery {forgeries} (must be {log.marked})  unread "
          f"{unread[1].decode() if unread else '?'}  output {len(shown)}", flush=True)
    for problem in problems[:8]:
        print(f"    {problem}", file=sys.stderr, flush=True)
    result["problems"] = len(problems)
    return result


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pgvigil-forgery-"))
    total = collections.Counter()
    for name in FORMATS:
        if options.only in name:
            total += try_format(name, folder)
            if options.keep:
                shutil.copytree(folder, folder.parent / f"{folder.name}-{name.replace(' ', '-').replace('%', '')}")
    shutil.rmtree(folder)
    keys = ["forged", "made", "hidden", "wrong bans", "wrong alerts", "forgery.attempt", "unsafe output", "problems"]
    print(json.dumps({key: total[key] for key in keys}))
    return 1 if total["problems"] or not total["forged"] else 0


sys.exit(main())
