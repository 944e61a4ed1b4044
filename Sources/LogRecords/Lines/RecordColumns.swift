import VigilModel

/// The columns of a record that is being put together, in any order.
protocol RecordColumns {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Begins another record; all columns are NULL.
    mutating func begin(offset: Int64, time: LogTime, dataset: LogDataset, form: RecordForm)
    /// True when the column was given, were it empty.
    func has(_ column: LogColumn) -> Bool
    /// Gives a column its content, in place of what it had: bytes that stay until the record has left.
    mutating func set(_ column: LogColumn, _ bytes: Bytes)
    /// The same with bytes that do not stay.
    mutating func set(_ column: LogColumn, copy bytes: some Collection<UInt8>)
    /// Adds to a column's content.
    mutating func append(_ column: LogColumn, _ bytes: Bytes)
    /// Adds to a column's content.
    mutating func append(_ column: LogColumn, _ byte: UInt8)
    /// Takes bytes from a column's start.
    mutating func dropFirst(_ count: Int, of column: LogColumn)
    /// Takes bytes from a column's end.
    mutating func dropLast(_ count: Int, of column: LogColumn)
    /// The content of a column for the length of a call; empty when it was not given.
    func withContent<Result>(_ column: LogColumn, _ body: (Bytes) -> Result) -> Result
}

extension RecordColumns {
    /// Gives a column a text that is part of the program.
    @inline(__always)
    mutating func set(_ column: LogColumn, _ text: StaticString) {
        set(column, Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
