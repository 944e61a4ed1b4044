import Foundation
import LogRecords
import LogSources
import VigilModel

/// The files at the followed paths: which of them are logs, which hold the same as another, which come first.
struct WatchedFiles {
    /// What a look at a file tells.
    struct Look {
        var candidate: SameLog.Candidate
        var isArchive = false
    }

    private struct Entry {
        var stamp: FileStamp
        /// Nil for a file that is no log (yet).
        var candidate: SameLog.Candidate?
        var isArchive = false
        let since: Date
        /// The richer file that it was left for. It stays so while it is the same file: when the richer one is deleted
        /// first, what was read there must not be read again here.
        var richer: String?
    }

    private var entries: [String: Entry] = [:]

    /// Seconds that a form of the server's log waits for a richer one: the server makes them one after the other.
    private static let waitForRicher = 1.0
    /// Seconds of quiet after which an archive is taken for whole.
    private static let archiveQuiet = 3.0

    /// Looks at the paths again. `look` gives what a file is; nil when it is no log or cannot be opened. Gives the paths
    /// of the files to read, those first whose records are oldest, and newly found files that hold the same as others.
    mutating func refresh(
        _ inputs: [InputPath], at now: Date = Date(), look: (InputPath) throws -> Look?
    ) rethrows -> (paths: [String], passedOver: [(path: String, richer: String)]) {
        var seen: [String: Entry] = [:]
        for input in inputs where input.path != "-" {
            guard seen[input.path] == nil, let stamp = FileStamp(input.path) else { continue }
            if var old = entries[input.path], old.stamp.isSameFile(stamp), old.stamp.size <= stamp.size,
                old.candidate != nil || old.stamp == stamp
            {
                old.stamp = stamp
                seen[input.path] = old
                continue
            }
            let found = try look(input)
            seen[input.path] = Entry(
                stamp: stamp, candidate: found?.candidate,
                isArchive: found?.isArchive ?? false, since: now)
        }
        entries = seen
        let passedOver = findSame()
        let ready = entries.filter { isReady($0.value, at: now) }
        let paths = ready.sorted {
            ($0.value.candidate?.start ?? .distantFuture, $0.key) < (
                $1.value.candidate?.start ?? .distantFuture, $1.key
            )
        }
        return (paths.map(\.key), passedOver)
    }

    private mutating func findSame() -> [(path: String, richer: String)] {
        let paths = entries.keys.sorted().filter { entries[$0]?.candidate != nil }
        let candidates = paths.compactMap { path in
            entries[path]?.candidate.map { candidate in
                var candidate = candidate
                candidate.age = entries[path]?.stamp.age
                return candidate
            }
        }
        var found: [(path: String, richer: String)] = []
        for (poor, rich) in SameLog.find(candidates) where entries[paths[poor]]?.richer == nil {
            entries[paths[poor]]?.richer = paths[rich]
            found.append((paths[poor], paths[rich]))
        }
        return found
    }

    private func isReady(_ entry: Entry, at now: Date) -> Bool {
        guard let candidate = entry.candidate, entry.richer == nil else { return false }
        if entry.isArchive, entry.stamp.age < WatchedFiles.archiveQuiet { return false }
        guard let form = candidate.form, form != .csvlog, !candidate.isNamed else { return true }
        return now.timeIntervalSince(entry.since) >= WatchedFiles.waitForRicher
    }
}
