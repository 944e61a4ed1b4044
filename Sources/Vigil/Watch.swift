import EventStore
import Foundation
import LogRecords
import LogSources
import Patterns
import Responses
import VigilModel

/// Nothing to follow.
public struct WatchProblem: Error, CustomStringConvertible {
    /// What to do.
    public var description: String {
        "nothing to follow\n  hint: name log files or folders, or list them under `sources` in the configuration;\n        without any, /pg/log and /var/log/{postgresql,pgbouncer,patroni,pgbackrest} are looked at"
    }
}

/// Follows files until it is stopped: every wake-up reads what is new, commits it with its positions, and brings rules
/// up to two seconds behind the log, so that sources that write at once are seen in order.
public final class Watch {
    private let paths: [String]
    private let storePath: String
    private let configuration: Configuration
    private let catalogue: Catalogue
    private var followed: [String: Followed] = [:]
    /// Files that are read to their end and quiet: closed, until they change.
    private var resting: [String: FileStamp] = [:]
    /// Paths that could not be opened.
    private var unreadable: Set<String> = []

    /// Rules run this far behind the slowest source, in milliseconds of event time; a source that has been quiet for as
    /// long holds them no more.
    private static let delay: Int64 = 2000

    /// So many files are open at a time; others wait until one of them rests.
    private static let openLimit = 256
    /// Seconds of quiet after which a file is closed.
    private static let restAfter = 10.0

