import EventStore
import Foundation
import VigilModel

/// How things stand: what is read and how far, what is silent, what the store holds, and who works on it.
public struct StatusReport: Sendable {
    /// One log: a file, or the files of one folder, format and instance.
    public struct Log: Sendable {
        /// The folder, or the file.
        public internal(set) var path: String
        /// How it is read.
        public let format: String
        /// Cluster and instance.
        public let cluster, instance: String?
        /// How many files, and how many of them are still there.
        public internal(set) var files = 0
        /// Files that are still there.
        public internal(set) var present = 0
        /// Records that were read, places that are no record, and bytes there.
        public internal(set) var records: Int64 = 0
        /// Places that are no record.
        public internal(set) var unread: Int64 = 0
        /// Bytes of them.
        public internal(set) var unreadBytes: Int64 = 0
        /// Bytes that are there and were not read yet.
        public internal(set) var backlog: Int64 = 0
        /// Time of the last record.
        public internal(set) var lastRecord: LogTime?
        /// When something was last read.
        public internal(set) var lastRead: LogTime?

        /// True when files are there and nothing was written to them for so long.
        public func isSilent(for time: Int64, at now: LogTime) -> Bool {
            guard present > 0, let lastRecord else { return false }
            return now.milliseconds - lastRecord.milliseconds > time
        }
    }

    /// When this was looked at.
    public let now: LogTime
    /// The store's path, and what it holds.
    public let path: String
    /// What the store holds.
    public let store: StoreStatus
    /// How it grows.
    public let forecast: StoreForecast
    /// Who has it open.
    public let processes: [StoreProcess]
    /// The logs.
    public let logs: [Log]
    /// Alerts that exceptions held back, by reason and rule.
    public let heldBack: [(reason: String, rule: String, count: Int64, last: LogTime)]
    /// Patterns whose expressions gave up.
    public let giveUps: [PatternGiveUp]

    /// The files of `blocklists`, as they were last written.
    public let lists: [ListState]
    /// Who is told, and what waits for them.
    public let sinks: [SinkState]

    /// Looks at a store and at the files that were read into it; `eachFile` puts none together.
    /// `blockLists` are those that should be kept.
    public init(
        _ store: Store, eachFile: Bool, blockLists: [BlockListFile] = [], limits: RetentionLimits = RetentionLimits(),
        at now: LogTime
    ) throws {
        self.now = now
        path = store.path
        self.store = try store.status()
        forecast = try store.forecast(limits)
        processes = StoreProcess.all(of: store.path)
        heldBack = try store.heldBack()
        giveUps = try store.giveUps()
        sinks = try store.sinkStates()
        let known = try store.lists()
        let new = blockLists.map { ListState(path: $0.name, format: $0.format.rawValue) }
        lists = known + new.filter { list in !known.contains { $0.path == list.path && $0.format == list.format } }
        var logs: [String: Log] = [:]
        for source in try store.sourceStatus() {
            let folder =
                source.path == "-" ? "-" : URL(fileURLWithPath: source.path).deletingLastPathComponent().relativePath
            let place = eachFile ? source.path : folder
            let key = [place, source.format, source.cluster ?? "", source.instance ?? ""].joined(separator: "\0")
            var log =
                logs[key]
                ?? Log(path: place, format: source.format, cluster: source.cluster, instance: source.instance)
            // One file of a folder is better named itself.
            if !eachFile { log.path = log.files == 0 ? source.path : folder }
            log.add(source)
            logs[key] = log
        }
        self.logs = logs.values.sorted { ($0.path, $0.format) < ($1.path, $1.format) }
    }
}

extension StatusReport.Log {
    fileprivate mutating func add(_ source: SourceStatus) {
        files += 1
        records += source.records
        unread += source.unread
        unreadBytes += source.unreadBytes
        lastRecord = [lastRecord, source.lastRecord].compactMap { $0 }.max()
        lastRead = [lastRead, source.lastRead].compactMap { $0 }.max()
        var status = stat()
        guard source.path != "-", stat(source.path, &status) == 0,
            Int64(bitPattern: UInt64(status.st_ino)) == source.inode,
            Int64(bitPattern: UInt64(status.st_dev)) == source.device
        else { return }
        present += 1
        // How much is in an archive is known when it has been read.
        let size = Int64(status.st_size)
        backlog += source.packed.map { size - $0 } ?? max(0, size - source.read)
    }
}
