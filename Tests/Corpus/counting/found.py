"""What pgvigil finds: runs it on files into a store of their own and counts what it then tells."""
import collections
import json
import re
import subprocess

from . import others, rows, server

SUMMARY = {
    "records": re.compile(r"^read .*?, ([\d,]+) records? in ", re.M),
    "text": re.compile(r"^text: ([\d,]+) lines", re.M),
    "unread": re.compile(r"^unread: ([\d,]+)", re.M),
}


class Found:
    """What one replay found."""

    def __init__(self, binary, store, paths):
        done = run(binary, "replay", "--store", store, "--jobs", "1", "--format", "auto", *paths)
        # A file that could not be read shows as one with nothing in it.
        self.numbers = {name: number(pattern, done.stderr) for name, pattern in SUMMARY.items()}
        self.events = query(binary, "events", store) if done.returncode == 0 else []
        self.activity = query(binary, "activity", store) if done.returncode == 0 else []

    def count(self, key, of=lambda event: True):
        counts = collections.Counter()
        for event in self.events:
            if of(event):
                counts[key(event)] += event.get("event.count", 1)
        return counts

    def measures(self, of_run):
        """Logins of poolers and of servers are counted together: no run has both from the same client."""
        measures = {**self.numbers, **server_measures(self), "other": other_events(self, of_run)}
        for measure, counts in pooler_logins(self).items():
            measures[measure] = measures[measure] + counts
        return measures


def run(binary, *arguments):
    return subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, check=False)


def query(binary, what, store):
    done = run(binary, what, "--store", store, "--format", "jsonl")
    if done.returncode != 0:
        raise SystemExit(f"{what} of {store}: exit code {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def number(pattern, text):
    found = pattern.search(text)
    return int(found[1].replace(",", "")) if found else 0


def action(event):
    return event["event.action"]


def state(event):
    return event.get("postgresql.log.sql_state_code", "")


def host(event):
    return event.get("source.address", "")


def actor(event):
    return f"{host(event)}|{event.get('user.name', '')}"


def is_server(event):
    return event["event.dataset"] in ("postgresql.log", "pgaudit")


def is_logged_statement(event):
    """What only pgaudit or an error told of is no record of log_statement; of a record its first statement counts."""
    return (event["event.dataset"] == "postgresql.log" and state(event) == "00000" and "db.query.text" in event
            and "." not in event["event.id"].rpartition("-")[2])


def statements(found):
    words = found.count(lambda event: rows.first_words(event["db.query.text"]), is_logged_statement)
    return collections.Counter({key: count for key, count in words.items() if server.is_change(key)})


def audited(found):
    counts = collections.Counter()
    for row in found.activity:
        if "pgaudit.class" in row:
            counts[f"{row['pgaudit.class']}|{row.get('db.operation.name', '')}"] += row["event.count"]
    return counts


def server_measures(found):
    return {
        "failures": found.count(
            lambda event: f"{actor(event)}|{event.get('event.reason', '')}",
            lambda event: is_server(event) and action(event) == "auth.failure"),
        "successes": found.count(actor, lambda event: is_server(event) and action(event) == "auth.success"),
        "refused": found.count(
            lambda event: f"{actor(event)}|{state(event)}",
            lambda event: is_server(event) and action(event) in ("auth.refused", "auth.timeout")),
        "probes": found.count(
            lambda event: f"{host(event)}|{state(event)}",
            lambda event: is_server(event) and action(event) == "probe.protocol"),
        "statements": statements(found),
        "audit": audited(found),
        "denied": found.count(actor, lambda event: is_server(event) and "perm.denied" in event.get("tags", [])),
    }


def from_log(name):
    return lambda event: event["event.dataset"] == name


def pooler_logins(found):
    is_pooler = from_log("pgbouncer.log")
    actions = {"failures": ["auth.failure"], "refused": ["auth.refused", "auth.timeout"], "probes": ["probe.protocol"]}
    keys = {"probes": lambda event: event.get("event.reason", "")}
    return {
        measure: found.count(
            keys.get(measure, lambda event: f"{actor(event)}|{event.get('event.reason', '')}"),
            lambda event, wanted=wanted: is_pooler(event) and action(event) in wanted)
        for measure, wanted in actions.items()
    }


def console(event):
    """A command on PgBouncer's console, or a login to it."""
    if host(event):
        return f"pooler.admin|{event.get('user.name', '')}@{host(event)}"
    return f"{action(event)}|{event.get('db.operation.name', '') if action(event) == 'pooler.admin' else ''}"


def other_events(found, of_run):
    """Events of Patroni by scenario, of PgBouncer's console and process, of pgBackRest by outcome."""
    patroni = [event for event in found.events if from_log("patroni.log")(event)]
    counts = others.Cluster(of_run).found(patroni) if patroni else collections.Counter()
    counts += found.count(console, lambda event: from_log("pgbouncer.log")(event) and not is_login(event))
    return counts + found.count(action, from_log("pgbackrest.log"))


def is_login(event):
    return action(event).startswith(("auth.", "probe."))
