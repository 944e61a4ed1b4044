"""Differences between expected and found, and the list of those that are explained."""
import collections
import dataclasses
import fnmatch
import json


@dataclasses.dataclass(frozen=True)
class Difference:
    run: str
    unit: str
    measure: str
    key: str
    expected: int
    found: int


def as_counter(value):
    return collections.Counter({"": value}) if isinstance(value, int) else value


def of(unit):
    for measure, value in unit.expected.items():
        expected, found = as_counter(value), as_counter(unit.measures[measure])
        for key in sorted(set(expected) | set(found)):
            if expected[key] != found[key]:
                yield Difference(unit.run.name, unit.name, measure, key, expected[key], found[key])


class Known:
    """An explained difference: which units of a run, which measure, and for each key what is expected and found.

    `lacks: host` says that the log names no address for these: keys are then compared without it.
    """

    def __init__(self, entry):
        self.runs, self.units, self.measure = entry["run"], entry["unit"], entry["measure"]
        self.keys = {key: tuple(pair) for key, pair in entry.get("keys", {}).items()}
        self.lacks = entry.get("lacks")
        self.record, self.why = entry["record"], entry["why"]
        self.missing = {}

    def covers(self, unit, measure):
        return (measure == self.measure and fnmatch.fnmatchcase(unit.run.name, self.runs)
                and any(fnmatch.fnmatchcase(unit.name, pattern) for pattern in self.units))

    def explain(self, differences):
        """Those of one unit and measure that stay unexplained."""
        if self.lacks == "host":
            return self.without_host(differences)
        seen = {difference.key: (difference.expected, difference.found) for difference in differences}
        for key, pair in self.keys.items():
            if seen.get(key) != pair:
                self.missing[differences[0].unit if differences else "-", key] = seen.get(key)
        return [d for d in differences if self.keys.get(d.key) != (d.expected, d.found)]

    def without_host(self, differences):
        """Nothing is left when the counts are the same without their first part."""
        rest = collections.Counter()
        for difference in differences:
            rest[difference.key.partition("|")[2]] += difference.expected - difference.found
        return [difference for difference in differences if rest[difference.key.partition("|")[2]]]


def load(path):
    return [Known(entry) for entry in json.loads(path.read_text("utf-8"))]


def unexplained(units, known):
    """What nothing explains, and explanations that no longer apply."""
    left = []
    used = set()
    for unit in units:
        by_measure = collections.defaultdict(list)
        for difference in of(unit):
            by_measure[difference.measure].append(difference)
        for entry in known:
            if not entry.covers(unit, entry.measure):
                continue
            used.add(entry)
            before = by_measure[entry.measure]
            if not before:
                entry.missing[unit.run.name, unit.name] = "no difference"
            by_measure[entry.measure] = entry.explain(before) if before else []
        left += [difference for some in by_measure.values() for difference in some]
    return left, [entry for entry in known if entry not in used or entry.missing]
