#!/usr/bin/env python3
"""pgvigil beside ripgrep, SQLite and others on the same logs, in turn, five times: median ratios.

    compare.py BINARY [--size 1G] [--times 5] [--only busy.csv,...] [--peers] [--instructions] [--folder FOLDER]

The mark is the time of `rg -c '28P01|statement: (CREATE|ALTER|DROP|GRANT|REVOKE)'` on the log, plus what sqlite3's .import
takes for the rows that pgvigil stores, into the same table with its indexes. Ratios are mark / pgvigil: above 1 pgvigil is faster.
"""
import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

from measure import Runs, alternate, remove, run, table, warm

HERE = os.path.dirname(os.path.abspath(__file__))
PATTERN = "28P01|statement: (CREATE|ALTER|DROP|GRANT|REVOKE)"
# log, share of --size, wanted ratio, options
CASES = [("quiet.csv", 1, 1.0, []), ("busy.csv", 1, 1.0, []), ("busy.csv", 1, .55, ["--jobs", "1"]), ("audit.csv", .5, .5, []),
         ("busy.json", .5, .5, []), ("busy.stderr", .5, .7, []), ("busy.pgbouncer", .5, .7, []), ("flood.csv", .3, .8, [])]


def make(folder, name, size, binary):
    path = os.path.join(folder, f"{size // 1_000_000}M-{name}")
    profile, form = name.split(".")
    if not os.path.exists(path):
        subprocess.run([sys.executable, f"{HERE}/make-log.py", "--size", f"{size // 1024}K", "--profile", profile, "--format", form,
                        "--seed", "7", "--out", path], check=True, stderr=subprocess.DEVNULL)
    warm(path)
    return path


