import Codecs
import EventStore
import Foundation
import LocatedYAML
import LogRecords
import VigilModel

/// Takes rows that Vector posts, lines of JSON, and answers once they are in the store.
///
/// Vector sends again what gets 408, 429 or 5xx, and drops what gets any other 4xx: that is for what could never be
/// taken.
final class VectorInput: @unchecked Sendable {
    // Unchecked: what changes is guarded by the lock; rows are read on the queue, one body at a time.
    private let lock = NSLock()
    private let queue = DispatchQueue(label: "vector input")
    private let reader: FleetReader
    private let manner: FleetReader.Manner
    private let meter: WatchMeter
    private var waiting = 0
    private var isStopping = false

    /// Where Vector posts to.
    static let path = "/ingest/vector"
    /// Bytes of a body, as it is sent and unpacked.
    static let limit = (sent: 16 << 20, unpacked: 64 << 20)
    /// Bodies that wait for the store.
    private static let most = 4

    init(_ reader: FleetReader, _ manner: FleetReader.Manner, meter: WatchMeter = WatchMeter()) {
        self.reader = reader
        self.manner = manner
        self.meter = meter
    }

    /// Takes no more; what is under way is brought to its end.
    func stop() {
        lock.withLock { isStopping = true }
        queue.sync {}
    }

    /// Takes a body; answers once its rows are committed.
    func answer(to body: [UInt8], packed encoding: String?) async -> (status: Int, text: String) {
        let refusal: String? = lock.withLock {
            if isStopping { return "stopping" }
            if waiting >= VectorInput.most { return "busy" }
            waiting += 1
            return nil
        }
        if let refusal { return (503, refusal) }
        return await withCheckedContinuation { continuation in
            queue.async { [self] in
                let answer = take(body, packed: encoding)
                lock.withLock { waiting -= 1 }
                continuation.resume(returning: answer)
            }
        }
    }

    private func take(_ body: [UInt8], packed encoding: String?) -> (status: Int, text: String) {
        let bytes: [UInt8]
        switch encoding?.lowercased() {
        case nil, "", "identity": bytes = body
        case let name?:
            guard let packing = ["gzip": Compression.gzip, "zstd": .zstd][name] else {
                return (415, "a body is packed by gzip, zstd, or not at all")
            }
            do { bytes = try packing.unpack(body, limit: VectorInput.limit.unpacked) } catch {
                switch error {
                case .tooLarge: return (413, "more than \(VectorInput.limit.unpacked >> 20) MB unpacked")
                case .corrupt(let reason): return (400, "the body cannot be unpacked: \(reason)")
                }
            }
        }
        let (rows, lines) = VectorInput.rows(bytes)
        guard lines.good > 0 || lines.bad == 0 else {
            return (400, "no line is a row of JSON with a time: Vector's framing must be newline_delimited")
        }
        do {
            let count = try reader.commit(rows, through: nil, manner)
            meter.note(rows: count, of: "vector", kind: "http", isUp: true)
            return (200, "\(count.read) new, \(count.known) known, \(lines.bad) unread")
        } catch {
            return (503, "the store takes nothing now: \(error)")
        }
    }

    /// The rows of a body. Of a line that cannot be read only the fault is kept, so that the others are not lost with it.
    private static func rows(_ bytes: [UInt8]) -> (rows: [VectorRow], lines: (good: Int, bad: Int)) {
        let now = LogTime.wallClock
        var rows: [VectorRow] = []
        var lines = (good: 0, bad: 0)
        for part in bytes.split(separator: 10) where part.contains(where: { $0 > 32 }) {
            let line = Array(part)
            do {
                rows.append(try VectorRow(line))
                lines.good += 1
            } catch VectorRow.Problem.broken {
                rows.append(VectorRow(unreadable: line, at: now))
                lines.bad += 1
            } catch { lines.good += 1 }
        }
        return (rows, lines)
    }
}

extension FleetReader.Manner {
    private enum Meaning: String, CaseIterable { case log, received }

    /// What is known of rows that Vector posts (key `ingest`).
    init(_ value: YAMLValue) throws(YAMLProblem) {
        let keys = try value.mapping(["time", "timezone"])
        let time = try keys["time"]?.word(Meaning.self)
        self.init(isReceived: time != .log, timezone: try keys["timezone"]?.text())
    }
}
