import VigilModel

/// Reads the start of a file by a prefix, to see how much that explains.
struct PrefixTrial: RecordConsumer {
    private var others: Int64 = 0

    /// Bytes that are no record when read by the prefix.
    static func unexplained(_ head: UnsafeBufferPointer<UInt8>, by prefix: LogLinePrefix) -> Int {
        let assembler = StderrAssembler(prefix, facts: ReadingFacts(), slack: 0)
        let reader = LineReader(assembler: assembler)
        var trial = PrefixTrial()
        var rest = head[...]
        while !rest.isEmpty {
            _ = reader.fill { buffer in
                let count = min(buffer.count, rest.count)
                buffer.copyBytes(from: rest.prefix(count))
                rest = rest.dropFirst(count)
                return count
            }
            reader.drain(into: &trial, atEnd: false)
        }
        reader.drain(into: &trial, atEnd: true)
        return Int(trial.others)
    }

    mutating func take(_ records: RecordBatch) {}
    mutating func takeUnfinished(_ records: RecordBatch) {}
    mutating func skip(_ unread: Unread) { others += unread.length }
    mutating func pass(_ line: TextLine) { others += line.length }
}
