#!/usr/bin/env python3
"""Gives `pgvigil replay` what only a log's size would bound, through a pipe, and looks at its memory and its time.

    limits.py BINARY [--size BYTES] [--only WORD] [--memory BYTES]

Lines and fields without end in every format, quotes, brackets, comments and dollar quotes without end, statements
without number in one record, sessions that never end, users, addresses, databases, tables and session ids without
number, and records that all have one time. Each is read twice, the second twice as long: memory must stay under a
ceiling and the processor's time must not grow by more than a factor of three. Behind each hostile part stands an
ordinary failed login, which must be found. One line for each, one of JSON at the end; exit code 1 when one fails.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("binary")
parser.add_argument("--size", default="16M", help="of each input, the first time (default 16M)")
parser.add_argument("--only", default="", help="only cases with that word in their name")
parser.add_argument("--memory", default="256M", help="ceiling of the peak memory (default 256M)")
options = parser.parse_args()
binary = os.path.abspath(options.binary)


def number(text):
    return int(float(text.rstrip("KMG")) * {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1], 1))


TIME = "2026-03-02 09:49:01.374"


def csv(message, line=1, user="bob", database="shop", address="192.0.2.1:4000", session="69a55d0d.7", tag="idle",
        severity="LOG", state="00000", time=TIME):
    return (f'{time} UTC,"{user}","{database}",7,"{address}",{session},{line},"{tag}",{TIME[:19]} UTC,3/1,0,{severity},'
            f'{state},"{message}",,,,,,,,,"psql","client backend",,0\n')


def failure(n=0, **more):
    keys = dict(tag="authentication", severity="FATAL", state="28P01", session=f"69a55d0d.{n + 100:x}") | more
    return csv('password authentication failed for user ""bob""', **keys)


def jsonlog(message):
    return ('{"timestamp":"%s UTC","user":"bob","dbname":"shop","pid":8,"remote_host":"192.0.2.1","remote_port":4000,'
            '"session_id":"69a55d0d.8","line_num":2,"ps":"idle","error_severity":"LOG","message":"%s",'
            '"backend_type":"client backend"}\n' % (TIME, message))


JSON_FAILURE = ('{"timestamp":"%s UTC","user":"bob","dbname":"shop","pid":7,"remote_host":"192.0.2.1","remote_port":4000,'
                '"session_id":"69a55d0d.7","line_num":1,"ps":"authentication","error_severity":"FATAL",'
                '"state_code":"28P01","message":"password authentication failed for user \\"bob\\"",'
                '"backend_type":"client backend"}\n' % TIME)


def stderr(message, pid=8):
    return f"{TIME} UTC [{pid}] bob@shop LOG:  {message}\n"


def stderr_failure(pid=7):
    return f'{TIME} UTC [{pid}] bob@shop FATAL:  password authentication failed for user "bob"\n'


def syslog(message, pid=8, label="LOG"):
    return f"Mar  2 09:49:01 pg postgres[{pid}]: [3-1] {TIME} UTC [{pid}] bob@shop {label}:  {message}\n"


SYSLOG_FAILURE = syslog('password authentication failed for user "bob"', 7, "FATAL")


def bouncer(message, client="C-0x5"):
    return f"{TIME} UTC [1] LOG {client}: shop/bob@192.0.2.1:4000 {message}\n"


BOUNCER_FAILURE = bouncer("closing because: SASL authentication failed (age=0s)", "C-0x9")
AUDIT_FAILURE = ('2026-03-02 09:49:01.374 UTC,"bob","shop",9,"192.0.2.1:4001",69a55d0d.9,1,"authentication",'
                 '2026-03-02 09:49:01 UTC,3/1,0,28P01,"password authentication failed for user ""bob""",,,,,,,,,""\n')
