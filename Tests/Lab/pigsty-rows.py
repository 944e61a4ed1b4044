"""Makes of logs the rows that Pigsty's Vector makes of them, one JSON object a line.

pigsty-rows.py [--cls NAME] [--ins NAME] [--late SECONDS] FILE…

By a file's name: *.csv is a server's csvlog, *pgbouncer* PgBouncer's log (as the journal carries it), *patroni*
Patroni's, *pgbackrest-NAME* pgBackRest's. `_time` is the log's own; with --late it is that many seconds later, as when
Vector took its own clock.
"""
import argparse, csv, datetime, json, os, re, sys

COLUMNS = ("time user db pid addr sid sln cmd stime vxid txid lv code msg detail hint iq iqp ctx q qp loc app btype lpid "
           "query").split()
LEVELS = {"PANIC": "emerg", "FATAL": "crit", "ERROR": "err", "WARNING": "warning", "NOTICE": "notice", "LOG": "info",
          "INFO": "info", "CRITICAL": "crit", "WARN": "warning", "DETAIL": "info"}
HEAD = re.compile(r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d{3})(?P<rest>.*)", re.S)
csv.field_size_limit(1 << 28)


def shown(text, late):
    time = datetime.datetime.fromisoformat(text[:23].replace(",", "."))
    return (time + datetime.timedelta(seconds=late)).isoformat(timespec="milliseconds") + "Z"


def server(path, late):
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        for columns in csv.reader(file):
            if len(columns) < 23 or not columns[0].endswith(" UTC"):
                continue
            row = dict(zip(COLUMNS, columns))
            row["_time"] = shown(row.pop("time"), late)
            row["level"] = LEVELS.get(row["lv"], "unknown")
            row["message"] = ",".join(columns[13:22])[:8192]
            # An empty field is no field in VictoriaLogs.
            yield {"job": "postgres"} | {key: value for key, value in row.items() if value}


def records(path):
    """Lines that start with a time, each with those behind it that do not."""
    held = None
    for line in open(path, encoding="utf-8", errors="replace"):
        line = line.rstrip("\n")
        if HEAD.match(line):
            if held is not None:
                yield held
            held = line
        elif held is not None and not line.startswith("-----"):
            held += "\n" + line
    if held is not None:
        yield held


def pgbouncer(path, late):
    last, count = None, 0
    for line in open(path, encoding="utf-8", errors="replace", newline="\n"):
        line = line.rstrip("\n")
        # The journal has a row for each line, and a clock that counts microseconds.
        is_head = HEAD.match(line)
        if not is_head and last is None:
            continue
        count = 0 if is_head and line[:23] != last else count + 1
        last = line[:23] if is_head else last
        yield {"job": "syslog", "app": "pgbouncer", "unit": "pgbouncer.service",
               "_time": f"{shown(last, late)[:-1]}{count:03}Z", "message": line}


def patroni(path, late):
    for record in records(path):
        found = re.match(r" (?P<level>[A-Z]+): (?P<text>.*)", HEAD.match(record)["rest"], re.S)
        if found:
            yield {"job": "patroni", "topic": "main", "_time": shown(record, late), "level": LEVELS[found["level"]],
                   "message": found["text"]}


def pgbackrest(path, late):
    topic = os.path.basename(path).removeprefix("pgbackrest-").removesuffix(".log")
    for record in records(path):
        yield {"job": "pgbackrest", "topic": topic, "_time": shown(record, late), "message": record}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cls", default="pg-test")
    parser.add_argument("--ins", default="pg-test-1")
    parser.add_argument("--late", type=float, default=0)
    parser.add_argument("files", nargs="+")
    wanted = parser.parse_args()
    for path in wanted.files:
        name = os.path.basename(path)
        kind = (server if name.endswith(".csv") else pgbouncer if "pgbouncer" in name
                else patroni if "patroni" in name else pgbackrest)
        for row in kind(path, wanted.late):
            print(json.dumps(row | {"cls": wanted.cls, "ins": wanted.ins, "ip": "10.0.0.1"}))


main()
