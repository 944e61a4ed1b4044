"""The runs of the corpus: their log files, and what the truth files say."""
import dataclasses
import json
import pathlib
import re
import tarfile


@dataclasses.dataclass(frozen=True)
class LogFile:
    name: str  # path within the run's logs
    path: pathlib.Path
    kind: str  # csv, json, stderr, audit, pgbouncer, patroni, patroni.stdout, pgbackrest
    server: str  # csv, json and stderr log of one server share it

    @property
    def is_server_log(self):
        return self.kind in ("csv", "json", "stderr")


@dataclasses.dataclass(frozen=True)
class Run:
    name: str
    logs: pathlib.Path
    files: tuple
    summary: dict  # truth-summary.json
    actions: list  # truth.jsonl
    readme: str

    def of_kind(self, *kinds):
        return [file for file in self.files if file.kind in kinds]

    def sibling(self, file, kind):
        """The same log in another form."""
        stem = file.name.rpartition(".")[0]
        return next((f for f in self.files if f.kind == kind and f.name.rpartition(".")[0] == stem), None)

    def events(self, kind):
        return [a for a in self.actions if a["type"] == "event" and a["kind"] == kind]

    def scenarios(self):
        return [a for a in self.actions if a["type"] == "scenario"]

    def logs_to(self, destination):
        """False when `log_destination` did not name it: of such a file the server wrote no more than its start."""
        found = re.search(r"^log_destination = '(.*)'", self.readme, re.M)
        return found is None or destination in found[1].split(",")


def unpack(archive, folder):
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    truth, logs = folder / "truth", folder / "logs"
    files = tuple(log_file(path, logs) for path in sorted(logs.rglob("*")) if path.is_file())
    with open(truth / "truth.jsonl", encoding="utf-8") as lines:
        actions = [json.loads(line) for line in lines]
    summary = json.loads((truth / "truth-summary.json").read_text("utf-8"))
    readme = (truth / "README.md").read_text("utf-8")
    return Run(archive.name.removesuffix(".tar.xz"), logs, files, summary, actions, readme)


def log_file(path, logs):
    name = path.relative_to(logs).as_posix()
    return LogFile(name, path, kind_of(path.name), re.sub(r"(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))?\.\w+$", "", path.name))


def kind_of(name):
    if name.startswith("audit-"):
        return "audit"
    for program in ("pgbouncer", "pgbackrest"):
        if name.startswith(program):
            return program
    if name.startswith("patroni"):
        return "patroni.stdout" if name.endswith(".stdout") else "patroni"
    return {"csv": "csv", "json": "json", "log": "stderr"}[name.rpartition(".")[2]]
