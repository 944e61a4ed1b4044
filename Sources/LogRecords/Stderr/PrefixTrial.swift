import VigilModel

/// Reads the start of a file by a prefix, to see how much that explains.
struct PrefixTrial: RecordConsumer {
    private var others: Int64 = 0

    /// Bytes that are no record when read by the prefix.
    static func unexplained(_ head: UnsafeBufferPointer<UInt8>, by prefix: LogLinePrefix) -> Int {
        let assembler = StderrAssembler(prefix, facts: ReadingFacts(), slack: 0)
        let reader = LineReader(assembler: assembler)
        var trial = PrefixTrial()
        reader.read(head, into: &trial)
        return Int(trial.others)
    }

    mutating func take(_ records: RecordBatch) {}
    mutating func takeUnfinished(_ records: RecordBatch) {}
    mutating func skip(_ unread: Unread) { others += unread.length }
    mutating func pass(_ line: TextLine) { others += line.length }
}
