#!/usr/bin/env python3
"""Makes a log of a given size to measure with: PostgreSQL 15's csvlog, jsonlog or stderr, or PgBouncer's.

    make-log.py --size 1G --profile busy --seed 7 --out busy.csv    (without --out: to standard output)
    make-log.py --size 1G --profile audit --format json --out audit.json

Profiles: quiet (few sessions, hours of log), busy (24 % connection lines, 6 % logins, the rest durations and
statements, 3 % of them over several lines, now and then an attack), attack (every second block holds one), audit
(pgaudit's records of nearly every statement), flood (95 % of what comes are failed logins, of many addresses).
Same arguments, same bytes. What was written is told as one JSON line on standard error.

A log is a run of blocks of some seconds in which sessions begin and end, so that only the clock, pids and
attackers' addresses change when a block is used again: rendered once, split there, filled and joined each time.
"""
import argparse
import collections
import json
import operator
import random
import re
import sys
import time

from shapes import SHAPES

# seconds and sessions of a block, statements of a session, share of blocks with an attack, share of audited statements
PROFILES = {"quiet": (300, 60, (2, 16), .04, 0), "busy": (4, 160, (4, 22), .02, 0), "attack": (20, 24, (1, 9), .5, 0),
            "audit": (4, 60, (20, 60), .02, .9), "flood": (4, 2, (1, 2), 1, 0)}
VARIANTS, ATTACKERS = 24, 24
APPS = [("shop_app", "shop", "shop-web", "10.20.1."), ("billing_app", "billing", "PostgreSQL JDBC Driver", "10.20.2."),
        ("report_ro", "dwh", "metabase", "10.20.3."), ("api", "shop", "", "10.20.4.")]
NAMES = "postgres admin root shop_app billing_app report_ro test oracle backup anna boris chen".split()
TABLES = "orders order_lines customers invoices stock sessions price_list".split()
STATEMENTS = [
    "SELECT id, state, total FROM {t} WHERE customer_id = {n} ORDER BY id DESC LIMIT 20",
    "UPDATE {t} SET note = 'it''s \"{n}\", paid' WHERE id = {n} RETURNING id",
    "INSERT INTO {t} (id, name, note) VALUES ({n}, 'Zoë', 'a;b -- c')",
    "SELECT count(*) FROM {t} a JOIN customers c ON c.id = a.customer_id WHERE a.id > {n}"]
SSL = " SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)"
HBA = 'Connection matched pg_hba.conf line 15: "host    all             all             0.0.0.0/0               scram-sha-256"'


