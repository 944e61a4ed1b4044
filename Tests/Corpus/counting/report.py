"""The table."""

COLUMNS = ("run", "file", "form", "records", "unread", "text", "failures", "successes", "refused", "probes",
           "statements", "audit", "denied", "tags", "other", "same")
NUMBERS = COLUMNS[3:]


def total(value):
    return value if isinstance(value, int) else sum(value.values())


def cell(unit, measure):
    """`expected/found` with a sign: equal key by key, or not."""
    found = unit.measures.get(measure)
    if measure not in unit.expected:
        return str(found) if isinstance(found, int) and found else ""
    expected = unit.expected[measure]
    if not total(expected) and not total(found):
        return "" if not isinstance(expected, int) else "0 ="
    return f"{total(expected)}/{total(found)} {'=' if expected == found else '≠'}"


def row(unit):
    return [unit.run.name, unit.name, unit.kind, *(cell(unit, measure) for measure in NUMBERS)]


def table(units):
    rows = [list(COLUMNS), *(row(unit) for unit in units), sums(units)]
    widths = [max(len(r[column]) for r in rows) for column in range(len(COLUMNS))]
    for line in rows:
        texts = line[:3]
        yield "  ".join([t.ljust(w) for t, w in zip(texts, widths)]
                        + [n.rjust(w) for n, w in zip(line[3:], widths[3:])]).rstrip()


def sums(units):
    """Of all rows: a file counts alone and again in its folder."""
    line = ["all rows", f"{len(units)}", ""]
    for measure in NUMBERS:
        with_both = [unit for unit in units if measure in unit.expected]
        line.append(f"{sum(total(unit.expected[measure]) for unit in with_both)}/"
                    f"{sum(total(unit.measures[measure]) for unit in with_both)}")
    return line


def shown(text, longest=200):
    text = text.encode("unicode_escape").decode()
    return text if len(text) <= longest else text[:longest] + "…"


def explanations(known):
    for entry in known:
        yield f"≠ {entry.runs}: {', '.join(entry.units)}: {entry.measure}"
        for key, (expected, found) in entry.keys.items():
            yield f"    {shown(key)}: expected {expected}, found {found}"
        yield f"    record: {entry.record}"
        yield f"    why: {entry.why}"


def problems(left, stale):
    for difference in left:
        yield (f"NOT EXPLAINED {difference.run}: {difference.unit}: {difference.measure}: {shown(difference.key, 900)}: "
               f"expected {difference.expected}, found {difference.found}")
    for entry in stale:
        yield (f"EXPLAINED BUT NOT SO {entry.runs}: {', '.join(entry.units)}: {entry.measure}: "
               f"{shown(str(entry.missing) if entry.missing else 'no such unit', 900)}")
