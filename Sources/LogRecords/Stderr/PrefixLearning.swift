/// Gathers the first lines of a file that was nearly empty when it was opened. What little it had may have fitted several
/// prefixes; a line that does not fit shows it.
struct PrefixLearning {
    private var seen: [UInt8]
    /// File offset behind what was seen.
    private var end: Int64
    private var attempts = 0
    private var attemptAt = 0

    /// Nil when the file's head was whole.
    init?(_ facts: ReadingFacts) {
        guard facts.head.count < LogFormat.sniffLength else { return nil }
        seen = facts.head
        // A line that was not whole is seen again.
        while let last = seen.last, last != 10 { seen.removeLast() }
        end = Int64(seen.count)
    }

    /// Takes the next line; the same line twice counts once.
    mutating func take(_ line: LogLine) {
        guard line.offset >= end, line.end <= Int64(LogFormat.sniffLength), !line.isTorn else { return }
        seen += line.bytes
        seen.append(10)
        end = line.end
    }

    /// The prefix that explains what was seen, when it reads a line that another one does not. Asked for rarely, however
    /// many such lines there are.
    mutating func prefix(for line: LogLine, _ labels: StderrLabels) -> LogLinePrefix? {
        guard line.end <= end, attempts < 16, seen.count >= attemptAt,
            labels.isAny(in: line.bytes, from: 0, before: min(line.bytes.count, 600))
        else { return nil }
        attempts += 1
        attemptAt = seen.count + seen.count / 4
        guard let found = PrefixGuess(seen).best else { return nil }
        var reading = LineReading()
        guard found.readHead(line.bytes, &reading),
            found.readLabel(line.bytes, from: reading.headEnd, labels: labels, &reading)
        else { return nil }
        return found
    }
}
