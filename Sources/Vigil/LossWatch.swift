import EventStore
import Foundation
import SecurityEvents
import VigilModel

/// Notices when files that are followed are cut or deleted, and when logs that always spoke fall silent: what nobody who
/// reads a log afterwards can see.
struct LossWatch {
    private var stamps: [String: FileStamp] = [:]
    /// Logs that rest, and the silence that it will be when they go on resting.
    private var silences: [String: EventNote] = [:]
    /// Files that were deleted, and since when that is known.
    private var deletions: [(note: EventNote, since: Date)] = []

    /// Seconds for which a packed copy of a deleted file may come: who rotates packs a file and then deletes it.
    static let grace = 60.0

    /// Takes how a file is now, nil when nothing is at its path; gives what it lost since the last look. `isDeleted` says
    /// that the file of the last look has no name any more, as far as is known.
    mutating func look(_ path: String, _ stamp: FileStamp?, isDeleted: Bool) -> FileLoss? {
        let before = stamps[path]
        stamps[path] = stamp
        guard let before else { return nil }
        let way: FileLoss.Way
        if let stamp, stamp.isSameFile(before) {
            guard stamp.size < before.size else { return nil }
            way = .cut(to: stamp.size)
        } else {
            guard isDeleted else { return nil }
            way = .deleted
        }
        let loss = FileLoss(
            way: way, path: path, inode: before.inode, size: before.size,
            written: LogTime(milliseconds: before.written / 1_000_000), seen: LogTime.wallClock)
        return loss.isSuspicious ? loss : nil
    }

    /// Paths that were looked at.
    var paths: [String] { stamps.keys.sorted() }

    /// A log rests: `silence` is what it will be when it goes on for long enough.
    mutating func rest(_ path: String, _ silence: EventNote?) { silences[path] = silence }

    /// A log speaks again.
    mutating func wake(_ path: String) { silences[path] = nil }

    /// A file was deleted.
    mutating func delete(_ note: EventNote) { deletions.append((note, Date())) }

    /// What has become a silence by now, and deletions after which no copy came, to be committed.
    mutating func due(at now: Date = Date(), hasCopy: (EventNote) throws -> Bool) rethrows -> [EventNote] {
        let moment = LogTime(milliseconds: Int64(now.timeIntervalSince1970 * 1000))
        var notes: [EventNote] = []
        for (path, note) in silences where note.event.time <= moment {
            if !speaksOn(path, since: note) { notes.append(note) }
            silences[path] = nil
        }
        while let first = deletions.first, now.timeIntervalSince(first.since) >= LossWatch.grace {
            if try !hasCopy(first.note) { notes.append(first.note) }
            deletions.removeFirst()
        }
        return notes
    }

    /// True when the log went on in another file of its folder, as after a rotation.
    private func speaksOn(_ path: String, since note: EventNote) -> Bool {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let last = note.event.time.adding(milliseconds: -SecurityEvent.silencePatience)
        return stamps.contains { other, stamp in
            other != path && stamp.written / 1_000_000 > last.milliseconds
                && URL(fileURLWithPath: other).deletingLastPathComponent().path == folder
        }
    }

    /// Forgets files that are gone, all but those that are still open.
    mutating func forget(allBut paths: Set<String>) { stamps = stamps.filter { paths.contains($0.key) } }
}
