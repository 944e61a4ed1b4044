import EventStore
import Foundation
import LogRecords
import Patterns
import SecurityEvents
import VigilModel

/// Brings rows of many streams, in whatever order and however often they come, into the store.
final class FleetReader: @unchecked Sendable {
    // Unchecked: everything that changes is guarded by the lock, which is held from looking what is new to committing it.
    private let lock = NSLock()
    private let store: Store
    private let writer: StoreWriter
    private let catalogue: EventCatalogue
    private let blank: EventReader
    private var streams: [VectorStream: (reader: StreamReader, used: Int)] = [:]
    private var turn = 0

    /// Streams that are kept open; another one is found in the store when it comes again.
    private static let most = 2000

    init(store: Store, catalogue: EventCatalogue) {
        self.store = store
        self.catalogue = catalogue
        writer = StoreWriter(store)
        blank = EventReader(catalogue: catalogue)
    }

    /// What is known of where rows come from.
    struct Manner: Sendable {
        var isReceived: Bool
        var timezone: String?
    }

    /// Commits what is new among rows. `through` is the moment up to which all rows are there; nil when it is not known.
    /// `told` gets what goes into the store before it does.
    @discardableResult
    func commit(
        _ rows: [VectorRow], through: LogTime?, cursor: ReadingCursor? = nil, _ manner: Manner,
        told: ([Ingest], IngestResult) -> Void = { _, _ in }
    ) throws -> StreamReader.Count {
        try lock.withLock {
            turn += 1
            do { return try read(rows, through: through, cursor, manner, told) } catch {
                // What readers know is not in the store: they begin again from what is.
                streams = [:]
                throw error
            }
        }
    }

    private func read(
        _ rows: [VectorRow], through: LogTime?, _ cursor: ReadingCursor?, _ manner: Manner,
        _ told: ([Ingest], IngestResult) -> Void
    ) throws -> StreamReader.Count {
        var count = StreamReader.Count()
        var ingests: [Ingest] = []
        let readAt = LogTime.wallClock
        let parts = Dictionary(grouping: rows, by: \.stream)
        for stream in parts.keys.sorted(by: { ($0.path, $0.cluster ?? "") < ($1.path, $1.cluster ?? "") }) {
            let reader = try reader(stream, manner)
            let sorted = (parts[stream] ?? []).sorted(by: VectorRow.isBefore)
            var (ingest, seen) = try reader.take(sorted, through: through, store)
            count.add(seen)
            ingest.readAt = readAt
            if seen.read > 0 || !ingest.events.isEmpty || !ingest.evidence.isEmpty { ingests.append(ingest) }
        }
        for (stream, entry) in streams where parts[stream] == nil {
            if let ingest = entry.reader.settle(through: through) { ingests.append(ingest) }
        }
        if !ingests.isEmpty || cursor != nil {
            var cursor = cursor
            cursor?.late += Int64(count.late)
            told(ingests, try writer.commit(ingests, cursor: cursor))
        }
        rest()
        return count
    }

    private func reader(_ stream: VectorStream, _ manner: Manner) throws -> StreamReader {
        if let known = streams[stream] {
            streams[stream]?.used = turn
            return known.reader
        }
        // Only of a server's rows the time is in doubt: the lines of other programs carry their own.
        let isReceived = manner.isReceived && stream.kind == .postgres
        let state = try store.open(
            StreamIdentity(
                path: stream.path, format: stream.format, cluster: stream.cluster, instance: stream.instance,
                isReceived: isReceived))
        let reader = StreamReader(
            stream, state: state, isReceived: isReceived, timezone: manner.timezone, catalogue: catalogue, blank: blank)
        streams[stream] = (reader, turn)
        return reader
    }

    /// Lets go of streams that have been quiet for longest.
    private func rest() {
        guard streams.count > FleetReader.most else { return }
        let idle = streams.filter { !$0.value.reader.isHolding }.sorted { $0.value.used < $1.value.used }
        for (stream, _) in idle.prefix(streams.count - FleetReader.most) { streams[stream] = nil }
    }
}
