"""What must be found in PostgreSQL's own logs and in pgauditlogtofile's.

Counted from csvlog and jsonlog rows, checked against truth-summary.json where that counts the same, with the reasons of
truth.jsonl. A stderr log must give what the jsonlog beside it gives: at a rotation both get a record that csvlog keeps
in the old file.
"""
import collections

from . import rows as log_rows

# The truth's words for what the client did, and the log's for why the server refused. Of a role that does not exist
# the server says so only when it got to check a password.
REASONS = {
    ("bad_password", "28P01"): "bad_password",
    ("no_such_role", "28P01"): "unknown_role",
    ("no_such_role", "28000"): "hba_no_entry",
    ("expired", "28P01"): "expired_password",
    ("no_hba_entry", "28000"): "hba_no_entry",
    ("hba_reject", "28000"): "hba_reject",
    # Only pg_hba.conf knows that the same client would have been let in with TLS: the server names it no other way.
    ("no_encryption", "28000"): "hba_no_entry",
    ("nologin", "28000"): "nologin",
    ("backend_refuses_pooler", "28P01"): "bad_password",
}
LONGEST_NAME = 63  # NAMEDATALEN - 1, in bytes
STARTING = "57P03"  # the server starts or stops: of everybody, and nobody's act
PROBES = {"08P01", "0A000", "28000"}
TIMEOUT = "57014"
DENIED = "42501"
# Other words of log_statement are events only when the statement is a special one, and counted by their tags.
CHANGES = {
    "CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "TRUNCATE", "COMMENT", "REFRESH", "REINDEX", "SECURITY", "IMPORT",
    "CLUSTER", "REASSIGN",
}


def is_change(words):
    return words.partition(" ")[0] in CHANGES


class Attempts:
    """The refused logins of a run by who tried, in order: the truth knows why."""

    def __init__(self, run):
        self.reasons = collections.defaultdict(list)
        for connect in run.events("connect"):
            if connect.get("sqlstate") in ("28P01", "28000"):
                key = f"{connect['src']}|{shown_name(connect)}"
                self.reasons[key].append(REASONS[connect["reason"], connect["sqlstate"]])

    def next(self, actor):
        waiting = self.reasons[actor]
        return waiting.pop(0) if waiting else "(not in truth.jsonl)"

    def rest(self):
        """Those of which `next` was not asked."""
        return collections.Counter(f"{actor}|{reason}" for actor, left in self.reasons.items() for reason in left)


def shown_name(connect):
    """A user name as the server logs it: cut, and bytes that are not UTF-8 as \\xNN."""
    name = bytes.fromhex(connect["user_hex"]) if "user_hex" in connect else connect["user"].encode()
    return name[:LONGEST_NAME].decode("utf-8", "backslashreplace")


def failures(rows, attempts):
    return collections.Counter(f"{row.actor}|{attempts.next(row.actor)}" for row in rows if row.is_auth_failure)


def successes(rows):
    """Sessions that were authenticated or authorized and not refused afterwards."""
    admitted = {(row.server, row.session): row.actor for row in rows
                if row.tag == log_rows.AUTHENTICATION and row.state == "00000"}
    refused = {(row.server, row.session) for row in rows if row.tag == log_rows.STARTUP and row.state != "00000"}
    return collections.Counter(actor for session, actor in admitted.items() if session not in refused)


def refusals(rows):
    """Those who were who they said and were refused all the same, or never said who they were."""
    return collections.Counter(
        f"{row.actor}|{row.state}" for row in rows
        if not row.is_auth_failure and row.state not in ("00000", STARTING)
        and (row.tag == log_rows.STARTUP or row.tag == log_rows.AUTHENTICATION and row.state == TIMEOUT))


def probes(rows):
    return collections.Counter(
        f"{row.host}|{row.state}" for row in rows
        if not row.tag and row.state in PROBES and row.backend == "not initialized")


def denials(rows):
    """Statements refused for want of a privilege. What a RAISE words is an application's own."""
    return collections.Counter(
        row.actor for row in rows
        if row.state == DENIED and row.tag != log_rows.STARTUP and "RAISE" not in row.context.partition("\n")[0])


def audited(rows):
    return collections.Counter(audit for row in rows if (audit := row.audit))


def statements(rows):
    return collections.Counter(words for row in rows if (words := row.statement) and is_change(words))


def without_last(counts):
    """Sums by the keys without their last part."""
    sums = collections.Counter()
    for key, number in counts.items():
        sums[key.rpartition("|")[0]] += number
    return dict(sums)


def check(run, file, measures, count):
    """The rows counted here must be those that truth-summary.json counts."""
    known = run.summary["files"][file.name]
    here = (count, without_last(measures["failures"]), without_last(measures["audit"]))
    there = (known["records"], known["auth_failures_by_ip_user"], known["audit"].get("by_class", {}))
    if here != there:
        raise SystemExit(f"{run.name}/{file.name}: truth-summary.json counts otherwise:\n{here}\n{there}")


def refused_sessions(run):
    """Sessions that were authorized and refused all the same, by who it was: what folders of several logs must know."""
    return {row.session: row.actor for file in run.of_kind("csv") for row in log_rows.read(file)
            if row.tag == log_rows.STARTUP and row.state != "00000"}


def measured(rows, attempts):
    return {
        "failures": failures(rows, attempts), "successes": successes(rows), "refused": refusals(rows),
        "probes": probes(rows), "statements": statements(rows), "audit": audited(rows),
        "denied": denials(rows),
    }


def expected(run, files):
    """Of csv, json or stderr logs, one or several of one run."""
    if files[0].kind == "stderr" and not run.logs_to("stderr"):
        return {"records": sum(file.path.read_bytes().count(b" LOG:  ") for file in files)}
    sources = [run.sibling(file, "json") if file.kind == "stderr" else file for file in files]
    # A replica begins as a copy of its primary, log folder included: the same row again is the same record.
    all_rows = [row for source in sources for row in log_rows.read(source)]
    measures = measured(list(dict.fromkeys(all_rows)), Attempts(run))
    measures["records"] = len(all_rows)
    if len(files) == 1:
        check(run, sources[0], measures, len(all_rows))
    measures["text"] = sum(text_lines(run, file) for file in files)
    return measures


def text_lines(run, file):
    """Lines of a stderr log that are neither record nor part of one. Names with line breaks (`?`) look like that."""
    words = run.summary["files"][file.name].get("by_first_word", {}) if file.kind == "stderr" else {}
    return 0 if "?" in words else words.get("other", 0)
