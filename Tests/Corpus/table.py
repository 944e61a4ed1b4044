#!/usr/bin/env python3
"""Prints what is in the corpus and what pgvigil finds in it, side by side.

    table.py BINARY [--run NAME]... [--jobs NUMBER]

Every file, all files of one form, and every run's folder are replayed into stores of their own and compared with the
truth files key by key (address, user, reason; command; class). Differences must stand in known-differences.json, with
the record and the reason. The exit code is 1 when one does not, or when one that stands there is none any more.
"""
import argparse
import concurrent.futures
import multiprocessing
import os
import pathlib
import sys
import tempfile

from counting import differences, forms, report, runs, units

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--run", action="append", help="only this run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def wanted(names):
    found = sorted(HERE.glob("*.tar.xz"))
    return [path for path in found if not names or path.name.removesuffix(".tar.xz") in names]


PENDING = []  # (unit, binary, store); the workers are forks and find them here


def replay_one(number):
    unit, binary, store = PENDING[number]
    unit.replay(binary, store)
    return unit.expected, unit.measures, unit.events


def replay(all_units, binary, folder, jobs):
    """Replays all units, the largest first."""
    all_units = sorted(all_units, key=lambda unit: -unit.size)
    PENDING[:] = [(unit, binary, folder / f"{number}.db") for number, unit in enumerate(all_units)]
    with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        for unit, result in zip(all_units, pool.map(replay_one, range(len(all_units)))):
            unit.expected, unit.measures, unit.events = result


def measure(archives, binary, folder, jobs):
    all_units = [unit for archive in archives for unit in units.of(runs.unpack(archive, folder / archive.name))]
    replay(all_units, binary, folder, jobs)
    forms.add(all_units)
    return all_units


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="pgvigil-corpus-") as folder:
        measured = measure(wanted(options.run), options.binary.resolve(), pathlib.Path(folder), options.jobs)
    known = [entry for entry in differences.load(HERE / "known-differences.json")
             if not options.run or entry.runs in options.run]
    left, stale = differences.unexplained(measured, known)
    lines = [*report.table(measured), "", *report.explanations(known), "", *report.problems(left, stale)]
    print("\n".join(lines).rstrip())
    return 1 if left or stale else 0


if __name__ == "__main__":
    sys.exit(main())
