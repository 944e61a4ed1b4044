import EventStore
import Foundation
import LogRecords
import LogSources
import Patterns
import Responses
import VigilModel

/// Reads files once, from where earlier readings ended, and brings rules up to their end.
public struct Replay: Sendable {
    /// What a person may ask for.
    public struct Options: Sendable {
        /// Files, folders, patterns, `-`.
        public var paths: [String]
        /// The format of named files; nil: found by content.
        public var format: LogFormat?
        /// Where the store is.
        public var store: String
        /// Only events of this time, `since` included, `until` not. A reading of a part moves no position.
        public var since: LogTime?
        /// Only events before this time.
        public var until: LogTime?
        /// Files read at the same time.
        public var jobs: Int
        /// What is found is sent to the sinks of the configuration.
        public var delivers = false
        /// Servers of logs.
        public var fleets: [FleetSource] = []

        /// Takes all of it.
        public init(
            paths: [String], format: String? = nil, store: String, since: LogTime?, until: LogTime?, jobs: Int
        ) {
            self.paths = paths
            self.format = format.flatMap(LogFormat.init)
            self.store = store
            self.since = since
            self.until = until
            self.jobs = jobs
        }
    }

    /// Words for the formats that can be named.
    public static let formats = LogFormat.allCases.map(\.rawValue)

    private let options: Options
    private let configuration: Configuration
    private let catalogue: Catalogue

    /// Takes what is asked for. Throws what is wrong with the catalogue.
    public init(_ options: Options, configuration: Configuration) throws {
        self.options = options
        self.configuration = configuration
        catalogue = try configuration.catalogue()
    }

    /// Reads, detects, and tells what was found. `progress` is called from time to time with bytes read and to read.
    /// Nothing is written before every named file has shown that it can be read.
    public func run(progress: @escaping (_ read: Int64, _ total: Int64?) -> Void) throws -> ReplaySummary {
        let started = Date()
        let inputs =
            options.paths.isEmpty && !options.fleets.isEmpty
            ? ReplayInputs()
            : try ReplayInputs(options.paths, format: options.format, configuration: configuration)
        let store = try Store(path: options.store)
        try ActWriter(store).note(configuration, rules: catalogue.digest)
        var summary = ReplaySummary(store: options.store)
        summary.files = inputs.files.count
        summary.empty = inputs.empty
        summary.passedOver = inputs.passedOver
        summary.sameLogs = inputs.sameLogs
        // Who asks for it wants old alerts told, too.
        let sinks = options.delivers ? configuration.sinks : []
        _ = try store.subscribe(sinks.map(\.asked))
        let rules = DetectionAhead(
            DetectionPass(store: store, rules: catalogue.rules, configuration: configuration))
        do {
            if !inputs.files.isEmpty { try read(inputs.files, into: store, rules, &summary, progress: progress) }
        } catch {
            _ = rules.finish()
            throw error
        }
        let pass = rules.finish()
        for fleet in options.fleets {
            try FleetReplay(fleet, store: store, catalogue: catalogue.events).run(
                since: options.since, until: options.until, &summary
            ) { progress($0, nil) }
            // Its rows may be older than what rules have been over.
            pass.giveUp()
        }
        let found = try pass.run(through: .distantFuture, now: options.until)
        summary.alerts = found.alerts
        for held in found.heldBack { summary.heldBack[held.reason, default: 0] += 1 }
        summary.end = try store.lastEventTime()
        if let end = summary.end {
            summary.bans = try BanBook(store, configuration).list(at: end).bans
        }
        var giveUps = GiveUps(catalogue)
        summary.giveUps = giveUps.take()
        try store.note(giveUps: summary.giveUps.map { ($0.pattern, $0.count) }, at: .wallClock)
        summary.seconds = Date().timeIntervalSince(started)
        if !sinks.isEmpty {
            summary.deliveries = try OutboxDrain(store, sinks, addresses: configuration.node.addresses).run(
                patience: Replay.patience)
        }
        return summary
    }

    /// Seconds that sinks may fail before what waits for them is left in the store.
    private static let patience = 15.0

    /// Parts that may wait for the writer, for each reading thread, and rows of one.
    private static let parts = 8
    private static let partSize = 1_000
    /// Rows that are worth a transaction: no more than may wait, so that reading goes on while they are written.
    private static let commitSize = parts * partSize

    /// One file's part of a commit, as the reading threads hand it over.
    private struct Part: Sendable {
        /// Which file.
        var file: Int
        var ingest: Ingest?
        var bytes: Int64 = 0
        /// The same on the disk, where it may be packed, with what an earlier reading had done.
        var consumed: Int64 = 0
        var end: End?
    }

    /// What is known when a file has been read.
    private struct End: Sendable {
        var clockSteps: Int
        var unknownZones: Set<String>
        var problem: (any Error)?
    }

