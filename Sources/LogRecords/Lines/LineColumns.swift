import CScan
import VigilModel

/// The columns of a record as places in memory that somebody else keeps until its row is written: nothing is copied but
/// what has to be made. A value over borrowed memory, for the length of a call.
struct LineColumns: RecordColumns {
    private(set) var offset: Int64 = 0
    private(set) var time = LogTime.distantPast
    private(set) var dataset = LogDataset.postgresql
    private(set) var form = RecordForm.columns
    /// A bit for each column that was given.
    private(set) var present: UInt32 = 0
    /// Columns of several lines, each but the first behind a TAB that is not theirs.
    private var tabbed: UInt32 = 0
    /// There was no room for something: the record is not whole.
    private(set) var isOverfull = false

    private let places: UnsafeMutableBufferPointer<cscan_text>
    private let memory: UnsafeMutableBufferPointer<UInt8>
    private var used = 0

    /// Runs with room for texts that have to be made, of that many bytes in all a record.
    static func with<Result>(room: Int, _ body: (inout LineColumns) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: cscan_text.self, capacity: LogColumn.allCases.count) { places in
            places.initialize(repeating: cscan_text(bytes: nil, length: 0))
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { memory in
                var columns = LineColumns(places: places, memory: memory)
                return body(&columns)
            }
        }
    }

    private init(
        places: UnsafeMutableBufferPointer<cscan_text>, memory: UnsafeMutableBufferPointer<UInt8>
    ) {
        self.places = places
        self.memory = memory
    }

    mutating func begin(offset: Int64, time: LogTime, dataset: LogDataset, form: RecordForm) {
        self.offset = offset
        self.time = time
        self.dataset = dataset
        self.form = form
        present = 0
        tabbed = 0
        isOverfull = false
        used = 0
    }

    @inline(__always)
    private func bit(_ column: LogColumn) -> UInt32 { 1 << UInt32(column.rawValue) }

    @inline(__always)
    func has(_ column: LogColumn) -> Bool { present & bit(column) != 0 }

    @inline(__always)
    mutating func set(_ column: LogColumn, _ bytes: Bytes) {
        put(column, bytes)
        present |= bit(column)
        tabbed &= ~bit(column)
    }

    @inline(__always)
    private func put(_ column: LogColumn, _ bytes: Bytes) {
        places[column.rawValue] = cscan_text(bytes: bytes.baseAddress, length: bytes.count)
    }

    @inline(__always)
    private func text(_ column: Int) -> Bytes {
        Bytes(start: places[column].bytes, count: places[column].length)
    }

    mutating func set(_ column: LogColumn, copy bytes: some Collection<UInt8>) {
        let start = used
        write(bytes)
        set(column, Bytes(rebasing: memory[start..<used]))
    }

    mutating func append(_ column: LogColumn, _ bytes: Bytes) { add(column, bytes) }

    mutating func append(_ column: LogColumn, _ byte: UInt8) { add(column, CollectionOfOne(byte)) }

    /// What is added to stands last in the memory, or is copied there.
    private mutating func add(_ column: LogColumn, _ bytes: some Collection<UInt8>) {
        guard has(column) else { return set(column, copy: bytes) }
        let old = text(column.rawValue)
        if let end = old.baseAddress.map({ $0 + old.count }), let base = memory.baseAddress, end == base + used {
            write(bytes)
            put(column, Bytes(start: old.baseAddress, count: old.count + bytes.count))
        } else {
            let start = used
            write(old)
            write(bytes)
            put(column, Bytes(rebasing: memory[start..<used]))
        }
    }

    private mutating func write(_ bytes: some Collection<UInt8>) {
        guard bytes.count <= memory.count - used else {
            isOverfull = true
            return
        }
        let rest = UnsafeMutableBufferPointer(rebasing: memory[used...])
        used += rest.initialize(fromContentsOf: bytes)
    }

    mutating func dropFirst(_ count: Int, of column: LogColumn) {
        if has(column) { put(column, text(column.rawValue).from(count)) }
    }

    mutating func dropLast(_ count: Int, of column: LogColumn) {
        guard has(column) else { return }
        let old = text(column.rawValue)
        put(column, old.upTo(max(0, old.count - count)))
    }

    @inline(__always)
    func withContent<Result>(_ column: LogColumn, _ body: (Bytes) -> Result) -> Result {
        body(has(column) ? text(column.rawValue) : Bytes(start: nil, count: 0))
    }

    /// The line behind a column's content, which starts with TAB, goes on from it: the content ends there then.
    mutating func extend(_ column: LogColumn, to end: UnsafePointer<UInt8>) {
        guard let start = places[column.rawValue].bytes, has(column) else { return }
        put(column, Bytes(start: start, count: end - start))
        tabbed |= bit(column)
    }

    /// Takes out the TAB behind each line feed.
    mutating func untab() {
        while tabbed != 0 {
            let column = tabbed.trailingZeroBitCount
            tabbed &= tabbed &- 1
            let text = text(column)
            guard text.count <= memory.count - used else {
                isOverfull = true
                continue
            }
            let start = used
            var last: UInt8 = 0
            for byte in text {
                if byte != 9 || last != 10 {
                    memory.initializeElement(at: used, to: byte)
                    used += 1
                }
                last = byte
            }
            places[column] = cscan_text(bytes: memory.baseAddress.map { $0 + start }, length: used - start)
        }
    }

    /// All columns, by number.
    var all: UnsafeBufferPointer<cscan_text> { UnsafeBufferPointer(places) }
}
