import VigilModel

/// The memory that rows are laid out in. Who keeps a batch of records keeps the memory they stand in; the row buffer then
/// goes on in other memory.
final class RowMemory: @unchecked Sendable {
    // Unchecked: written to by one row buffer, and only while nobody else has it.
    private(set) var bytes: UnsafeMutablePointer<UInt8>
    private(set) var separators: UnsafeMutablePointer<UInt32>
    private(set) var rows: UnsafeMutablePointer<RecordBatch.Row>
    private(set) var offsets: UnsafeMutablePointer<Int64>
    /// Bytes, separators and rows that fit.
    private(set) var room: (bytes: Int, separators: Int, rows: Int)

    /// Spare bytes behind the last row, which `LogRecord.head` may read.
    static let slack = 64
    /// What most batches need: a reader's buffer of short lines.
    private static let usual = (bytes: 320 << 10, separators: 48 << 10, rows: 2304)

    init() {
        room = RowMemory.usual
        bytes = .allocate(capacity: room.bytes + RowMemory.slack)
        separators = .allocate(capacity: room.separators)
        rows = .allocate(capacity: room.rows)
        offsets = .allocate(capacity: room.rows)
    }

    deinit {
        bytes.deallocate()
        separators.deallocate()
        rows.deallocate()
        offsets.deallocate()
    }

    /// True when it has become so large that it should not be kept for the next batch.
    var isLarge: Bool { room.bytes > 4 << 20 }

    /// Makes room for as many at least; `used` says what of it is to stay.
    func grow(to wanted: (bytes: Int, separators: Int, rows: Int), used: (bytes: Int, separators: Int, rows: Int)) {
        if wanted.bytes > room.bytes {
            room.bytes = max(wanted.bytes, 2 * room.bytes)
            bytes = RowMemory.moved(bytes, used.bytes, to: room.bytes + RowMemory.slack)
        }
        if wanted.separators > room.separators {
            room.separators = max(wanted.separators, 2 * room.separators)
            separators = RowMemory.moved(separators, used.separators, to: room.separators)
        }
        if wanted.rows > room.rows {
            room.rows = max(wanted.rows, 2 * room.rows)
            rows = RowMemory.moved(rows, used.rows, to: room.rows)
            offsets = RowMemory.moved(offsets, used.rows, to: room.rows)
        }
    }

    private static func moved<Element>(
        _ old: UnsafeMutablePointer<Element>, _ count: Int, to capacity: Int
    ) -> UnsafeMutablePointer<Element> {
        let new = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        new.moveInitialize(from: old, count: count)
        old.deallocate()
        return new
    }
}

/// Memory of one row buffer that is kept elsewhere, and will be used again when it is not any more.
struct RowMemoryPool {
    private var kept: [RowMemory] = []

    /// Sees to it that nobody keeps a memory that is to be written to: another one takes its place if need be.
    mutating func renew(_ memory: inout RowMemory) {
        let isFree = isKnownUniquelyReferenced(&memory)
        if isFree, !memory.isLarge { return }
        if !memory.isLarge { kept.append(memory) }
        for index in kept.indices where isKnownUniquelyReferenced(&kept[index]) {
            memory = kept.remove(at: index)
            return
        }
        memory = RowMemory()
    }
}
