#!/usr/bin/env python3
"""Questions to a store of 200 days and ten million events.

    queries.py BINARY [--events 10000000] [--store FILE]

The store is made from a replayed log: its events again and again, each time a little later, with session ids and addresses of
their own. Its rows are like those of a store that grew; their chain is not, which no question asks for.
"""
import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile

from measure import Runs, run, table

HERE = os.path.dirname(os.path.abspath(__file__))


def make(binary, store, wanted, folder):
    log = f"{folder}/seed.csv"
    subprocess.run([sys.executable, f"{HERE}/make-log.py", "--size", "60M", "--profile", "attack", "--seed", "3", "--out", log], check=True,
                   stderr=subprocess.DEVNULL)
    subprocess.run([binary, "replay", "--store", store, log], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    db = sqlite3.connect(store)
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    columns = [row[1] for row in db.execute("PRAGMA table_info(events)")]
    first, last, count = db.execute("SELECT min(time), max(time), count(*) FROM events").fetchone()
    top = db.execute("SELECT max(seq) FROM events").fetchone()[0]
    rounds = wanted // count
    step = 200 * 86_400_000 // rounds
    for number in range(1, rounds):
        values = {"seq": f"seq + {top * number}", "origin": f"origin || '.{number:x}'", "time": f"time - {step * number}", "chain": "NULL"}
        db.execute(f"INSERT INTO events ({', '.join(columns)}) SELECT {', '.join(values.get(name, name) for name in columns)} "
                   f"FROM events WHERE seq <= {top}")
    db.commit()
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    return last


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--store")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or f"{folder}/store.db"
        if not os.path.exists(store):
            # In a process of its own: what this one holds would count as memory of those it starts.
            if not (child := os.fork()):
                make(options.binary, store, options.events, folder)
                os._exit(0)
            os.waitpid(child, 0)
        db = sqlite3.connect(store)
        count, = db.execute("SELECT count(*) FROM events").fetchone()
        ip, = db.execute("SELECT source_ip FROM (SELECT ip AS source_ip, count(*) AS n FROM alerts WHERE ip NOT NULL GROUP BY ip ORDER BY n DESC) LIMIT 1").fetchone()
        session, = db.execute("SELECT origin FROM events WHERE origin LIKE '%.%' ORDER BY seq DESC LIMIT 1").fetchone()
        alert, = db.execute("SELECT id FROM alerts ORDER BY time DESC LIMIT 1").fetchone()
        last, = db.execute("SELECT datetime(max(time) / 1000 - 3600, 'unixepoch') FROM events").fetchone()
        db.close()
        hour = last.replace(" ", "T") + "Z"
        print(f"{count:,} events, {os.path.getsize(store) / 1e9:.2f} GB\n")
        rows = []
        for name, command in {
            "events --limit 100": ["events", "--limit", "100"],
            "events --source-ip": ["events", "--source-ip", ip, "--limit", "100"],
            "events --action priv.superuser": ["events", "--action", "priv.superuser", "--limit", "100"],
            "events --since (one hour)": ["events", "--since", hour, "--limit", "1000"],
            "events --since --group-by source.ip": ["events", "--since", hour, "--group-by", "source.ip"],
            "events --session": ["events", "--session", session],
            "alerts": ["alerts", "--limit", "100"],
            "alerts show": ["alerts", "show", alert],
            "why ADDRESS": ["why", ip],
            "story ADDRESS": ["story", ip, "--limit", "50"],
            "story USER": ["story", "report_ro", "--limit", "50"],
            "story SESSION": ["story", session],
            "blocklist": ["blocklist", "--format", "plain"],
            "bans": ["bans"],
            "status": ["status"],
        }.items():
            runs = Runs()
            for _ in range(3):
                run([options.binary, command[0], "--store", store, *command[1:]] if command[:2] != ["alerts", "show"] else
                    [options.binary, "alerts", "show", "--store", store, alert], runs)
            rows.append([name, f"{runs.seconds:.2f} s", f"{runs.megabytes:.0f} MB"])
        table(["question", "median", "memory"], rows)


if __name__ == "__main__":
    main()
