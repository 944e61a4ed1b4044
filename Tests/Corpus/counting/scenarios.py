"""What each scenario of a run must make pgvigil tell, what it must not, and what it did.

A scenario expects families: an alert of one of them about its source or its user, in its time. What only has to be known
(a reload, a backup that went well) may be an event. An alert that a scenario's `must_not` names counts against it, unless
another scenario of the same source or user expects it at that time; and nothing of medium severity or more may be told of
those who did nothing.
"""
import collections
import dataclasses
import datetime
import json
import subprocess

MINUTE = datetime.timedelta(minutes=1)

# Families of alerts, by the first word of what the truth expects; a whole word goes first.
FAMILIES = {
    "auth": {"auth"}, "conn": {"conn"}, "ddl": {"ddl"}, "priv": {"priv"}, "danger": {"danger"}, "tamper": {"tamper"},
    "exfil": {"exfil"}, "perm": {"perm"}, "sqli": {"sqli"}, "secret": {"secret"}, "server": {"server"}, "ha": {"ha"},
    "backup": {"backup"}, "bouncer": {"pooler"}, "forgery": {"forgery"},
    "priv.denied": {"priv", "perm"}, "conn.replication_attempt": {"conn", "auth"}, "ha.crash": {"ha", "server"},
    "ha.recovery": {"ha", "server"}, "ha.shutdown": {"ha", "server"}, "ha.restart": {"ha", "server"},
    "server.logger_restart": {"server", "tamper"}, "bouncer.restart": {"pooler", "server"},
}

# An event is enough for these: nothing is wrong.
EVENTS = {
    "ddl": {"ddl"}, "server.reload": {"config.reload"}, "server.restart": {"server.start", "server.stop"},
    "backup.ok": {"backup.done", "backup.command", "backup.resumed"},
    "backup.expire": {"backup.expired"}, "bouncer.restart": {"server.start", "server.stop", "config.reload"},
    "ha.bootstrap": {"ha.*"}, "ha.recovery": {"ha.*", "server.start"}, "ha.restart": {"ha.*", "server.start"},
    "ha.shutdown": {"server.stop", "ha.*"}, "ha.config_change": {"ha.*", "config.*"}, "ha.pause": {"ha.*"},
    "server.logger_restart": {"tamper.rotate"},
}

# Nobody of these does anything that anybody should be woken for.
BENIGN = {
    "setup", "app_traffic", "background", "human_typo", "deadlock", "everyday_errors", "terminate_and_cancel",
    "migration", "psql_prompt", "psql_prefer_typo", "pgbench", "monitor", "tcp_healthcheck", "big_statements",
    "sql_ascii_bytes", "invalid_utf8_statement", "pgbackrest_info", "pgbackrest_check", "pgbackrest_verify",
    "backend_trouble",
}


@dataclasses.dataclass
class Told:
    """An alert or event."""
    time: datetime.datetime
    first: datetime.datetime
    word: str  # family or action
    rule: str
    severity: str
    ip: str
    user: str
    tags: frozenset

    def is_about(self, actors):
        return self.ip in actors or self.user in actors


@dataclasses.dataclass
class Outcome:
    run: str
    scenario: dict
    expected: str
    found: bool


def time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def rows(binary, store, command):
    lines = subprocess.run([binary, command, "--store", store, "--format", "jsonl"], check=True, capture_output=True)
    return [json.loads(line) for line in lines.stdout.splitlines()]


def told(row, word, rule):
    moment = time(row["@timestamp"])
    return Told(moment, time(row.get("first_seen", row["@timestamp"])), word, rule, row.get("event.severity", "info"),
                row.get("source.ip") or row.get("source.address"), row.get("user.name"), frozenset(row.get("tags", [])))


def actors(scenario):
    """Addresses and users of a scenario."""
    names = set()
    for key in ("src", "user"):
        value = scenario.get(key)
        names.update(value if isinstance(value, list) else [value])
    for expected in scenario.get("expected", []):
        names.update(part for key in ("src", "user") for part in as_list(expected.get(key)))
    return names - {None, ""}


def as_list(value):
    return value if isinstance(value, list) else [value]


def fits(action, patterns):
    return any(action.startswith(p[:-1]) if p.endswith("*") else action == p for p in patterns)


def families(word):
    return FAMILIES.get(word) or FAMILIES[word.split(".")[0]]