    /// What tells a change of a file that is closed.
    private struct FileStamp: Equatable {
        var device, inode, size: Int64

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = Int64(bitPattern: UInt64(status.st_dev))
            inode = Int64(bitPattern: UInt64(status.st_ino))
            size = Int64(status.st_size)
        }
    }

    /// A file that is followed.
    private struct Followed {
        var reader: SourceReader
        var quietSince: Date
        var isSettled = false
    }

    /// Takes what to follow. Throws `WatchProblem` when that is nothing, and what is wrong with the catalogue.
    public init(paths: [String], store: String, configuration: Configuration) throws {
        let configured = configuration.sources.map(\.path)
        self.paths = !paths.isEmpty ? paths : configured.isEmpty ? configuration.node.folders : configured
        guard !self.paths.isEmpty else { throw WatchProblem() }
        storePath = store
        self.configuration = configuration
        catalogue = try configuration.catalogue()
    }

    /// Follows until SIGTERM or SIGINT. `tell` gets one line for each alert and each change of what is followed.
    public func run(tell: (String) -> Void) throws {
        let stop = try StopSignal()
        let store = try Store(path: storePath)
        let writer = StoreWriter(store)
        let pass = DetectionPass(store: store, rules: catalogue.rules, configuration: configuration)
        let watcher = try FolderWatcher(stop: stop.descriptor)
        tell("following \(paths.joined(separator: " ")), store \(storePath)")
        for path in paths where (try? InputPaths.expand([path])) == nil {
            tell("nothing is at \(Shown.text(path)) yet; waiting for it")
        }
        var lookedAt = Date.distantPast
        while true {
            // Records must be seen at once; a new file may take a fifth of a second.
            if Date().timeIntervalSince(lookedAt) > 0.2 {
                for folder in folders() { watcher.watch(folder) }
                try look(store, writer, tell: tell)
                lookedAt = Date()
            }
            try read(store, writer)
            try detect(store, pass, tell: tell)
            rest()
            // What waits for two quiet seconds needs a look soon; files of folders that cannot be watched need one at all.
            let waits = followed.values.contains { !$0.isSettled }
            if watcher.wait(milliseconds: waits ? 250 : 1000) == .stopped { break }
        }
        try commit(writer)
        tell("stopped")
    }

    /// Folders in which something may appear or change.
    private func folders() -> [String] {
        var result: Set<String> = []
        for path in paths {
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            result.insert(
                exists && isFolder.boolValue ? path : URL(fileURLWithPath: path).deletingLastPathComponent().path)
        }
        for path in followed.keys { result.insert(URL(fileURLWithPath: path).deletingLastPathComponent().path) }
        return result.sorted()
    }

    /// Finds files that are new, were replaced, or were cut.
    private func look(_ store: Store, _ writer: StoreWriter, tell: (String) -> Void) throws {
        for input in paths.flatMap({ (try? InputPaths.expand([$0])) ?? [] }) where input.path != "-" {
            if let old = followed[input.path], isSame(old.reader.file, input.path) { continue }
            if let stamp = resting[input.path], stamp == FileStamp(input.path) { continue }
            guard followed.count < Watch.openLimit || followed[input.path] != nil else { continue }
            guard let file = open(input.path, tell: tell), file.isRegular else { continue }
            let head = try file.head(LogFormat.sniffLength)
            guard let profile = SourceProfile(file, head: head, format: nil, configuration: configuration) else {
                continue
            }
            if followed[input.path] != nil { try drain(input.path, writer) }
            let state = try store.open(profile.identity)
            let reader = SourceReader(
                file: file, format: profile.format, about: profile.facts, state: state, catalogue: catalogue.events)
            followed[input.path] = Followed(reader: reader, quietSince: Date())
            resting[input.path] = nil
            tell("reading \(Shown.text(input.path)) from byte \(state.position)")
        }
    }

    /// The file, or nil when it cannot be opened now; that is said once.
    private func open(_ path: String, tell: (String) -> Void) -> LogFile? {
        do {
            let file = try LogFile(path: path)
            unreadable.remove(path)
            return file
        } catch {
            if unreadable.count < 10_000, unreadable.insert(path).inserted { tell("cannot read \(error)") }
            return nil
        }
    }

    /// True when the path still leads to the open file and that was not cut.
    private func isSame(_ file: LogFile, _ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return true }
        return Int64(bitPattern: UInt64(status.st_ino)) == file.inode
            && Int64(bitPattern: UInt64(status.st_dev)) == file.device && Int64(status.st_size) >= file.offset
    }

    /// Reads what is new in every file, a fair share at a time, and commits it.
    private func read(_ store: Store, _ writer: StoreWriter) throws {
        var isMore = true
        while isMore {
            isMore = false
            for path in followed.keys.sorted() { isMore = try advance(path) || isMore }
            try commit(writer)
        }
    }

    /// Closes files that have been read to their end and are quiet.
    private func rest() {
        for (path, entry) in followed where entry.isSettled && !entry.reader.hasNews {
            let quiet = max(Date().timeIntervalSince(entry.quietSince), entry.reader.file.age ?? 0)
            guard quiet > Watch.restAfter else { continue }
            // A path that is gone, or leads elsewhere by now, is found again by looking.
            if let stamp = FileStamp(path), stamp.size <= entry.reader.file.offset { resting[path] = stamp }
            followed[path] = nil
        }
    }

    /// Reads up to 8 MB of a file; true when there is more.
    private func advance(_ path: String) throws -> Bool {
        guard var entry = followed[path] else { return false }
        defer { followed[path] = entry }
        for _ in 0..<32 {
            guard try entry.reader.step() else {
                let quiet = max(Date().timeIntervalSince(entry.quietSince), entry.reader.file.age ?? 0)
                if !entry.isSettled, quiet * 1000 >= Double(Watch.delay) {
                    entry.reader.settle()
                    entry.isSettled = true
                }
                return false
            }
            entry.quietSince = Date()
            entry.isSettled = false
            if entry.reader.eventCount >= 4096 { return true }
        }
        return true
    }

    /// Takes the rest of a file that is replaced by another.
    private func drain(_ path: String, _ writer: StoreWriter) throws {
        guard let entry = followed[path] else { return }
        while try entry.reader.step() {}
        entry.reader.finish()
        _ = try writer.commit([try entry.reader.takeIngest()])
        followed[path] = nil
    }

    private func commit(_ writer: StoreWriter) throws {
        var ingests: [Ingest] = []
        for path in followed.keys.sorted() {
            guard let reader = followed[path]?.reader, reader.hasNews else { continue }
            ingests.append(try reader.takeIngest())
        }
        if !ingests.isEmpty { _ = try writer.commit(ingests) }
    }

    private func detect(_ store: Store, _ pass: DetectionPass, tell: (String) -> Void) throws {
        let busy = followed.values.filter { !$0.isSettled }.map(\.reader.now)
        let moment = busy.min().map { $0.adding(milliseconds: -Watch.delay) } ?? .distantFuture
        let found = try pass.run(through: moment)
        for alert in found.alerts {
            tell("alert \(alert.severity.rawValue) \(alert.time) \(alert.message) [\(alert.rule.id)]")
        }
        for ban in found.bans { tell("ban (\(ban.mode.rawValue)) \(ban.cidr) until \(ban.end): \(ban.reason)") }
    }
}
