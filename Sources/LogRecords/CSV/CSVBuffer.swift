import CScan
import VigilModel

/// The memory that rows of csvlog are read into. Who keeps a batch of records keeps the memory they stand in; the reader
/// then goes on in other memory.
final class CSVBuffer: @unchecked Sendable {
    // Unchecked: written to by one reader, and only while nobody else has it.
    let capacity: Int
    let bytes: UnsafeMutablePointer<UInt8>
    let separators: UnsafeMutablePointer<UInt32>
    let scanned: UnsafeMutablePointer<cscan_record>
    let rows: UnsafeMutablePointer<RecordBatch.Row>

    /// Spare bytes behind the buffer, which `LogRecord.head` may read.
    static let slack = 64
    /// No row is shorter: time, severity, SQLSTATE and separators alone take this much.
    private static let shortestRecord = 32

    /// Rows that fit.
    var rowCapacity: Int { capacity / CSVBuffer.shortestRecord }

    init(capacity: Int) {
        self.capacity = capacity
        bytes = .allocate(capacity: capacity + CSVBuffer.slack)
        separators = .allocate(capacity: capacity + CSVBuffer.slack)
        scanned = .allocate(capacity: capacity / CSVBuffer.shortestRecord + 1)
        rows = .allocate(capacity: capacity / CSVBuffer.shortestRecord + 1)
        (bytes + capacity).initialize(repeating: 0, count: CSVBuffer.slack)
    }

    deinit {
        bytes.deallocate()
        separators.deallocate()
        scanned.deallocate()
        rows.deallocate()
    }
}

/// Buffers of one reader: those that are kept elsewhere, and spare ones.
struct CSVBufferPool {
    private var buffers: [CSVBuffer]
    private var current = 0

    init(capacity: Int) { buffers = [CSVBuffer(capacity: capacity)] }

    /// The buffer in use.
    var buffer: CSVBuffer { buffers[current] }

    /// True when somebody keeps rows of the buffer in use.
    mutating func isKept() -> Bool { !isKnownUniquelyReferenced(&buffers[current]) }

    /// Takes another buffer of the same size that nobody keeps into use.
    mutating func takeSpare() {
        let capacity = buffers[current].capacity
        for index in buffers.indices where index != current && isKnownUniquelyReferenced(&buffers[index]) {
            current = index
            return
        }
        buffers.append(CSVBuffer(capacity: capacity))
        current = buffers.count - 1
    }

    /// Takes a larger buffer into use, and only that.
    mutating func grow() {
        buffers = [CSVBuffer(capacity: buffers[current].capacity * 2)]
        current = 0
    }
}
