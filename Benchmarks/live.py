#!/usr/bin/env python3
"""How live `watch` is: from the writer's write() to the event in the store, and what it costs.

    live.py BINARY [--seconds 10] [--rates 1000,50000]

A log is written at a steady rate, in a write() a millisecond; a reader of the store looks every half millisecond which events are
there. Every twentieth record is a failed login, whose event waits for nothing. Then: processor time of `watch` at 5,000 records a
second, with 50 files at which nothing happens, and how long a start takes.
"""
import argparse
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from measure import Runs, run, table

TICKS = os.sysconf("SC_CLK_TCK")


def record(number, fails):
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d} UTC"
    session = f"{int(now) - 60:x}.{number % 30000 + 2000:x}"
    start = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(int(now) - 60))
    head = f'{stamp},"app","shop",{number % 30000 + 2000},"198.18.{number // 250 % 250}.{number % 250}:{number % 30000 + 30000}",{session},{number},'
    if fails:
        return (head + f'"authentication",{start},3/7,0,FATAL,28P01,"password authentication failed for user ""app""",'
                ',,,,,,,,"","client backend",,0\n').encode()
    return (head + f'"SELECT",{start},3/7,0,LOG,00000,"duration: 101.2 ms  statement: SELECT id FROM orders WHERE id = {number}",'
            ',,,,,,,,"shop-web","client backend",,0\n').encode()


class Writer(threading.Thread):
    """Writes records at a rate; remembers when which byte was written."""

    def __init__(self, path, rate, seconds):
        super().__init__()
        self.path, self.rate, self.seconds, self.written = path, rate, seconds, {}

    def run(self):
        with open(self.path, "ab", buffering=0) as file:
            begin, number, offset = time.monotonic(), 1, file.tell()
            while (passed := time.monotonic() - begin) < self.seconds:
                due, parts, fails = int(passed * self.rate), [], []
                while number <= due:
                    parts.append(record(number, number % 20 == 0))
                    if number % 20 == 0:
                        fails.append(offset)
                    offset += len(parts[-1])
                    number += 1
                if parts:
                    file.write(b"".join(parts))
                    at = time.monotonic()
                    for fail in fails:
                        self.written[fail] = at
                time.sleep(max(0, .001 - (time.monotonic() - begin - passed)))
            self.records = number - 1


def watch(binary, store, *paths):
    process = subprocess.Popen([binary, "watch", "--store", store, *paths], stderr=subprocess.PIPE)
    for line in process.stderr:
        if b"following" in line:
            break
    threading.Thread(target=process.stderr.read, daemon=True).start()
    return process


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait()


def processor(pid):
    with open(f"/proc/{pid}/stat") as file:
        values = file.read().rsplit(")", 1)[1].split()
    return (int(values[11]) + int(values[12])) / TICKS


def latency(binary, folder, rate, seconds):
    path, store = f"{folder}/{rate}.csv", f"{folder}/{rate}.db"
    with open(path, "wb") as file:
        file.write(record(0, False))
    process = watch(binary, store, path)
    time.sleep(3)
    before, writer, seen, last = processor(process.pid), Writer(path, rate, seconds), {}, 0
    db = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    writer.start()
    end = None
    while end is None or (time.monotonic() < end and not writer.written.keys() <= seen.keys()):
        for seq, offset in db.execute("SELECT seq, offset FROM events WHERE seq > ?", (last,)):
            last = seq
            seen[offset] = time.monotonic()
        if end is None and not writer.is_alive():
            end = time.monotonic() + 5
        time.sleep(.0005)
    used = processor(process.pid) - before
    stop(process)
    waits = sorted((seen[offset] - at) * 1000 for offset, at in writer.written.items() if offset in seen)
    lost = len(writer.written) - len(waits)
    at = lambda share: f"{waits[min(len(waits) - 1, int(len(waits) * share))]:.1f} ms"
    return [f"{writer.records / seconds:,.0f}", f"{len(waits):,}" + (f", {lost} missing" if lost else ""), f"{statistics.median(waits):.1f} ms",
            at(.9), at(.99), f"{waits[-1]:.1f} ms", f"{used / seconds * 100:.1f} %"]


def idle(binary, folder, seconds):
    os.makedirs(f"{folder}/idle")
    for number in range(50):
        with open(f"{folder}/idle/{number}.csv", "wb") as file:
            file.write(record(number, False))
    process = watch(binary, f"{folder}/idle.db", f"{folder}/idle")
    time.sleep(15)  # until files are quiet and closed
    before = processor(process.pid)
    time.sleep(seconds)
    used = processor(process.pid) - before
    stop(process)
    return used / seconds * 100


def starts(binary, folder):
    rows = []
    store = f"{folder}/idle.db"
    for name, command in (("--version", ["--version"]), ("blocklist --format plain", ["blocklist", "--store", store, "--format", "plain"]),
                          ("patterns list (loads the catalogue)", ["patterns", "list"]),
                          ("replay of an empty file", ["replay", "--store", f"{folder}/empty.db", f"{folder}/empty.csv"])):
        open(f"{folder}/empty.csv", "w").close()
        runs = Runs()
        for _ in range(15):
            run([binary, *command], runs)
        rows.append([name, f"{runs.seconds * 1000:.0f} ms", f"{runs.processor * 1000:.0f} ms", f"{runs.megabytes:.0f} MB"])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rates", default="1000,5000,50000")
    options = parser.parse_args()
    sys.setswitchinterval(.0005)
    with tempfile.TemporaryDirectory() as folder:
        table(["records/s", "events", "median", "90 %", "99 %", "slowest", "processor, of one core"],
              [latency(options.binary, folder, int(rate), options.seconds) for rate in options.rates.split(",")])
        print(f"50 quiet files: {idle(options.binary, folder, 30):.2f} % of one core\n")
        table(["start", "wall", "processor", "memory"], starts(options.binary, folder))


if __name__ == "__main__":
    main()
