"""Talks to VictoriaLogs for the tests.

victorialogs.py events PORT TENANT SHIFT         events as pgvigil ships them, from JSON lines on standard input
victorialogs.py records PORT TENANT SHIFT FILE…  records as Pigsty's Vector ships them: csvlog, and PgBouncer's log
victorialogs.py query PORT TENANT                [{"query", "times": [seconds]}…] on standard input; prints the labels of
                                                 what each query gives at each time

SHIFT seconds are added to every time. TENANT keeps tests apart in one server.
"""
import csv, datetime, http.client, json, os, re, sys, urllib.parse

COLUMNS = ("time user db pid addr sid sln cmd stime vxid txid lv code msg detail hint iq iqp ctx q qp loc app btype lpid "
           "query").split()
LEVELS = {"PANIC": "emerg", "FATAL": "crit", "ERROR": "err", "WARNING": "warning", "NOTICE": "notice", "LOG": "info"}
csv.field_size_limit(1 << 28)


class Server:
    def __init__(self, port, tenant):
        self.connection = http.client.HTTPConnection("127.0.0.1", int(port))
        self.headers = {"AccountID": tenant, "ProjectID": "0"}

    def post(self, path, body, kind):
        self.connection.request("POST", path, body, {"Content-Type": kind, **self.headers})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {text[:2000]}")
        return text

    def insert(self, rows, streams):
        for start in range(0, len(rows), 1000):
            body = "\n".join(json.dumps(row) for row in rows[start:start + 1000])
            self.post(f"/insert/jsonline?_stream_fields={streams}&_msg_field=message", body.encode(),
                      "application/stream+json")

    def stats(self, query, time):
        form = urllib.parse.urlencode({"query": query, "time": f"{time:.3f}"})
        answer = json.loads(self.post("/select/logsql/stats_query", form, "application/x-www-form-urlencoded"))
        return [sample["metric"] for sample in answer["data"]["result"]]


def shown(time, shift):
    return (time + datetime.timedelta(seconds=shift)).isoformat(timespec="milliseconds") + "Z"


def parsed(text):
    return datetime.datetime.fromisoformat(text[:23].replace("Z", ""))


def events(shift):
    for line in sys.stdin:
        row = json.loads(line)
        row["_time"] = shown(parsed(row.pop("@timestamp")), shift)
        row.setdefault("message", row["event.action"])
        yield row | {"job": "pgvigil", "cls": "pg-test", "ins": "pg-test-1"}


def records(shift, path):
    where = {"cls": "pg-test", "ins": "pg-test-1", "ip": "10.0.0.1"}
    if path.endswith(".csv"):
        for columns in csv.reader(open(path, encoding="utf-8", errors="replace", newline="")):
            # An empty value is an absent one to VictoriaLogs.
            row = {name: value for name, value in zip(COLUMNS, columns) if value != ""}
            text = row.pop("time")
            assert text.endswith(" UTC"), text
            row["level"] = LEVELS.get(row["lv"], "unknown")
            yield row | where | {"job": "postgres", "_time": shown(parsed(text), shift),
                                 "message": ",".join(columns[13:22])[:8192]}
        return
    for line in open(path, encoding="utf-8", errors="replace"):
        if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{3} UTC ", line):
            yield where | {"job": "syslog", "app": "pgbouncer", "unit": "pgbouncer.service",
                           "_time": shown(parsed(line), shift), "message": line.rstrip("\n")}


def main():
    what, server = sys.argv[1], Server(*sys.argv[2:4])
    if what == "query":
        for wanted in json.load(sys.stdin):
            print(json.dumps([server.stats(wanted["query"], time) for time in wanted["times"]]))
    elif what == "events":
        server.insert(list(events(float(sys.argv[4]))), "job,ins")
    else:
        for path in sys.argv[5:]:
            server.insert(list(records(float(sys.argv[4]), path)), "job,ins,ip")


main()
