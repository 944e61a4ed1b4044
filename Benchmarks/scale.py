#!/usr/bin/env python3
"""How cost grows: with bytes, with rules that do not match, with jobs, and with addresses.

    scale.py BINARY [--times 3] [--size 1G] [--folder FOLDER]

Prints processor time beside wall time: on a machine that does other things, that is what can be compared.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

from measure import alternate, remove, table, warm

HERE = os.path.dirname(os.path.abspath(__file__))
RULE = """id: never-{n}
name: Never {n}
description: Asks for a user that no log has.
family: auth
severity: low
match: {{event.action: auth.failure, user.name: nobody-{n}}}
group_by: source.ip
condition: {{threshold: {{count: 5, within: 10m}}}}
suppress: 1h
message: "{{count}} failures"
examples:
  - name: five
    events: [{{event.action: auth.failure, user.name: nobody-{n}, source.ip: 203.0.113.7, times: 5, every: 1s}}]
    alerts: 1
  - name: four
    events: [{{event.action: auth.failure, user.name: nobody-{n}, source.ip: 203.0.113.7, times: 4, every: 1s}}]
    alerts: 0
"""


def make(folder, size, profile="busy"):
    path = f"{folder}/{size // 1_000_000}M-{profile}.csv"
    if not os.path.exists(path):
        subprocess.run([sys.executable, f"{HERE}/make-log.py", "--size", f"{size // 1024}K", "--profile", profile, "--seed", "7", "--out", path],
                       check=True, stderr=subprocess.DEVNULL)
    warm(path)
    return path


def addresses(folder, count):
    """One failed login from each of so many addresses, a hundred a second."""
    path = f"{folder}/{count}-addresses.csv"
    with open(path, "w") as file:
        for number in range(count):
            second = number // 100
            time = f"2026-04-{1 + second // 86400:02d} {second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            address = f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}" if number < 131072 else \
                f"2001:db8:{number // 65536:x}:{number % 65536:x}::1"
            where = f"{address}:{number % 30000 + 30000}" if "." in address else f"[{address}]:{number % 30000 + 30000}"
            file.write(f'{time}.{number % 100 * 10:03d} UTC,"app","shop",{number % 30000 + 2000},"{where}",{0x69cc6000 + second:x}.'
                       f'{number % 30000 + 2000:x},2,"authentication",{time} UTC,3/7,0,FATAL,28P01,'
                       '"password authentication failed for user ""app""",,,,,,,,,"","client backend",,0\n')
    warm(path)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--size", type=int, default=1000, help="megabytes of the usual log; a tenth and four times of it are read, too")
    parser.add_argument("--rules", type=int, default=500)
    parser.add_argument("--folder")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    store = f"{folder}/store.db"

    def replay(log, *more):
        return [options.binary, "replay", "--store", store, *more, log], lambda: remove(store)

    try:
        sizes = [options.size // 10, options.size, options.size * 4]
        logs = {size: make(folder, size * 1_000_000) for size in sizes}
        found = alternate({size: replay(log) for size, log in logs.items()}, options.times)
        rate = lambda size: os.path.getsize(logs[size]) / 1e9
        table(["busy log", "wall", "processor", "processor, a GB", "memory"],
              [[f"{size} MB", f"{found[size].seconds:.2f} s", f"{found[size].processor:.2f} s", f"{found[size].processor / rate(size):.2f} s",
                f"{found[size].megabytes:.0f} MB"] for size in sizes])

        shutil.copytree(f"{HERE}/../patterns", f"{folder}/patterns", dirs_exist_ok=True)
        for number in range(options.rules):
            with open(f"{folder}/patterns/rules/never-{number}.yml", "w") as file:
                file.write(RULE.format(n=number))
        with open(f"{folder}/rules.yml", "w") as file:
            file.write(f"patterns: {folder}/patterns\n")
        log = logs[sizes[1]]
        cases = {"the packaged rules": replay(log), f"{options.rules} more, which never match": replay(log, "--config", f"{folder}/rules.yml"),
                 "--jobs 1": replay(log, "--jobs", "1")}
        found = alternate(cases, options.times)
        table([f"busy log, {sizes[1]} MB", "wall", "processor", "memory"],
              [[name, f"{runs.seconds:.2f} s", f"{runs.processor:.2f} s", f"{runs.megabytes:.0f} MB"] for name, runs in found.items()])

        halves = {}
        for jobs in (1, 2):
            os.makedirs(f"{folder}/two", exist_ok=True)
            for part in range(4):
                path = f"{folder}/two/{part}.csv"
                if not os.path.exists(path):
                    subprocess.run([sys.executable, f"{HERE}/make-log.py", "--size", f"{options.size // 4 * 1000}K", "--seed", str(part + 20), "--out", path],
                                   check=True, stderr=subprocess.DEVNULL)
                warm(path)
            halves[jobs] = replay(f"{folder}/two", "--jobs", str(jobs))
        found = alternate(halves, options.times)
        table([f"four busy logs, {options.size} MB", "wall", "processor", "memory"],
              [[f"--jobs {jobs}", f"{runs.seconds:.2f} s", f"{runs.processor:.2f} s", f"{runs.megabytes:.0f} MB"] for jobs, runs in found.items()])

        floods = {count: replay(addresses(folder, count)) for count in (10_000, 100_000, 1_000_000)}
        found = alternate(floods, 1)
        table(["failures, each of another address", "wall", "processor", "a thousand", "memory"],
              [[f"{count:,}", f"{runs.seconds:.2f} s", f"{runs.processor:.2f} s", f"{runs.processor / count * 1e6:.1f} ms", f"{runs.megabytes:.0f} MB"]
               for count, runs in found.items()])
    finally:
        if not options.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