    private func read(
        _ files: [ReplayInputs.File], into store: Store, _ rules: DetectionAhead, _ summary: inout ReplaySummary,
        progress: (Int64, Int64?) -> Void
    ) throws {
        let total = files.contains { $0.stream != nil } ? nil : files.reduce(Int64(0)) { $0 + ($1.profile.size ?? 0) }
        let queue = FileQueue(files)
        let workers = max(1, min(options.jobs, files.count))
        let handoff = Handoff<Part>(producers: workers, limit: workers * Replay.parts)
        // With fewer files than jobs each has a second thread.
        let cutsAhead = options.jobs > workers
        for _ in 0..<workers {
            Thread.detachNewThread {
                while let (number, file) = queue.next() {
                    readFile(number, file, store: store, handoff: handoff, cutsAhead: cutsAhead)
                }
                handoff.finish()
            }
        }
        let writer = StoreWriter(store)
        let load = try BulkLoad(store, writer)
        try writer.gather()
        var read: Int64 = 0
        var consumed: Int64 = 0
        var failure: (any Error)?
        var waiting: [Part] = []
        var isOpen = true
        // Up to where each file's events are stored.
        var clocks = files.map { $0.profile.start ?? .distantPast }
        while isOpen {
            let parts = handoff.takeAll()
            isOpen = !parts.isEmpty
            read += parts.reduce(0) { $0 + $1.bytes }
            consumed += parts.reduce(0) { $0 + $1.consumed }
            waiting += parts
            progress(consumed, total)
            // Large transactions write each page of an index once instead of many times.
            let rows = waiting.reduce(0) { $0 + ($1.ingest?.rows ?? 0) }
            guard !waiting.isEmpty, !isOpen || rows >= Replay.commitSize || waiting.count >= 64 else { continue }
            if failure == nil {
                do {
                    let before = summary.result.inserted
                    let earliest = try commit(waiting, writer, &summary)
                    try load.note(summary.result.inserted - before)
                    for part in waiting {
                        if let ingest = part.ingest { clocks[part.file] = ingest.clock }
                        if part.end != nil { clocks[part.file] = .distantFuture }
                    }
                    rules.note(
                        earliest: earliest, complete: clocks.min() ?? .distantPast, writer.takeStored())
                } catch {
                    // The readers must come to their end before this can be told.
                    failure = error
                    queue.stop()
                }
            }
            waiting = []
        }
        summary.bytes = read
        if let failure { throw failure }
        try load.finish()
        if summary.isFailure, read == 0, let first = summary.failed.first { throw first }
    }

    /// Gives the earliest event that a commit changes.
    private func commit(_ parts: [Part], _ writer: StoreWriter, _ summary: inout ReplaySummary) throws -> LogTime? {
        let ingests = parts.compactMap(\.ingest)
        summary.count(ingests)
        let result = try writer.commit(ingests)
        summary.result.add(result)
        for end in parts.compactMap(\.end) {
            summary.clockSteps += end.clockSteps
            summary.unknownZones.formUnion(end.unknownZones)
            if let problem = end.problem { summary.failed.append(problem) }
        }
        return result.earliest
    }

    /// Reads a file to its end in parts that are worth a commit.
    private func readFile(
        _ number: Int, _ input: ReplayInputs.File, store: Store, handoff: Handoff<Part>, cutsAhead: Bool
    ) {
        var end = End(clockSteps: 0, unknownZones: [], problem: nil)
        do {
            let file = try input.open()
            var state = try store.open(input.profile.identity)
            if input.isCopy { state.counted = .max }
            let span = SourceReader.TimeSpan(
                since: options.since ?? .distantPast, until: options.until ?? .distantFuture)
            if span.isWhole, SourceReader.isKnown(file, state) {
                handoff.put(Part(file: number, consumed: file.size ?? 0, end: end))
                return
            }
            let reader = SourceReader(
                file: file, format: input.profile.format, about: input.profile.facts, state: state,
                catalogue: catalogue.events, span: span, readsAhead: true, cutsAhead: cutsAhead)
            var handed: (bytes: Int64, consumed: Int64) = (0, 0)
            func part() throws -> Part {
                defer { handed = (reader.bytesRead, reader.consumed) }
                return Part(
                    file: number, ingest: try reader.takeIngest(), bytes: reader.bytesRead - handed.bytes,
                    consumed: reader.consumed - handed.consumed)
            }
            do {
                while try reader.step() {
                    if reader.rows >= Replay.partSize || reader.bytesRead - handed.bytes >= 32 << 20 {
                        handoff.put(try part())
                    }
                }
                // The server is just writing, and a login is not decided: what follows it is milliseconds away.
                while reader.isHolding, !file.isArchive, let age = file.age, age < 2 {
                    Thread.sleep(forTimeInterval: 0.05)
                    while try reader.step() {}
                }
            } catch let problem as SourceProblem {
                // What was read before the fault counts all the same.
                end.problem = problem
            }
            reader.finish(isWhole: end.problem == nil)
            end.clockSteps = reader.clockSteps
            end.unknownZones = reader.unknownZones
            var last = try part()
            last.end = end
            handoff.put(last)
        } catch {
            end.problem = error
            handoff.put(Part(file: number, end: end))
        }
    }
}

/// Files that wait for a reader.
private final class FileQueue: @unchecked Sendable {
    // Unchecked: guarded by the lock.
    private let lock = NSLock()
    private var files: ArraySlice<(Int, ReplayInputs.File)>

    init(_ files: [ReplayInputs.File]) { self.files = files.enumerated().map { ($0, $1) }[...] }

    /// The next one, and its number.
    func next() -> (Int, ReplayInputs.File)? { lock.withLock { files.popFirst() } }
    func stop() { lock.withLock { files = [] } }
}
