#!/usr/bin/env python3
"""Kills `pgvigil watch` again and again while a log is written and rotated, and compares what it found with one
undisturbed replay of the same bytes, file by file: events, alerts, bans and counters must be the same, row for row.
What only who watches can see, files that shrink or vanish, is left out.

    torture.py BINARY [--kills N] [--size BYTES] [--seed N] [--faults] [--keep]

Rotations: renamed and made anew, then packed; copied and truncated; the weekday's file truncated in place a week later;
deleted; a link that leads to another file. --faults adds a store on a disk that is full for a while, a store that
somebody else has locked, SIGSTOP, and clocks that jump. One line of JSON at the end; exit code 1 when anything is lost,
doubled or different.
"""

import argparse
import collections
import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("binary")
parser.add_argument("--kills", type=int, default=60)
parser.add_argument("--size", default="2M")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--faults", action="store_true")
parser.add_argument("--keep", action="store_true", help="leave the folder there")
options = parser.parse_args()
binary = os.path.abspath(options.binary)
random = random.Random(options.seed)
counts = collections.Counter()


class Reader:
    """`pgvigil watch`, started again whenever it ends."""

    def __init__(self, folder, store):
        self.folder, self.store = folder, store
        self.process = None
        self.stopping = False
        self.log = open(folder.parent / "watch.log", "ab")
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.run)

    def start(self):
        environment = dict(os.environ)
        command = [binary, "watch", "--config", self.folder.parent / "pgvigil.yml", "--store", self.store, self.folder]
        if options.faults and shutil.which("faketime") and random.random() < .2:
            counts["clock jumps"] += 1
            command = ["faketime", "-f", random.choice(["+1d", "-1d", "+3h", "-400d"]), *command]
        with self.lock:
            self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment,
                                            start_new_session=True)

    def kill(self, how=signal.SIGKILL):
        with self.lock:
            if self.process.poll() is None:
                os.killpg(self.process.pid, how)

    def run(self):
        while not self.stopping:
            self.start()
            # Most live for a moment, some long enough to get on.
            life = random.expovariate(1 / .12) if random.random() < .8 else random.uniform(.5, 2)
            end = time.monotonic() + life
            while time.monotonic() < end and self.process.poll() is None and not self.stopping:
                if options.faults and random.random() < .02:
                    self.kill(signal.SIGSTOP)
                    time.sleep(random.uniform(.01, .3))
                    self.kill(signal.SIGCONT)
                    counts["stopped"] += 1
                time.sleep(min(.01, max(0, end - time.monotonic())))
            if self.stopping:
                break
            if self.process.poll() is None:
                self.kill()
                counts["kills"] += 1
            else:
                counts["gave up"] += 1
                time.sleep(.05)
            self.process.wait()
            if counts["kills"] >= options.kills:
                self.calm()
                return

    def calm(self):
        """From here on it is left alone, but started again when it gives up."""
        while not self.stopping:
            self.start()
            while self.process.poll() is None and not self.stopping:
                time.sleep(.02)
            if not self.stopping:
                counts["gave up"] += 1
                time.sleep(.2)

    def stop(self):
        self.stopping = True
        self.kill(signal.SIGTERM)
        self.thread.join()
        if self.process.wait(30) != 0:
            raise SystemExit("watch did not end well: see watch.log")