class Scenarios:
    """A run's scenarios beside what was told."""

    def __init__(self, run, binary, store):
        self.run = run
        self.scenarios = run.scenarios()
        self.alerts = [told(row, row["rule.family"], row["rule.id"]) for row in rows(binary, store, "alerts")]
        self.events = [told(row, row["event.action"], "") for row in rows(binary, store, "events")]

    def span(self, scenario):
        """The scenario's time; what is decided later than it happened has a little more."""
        return time(scenario["time"]) - MINUTE / 30, time(scenario["end"]) + MINUTE * 2

    def during(self, told, scenario):
        start, end = self.span(scenario)
        return start <= told.time <= end

    def within(self, told, scenario):
        """The same without the time that decisions take: what came later is another's."""
        return self.span(scenario)[0] <= told.time <= time(scenario["end"]) + MINUTE / 30

    def outcomes(self):
        for scenario in self.scenarios:
            for expected in scenario.get("expected", []):
                yield Outcome(self.run.name, scenario, expected["rule"], self.is_found(scenario, expected))

    def is_found(self, scenario, expected):
        about = {part for key in ("src", "user") for part in as_list(expected.get(key))} - {None}
        if not about and families(expected["rule"]) <= {"ddl", "priv", "danger", "tamper", "exfil", "perm", "secret"}:
            about = actors(scenario)
        if any(alert.word in families(expected["rule"]) and self.during(alert, scenario)
               and (not about or alert.is_about(about)) for alert in self.alerts):
            return True
        actions = EVENTS.get(expected["rule"], set())
        return any(self.during(event, scenario) and any(fits(tag, actions) for tag in event.tags | {event.word})
                   and (not about or event.is_about(about)) for event in self.events)

    def extras(self):
        """Alerts that a scenario forbids, or that are about somebody who did nothing wrong."""
        for alert in self.alerts:
            for scenario in self.scenarios:
                if not self.within(alert, scenario) or not self.is_forbidden(alert, scenario):
                    continue
                if not self.is_expected(alert):
                    yield alert, scenario
                    break

    def is_forbidden(self, alert, scenario):
        about = actors(scenario)
        for word in scenario.get("must_not", []):
            if word.startswith("anything about "):
                if alert.ip == word.removeprefix("anything about "):
                    return True
            elif alert.is_about(about) and (word == "*" or alert.word in families(word)):
                # A scenario's own first word may be narrower than a family.
                if word in ("*",) or word.endswith(".*") or names(alert.rule, word):
                    return True
        return (scenario["kind"] in BENIGN and alert.is_about(about)
                and alert.severity in ("medium", "high", "critical"))

    def is_expected(self, alert):
        """Whether some scenario of the alert's source or user expects its family at that time."""
        return any(alert.is_about(actors(scenario) - {None}) and alert.word in families(expected["rule"])
                   and self.span(scenario)[0] <= alert.time and alert.first <= self.span(scenario)[1] + 30 * MINUTE
                   for scenario in self.scenarios for expected in scenario.get("expected", []))


# Rules by what the truth calls them where it forbids one thing of a family.
NARROW = {
    "auth.bruteforce": ("auth-bruteforce", "auth-slow", "auth-spray", "auth-distributed"),
    "auth.success_after_failures": ("auth-success",), "sqli.burst": ("sqli",), "perm.denied_burst": ("perm",),
    "server.crash": ("server-crash",), "conn.protocol_probe": ("conn-protocol", "conn-probe"), "ddl": ("ddl",),
}


def names(rule, word):
    return rule.startswith(NARROW.get(word, (word.replace(".", "-"),)))


def table(outcomes, extras):
    """Rows of kind of scenario, expected, found, missed, extra."""
    kinds = collections.defaultdict(lambda: [0, 0, 0])
    for outcome in outcomes:
        counts = kinds[outcome.scenario["kind"]]
        counts[0] += 1
        counts[1] += outcome.found
    for _, _, scenario in extras:
        kinds[scenario["kind"]][2] += 1
    yield f"{'scenario':34} {'expected':>8} {'found':>6} {'missed':>6} {'extra':>6}"
    for kind, (expected, found, extra) in sorted(kinds.items()):
        yield f"{kind:34} {expected:8} {found:6} {expected - found:6} {extra:6}"
    total = [sum(counts[i] for counts in kinds.values()) for i in range(3)]
    yield f"{'all':34} {total[0]:8} {total[1]:6} {total[0] - total[1]:6} {total[2]:6}"
