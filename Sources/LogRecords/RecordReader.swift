import VigilModel

/// Cuts the bytes of one file into records. The caller fills the reader's buffer, then drains it; what is no whole
/// record yet stays for the next filling.
public protocol RecordReader: AnyObject {
    /// File offset where reading can go on: nothing before it is held or waits.
    var position: Int64 { get }
    /// True when it costs less than half of what is done with records later on.
    var isQuick: Bool { get }
    /// Zone abbreviations that neither the log, the configuration nor the table explains.
    var unknownZones: Set<String> { get }
    /// Lets `read` put bytes into the buffer; gives how many it put there (0 at the end of input).
    func fill(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int
    /// Hands over every whole record in the buffer. `atEnd` says that no more bytes will come: a last record without
    /// its line feed is then taken as unfinished when it is sound (`position` stays before it).
    func drain(into consumer: inout some RecordConsumer, atEnd: Bool)
    /// The log has been quiet for a while: a record that waits for lines that may belong to it is whole.
    func settle(into consumer: inout some RecordConsumer)
}

extension RecordReader {
    /// Reads bytes that are in memory. `atEnd` says that no more will come.
    public func read(
        _ bytes: some Collection<UInt8>, into consumer: inout some RecordConsumer, atEnd: Bool = true
    ) {
        var rest = bytes[...]
        while !rest.isEmpty {
            _ = fill { buffer in
                let count = min(buffer.count, rest.count)
                buffer.copyBytes(from: rest.prefix(count))
                rest = rest.dropFirst(count)
                return count
            }
            drain(into: &consumer, atEnd: false)
        }
        if atEnd { drain(into: &consumer, atEnd: true) }
    }
}

/// Takes what a reader finds, in file order.
public protocol RecordConsumer {
    /// Records that lie one behind the other; the batch is valid only inside the call.
    mutating func take(_ records: RecordBatch)
    /// The last record of the input when its line feed is missing: it is read, and `position` stays before it.
    mutating func takeUnfinished(_ records: RecordBatch)
    /// Bytes that are no record.
    mutating func skip(_ unread: Unread)
    /// A line that is no record and need not be one: what a child process wrote between the records.
    mutating func pass(_ line: TextLine)
}

/// A line that is no record: a child process's output, the continuation of nothing.
public struct TextLine: Sendable, Equatable {
    /// First byte in the (decompressed) file.
    public var offset: Int64
    /// How many bytes, the line feed included.
    public var length: Int64
}