PATRONI = "2026-03-02 09:49:0{},374 INFO: promoted self to leader by acquiring session lock\n"
BACKREST = ("-------------------PROCESS START-------------------\n"
            f"{TIME} P00   INFO: backup command begin 2.50: --stanza=pg\n"
            f"{TIME} P00  ERROR: [057]: unable to execute query\n"
            f"{TIME} P00   INFO: backup command end: aborted with exception [057]\n")
HAPROXY = "192.0.2.66:{} [02/Mar/2026:06:06:24.742] pg pg/<NOSRV> -1/-1/0 0 PR 1/1/0/0/0 0/0\n"


def fill(piece, size):
    """A text of about that many bytes, piece by piece."""
    block = piece * max(1, (1 << 20) // len(piece))
    while size > 0:
        yield block[:max(1, size // len(piece)) * len(piece)] if size < len(block) else block
        size -= len(block)


def long_text(head, piece, tail):
    """Something without end between what begins a record and what ends it."""
    def make(size):
        yield head
        yield from fill(piece, size)
        yield tail
    return make


def inside(record, piece, mark="@@"):
    head, tail = record.split(mark)
    return long_text(head, piece, tail)


def many(row):
    """Records without number: `row` makes the nth."""
    def make(size):
        n = 0
        while size > 0:
            text = "".join(row(n + i) for i in range(20))
            n += 20
            size -= len(text)
            yield text
    return make


def clock(n):
    """A time that moves on by a millisecond."""
    seconds, part = divmod(n, 1000)
    return f"2026-03-02 {9 + seconds // 3600 % 12:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{part:03}"


# Name, format, what makes it, what the log ends with.
CASES = [
    ("csvlog: a field without end", "csvlog", inside(csv("statement: @@"), "SELECT 1 "), failure()),
    ("csvlog: a field of quotes", "csvlog", inside(csv("statement: @@"), '""'), failure()),
    ("csvlog: a field of line feeds", "csvlog", inside(csv("statement: @@"), "\n"), failure()),
    ("csvlog: a line that is no record", "csvlog", inside(csv("x") + "@@\n", "x"), failure()),
    ("csvlog: a quote that never ends", "csvlog", inside(csv("x") + TIME + ' UTC,"bob@@', "x,\n"), ""),
    ("csvlog: commas", "csvlog", inside(csv("x") + "@@\n", ","), failure()),
    ("csvlog: torn records", "csvlog", many(lambda n: csv("x")[:-40] + "\n"), failure()),
    ("csvlog: times that begin no record", "csvlog", many(lambda n: TIME + " UTC,\"a\n"), failure()),
    ("csvlog: zeroes", "csvlog", inside(csv("x") + "@@", "\0"), ""),
    ("jsonlog: a field without end", "jsonlog", inside(jsonlog("statement: @@"), "SELECT 1 "), JSON_FAILURE),
    ("jsonlog: brackets", "jsonlog", inside(jsonlog("x") + '{"timestamp":@@\n', "["), JSON_FAILURE),
    ("jsonlog: keys", "jsonlog", inside(jsonlog("x")[:-2] + ',@@"z":1}\n', '"a":"b",'), JSON_FAILURE),
    ("jsonlog: escapes", "jsonlog", inside(jsonlog("statement: @@"), "\\u0022"), JSON_FAILURE),
    ("stderr: a line without end", "stderr", inside(stderr("statement: @@"), "SELECT 1 "), stderr_failure()),
    ("stderr: a record of lines without end", "stderr", inside(stderr("statement: @@"), "\n\tSELECT"), stderr_failure()),
    ("stderr: lines of nobody", "stderr", inside(stderr("x") + "@@\n", "x: y\n"), stderr_failure()),
    ("stderr: labels", "stderr", inside(stderr("x") + "@@\n", "LOG:  "), stderr_failure()),
    ("syslog: a line without end", "syslog", inside(syslog("statement: @@"), "SELECT 1 "), SYSLOG_FAILURE),
    ("syslog: pieces of one record", "syslog", many(
        lambda n: f"Mar  2 09:49:01 pg postgres[8]: [3-{n + 1}] #011x\n"), SYSLOG_FAILURE),
    ("syslog: processes without number", "syslog", many(lambda n: syslog("statement: SELECT 1", n + 10)), SYSLOG_FAILURE),
    ("pgbouncer: a line without end", "pgbouncer", inside(bouncer("@@"), "x "), BOUNCER_FAILURE),
    ("pgbouncer: connections without number", "pgbouncer", many(
        lambda n: bouncer("login attempt: db=shop user=bob tls=no", f"C-0x{n + 16:x}")), BOUNCER_FAILURE),
    ("pgbouncer: lines of one connection", "pgbouncer", many(
        lambda n: bouncer(f"closing because: x{n} (age=0s)")), BOUNCER_FAILURE),
    ("pgauditlogtofile: a field without end", "pgauditlogtofile", inside(
        AUDIT_FAILURE.replace("password auth", "@@password auth"), "x "), AUDIT_FAILURE),
    ("patroni: a line without end", "patroni", inside(PATRONI.format(1) + "2026-03-02 09:49:01,374 INFO: @@\n", "x "),
     PATRONI.format(2)),
    ("patroni: a traceback without end", "patroni", inside(PATRONI.format(1) + "@@", "  File x\n"), PATRONI.format(2)),
    ("pgbackrest: a line without end", "pgbackrest", inside(BACKREST + f"{TIME} P00   INFO: @@\n", "x "), BACKREST),
    ("haproxy: a line without end", "haproxy", inside(HAPROXY.format(1) + "@@\n", "x "), HAPROXY.format(2)),
    ("haproxy: connections without number", "haproxy", many(lambda n: HAPROXY.format(n % 65536)), HAPROXY.format(2)),
    ("SQL: parentheses", "csvlog", inside(csv("statement: SELECT @@"), "("), failure()),
    ("SQL: comments", "csvlog", inside(csv("statement: SELECT @@"), "/*"), failure()),
    ("SQL: dollar quotes", "csvlog", inside(csv("statement: SELECT @@"), "$a$ $b$ "), failure()),
    ("SQL: bodies in bodies", "csvlog", many(lambda n: csv(
        "statement: " + "".join(f"DO $a{i}$ BEGIN EXECUTE " for i in range(n % 200)), n + 1)), failure()),
    ("SQL: statements without number", "csvlog", inside(csv("statement: @@"), "DROP TABLE a;"), failure()),
    ("SQL: a list of roles", "csvlog", inside(csv("statement: GRANT @@ TO x"), "a,"), failure()),
    ("SQL: secrets without number", "csvlog", inside(csv("statement: @@"), "ALTER ROLE a PASSWORD 'x';"), failure()),
    ("SQL: records of statements", "csvlog", many(
        lambda n: csv("statement: " + "DROP TABLE a;" * 1000, n + 1, time=clock(n))), failure(time=clock(10**6))),
    ("sessions that never end", "csvlog", many(
        lambda n: csv("statement: DROP TABLE a", session=f"{n + 0x69a55d0d:x}.7", time=clock(n))), failure(time=clock(10**7))),
    ("logins that are never in", "csvlog", many(
        lambda n: csv("connection authorized: user=bob database=shop", tag="authentication",
                      session=f"{n + 0x69a55d0d:x}.7")), failure()),
    ("one login without end", "csvlog", many(
        lambda n: csv("connection authorized: user=bob database=shop", n + 1, tag="authentication")), failure()),
    ("users without number", "csvlog", many(
        lambda n: failure(n, user=f"u{n}", time=clock(n // 10))), failure(time=clock(10**7))),
    ("addresses without number", "csvlog", many(
        lambda n: failure(n, address=f"{n >> 24 & 127 | 1}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}:4000",
                          time=clock(n // 10))), failure(time=clock(10**7))),
    ("databases without number", "csvlog", many(
        lambda n: failure(n, database=f"d{n}", time=clock(n // 10))), failure(time=clock(10**7))),
    ("counted users without number", "csvlog", many(
        lambda n: csv("disconnection: session time: 0:00:00.001 user=x database=y host=z", user=f"u{n}",
                      session=f"{n + 0x69a55d0d:x}.7", time=clock(n // 10))), failure(time=clock(10**7))),
    ("counted tables without number", "csvlog", many(
        lambda n: csv(f"AUDIT: SESSION,{n + 1},1,READ,SELECT,TABLE,public.t{n},SELECT 1,<none>", n + 1,
                      time=clock(n // 10))), failure(time=clock(10**7))),
    ("applications without number", "csvlog", many(
        lambda n: csv("statement: DROP TABLE a", n + 1, time=clock(n)).replace('"psql"', f'"a{n}"')),
     failure(time=clock(10**7))),
    ("one session id, used again and again", "csvlog", many(
        lambda n: csv("statement: DROP TABLE a", 1, time=clock(n))), failure(time=clock(10**7))),
    ("failures at one time", "stderr", many(lambda n: stderr_failure(n + 10)), stderr_failure()),
    ("line numbers that jump", "csvlog", many(
        lambda n: csv("x", n * 3 + 1, time=clock(n))), failure(time=clock(10**7))),
]


def read(name, form, make, end, size, folder):
    store = folder / "a.db"
    for old in folder.iterdir():
        old.unlink()
    command = [binary, "replay", "--format", form, "--store", store, "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    total = 0

    def write():
        nonlocal total
        try:
            for piece in make(size):
                data = piece.encode()
                process.stdin.write(data)
                total += len(data)
            process.stdin.write(end.encode())
            process.stdin.close()
        except BrokenPipeError:
            pass

    writer = threading.Thread(target=write)
    writer.start()
    talk = process.stderr.read().decode(errors="replace")
    writer.join()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    problem = None
    if process.returncode != 0:
        problem = f"exit code {process.returncode}: {talk[-300:]}"
    elif end and form not in ("patroni", "pgbackrest", "haproxy"):
        found = subprocess.run(
            [binary, "events", "--store", store, "--action", "auth.failure", "--limit", "1", "--format", "jsonl"],
            stdout=subprocess.PIPE, check=True).stdout
        if not found:
            problem = "the failed login behind it was not found"
    unread = re.search(r"unread: \d+[^\n]*", talk)
    return total, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, problem, unread and unread[0]


def main():
    size, ceiling = number(options.size), number(options.memory)
    result = {"cases": 0, "bytes": 0, "peak": 0, "failed": 0}
    with tempfile.TemporaryDirectory(prefix="pgvigil-limits-") as folder:
        folder = pathlib.Path(folder)
        for name, form, make, end in CASES:
            if options.only not in name:
                continue
            once = read(name, form, make, end, size, folder)
            twice = read(name, form, make, end, 2 * size, folder)
            problems = [p for p in (once[3], twice[3]) if p]
            if twice[2] > ceiling:
                problems.append(f"{twice[2] >> 20} MB of memory")
            # Short runs are mostly the start.
            if twice[1] > 1 and twice[1] > 3 * max(once[1], .2):
                problems.append("the time grows faster than the input")
            result["cases"] += 1
            result["bytes"] += once[0] + twice[0]
            result["peak"] = max(result["peak"], once[2], twice[2])
            result["failed"] += bool(problems)
            print(f"{name:45} {twice[0] / 1e6:8.1f} MB {once[1]:7.2f} s {twice[1]:7.2f} s "
                  f"{once[2] >> 20:5} MB {twice[2] >> 20:5} MB  {'; '.join(problems) or twice[4] or ''}", flush=True)
    print(json.dumps(result))
    return 1 if result["failed"] or not result["cases"] else 0


sys.exit(main())
