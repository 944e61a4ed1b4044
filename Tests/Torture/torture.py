#!/usr/bin/env python3
"""Kills `pgvigil watch` again and again while a log is written and rotated, and compares what it found with one
undisturbed replay of the same bytes, file by file: events, alerts, bans and counters must be the same, row for row.
What only who watches can see, files that shrink or vanish, is left out.

    torture.py BINARY [--kills N] [--size BYTES] [--seed N] [--faults] [--keep]

Rotations: renamed and made anew, then packed, at times before anybody looked; copied and truncated; the weekday's file
truncated in place a week later; a file with another name; deleted, the inode used again; a link that leads to another
file; the folder replaced; a file that comes whole from elsewhere; a restart that goes on in the same file behind a torn
record; a folder for a while where the file was. --faults adds a store on a disk that is full for a while, a store that
somebody else has locked, SIGSTOP, clocks that jump, and, where this runs as root, files that `watch`, which then runs as
nobody, may not read for a while. One line of JSON at the end; exit code 1 when anything is lost,
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
TORN = (b'2026-03-02 09:49:01.374 UTC,"torn","shop",7,"192.0.2.1:4000",69a55d0d.7,1,"authentication",'
        b'2026-03-02 09:49:01 UTC,3/1,0,FATAL,28P01,"password authentication failed for user ""torn"""')
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
# Whoever is root may read everything.
unprivileged = options.faults and os.getuid() == 0 and shutil.which("setpriv") is not None
counts = collections.Counter()


class Reader:
    """`pgvigil watch`, started again whenever it ends."""

    def __init__(self, folder, store):
        self.folder, self.store = folder, store
        self.process = None
        self.stopping = False
        self.log = open(folder.parent / "watch.log", "ab")
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        environment = dict(os.environ)
        command = [binary, "watch", "--config", self.folder.parent / "pgvigil.yml", "--store", self.store, self.folder]
        if unprivileged:
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
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
        self.shut = None
        self.arriving = None
        # Files that nobody writes to any more, which may not be read to their end yet; one that was packed unread is
        # not looked after.
        self.behind = []
        self.unseen = False

    def keep(self):
        if self.kept:
            (self.whole / f"{len(list(self.whole.iterdir())):05}.csv").write_bytes(self.kept)
        self.kept = bytearray()

    def arrive(self):
        """Moves in what was written elsewhere."""
        if self.arriving:
            self.arriving.rename(self.path)
            self.arriving = None

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
        if size == 0:
            return True
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

    def open_up(self):
        """Lets a file that was shut be read again."""
        if self.shut:
            os.chmod(self.shut, 0o644)
            self.shut = None

    def close_off(self):
        """Takes the right to read a file away for a while: one that is open stays so, one that is looked for anew not."""
        if unprivileged and not self.shut and not self.arriving and random.random() < .2:
            self.shut = os.path.realpath(self.path)
            os.chmod(self.shut, 0)
            counts["made unreadable"] += 1

    def rotate(self):
        self.open_up()
        self.arrive()
        self.number += 1
        old = self.folder / f"{self.path.name}.{self.number}"
        before = self.path
        kind = random.choice(["rename", "rename", "copy", "weekday", "delete", "link", "new name", "folder", "elsewhere",
                              "restart", "blocked"])
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
            inode = self.path.stat().st_ino
            self.file.close()
            self.path.unlink()
            self.file = open(self.path, "ab", buffering=0)
            counts["inodes used again"] += self.path.stat().st_ino == inode
        elif kind == "new name":
            # A rotation by size or by hand: the name has the time in it.
            self.path = self.folder / f"postgresql-{self.number:05}.csv"
            self.file = open(self.path, "ab", buffering=0)
        elif kind == "folder":
            waiting = [path for path in self.packed + self.behind if path.exists()]
            if self.unseen or not all(map(self.caught_up, [self.path, *waiting])):
                return
            self.packed, self.behind = [], []
            self.folder.rename(self.folder.parent / f"logs.{self.number}")
            time.sleep(random.choice([0, .05, .4]))
            self.folder.mkdir()
            self.path = self.folder / "postgresql.csv"
            self.file = open(self.path, "ab", buffering=0)
        elif kind == "elsewhere":
            # What comes next is written where nobody looks, and comes whole.
            self.arriving = self.elsewhere / f"whole-{self.number}.csv"
            self.file = open(self.arriving, "ab", buffering=0)
            self.path = self.folder / f"postgresql-{self.number:05}.csv"
        elif kind == "restart":
            # The server died while it wrote a record, and goes on right behind it.
            torn = random.choice([b"", TORN[:random.randrange(30, len(TORN) - 1)]])
            self.file.write(torn)
            self.kept += torn
            self.file.close()
            time.sleep(random.uniform(0, .1))
            self.file = open(self.path, "ab", buffering=0)
            counts["rotations (restart)"] += 1
            counts["rotations"] += 1
            return
        elif kind == "blocked":
            self.path.rename(old)
            self.path.mkdir()
            time.sleep(random.uniform(0, .5))
            self.path.rmdir()
            self.file = open(self.path, "ab", buffering=0)
        elif kind == "link":
            if not self.caught_up(self.path):
                return
            following = self.elsewhere / f"{self.number}.csv"
            self.file = open(following, "ab", buffering=0)
            temporary = self.folder / ".link"
            temporary.symlink_to(following)
            temporary.rename(self.path)
        if before != self.path:
            self.behind.append(before)
        elif kind == "blocked":
            self.behind.append(old)
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
                self.unseen = True
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
    if unprivileged:
        top.chmod(0o755)
        shutil.chown(place, "nobody", "nogroup")
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
        elif random.random() < .3:
            writer.arrive()
        elif writer.shut:
            writer.open_up()
        else:
            writer.close_off()
        # The log must not be over before the kills are.
        while counts["kills"] < options.kills * position / len(made) - 5:
            time.sleep(.01)
    writer.write(made[position:])
    writer.open_up()
    writer.arrive()
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
