import VigilModel

/// A record longer than the reader's buffer, taken piece by piece: of each column the first megabyte stays, with length
/// and hash of the whole, so that no record can exhaust memory.
struct LongRecord {
    enum State: Equatable {
        case open, whole, broken
    }

    /// File offset of the record's first byte.
    let offset: Int64
    private var columns: [(text: LongText, quoted: Bool)] = []
    private var current = LongText()
    private var piece: [UInt8] = []
    private var place = Place.fieldStart

    private enum Place {
        case fieldStart, bare, quoted, quoteInQuoted, carriageReturn
    }

    init(offset: Int64) { self.offset = offset }

    /// Takes bytes up to the end of the record; gives how many it took.
    mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) -> (taken: Int, state: State) {
        for (index, byte) in bytes.enumerated() {
            switch (place, byte) {
            case (.fieldStart, 34): place = .quoted
            case (.quoted, 34): place = .quoteInQuoted
            case (.quoteInQuoted, 34):
                keep(34)
                place = .quoted
            case (.quoteInQuoted, 13): place = .carriageReturn
            case (.quoteInQuoted, 44), (.fieldStart, 44), (.bare, 44):
                endColumn()
                if columns.count > 26 { return (index + 1, .broken) }
            case (.quoteInQuoted, 10), (.fieldStart, 10), (.bare, 10), (.carriageReturn, 10):
                endColumn()
                return (index + 1, .whole)
            case (.quoteInQuoted, _), (.carriageReturn, _), (.bare, 34): return (index, .broken)
            case (.fieldStart, _), (.bare, _):
                keep(byte)
                place = .bare
            case (.quoted, _): keep(byte)
            }
        }
        return (bytes.count, .open)
    }

    private mutating func keep(_ byte: UInt8) {
        piece.append(byte)
        if piece.count == 1 << 16 { flush() }
    }

    private mutating func flush() {
        current.append(piece)
        piece.removeAll(keepingCapacity: true)
    }

    private mutating func endColumn() {
        flush()
        columns.append((current, place == .quoted || place == .quoteInQuoted || place == .carriageReturn))
        current = LongText()
        place = .fieldStart
    }

    /// The record as an ordinary row, long columns cut.
    var row: [UInt8] {
        var row: [UInt8] = []
        for (index, column) in columns.enumerated() {
            if index > 0 { row.append(44) }
            guard column.quoted else {
                row += column.text.kept
                continue
            }
            row.append(34)
            for byte in column.text.kept {
                if byte == 34 { row.append(34) }
                row.append(byte)
            }
            row.append(34)
        }
        return row + [10]
    }
}
