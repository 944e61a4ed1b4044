#!/usr/bin/env python3
"""Prints what is in the corpus and what pgvigil finds in it, side by side.

    table.py BINARY [--run NAME]... [--jobs NUMBER]

Every file, all files of one form, and every run's folder are replayed into stores of their own and compared with the
truth files key by key (address, user, reason; command; class). Differences must stand in known-differences.json, with
the record and the reason. The exit code is 1 when one does not, or when one that stands there is none any more.
"""
import argparse
import concurrent.futures
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


def measure(archive, binary, folder):
    """Replays everything of one run."""
    run = runs.unpack(archive, folder / archive.name)
    result = [unit.replay(binary, folder / f"{archive.name}-{number}.db")
              for number, unit in enumerate(units.of(run))]
    for unit in result:
        unit.expected["unread"] = 0
    forms.add(result)
    return result


def main():
    options = arguments()
    binary = options.binary.resolve()
    with tempfile.TemporaryDirectory(prefix="pgvigil-corpus-") as folder:
        with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
            tasks = [pool.submit(measure, archive, binary, pathlib.Path(folder)) for archive in wanted(options.run)]
            measured = [unit for task in tasks for unit in task.result()]
    known = [entry for entry in differences.load(HERE / "known-differences.json")
             if not options.run or entry.runs in options.run]
    left, stale = differences.unexplained(measured, known)
    lines = [*report.table(measured), "", *report.explanations(known), "", *report.problems(left, stale)]
    print("\n".join(lines).rstrip())
    return 1 if left or stale else 0


if __name__ == "__main__":
    sys.exit(main())
