#!/usr/bin/env python3
"""Prints what the scenarios of the corpus must make pgvigil tell, and what it tells.

    alerts.py BINARY [--run NAME]... [--patterns FOLDER] [--verbose]

Each run's logs are replayed as they lie in its folder, with loopback treated as the outside world. Missed and extra
alerts must stand in known-alerts.json with the reason; the exit code is 1 when one does not, or is none any more.
"""
import argparse
import fnmatch
import json
import pathlib
import subprocess
import sys
import tempfile

from counting import runs, scenarios

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--run", action="append", help="only this run")
    parser.add_argument("--patterns", type=pathlib.Path, help="this catalogue instead of the built-in one")
    parser.add_argument("--verbose", action="store_true", help="every alert of every run")
    return parser.parse_args()


def look(archive, options, folder):
    run = runs.unpack(archive, folder / archive.name)
    config, store = folder / "config.yml", folder / f"{run.name}.db"
    text = "bans: {mode: enforce, loopback: true}\n"
    if options.patterns:
        text += f"patterns: {options.patterns.resolve()}\n"
    config.write_text(text)
    binary = options.binary.resolve()
    subprocess.run([binary, "replay", "--config", config, "--store", store, run.logs], check=True, capture_output=True)
    return scenarios.Scenarios(run, binary, store)


def key(run, kind, word):
    return f"{run}|{kind}|{word}"


class Known:
    """Entries of known-alerts.json: `run`, `kind`, `word` as patterns, `is` missed or extra, and why."""

    def __init__(self, path):
        self.entries = json.loads(path.read_text("utf-8"))
        self.used = set()

    def explains(self, what, run, kind, word):
        for number, entry in enumerate(self.entries):
            if entry["is"] == what and all(
                    fnmatch.fnmatchcase(value, entry[name])
                    for name, value in (("run", run), ("kind", kind), ("word", word))):
                self.used.add(number)
                return True
        return False

    def stale(self, ran):
        return [entry for number, entry in enumerate(self.entries)
                if number not in self.used and any(fnmatch.fnmatchcase(run, entry["run"]) for run in ran)]


def main():
    options = arguments()
    known = Known(HERE / "known-alerts.json")
    outcomes, extras, problems, ran = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="pgvigil-alerts-") as folder:
        for archive in sorted(HERE.glob("*.tar.xz")):
            name = archive.name.removesuffix(".tar.xz")
            if options.run and name not in options.run:
                continue
            ran.append(name)
            found = look(archive, options, pathlib.Path(folder))
            if options.verbose:
                for alert in found.alerts:
                    print(f"{name} {alert.time:%H:%M:%S} {alert.severity:8} {alert.rule:32} {alert.ip} {alert.user!r}")
            for outcome in found.outcomes():
                outcomes.append(outcome)
                kind = outcome.scenario["kind"]
                if not outcome.found and not known.explains("missed", name, kind, outcome.expected):
                    problems.append(f"MISSED {name} {outcome.scenario['scenario']} {outcome.expected}")
            for alert, scenario in found.extras():
                extras.append((name, alert, scenario))
                if not known.explains("extra", name, scenario["kind"], alert.rule):
                    problems.append(f"EXTRA {name} {scenario['scenario']} {alert.rule} {alert.severity} "
                                    f"{alert.time:%H:%M:%S} {alert.ip} {alert.user!r}")
    print("\n".join(scenarios.table(outcomes, extras)))
    for entry in known.entries:
        print(f"\n{entry['is']} {entry['run']} {entry['kind']} {entry['word']}: {entry['why']}")
    problems += [f"EXPLAINED BUT NOT SO {entry}" for entry in known.stale(ran)]
    print("\n".join(["", *problems]) if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