class Block:
    """Rows of some seconds; \\0k\\0 stands for the k-th of the values that change from use to use."""

    def __init__(self, rng, shape, seconds, sessions, statements, audited, attack):
        self.rng, self.seconds, self.rows, self.sessions, self.counts = rng, seconds, [], [], collections.Counter()
        self.shape, self.audited = shape, audited
        for _ in range(sessions):
            self.session(rng.choice(APPS), rng.randrange(*statements))
        if attack == "flood":
            self.flood()
        elif attack:
            self.attack(rng.choice(["brute force", "spray", "distributed", "broken in"]))
        self.pieces = re.split(rb"\0(\d+)\0", "".join(row for _, _, row in sorted(self.rows)).encode())
        self.fill = operator.itemgetter(*map(int, self.pieces[1::2]))

    def row(self, at, session, line, message, tag, user="", database="", severity="LOG", state="00000", detail="", query="", app="",
            kind="client backend"):
        number, start = session
        vxid = f"{number % 60 + 3}/{self.rng.randrange(1, 99999)}" if user and not message.startswith("disconnection") else ""
        _, host, port = self.sessions[number]
        pid = self.seconds * 2 + ATTACKERS + number * 2
        said = self.shape(dict(
            time=f"\0{at // 1000}\0.{at % 1000:03d}", user=user, database=database, pid=f"\0{pid}\0", pid_hex=f"\0{pid + 1}\0",
            host=host if isinstance(host, str) else f"\0{self.seconds + host}\0", port=port, start=f"\0{start}\0",
            start_hex=f"\0{self.seconds + ATTACKERS + start}\0", line=line, tag=tag, vxid=vxid, severity=severity, state=state,
            message=message, detail=detail, query=query, app=app, kind=kind))
        self.rows.append((at, len(self.rows), said))
        self.counts["records"] += 1 if said else 0

    def open(self, at, host, quiet=False):
        """A connection received; host is an address or the number of an attacker. Returns what names the session."""
        port = self.rng.randrange(32768, 61000)
        session = len(self.sessions), at // 1000
        self.sessions.append((at // 1000, host, port))
        where = host if isinstance(host, str) else f"\0{self.seconds + host}\0"
        if not quiet:
            self.row(at, session, 1, f"connection received: host={where} port={port}", "", kind="not initialized")
        return session, f"host={where} port={port}"

    def login(self, at, host, user, database, app=""):
        session, where = self.open(at, host)
        known = f'connection authenticated: identity="{user}" method=scram-sha-256 (/etc/postgresql/15/main/pg_hba.conf:13)'
        name = f" application_name={app}" if app else ""
        allowed = f"connection authorized: user={user} database={database}{name}{SSL}"
        for line, message in ((2, known), (3, allowed)):
            self.row(at + 3, session, line, message, "authentication", user, database)
        self.counts["authorized"] += 1
        return session, where

    def session(self, who, statements):
        rng, (user, database, app, net) = self.rng, who
        at = rng.randrange(self.seconds * 1000 - 900)
        session, where = self.login(at, f"{net}{rng.randrange(2, 250)}", user, database, app)
        moments = sorted(rng.randrange(at + 10, self.seconds * 1000 - 5) for _ in range(statements))
        audited = 0
        for line, moment in enumerate(moments, 4):
            sql = rng.choice(STATEMENTS).format(t=rng.choice(TABLES), n=rng.randrange(10 ** 7))
            if rng.random() < .03:
                sql = re.sub(r" (FROM|SET|VALUES|WHERE|GROUP|ORDER)", r"\n  \1", sql) + "\n  -- " + "list " * rng.randrange(3, 20)
            verb, kind = sql.split()[0], rng.random()
            if rng.random() < self.audited:
                audited += 1
                self.audit(moment, session, line, audited, sql, verb, user, database, app)
                continue
            if kind < .02:
                self.row(moment, session, line, 'column "discont" does not exist', verb, user, database, "ERROR", "42703", query=sql, app=app)
            elif kind < .03:
                self.row(moment, session, line, f"statement: CREATE TEMP TABLE t{rng.randrange(999)} AS {sql}", "idle", user, database, app=app)
            else:
                form, detail = ("execute S_7", f"parameters: $1 = '{rng.randrange(9999)}'") if kind < .2 else ("statement", "")
                message = f"duration: {rng.randrange(100, 3000)}.{rng.randrange(1000):03d} ms  {form}: {sql}"
                self.row(moment, session, line, message, verb, user, database, detail=detail, app=app)
        ms = moments[-1] + 4 - at
        message = f"disconnection: session time: 0:{ms // 60000:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d} user={user} database={database} {where}"
        self.row(at + ms, session, statements + 4, message, "idle", user, database, app=app)

    def audit(self, at, session, line, number, sql, verb, user, database, app):
        """pgaudit's record of a statement (pgaudit.log = all)."""
        quoted = '"' + sql.replace('"', '""') + '"' if re.search('[",\n]', sql) else sql
        group, table = ("READ" if verb == "SELECT" else "WRITE"), self.rng.choice(TABLES)
        message = f"AUDIT: SESSION,{number},1,{group},{verb},TABLE,public.{table},{quoted},<not logged>"
        self.row(at, session, line, message, verb, user, database, app=app)

    def flood(self):
        """A thousand failures from as many addresses as a block has, all with names that are not there."""
        for i in range(1000):
            at = self.seconds * 1000 * i // 1000
            session, _ = self.open(at, i % ATTACKERS, quiet=i % 20)
            user = f"{NAMES[i % len(NAMES)]}{i % 97}"
            self.row(at, session, 2, f'password authentication failed for user "{user}"', "authentication", user, "shop", "FATAL", "28P01",
                     f'Role "{user}" does not exist.\n' + HBA)
        self.counts.update({"auth_failures": 1000, "attacks": 1})

    def attack(self, kind):
        count, width = self.rng.randrange(12, 60), self.seconds * 900
        for i in range(count):
            at, user = width * i // count, NAMES[i % len(NAMES)] if kind == "spray" else "report_ro"
            session, _ = self.open(at, i % ATTACKERS if kind == "distributed" else 0)
            detail = (f'Role "{user}" does not exist.\n' if user in ("admin", "root", "test", "oracle", "backup") else "") + HBA
            message = f'password authentication failed for user "{user}"'
            self.row(at + 4, session, 2, message, "authentication", user, "shop", "FATAL", "28P01", detail)
        if kind == "broken in":
            session, _ = self.login(width + 20, 0, "report_ro", "shop")
            self.row(width + 31, session, 4, "statement: ALTER ROLE report_ro SUPERUSER", "idle", "report_ro", "shop")
        self.counts.update({"auth_failures": count, "attacks": 1})

    def render(self, now, pid, rng):
        """The bytes of the block that begins at this second (since the epoch) with this pid."""
        values = [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + s)).encode() for s in range(self.seconds)]
        addresses = [f"198.{rng.randrange(18, 20)}.{rng.randrange(256)}.{rng.randrange(1, 255)}" for _ in range(ATTACKERS)]
        values += map(str.encode, addresses)
        values += [f"{now + second:x}".encode() for second in range(self.seconds)]
        for number in range(pid, pid + len(self.sessions)):
            values += (b"%d" % number, b"%x" % number)
        self.pieces[1::2] = self.fill(values)
        return b"".join(self.pieces)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="100M", help="stop after the block that reaches it: 500K, 100M, 1G")
    parser.add_argument("--profile", choices=PROFILES, default="busy")
    parser.add_argument("--format", choices=SHAPES, default="csv")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="-", metavar="FILE")
    options = parser.parse_args()
    number, unit = re.fullmatch(r"([\d.]+)([KMG]?)", options.size.upper()).groups()
    size = float(number) * 1024 ** "_KMG".index(unit or "_")
    seconds, sessions, statements, share, audited = PROFILES[options.profile]
    rng = random.Random(f"{options.profile} {options.seed}")
    kind = "flood" if options.profile == "flood" else True
    calm, attacked = ([Block(rng, SHAPES[options.format], seconds, sessions, statements, audited, attack)
                       for _ in range(VARIANTS)] for attack in (False, kind))
    now, pid, told = 1775001600, 2000, collections.Counter()  # 2026-04-01 UTC
    with (sys.stdout.buffer if options.out == "-" else open(options.out, "wb")) as out:
        while told["bytes"] < size:
            block = rng.choice(attacked if rng.random() < share else calm)
            told.update(block.counts, bytes=out.write(block.render(now, pid, rng)))
            now, pid = now + seconds, 2000 + (pid - 2000 + len(block.sessions)) % 4_000_000
    print(json.dumps({**vars(options), **told}), file=sys.stderr)


if __name__ == "__main__":
    main()
