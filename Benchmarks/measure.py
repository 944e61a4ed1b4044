"""Runs commands in turn and keeps wall time, processor time and peak memory of each."""
import os
import statistics
import subprocess
import tempfile
import time


class Runs:
    """What a command cost, run after run."""

    def __init__(self):
        self.wall, self.cpu, self.memory = [], [], []

    @property
    def seconds(self):
        return statistics.median(self.wall)

    @property
    def processor(self):
        return statistics.median(self.cpu)

    @property
    def megabytes(self):
        return max(self.memory) / 1000


def run(command, runs, before=None, good=(0, 1)):
    """Runs one command (a list, or a text for the shell); `before` is called first and costs nothing."""
    if before:
        before()
    start = time.monotonic()
    # Into a file: grep does not search on when nobody reads what it says.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, shell=isinstance(command, str), stdout=output, stderr=subprocess.PIPE)
        told = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good:
        raise SystemExit(f"{command}: exit {process.returncode}\n{told.decode(errors='replace')[-2000:]}")
    runs.wall.append(time.monotonic() - start)
    runs.cpu.append(used.ru_utime + used.ru_stime)
    runs.memory.append(used.ru_maxrss)


def alternate(commands, times):
    """Runs commands (name: (command, before)) in turn, so that a noisy moment meets all of them."""
    found = {name: Runs() for name in commands}
    for _ in range(times):
        for name, (command, before) in commands.items():
            run(command, found[name], before)
    return found


def remove(*paths):
    for path in paths:
        for end in ("", "-wal", "-shm"):
            if os.path.exists(path + end):
                os.remove(path + end)


def warm(path):
    """Reads a file once, so that it is in the page cache."""
    with open(path, "rb") as file:
        while file.read(1 << 22):
            pass


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
    print(flush=True)
