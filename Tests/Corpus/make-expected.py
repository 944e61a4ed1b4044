#!/usr/bin/env python3
"""Counts what the tests expect of the corpus, with Python's csv module alone.

    make-expected.py CORPUS > expected.json

CORPUS holds one folder a run, or the run.tar.xz files of this folder. Written apart from pgvigil's
own reader and classifier on purpose; only the translated texts come from patterns/messages (PyYAML).
Bytes that are not UTF-8 are shown as \\xNN, a socket as [local].
"""
import collections
import csv
import io
import json
import pathlib
import re
import sys
import tarfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
MESSAGES = yaml.safe_load((HERE / "../../patterns/messages/postgresql.yml").read_text("utf-8"))
(TIME, USER, DATABASE, PID, FROM, SESSION, LINE, TAG, START, _, _, SEVERITY, STATE, MESSAGE,
 DETAIL, _, _, _, CONTEXT, QUERY) = range(20)
BACKEND = 23
FAILURES = {"28P01", "28000"}
FATAL = set(MESSAGES["severity_fatal"])


def opening(*names):
    """A pattern for the texts of these messages in all languages; each %s is as short as can be."""
    texts = sorted((text for name in names for text in MESSAGES[name]), key=len, reverse=True)
    return re.compile("|".join(re.sub(r"%\w", ".*?", re.escape(text)) for text in texts), re.S)


AUTHORIZED = opening("connection_authorized", "replication_authorized")
STATEMENT = opening("statement", "execute")
REPLICATION = opening("replication_command")
# what a standby asks again and again, and what it asks as SQL, is no event
UNINTERESTING = {"IDENTIFY_SYSTEM", "SHOW"}
PARAMETER = opening("parameter_changed", "parameter_removed", "parameter_restart")
CRASHED = opening("child_crashed", "logger_crashed")
TIMED = re.compile(r"duration: [0-9.]+ ms  (?:statement|(?:parse|bind|execute) [^:]*): ")
AUDIT = "AUDIT: "
FILLERS = {"OR", "REPLACE", "TEMP", "TEMPORARY", "UNIQUE", "UNLOGGED"}  # CREATE OR REPLACE VIEW: CREATE VIEW
COMMENTS = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.S)


def csv_files(run):
    """(path within the run, content) of every server csv log of a run folder or archive."""
    if run.is_dir():
        for path in sorted(run.rglob("*.csv")):
            yield path.relative_to(run).as_posix(), path.read_bytes()
    else:
        with tarfile.open(run) as archive:
            for member in sorted(archive.getmembers(), key=lambda m: m.name):
                if member.name.endswith(".csv"):
                    yield member.name.removeprefix("logs/"), archive.extractfile(member).read()


def rows(content):
    text = io.TextIOWrapper(io.BytesIO(content), "utf-8", "backslashreplace", newline="")
    return csv.reader(text)


def actor(row):
    """ip|user: the port stands after the last colon, and an IPv6 address has no brackets."""
    host = row[FROM] if row[FROM].startswith("[local]") else row[FROM].rpartition(":")[0]
    return f"{host}|{row[USER]}"


def first_words(statement):
    words = re.findall(r"\w+", statement[COMMENTS.match(statement).end():].upper())
    return " ".join([w for i, w in enumerate(words) if i == 0 or w not in FILLERS][:2])


def expectations(run):
    records, failures, commands = {}, collections.Counter(), collections.Counter()
    denied, replication, lines = collections.Counter(), collections.Counter(), collections.Counter()
    authorized, refused = {}, set()
    logged, timed = set(), {}  # texts by session: one that only durations tell of counts once
    classes = collections.Counter()
    seen = set()  # a replica is a copy of its primary, log folder included: the same row again is the same record
    for name, content in csv_files(run):
        # weekday files of one server share its sessions; the nodes of a cluster do not
        server = re.sub(r"(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))?\.csv$", "", name.rpartition("/")[2])
        records[name] = 0
        for row in rows(content):
            records[name] += 1
            if tuple(row) in seen:
                continue
            seen.add(tuple(row))
            session = server, row[SESSION]
            if row[SEVERITY] in FATAL:
                if row[STATE] in FAILURES and row[TAG] in ("authentication", "startup"):
                    failures[actor(row)] += 1
                if row[TAG] == "startup":
                    refused.add(session)
            elif row[STATE] == "42501" and "RAISE" not in row[CONTEXT]:
                denied[actor(row)] += 1
            elif row[BACKEND:BACKEND + 1] == ["postmaster"]:
                if PARAMETER.match(row[MESSAGE]):
                    lines["parameters"] += 1
                elif CRASHED.match(row[MESSAGE]):
                    lines["crashes"] += 1
            elif found := row[BACKEND:BACKEND + 1] == ["walsender"] and REPLICATION.match(row[MESSAGE]):
                command = first_words(row[MESSAGE][found.end():]).split()[0]
                if command not in UNINTERESTING:
                    replication[command] += 1
            elif row[STATE] == "00000" and not row[CONTEXT] and not row[QUERY]:
                if row[TAG] == "authentication" and AUTHORIZED.match(row[MESSAGE]):
                    authorized[session] = actor(row)
                elif found := STATEMENT.match(row[MESSAGE]):
                    text = row[MESSAGE][found.end():]
                    logged.add((session, text))
                    commands[first_words(text)] += 1
                elif found := TIMED.match(row[MESSAGE]):
                    text = row[MESSAGE][found.end():]
                    timed[session, text] = first_words(text)
                elif row[MESSAGE].startswith(AUDIT):
                    classes[next(csv.reader([row[MESSAGE][len(AUDIT):]]))[3]] += 1
    commands.update(words for key, words in timed.items() if key not in logged)
    successes = collections.Counter(who for session, who in authorized.items() if session not in refused)
    return {
        "records": records,
        "auth_failures_total": sum(failures.values()),
        "auth_failures_by_ip_user": dict(failures.most_common()),
        "authorized_then_refused": sum(session in refused for session in authorized),
        "successes_total": sum(successes.values()),
        "successes_by_ip_user": dict(successes.most_common()),
        "ddl_by_command": dict(commands.most_common()),
        "denied_by_ip_user": dict(denied.most_common()),
        "replication_by_command": dict(replication.most_common()),
        "server": dict(lines.most_common()),
        "audit_by_class": dict(classes.most_common()),
    }


def main():
    csv.field_size_limit(1 << 30)
    corpus = pathlib.Path(sys.argv[1])
    runs = {p.name.removesuffix(".tar.xz"): p for p in corpus.iterdir()
            if p.name.endswith(".tar.xz") or p.is_dir() and any(p.rglob("*.csv"))}
    json.dump({name: expectations(runs[name]) for name in sorted(runs)}, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
