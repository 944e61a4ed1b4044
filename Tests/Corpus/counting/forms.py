"""One server's log in several forms must give the same events."""
import collections
import datetime
import hashlib
import json
import re

# Where it was read. The identity is compared for json, which has csv's numbers; stderr's %l is another one.
PLACE = ("log.file.path", "log.offset")
NUMBERED = ("event.id", "postgresql.log.session_id", "postgresql.log.session_line_number")
# What a prefix may leave out, by the letter that would show it. Some of it pgvigil knows from other lines.
LETTERS = {
    "a": {"postgresql.log.application_name"}, "e": {"postgresql.log.sql_state_code"}, "d": {"db.namespace"}, "u": {"user.name"},
    "r": {"source.address", "source.ip", "source.port"},
}
# Words that rest on SQLSTATE or backend type alone, by the letter that would show these.
WORDS = {"e": {"sql.error"}, "b": {"conn.replication"}}
SAME = "the same"
DEFAULT_PREFIX = "%m [%p] "


def prefix_of(run):
    found = re.search(r"^log_line_prefix = '(.*)'$", run.readme, re.M)
    return found[1] if found else DEFAULT_PREFIX


def optional(prefix):
    """Fields that an event of a stderr log may lack."""
    fields = set().union(*(fields for letter, fields in LETTERS.items() if f"%{letter}" not in prefix))
    return fields - {"source.address", "source.ip"} if "%h" in prefix else fields


def precision(run, kind):
    """How much earlier than it was a time may stand there."""
    is_coarse = kind == "stderr" and "%m" not in prefix_of(run)
    return datetime.timedelta(seconds=1 if is_coarse else 0)


def named(text):
    """What a person can find an event by, and a digest of all the rest."""
    event = json.loads(text)
    what = event.get("message") or event.get("db.query.text") or event.get("user.name", "")
    return (f"{event['@timestamp']} {event['event.action']} {what[:80]!r} "
            f"{hashlib.sha256(text.encode()).hexdigest()[:8]}")


def comparable(event, without, has_milliseconds=True):
    kept = {key: value for key, value in event.items() if key not in without}
    if not has_milliseconds:
        kept["@timestamp"] = kept["@timestamp"].partition(".")[0]
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def without_words(events, prefix):
    """Events without words that the prefix cannot tell, and without those that are nothing else."""
    words = set().union(*(words for letter, words in WORDS.items() if f"%{letter}" not in prefix))
    kept = []
    for event in events:
        if event["event.action"] == "tamper.line_gap":
            # %l counts lines, not records.
            continue
        event = {**event, "tags": [tag for tag in event["tags"] if tag not in words or tag == event["event.action"] != "sql.error"]}
        if "%a" not in prefix and event["event.action"] == "forgery.attempt" and event.get("event.reason") == "name":
            continue
        if "%e" not in prefix and "forgery.attempt" in event["tags"]:
            # Nothing but the SQLSTATE itself tells what a RAISE gave.
            event.pop("postgresql.log.sql_state_code", None)
        if event["tags"]:
            kept.append(event)
    return kept


def compare(run, kind, csv_events, events):
    """Events of csv and of the other form. What the other may lack and lacks is not compared; what it has must be so."""
    without = PLACE + (() if kind == "json" else NUMBERED)
    may_lack = set() if kind == "json" else optional(prefix_of(run))
    has_milliseconds = not precision(run, kind)
    expected, found = collections.Counter(), collections.Counter()
    csv_by_lack = collections.defaultdict(collections.Counter)
    if kind == "stderr":
        csv_events, events = without_words(csv_events, prefix_of(run)), without_words(events, prefix_of(run))
    rest = list(csv_events)
    for event in sorted(events, key=lambda event: len(may_lack - event.keys())):
        lack = frozenset(may_lack - event.keys())
        csv_by_lack[lack][comparable(event, without, has_milliseconds)] += 1
    for lack in sorted(csv_by_lack, key=len):
        wanted = csv_by_lack[lack]
        left = []
        for event in rest:
            text = comparable(event, (*without, *lack), has_milliseconds)
            if wanted[text] > 0:
                wanted[text] -= 1
                expected[SAME] += 1
                found[SAME] += 1
            else:
                left.append(event)
        rest = left
        found.update({named(text): count for text, count in wanted.items() if count > 0})
    expected.update(named(comparable(event, without, has_milliseconds)) for event in rest)
    return expected, found


def add(units):
    """Gives the units of other forms the measure `same`."""
    for unit in units:
        if unit.kind not in ("json", "stderr"):
            continue
        csv = next((u for u in units if u.run is unit.run and u.kind == "csv" and u.name == partner(unit)), None)
        if csv and unit.kind == "json" or csv and unit.run.logs_to("stderr"):
            unit.expected["same"], unit.measures["same"] = compare(unit.run, unit.kind, csv.events, unit.events)


def partner(unit):
    """Weekday files are compared all together: at a rotation a record may be in the old csv and in the new json."""
    if unit.name.startswith("all "):
        return "all csv"
    if len([file for file in unit.run.of_kind("csv") if file.server == unit.files[0].server]) > 1:
        return None
    return unit.name.rpartition(".")[0] + ".csv"
