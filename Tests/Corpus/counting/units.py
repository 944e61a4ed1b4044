"""What is replayed, each into a store of its own: every file, all files of one form of a run, every run's folder."""
import collections
import dataclasses

from . import audit, forms, found, labels, others, server

BY_KIND = {"audit": audit.expected, "pgbouncer": others.pooler, "patroni": others.patroni,
           "patroni.stdout": others.patroni_stdout, "pgbackrest": others.backups}
SERVER = ("failures", "successes", "refused", "probes", "statements", "audit", "denied")
FORMS = ("csv", "json", "stderr")


@dataclasses.dataclass
class Unit:
    run: object
    name: str
    kind: str
    paths: list
    files: list
    expected: dict = None
    measures: dict = None
    events: list = None

    @property
    def size(self):
        return sum(file.path.stat().st_size for file in self.files)

    def replay(self, binary, store):
        self.expected = {**self.expectation(), "unread": 0}
        result = found.Found(binary, store, self.paths)
        self.measures = result.measures(self.run)
        self.events = result.events if self.kind in FORMS else None
        if self.is_whole_server_log and self.measures["records"]:
            self.expected["tags"] = labels.expected(self.run)
            self.measures["tags"] = labels.found(self.run, result.events, forms.precision(self.run, self.kind))
        return self

    @property
    def is_whole_server_log(self):
        """All that the server logged: what happened in the run must be in it."""
        if self.kind == "stderr" and not self.run.logs_to("stderr"):
            return False
        return self.kind == "folder" or self.kind in FORMS and len(self.files) == len(self.run.of_kind(self.kind))

    def expectation(self):
        if self.kind == "folder":
            return folder(self.run)
        if self.kind == "patroni" and len(self.files) > 1:
            return {**merged([others.patroni(self.run, file) for file in self.files]),
                    "other": others.Cluster(self.run).must()}
        if self.kind in FORMS:
            return {**{measure: collections.Counter() for measure in SERVER}, **server.expected(self.run, self.files)}
        return BY_KIND[self.kind](self.run, self.files[0])


def merged(parts):
    """Measures of several logs together."""
    sums = {}
    for part in parts:
        for measure, value in part.items():
            sums[measure] = sums[measure] + value if measure in sums else value
    return sums


def folder(run):
    """The server's log counts in its richest form. A login that one log tells of and another one refuses is none."""
    parts = [server.expected(run, run.of_kind("csv"))] if run.of_kind("csv") else []
    parts += [BY_KIND[file.kind](run, file) for file in run.files if file.kind in BY_KIND]
    sums = merged(parts)
    sums.pop("text", None)
    if any("records" not in part for part in parts):
        del sums["records"]
    if run.of_kind("audit"):
        refused = server.refused_sessions(run)
        logins = [audit.logins(file) for file in run.of_kind("audit")]
        sums["successes"] -= collections.Counter(
            actor for admitted, _ in logins for session, actor in admitted.items() if session in refused)
    if begun := [part["other"]["backup.begin"] for part in parts if "backup.begin" in part.get("other", ())]:
        # The line is the same on the console and in the command's file, so the event is.
        sums["other"]["backup.begin"] = max(begun)
    if run.of_kind("patroni"):
        sums["other"] = others.Cluster(run).must()
    return sums


def of(run):
    files = [Unit(run, file.name, file.kind, [file.path], [file]) for file in run.files]
    together = [Unit(run, f"all {kind}", kind, [file.path for file in several], several)
                for kind in (*FORMS, "patroni") if len(several := run.of_kind(kind)) > 1]
    return files + together + [Unit(run, "folder", "folder", [run.logs], list(run.files))]
