import Glibc
import VigilModel

/// Writes the columns of one row, in order, into memory that has room for them. The one place where rows are laid out
/// by pointers: `RowBuffer` makes the room and takes over what was written.
struct RowWriter {
    private let start: UnsafeMutablePointer<UInt8>
    private var next: UnsafeMutablePointer<UInt8>
    private let separators: UnsafeMutablePointer<UInt32>
    /// Offset of `start` in the buffer.
    private let base: UInt32
    /// The next column's number.
    private var column = 0

    /// Columns of a row.
    static let columnCount = LogColumn.allCases.count

    /// Bytes that a row takes at most whose contents are that long together: each byte may be a quote, which is
    /// doubled, and each column has two quotes around it and a separator behind. `putWide` writes up to sixteen more.
    static func room(for length: Int) -> Int { 2 * length + 3 * columnCount + 16 }

    init(
        bytes: UnsafeMutablePointer<UInt8>, separators: UnsafeMutablePointer<UInt32>, base: Int
    ) {
        start = bytes
        next = bytes
        self.separators = separators
        self.base = UInt32(truncatingIfNeeded: base)
    }

    /// Bytes written so far.
    var count: Int { next - start }

    /// Writes a column; those left out before it are NULL.
    @inline(__always)
    mutating func put(_ column: LogColumn, _ content: UnsafeBufferPointer<UInt8>) {
        put(number: column.rawValue, content)
    }

    /// Writes a column that has bytes, none of which is a quote.
    @inline(__always)
    mutating func putPlain(_ column: LogColumn, _ content: UnsafeBufferPointer<UInt8>) {
        skip(to: column.rawValue)
        append(content)
        end()
    }

    /// Writes a column without a quote in it, quoted when it is empty; sixteen bytes behind its content must be readable.
    @inline(__always)
    mutating func putWide(_ column: LogColumn, _ base: UnsafePointer<UInt8>, _ content: Range<Int>) {
        skip(to: column.rawValue)
        if content.isEmpty { quote(UnsafeBufferPointer(start: nil, count: 0)) }
        // Most contents are short: what is copied beyond the end is written over by what follows.
        let source = UnsafeRawPointer(base + content.lowerBound)
        var place = 0
        while place < content.count {
            let part = source.loadUnaligned(fromByteOffset: place, as: SIMD16<UInt8>.self)
            UnsafeMutableRawPointer(next + place).storeBytes(of: part, as: SIMD16<UInt8>.self)
            place &+= 16
        }
        next += content.count
        end()
    }

    /// Writes a column of two texts without quotes, with a byte between.
    mutating func put(
        _ column: LogColumn, _ first: UnsafeBufferPointer<UInt8>, _ byte: UInt8, _ second: UnsafeBufferPointer<UInt8>
    ) {
        skip(to: column.rawValue)
        append(first)
        next.initialize(to: byte)
        next += 1
        append(second)
        end()
    }

    /// Writes a column that is given but may be empty, which is quoted when it holds a quote or nothing.
    @inline(__always)
    mutating func put(number: Int, _ content: UnsafeBufferPointer<UInt8>) {
        skip(to: number)
        if let base = content.baseAddress, !content.isEmpty, memchr(base, 34, content.count) == nil {
            append(content)
        } else {
            quote(content)
        }
        end()
    }

    /// Ends the row; the columns left out are NULL.
    mutating func finish() {
        skip(to: RowWriter.columnCount)
        (next - 1).pointee = 10
    }

    @inline(__always)
    private mutating func skip(to number: Int) {
        while column < number { end() }
    }

    @inline(__always)
    private mutating func end() {
        (separators + column).initialize(to: base &+ UInt32(truncatingIfNeeded: next - start))
        next.initialize(to: 44)
        next += 1
        column &+= 1
    }

    @inline(__always)
    private mutating func append(_ content: UnsafeBufferPointer<UInt8>) {
        guard let source = content.baseAddress else { return }
        memcpy(next, source, content.count)
        next += content.count
    }

    /// Quotes a text as csvlog does.
    private mutating func quote(_ content: UnsafeBufferPointer<UInt8>) {
        next.initialize(to: 34)
        next += 1
        for byte in content {
            next.initialize(to: byte)
            next += 1
            if byte == 34 {
                next.initialize(to: 34)
                next += 1
            }
        }
        next.initialize(to: 34)
        next += 1
    }
}
