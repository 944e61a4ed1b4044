"""Talks to VictoriaLogs for the tests.

victorialogs.py records PORT FILE…  ships records as Pigsty's Vector does: csvlog, and PgBouncer's log
victorialogs.py query PORT          [{"query", "times": [seconds]}…] on standard input; prints the labels of what each query
                                    gives at each of its times, a line a query
"""

import csv
import datetime
import http.client
import json
import re
import sys
import urllib.parse

COLUMNS = (
    "time user db pid addr sid sln cmd stime vxid txid lv code msg detail hint iq iqp ctx q qp loc app btype lpid query"
).split()
LEVELS = {"PANIC": "emerg", "FATAL": "crit", "ERROR": "err", "WARNING": "warning", "NOTICE": "notice", "LOG": "info"}
csv.field_size_limit(1 << 28)


class Server:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", int(port))

    def post(self, path, body, kind):
        self.connection.request("POST", path, body, {"Content-Type": kind})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {text[:2000]}")
        return text

    def insert(self, rows):
        for start in range(0, len(rows), 1000):
            body = "\n".join(json.dumps(row) for row in rows[start : start + 1000])
            path = "/insert/jsonline?_stream_fields=job,ins,ip&_msg_field=message"
            self.post(path, body.encode(), "application/stream+json")

    def stats(self, query, time):
        form = urllib.parse.urlencode({"query": query, "time": f"{time:.3f}"})
        answer = json.loads(self.post("/select/logsql/stats_query", form, "application/x-www-form-urlencoded"))
        return [sample["metric"] for sample in answer["data"]["result"]]


def time(text):
    assert text[23:27] == " UTC", text
    return datetime.datetime.fromisoformat(text[:23]).isoformat(timespec="milliseconds") + "Z"


def records(path):
    where = {"cls": "pg-test", "ins": "pg-test-1", "ip": "10.0.0.1"}
    if path.endswith(".csv"):
        for columns in csv.reader(open(path, encoding="utf-8", errors="replace", newline="")):
            # An empty value is an absent one to VictoriaLogs.
            row = {name: value for name, value in zip(COLUMNS, columns) if value != ""}
            row["_time"] = time(row.pop("time"))
            row["level"] = LEVELS.get(row["lv"], "unknown")
            yield row | where | {"job": "postgres", "message": ",".join(columns[13:22])[:8192]}
        return
    for line in open(path, encoding="utf-8", errors="replace"):
        if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{3} UTC ", line):
            unit = {"job": "syslog", "app": "pgbouncer", "unit": "pgbouncer.service"}
            yield where | unit | {"_time": time(line), "message": line.rstrip("\n")}


server = Server(sys.argv[2])
if sys.argv[1] == "records":
    for name in sys.argv[3:]:
        server.insert(list(records(name)))
else:
    for wanted in json.load(sys.stdin):
        print(json.dumps([server.stats(wanted["query"], moment) for moment in wanted["times"]]))
