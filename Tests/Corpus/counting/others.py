"""What must be found in the logs of PgBouncer, Patroni and pgBackRest, by truth.jsonl."""
import collections
import datetime
import re

# --- PgBouncer: action and reason by what the client did, and whether the log tells who it was.
REFUSED_AT_POOLER = {
    "bad_password": ("auth.failure", "bad_password", True),
    "no_such_role": ("auth.failure", "unknown_role", True),
    "tls_required": ("auth.failure", "no_encryption", False),  # before the client says who it is
    "no_such_database": ("auth.refused", "no_such_database", True),
    "not_admin": ("auth.refused", "no_privilege", True),
    "backend_down": ("auth.refused", "server_down", True),
    "login_timeout": ("auth.timeout", "timeout", True),
    None: ("auth.refused", "connection_limit", False),  # max_client_conn
}
TOO_LONG = "username too long"
# Why PgBouncer hung up on what was no client of its protocol (`closing_because` of truth-summary.json).
PROBED = {
    "client sent partial pkt in startup phase": "malformed", "bad packet header: 'HEX'": "malformed",
    "old V2 protocol not supported": "malformed", "no username supplied": "no_user_name",
    "username too long": "name_too_long",
}
# What the console logs; SHOW and SET leave nothing.
LOGGED_COMMANDS = ("RELOAD", "PAUSE", "RESUME", "DISABLE", "ENABLE", "KILL", "NONSENSE")
CONSOLE = "pgbouncer"  # the database of that name


def pooler(run, file):
    bouncer = file.name.removesuffix(".log")
    scenarios = {s["scenario"]: s for s in run.scenarios() if s.get("bouncer") == bouncer}
    ours = [a for a in run.actions if a["type"] == "event" and a.get("scenario") in scenarios]
    known = run.summary["files"][file.name]
    return {
        "records": known["records"],
        "probes": pooler_probes(known["closing_because"]),
        "failures": pooler_logins(ours, "auth.failure"),
        "refused": pooler_logins(ours, "auth.refused", "auth.timeout"),
        "other": pooler_console(ours) + pooler_process(ours),
    }


def pooler_logins(actions, *wanted):
    counts = collections.Counter()
    for connect in actions:
        if connect["kind"] != "connect" or connect["outcome"] == "ok":
            continue
        if connect.get("client_message") == TOO_LONG or connect.get("reason") == "backend_refuses_pooler":
            continue  # a malformed packet, and the pooler's own trouble
        action, reason, is_named = REFUSED_AT_POOLER[connect.get("reason")]
        if action in wanted:
            counts[f"{connect['src']}|{connect['user'] if is_named else ''}|{reason}"] += 1
    return counts


def pooler_probes(closing_because):
    counts = collections.Counter()
    for words, count in closing_because.items():
        if words in PROBED:
            counts[PROBED[words]] += count
    return counts


def pooler_console(actions):
    """Commands on the console, and logins to it."""
    counts = collections.Counter()
    for action in actions:
        if action["kind"] == "statement" and "bouncer.admin" in action.get("cat", []):
            word = action["sql"].split(" ")[0]
            if word in LOGGED_COMMANDS:
                counts[f"pooler.admin|{word if action['outcome'] == 'ok' else ''}"] += 1
        elif action["kind"] == "connect" and action["database"] == CONSOLE:
            counts[f"pooler.admin|{action['user']}@{action['src']}"] += 1
    return counts


def pooler_process(actions):
    """Signals; every pooler was started once more, before its first scenario, and stopped after its last."""
    words = {"pgbouncer SIGHUP": ["config.reload"], "pgbouncer SIGTERM": ["server.stop"],
             "pgbouncer started": ["server.start"]}
    counts = collections.Counter({"server.start|": 1, "server.stop|": 1})
    for action in actions:
        if action["kind"] == "server":
            counts.update(f"{word}|" for word in words[action["what"]])
        if action.get("reason") == "backend_refuses_pooler":
            counts["pooler.server_refused|"] += 1
    return counts