class Writer:
    """Writes the log as a server and its rotation do."""

    def __init__(self, folder, store):
        self.folder, self.store = folder, store
        self.elsewhere = folder.parent / "elsewhere"
        self.elsewhere.mkdir()
        self.number, self.day = 0, 0
        # What each file held when it was rotated: what is compared with.
        self.whole = folder.parent / "whole"
        self.whole.mkdir()
        self.kept = bytearray()
        self.path = folder / "postgresql.csv"
        self.file = open(self.path, "ab", buffering=0)
        self.packed = []

    def keep(self):
        if self.kept:
            (self.whole / f"{len(list(self.whole.iterdir())):05}.csv").write_bytes(self.kept)
        self.kept = bytearray()

    def write(self, piece):
        self.kept += piece
        while piece:
            length = min(len(piece), int(random.expovariate(1 / 3000)) + 1)
            self.file.write(piece[:length])
            piece = piece[length:]
            if random.random() < .05:
                time.sleep(random.uniform(0, .02))

    def caught_up(self, path):
        """Whether all of a file has been read and stored; what is deleted before that nobody can read."""
        size, inode = path.stat().st_size, path.stat().st_ino
        head = path.read_bytes().lstrip(b"\0")[:256]
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with contextlib.closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=1)) as store:
                    rows = store.execute(
                        "SELECT position, head_length, fingerprint FROM sources WHERE inode = ?", (inode,)).fetchall()
                    # Numbers of files are used again.
                    if any(position >= size and hashlib.sha256(head[:length]).hexdigest() == fingerprint
                           for position, length, fingerprint in rows):
                        return True
            except sqlite3.Error:
                pass
            time.sleep(.02)
        return False

    def rotate(self):
        self.number += 1
        old = self.folder / f"{self.path.name}.{self.number}"
        kind = random.choice(["rename", "rename", "copy", "weekday", "delete", "link"])
        if kind == "rename":
            self.path.rename(old)
            self.file = open(self.path, "ab", buffering=0)
            if not old.is_symlink():
                self.packed.append(old)
        elif kind == "copy":
            if self.path.is_symlink():
                return
            shutil.copyfile(self.path, old)
            os.truncate(self.path, 0)
        elif kind == "weekday":
            self.day = (self.day + 1) % 7
            following = self.folder / f"postgresql-{DAYS[self.day]}.csv"
            if following.exists() and not self.caught_up(following):
                return
            self.path = following
            self.file = open(self.path, "wb", buffering=0)
        elif kind == "delete":
            if not self.caught_up(self.path):
                return
            self.path.unlink()
            self.file = open(self.path, "ab", buffering=0)
        elif kind == "link":
            following = self.elsewhere / f"{self.number}.csv"
            self.file = open(following, "ab", buffering=0)
            if not self.caught_up(self.path):
                return
            temporary = self.folder / ".link"
            temporary.symlink_to(following)
            temporary.rename(self.path)
        self.keep()
        counts[f"rotations ({kind})"] += 1
        counts["rotations"] += 1
        if self.packed and random.random() < .5:
            path = self.packed.pop(0)
            # What is packed before it was read is read last: its events come late, and alerts may have been told
            # without them.
            if random.random() < .9:
                self.caught_up(path)
            else:
                counts["packed unseen"] += 1
            tool = random.choice([["gzip"], ["xz"], ["zstd", "--rm", "-q"]])
            subprocess.run([*tool, path], check=True)