class Importing:
    """What .import takes for a store's events, into the same table with the same indexes."""

    def __init__(self, store, folder):
        self.rows, self.schema, self.empty = f"{folder}/rows.csv", f"{folder}/schema.sql", f"{folder}/import.db"
        with sqlite3.connect(store) as db:
            self.count = db.execute("SELECT count(*) FROM events").fetchone()[0]
            schema = [row[0] for row in db.execute(
                "SELECT sql FROM sqlite_master WHERE tbl_name = 'events' AND type IN ('table', 'index') AND sql NOT NULL ORDER BY rowid")]
        with open(self.schema, "w") as file:
            # A .import of an empty text is one, not NULL: what is absent costs a byte less in the store.
            file.write(";\n".join(re.sub(r"REFERENCES \w+", "", text) for text in schema) + ";\n")
        subprocess.run(["sqlite3", "-csv", store, f".output {self.rows}", "SELECT * FROM events ORDER BY seq"], check=True)

    def before(self):
        remove(self.empty)
        subprocess.run(["sqlite3", self.empty, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", f".read {self.schema}"], check=True,
                       stdout=subprocess.DEVNULL)

    @property
    def command(self):
        return ["sqlite3", "-csv", self.empty, f".import {self.rows} events"]


def compare(options, folder):
    rows = []
    for name, share, wanted, extra in CASES:
        if options.only and name not in options.only.split(","):
            continue
        log = make(folder, name, int(options.bytes * share), options.binary)
        store = f"{folder}/store.db"
        own = [options.binary, "replay", "--store", store, *extra, log]
        remove(store)
        run(own, Runs())
        importing = Importing(store, folder)
        commands = {"rg": (["rg", "-c", PATTERN, log], None), "own": (own, lambda: remove(store)),
                    "import": (importing.command, importing.before)}
        found = alternate(commands, options.times)
        size = os.path.getsize(log)
        own, rg, rest = found["own"], found["rg"].seconds, found["import"].seconds
        mark = rg + rest
        rows.append([f"{name}{' ' + ' '.join(extra) if extra else ''}", f"{size / 1e6:.0f} MB", f"{rg:.2f} s",
                     f"{importing.count:,}: {rest:.2f} s", f"{own.seconds:.2f} s ({size / own.seconds / 1e6:.0f} MB/s)",
                     f"{own.processor:.2f} s", f"{own.megabytes:.0f} MB", f"{mark / own.seconds:.2f}", f"{wanted}",
                     f"{rg / own.seconds:.2f}"])
        if not options.keep:
            os.remove(log) if not any(name == case[0] for case in CASES[CASES.index((name, share, wanted, extra)) + 1:]) else None
    table(["log", "size", "ripgrep", "rows stored, .import", "pgvigil", "processor", "memory", "mark / pgvigil", "wanted", "ripgrep / pgvigil"], rows)


def peers(options, folder):
    """What else reads such logs. The slow ones get less of it: rates tell."""
    log, part, text = (make(folder, name, int(options.bytes * share), options.binary)
                       for name, share in (("busy.csv", 1), ("busy.csv", .05), ("busy.stderr", .05)))
    store = f"{folder}/store.db"
    duck = ("import duckdb; duckdb.sql(\"SET threads = 2\"); print(duckdb.sql(\"SELECT count(*) FROM read_csv('%s', header = false, "
            "all_varchar = true, columns = {%s}) WHERE column12 = '28P01' OR regexp_matches(column13, "
            "'statement: (CREATE|ALTER|DROP|GRANT|REVOKE)')\").fetchall())"
            % (log, ", ".join(f"'column{i:02}': 'VARCHAR'" for i in range(26))))
    commands = {
        "pgvigil replay": (log, [options.binary, "replay", "--store", store, log], lambda: remove(store)),
        "ripgrep, two patterns": (log, ["rg", "-c", PATTERN, log], None),
        "wc -l": (log, ["wc", "-l", log], None),
        "grep -c, two patterns": (log, ["grep", "-cE", PATTERN, log], None),
        "DuckDB read_csv, two patterns, 2 threads": (log, [options.python, "-c", duck], None),
        "fail2ban-regex, one pattern": (text, ["fail2ban-regex", "--print-no-missed", text,
                                               r"client=<HOST>\(\d+\) FATAL:  password authentication failed for user"], None),
        "pgBadger, 2 jobs": (part, ["pgbadger", "-q", "-j", "2", "-f", "csv", "-o", f"{folder}/out.json", part], None),
    }
    found = alternate({name: (command, before) for name, (_, command, before) in commands.items()}, min(options.times, 3))
    own = os.path.getsize(log) / found["pgvigil replay"].seconds
    rows = []
    for name, (path, _, _) in commands.items():
        rate = os.path.getsize(path) / found[name].seconds
        rows.append([name, f"{os.path.getsize(path) / 1e6:.0f} MB", f"{found[name].seconds:.2f} s", f"{rate / 1e6:.1f} MB/s",
                     f"{own / rate:.2f}", f"{found[name].megabytes:.0f} MB"])
    table(["program", "log", "time", "rate", "pgvigil's rate / this", "memory"], rows)


def instructions(options, folder):
    """Instructions of a small replay: the same from run to run, whatever else the machine does."""
    rows = []
    for name in ("busy.csv", "audit.csv", "flood.csv"):
        log = make(folder, name, 4_000_000, options.binary)
        counts = []
        for path in ("/dev/null", log):
            remove(f"{folder}/store.db")
            done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", options.binary, "replay",
                                   "--store", f"{folder}/store.db", "--jobs", "1", path], capture_output=True, text=True)
            counts.append(int(re.search(r"Collected : (\d+)", done.stderr).group(1)))
        size = os.path.getsize(log)
        rows.append([name, f"{size / 1e6:.1f} MB", f"{counts[0] / 1e6:,.0f} M", f"{(counts[1] - counts[0]) / 1e6:,.0f} M",
                     f"{(counts[1] - counts[0]) / size:.1f}"])
    table(["log", "size", "instructions of an empty replay", "of this one, beyond that", "a byte"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--size", default="1G")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", help="logs by name, separated by commas")
    parser.add_argument("--peers", action="store_true", help="wc, grep, DuckDB, fail2ban-regex and pgBadger, too")
    parser.add_argument("--instructions", action="store_true", help="count instructions (valgrind), too")
    parser.add_argument("--python", default=sys.executable, help="a Python that has duckdb")
    parser.add_argument("--folder", help="where logs are made, and kept")
    options = parser.parse_args()
    number, unit = re.fullmatch(r"([\d.]+)([KMG]?)", options.size.upper()).groups()
    options.bytes, options.keep = int(float(number) * 1024 ** "_KMG".index(unit or "_")), bool(options.folder)
    folder = options.folder or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    try:
        compare(options, folder)
        if options.peers:
            peers(options, folder)
        if options.instructions:
            instructions(options, folder)
    finally:
        if not options.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