# --- Patroni: the events that each kind of scenario must leave in the logs of the nodes, and those it may leave too.
MUST = {
    "bootstrap": {"ha.bootstrap"},
    "config_patch": {"ha.config", "config.reload"},
    "rest_api_unauthorised": set(),  # no line at INFO, says the truth
    "restart_by_api": {"ha.restart|requested"},
    "switchover": {"ha.switchover|requested", "ha.leader_change|demoted", "ha.leader_change|requested"},
    "switchover_refused": {"ha.switchover|requested"},
    "leader_postgres_killed": {"ha.restart|crash"},
    "failover_node_killed": {"ha.failover"},
    "pause_resume": {"ha.pause"},
    "dcs_outage": {"ha.dcs_lost", "ha.leader_change|demoted", "ha.leader_change|resumed"},
    "manual_failover": {"ha.failover|requested", "ha.leader_change|demoted", "ha.leader_change|requested"},
    "clean_shutdown": set(),  # Patroni logs nothing when it is told to end
}
MAY = {
    "restart_by_api": {"config.reload"},
    "switchover": {"ha.restart|not_running"},
    "leader_postgres_killed": {"ha.leader_change|resumed", "ha.restart|not_running"},
    "failover_node_killed": {"ha.restart|crash"},
    "failover_node_killed refused": {"ha.restart|crash", "ha.failover"},
}
REFUSED_FAILOVER = {"ha.failover|replication_lag"}
MARGIN = datetime.timedelta(milliseconds=300)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Cluster:
    """Sorts the events of all nodes by the scenario in whose time they are."""

    def __init__(self, run):
        self.scenarios = [(s, moment(s["time"]) - MARGIN, moment(s["end"]) + MARGIN) for s in run.scenarios()]

    def must(self):
        return collections.Counter(
            f"{s['scenario']}|{event}" for s, _, _ in self.scenarios for event in Cluster.needed(s))

    @staticmethod
    def needed(scenario):
        if is_refused(scenario):
            return REFUSED_FAILOVER
        return MUST[scenario["kind"]]

    @staticmethod
    def allowed(scenario):
        name = scenario["kind"] + (" refused" if is_refused(scenario) else "")
        return Cluster.needed(scenario) | MAY.get(name, set())

    def found(self, events):
        """An event that must be there counts once a scenario, one that has no place in any as often as it is there."""
        needed, stray = set(), collections.Counter()
        for event in events:
            words = f"{event['event.action']}|{event.get('event.reason', '')}".rstrip("|")
            here = [s for s, start, end in self.scenarios if start <= moment(event["@timestamp"]) <= end]
            fitting = [s for s in here if words in Cluster.allowed(s)]
            if not fitting:
                stray[f"{here[0]['scenario'] if here else 'no scenario'}|{words}"] += 1
            needed.update(f"{s['scenario']}|{words}" for s in fitting if words in Cluster.needed(s))
        return collections.Counter(needed) + stray


def is_refused(scenario):
    return any(expected["rule"] == "ha.failover_refused" for expected in scenario["expected"])


def patroni(run, file):
    levels = run.summary["files"][file.name]["levels"]
    return {"records": sum(levels.values())}


SERVER_LINE = re.compile(rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]* \w+ \[\d+\] ", re.M)


def patroni_stdout(run, file):
    """The server's own first lines stand among what initdb, pg_ctl and pg_isready print."""
    content = file.path.read_bytes()
    details = len(re.findall(SERVER_LINE.pattern + rb"(?:DETAIL|HINT|CONTEXT|STATEMENT): ", content, re.M))
    lines = len(content.splitlines())
    records = len(SERVER_LINE.findall(content))
    return {"records": records - details, "text": lines - records}


# --- pgBackRest: the event of a command by its outcome; a backup expires others when it is done.
BACKUP_EVENTS = {
    ("backup", True): "backup.done", ("backup", False): "backup.failed", ("stop", True): "backup.stopped",
    ("start", True): "backup.resumed", ("restore", True): "backup.restore", ("stanza-delete", True): "backup.deleted",
}
BEGUN = re.compile(rb" INFO: backup command begin ")
COMMAND = re.compile(rb" INFO: (?:check|verify|expire|annotate|stanza-create|stanza-upgrade) command end: completed")
EXPIRED = re.compile(rb"remove expired backup ")
# The console shows errors and warnings without a time.
RECORD = re.compile(rb"^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} )?(?:P\d+ +)?(?:ERROR|WARN|INFO|DETAIL): ", re.M)


def backups(run, file):
    content = file.path.read_bytes()
    counts = collections.Counter()
    for action in run.events("pgbackrest"):
        event = BACKUP_EVENTS.get((action["command"], action["rc"] == 0))
        if event and writes_to(file, action):
            counts[event] += 1
    if begun := len(BEGUN.findall(content)):
        counts["backup.begin"] = begun
    if ended := len(COMMAND.findall(content)):
        counts["backup.command"] = ended
    if expired := len(EXPIRED.findall(content)):
        counts["backup.expired"] = expired
    return {"records": len(RECORD.findall(content)), "other": counts}


def writes_to(file, action):
    """The console shows every command; each has a file of its own."""
    return file.name == "pgbackrest-console.log" or file.name.endswith(f"-{action['command']}.log")
