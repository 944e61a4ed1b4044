import Foundation
import LogRecords
import LogSources
import Patterns
import SecurityEvents
import VigilModel

/// Cuts a file into records, and where that is quick takes a first look at them, on a thread of its own, some buffers
/// ahead of who reads them. What is handed over is the same, in the same order, as without. The thread ends with the file,
/// or when nobody wants it any more; the record reader and the file are then the taker's again.
final class RecordsAhead {
    /// What one buffer gave.
    struct Portion: @unchecked Sendable {
        // Unchecked: the memory of its records is its own from when it is handed over.
        enum Item {
            case records(RecordBatch, [RecordLook]?)
            case unfinished(RecordBatch)
            case unread(Unread)
            case text(TextLine)
        }

        fileprivate(set) var items: [Item] = []
        /// Bytes taken from the file; 0 at its end.
        fileprivate(set) var bytes = 0
        /// Where reading can go on behind it, and how much of the file on the disk that is.
        fileprivate(set) var position: Int64 = 0
        fileprivate(set) var consumed: Int64 = 0
        /// Why reading ended before the file.
        fileprivate(set) var problem: (any Error)?
        /// Nothing follows.
        fileprivate(set) var isLast = false
    }

    private let queue = Queue()

    /// Bytes that may wait.
    private static let limit = 1 << 20

    /// Starts where the record reader is. Neither it nor the file must be touched by anyone else before the last portion
    /// was taken.
    init(_ records: any RecordReader, of file: LogFile, _ ahead: ReadAhead?, _ catalogue: EventCatalogue) {
        let work = Work(records: records, file: file, ahead: ahead, catalogue: catalogue)
        let queue = queue
        Thread.detachNewThread { work.run(queue) }
    }

    deinit { queue.close() }

    /// The next portion; waits for it. Nothing comes behind the last.
    func next() -> Portion { queue.take() }

    private struct Work: @unchecked Sendable {
        // Unchecked: given to the thread, and back when that has ended.
        let records: any RecordReader
        let file: LogFile
        let ahead: ReadAhead?
        let catalogue: EventCatalogue

        func run(_ queue: Queue) {
            var gatherer = Gatherer(sieve: records.isQuick ? RecordSieve(catalogue) : nil)
            var isLast = false
            while !isLast {
                var portion = Portion()
                do {
                    portion.bytes = try records.fill { try ahead?.read(into: $0) ?? file.read(into: $0) }
                    records.drain(into: &gatherer, atEnd: false)
                } catch { portion.problem = error }
                swap(&portion.items, &gatherer.items)
                portion.position = records.position
                portion.consumed = ahead?.consumed ?? file.consumed
                isLast = portion.bytes == 0
                portion.isLast = isLast
                if !queue.put(portion) { return }
            }
        }
    }

    /// Keeps what a record reader finds.
    private struct Gatherer: RecordConsumer {
        var sieve: RecordSieve?
        var items: [Portion.Item] = []

        mutating func take(_ records: RecordBatch) { items.append(.records(records.kept, sieve?.look(at: records))) }
        mutating func takeUnfinished(_ records: RecordBatch) { items.append(.unfinished(records.kept)) }
        mutating func skip(_ unread: Unread) { items.append(.unread(unread)) }
        mutating func pass(_ line: TextLine) { items.append(.text(line)) }
    }

    /// Portions on their way between the two threads: who is ahead waits.
    private final class Queue: @unchecked Sendable {
        // Unchecked: every access to the state is under the condition's lock.
        private let condition = NSCondition()
        private var portions: [Portion] = []
        private var bytes = 0
        private var isClosed = false

        /// Hands over; false when nobody takes any more.
        func put(_ portion: Portion) -> Bool {
            condition.withLock {
                while !isClosed, !portions.isEmpty, bytes + portion.bytes > RecordsAhead.limit { condition.wait() }
                portions.append(portion)
                bytes += portion.bytes
                condition.broadcast()
                return !isClosed
            }
        }

        func take() -> Portion {
            condition.withLock {
                while portions.isEmpty { condition.wait() }
                let portion = portions.removeFirst()
                bytes -= portion.bytes
                condition.broadcast()
                return portion
            }
        }

        func close() {
            condition.withLock {
                isClosed = true
                portions = []
                condition.broadcast()
            }
        }
    }
}