def pgvigil(*words):
    return subprocess.run([binary, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


def rows(store):
    """Everything in a store but where it was read."""
    found = {}
    for what in ["events", "alerts", "activity"]:
        lines = []
        for line in pgvigil(what, "--store", store, "--format", "jsonl").splitlines():
            row = json.loads(line)
            if row.get("event.action") == "tamper.file" or row.get("rule.id") == "tamper-file":
                continue
            for key in ["log.file.path", "log.offset"]:
                row.pop(key, None)
            lines.append(json.dumps(row, sort_keys=True))
        found[what] = collections.Counter(lines)
    bans = pgvigil("bans", "--all", "--store", store, "--format", "jsonl").decode().splitlines()
    found["bans"] = collections.Counter(bans)
    return found


def identity(alert):
    """An alert without what events that come late add to it."""
    row = json.loads(alert)
    return json.dumps([row.get(key) for key in ["alert.id", "rule.id", "source.ip"]])


def faults(store, mount, done):
    """What may happen to a store from outside."""
    while not done.is_set():
        time.sleep(random.uniform(.5, 2))
        if random.random() < .5:
            try:
                with contextlib.closing(sqlite3.connect(store, timeout=.1, isolation_level=None)) as other:
                    other.execute("BEGIN IMMEDIATE")
                    time.sleep(random.uniform(.1, 1.5))
                    other.execute("ROLLBACK")
                counts["locked"] += 1
            except sqlite3.Error:
                pass
        elif mount:
            used = shutil.disk_usage(mount).used
            # What is being written meanwhile may need more already: then the disk stays as it is.
            full = subprocess.run(["mount", "-o", f"remount,size={max(used, 4096)}", mount], check=False,
                                  stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(.2, 1))
            subprocess.run(["mount", "-o", "remount,size=2G", mount], check=True)
            counts["disk full"] += full.returncode == 0


def main():
    top = pathlib.Path(tempfile.mkdtemp(prefix="pgvigil-torture-"))
    folder, place = top / "logs", top / "store"
    folder.mkdir()
    place.mkdir()
    mount = None
    if options.faults and os.getuid() == 0:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2G", "tmpfs", place], check=False).returncode == 0:
            mount = place
    store = place / "watch.db"
    (top / "pgvigil.yml").write_text("topology: {detect: false}\n")
    made = subprocess.run(
        [sys.executable, HERE.parent.parent / "Benchmarks/make-log.py", "--size", options.size, "--profile", "attack",
         "--seed", str(options.seed)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    reader, writer = Reader(folder, store), Writer(folder, store)
    done = threading.Event()
    other = threading.Thread(target=faults, args=(store, mount, done))
    reader.thread.start()
    if options.faults:
        other.start()
    started = time.monotonic()
    # A rotation about each so many bytes, always between two records as a server does it.
    position, cut, quotes = 0, 0, 0
    for line in made.splitlines(keepends=True):
        quotes += line.count(b'"')
        cut += len(line)
        if quotes % 2 or cut - position < random.expovariate(1 / 20000):
            continue
        writer.write(made[position:cut])
        position = cut
        if random.random() < .3:
            writer.rotate()
        # The log must not be over before the kills are.
        while counts["kills"] < options.kills * position / len(made) - 5:
            time.sleep(.01)
    writer.write(made[position:])
    while counts["kills"] < options.kills:
        time.sleep(.05)
    done.set()
    if options.faults:
        other.join()
    writer.keep()
    pgvigil("replay", "--config", top / "pgvigil.yml", "--store", top / "replay.db", writer.whole)
    wanted = rows(top / "replay.db")
    end = time.monotonic() + 90
    while True:
        try:
            found = rows(store)
        except subprocess.CalledProcessError:
            found = {}
        # Alerts may differ for good.
        if all(found.get(what) == wanted[what] for what in ["events", "activity"]) or time.monotonic() > end:
            time.sleep(4)
            break
        time.sleep(.5)
    reader.stop()
    found = rows(store)
    result = {"seed": options.seed, "bytes": len(made), "seconds": round(time.monotonic() - started), **counts}
    isWrong = False
    for what, lines in wanted.items():
        lost, more = lines - found[what], found[what] - lines
        if what == "alerts" and counts["packed unseen"]:
            lost = collections.Counter(map(identity, lines)) - collections.Counter(map(identity, found[what]))
            result["alerts told early"] = sum(more.values())
            more = collections.Counter()
        result[what] = sum(lines.values())
        result[f"{what} lost"], result[f"{what} too many"] = sum(lost.values()), sum(more.values())
        isWrong = isWrong or bool(lost or more)
        for name, some in [("lost", lost), ("too many", more)]:
            for line in list(some)[:3]:
                print(f"{what} {name}: {line[:600]}", file=sys.stderr)
    with contextlib.closing(sqlite3.connect(store)) as database:
        result["integrity"] = database.execute("PRAGMA integrity_check").fetchone()[0]
    chain = subprocess.run([binary, "verify", "--store", store, "--heads", top / "watch.log"], check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    result["chain"] = "ok" if chain.returncode == 0 else chain.stdout.decode()[-600:]
    result["heads proved"] = chain.stdout.count(b"proved: ") - chain.stdout.count(b"NOT PROVED: ")
    isWrong = isWrong or result["integrity"] != "ok" or result["chain"] != "ok"
    print(json.dumps(result))
    if mount:
        if options.keep or isWrong:
            shutil.copytree(place, top / "kept")
        subprocess.run(["umount", place], check=False)
    if options.keep or isWrong:
        print(f"left: {top}", file=sys.stderr)
    else:
        shutil.rmtree(top)
    return 1 if isWrong else 0


sys.exit(main())
