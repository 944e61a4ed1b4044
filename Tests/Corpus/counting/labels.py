"""What each statement of a run is (`cat` of truth.jsonl), and whether an event of it says so (`tags`)."""
import bisect
import collections
import datetime

from .others import moment

# The truth's words where they are not pgvigil's.
WORDS = {"danger.drop": "ddl.drop", "ddl.other": "ddl", "replication": "conn.replication"}
# Nothing to be found, and texts that only look like something.
NOTHING = ("none", "error", "fake.", "bouncer.")
EARLY = datetime.timedelta(milliseconds=3)
LONGEST = datetime.timedelta(seconds=60)


def unlogged(run):
    """Truth rows of statements of which the log has nothing."""
    return {n for known in run.summary.get("visibility", {}).values() for n in known.get("invisible_truth_rows", ())}


def labelled(run):
    """(statement, word) of those that the server's log can tell of."""
    hidden = unlogged(run)
    for statement in run.events("statement"):
        if statement["n"] in hidden or "pid" not in statement:
            continue
        for word in statement.get("cat", ()):
            if not word.startswith(NOTHING):
                yield statement, WORDS.get(word, word)


def expected(run):
    return collections.Counter(f"{word}|n={statement['n']}" for statement, word in labelled(run))


class Timeline:
    """Times and what was at them, of each process."""

    def __init__(self, pairs):
        self.by_pid = collections.defaultdict(list)
        for pid, time, value in sorted(pairs, key=lambda pair: pair[1]):
            self.by_pid[pid].append((time, value))

    def between(self, pid, start, end):
        line = self.by_pid[pid]
        first = bisect.bisect_left(line, start, key=lambda entry: entry[0])
        last = bisect.bisect_right(line, end, key=lambda entry: entry[0])
        return [value for _, value in line[first:last]]

    def next(self, pid, time):
        line = self.by_pid[pid]
        index = bisect.bisect_right(line, time, key=lambda entry: entry[0])
        return line[index][0] if index < len(line) else time + LONGEST


def found(run, events, precision):
    """Words that an event of the statement's process has between it and the next one."""
    statements = Timeline((s.get("pid"), moment(s["time"]), s["n"]) for s in run.events("statement"))
    seen = Timeline((e.get("process.pid"), moment(e["@timestamp"]), e["tags"]) for e in events)
    counts = collections.Counter()
    for statement, word in labelled(run):
        start = moment(statement["time"])
        end = statements.next(statement["pid"], start)
        tags = seen.between(statement["pid"], start - EARLY - precision, end)
        if any(word in some for some in tags):
            counts[f"{word}|n={statement['n']}"] += 1
    return counts
