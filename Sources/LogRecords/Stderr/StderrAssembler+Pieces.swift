import VigilModel

/// One record over several lines: names with line feeds.
extension StderrAssembler {
    /// Looks whether the last lines are one record with line feeds in its names, or a part of one. True when they are.
    mutating func merge(_ last: Int) -> Bool {
        var weak: [(start: Int, raw: [UInt8], reading: LineReading)] = []
        for start in 0...last where lines[start].kind != .loose && lines[last].offset <= lines[start].nameEnd {
            if start == last, lines[last].kind == .record { continue }
            var raw = joined(start..<last)
            let from = start == last ? lines[start].reading.headEnd : raw.count
            raw += lines[last].raw
            let found = raw.withUnsafeBufferPointer { readings($0, lines[start].reading, from: from) }
            for reading in found {
                if !reading.label.isSeverity {
                    guard let owner = lines.lastRecord(before: start),
                        raw.withUnsafeBufferPointer({ adopt(owner, forPart: $0, reading) })
                    else { continue }
                    mergePart(start...last, raw, reading, into: owner)
                    return true
                }
                switch raw.withUnsafeBufferPointer({ strength($0, reading, start: start) }) {
                case .none: continue
                case .weak:
                    guard lines[last].kind != .record || lines[start].kind == .unfinished else { continue }
                    if weak.last?.start != start { weak.append((start, raw, reading)) }
                case .strong(let agreeing):
                    mergeRecord(start...last, raw, agreeing)
                    return true
                }
            }
        }
        guard let first = weak.first else { return false }
        if weak.count == 1, lines[first.start].kind == .unfinished || prefix.tailTells {
            mergeRecord(first.start...last, first.raw, first.reading)
        } else {
            // Nothing tells where the record starts, nor which of the lines are records of their own.
            for index in first.start...last { lines[index].isForged = true }
        }
        return true
    }

    /// The record that a line and those before it, pieces of its prefix, are a part of. The part is then joined.
    mutating func ownerOfPieces(_ line: LogLine) -> HeldLine? {
        guard (0..<lines.count).contains(where: { lines[$0].isHostile || !lines[$0].readings.isEmpty }) else {
            return nil
        }
        for start in 0..<lines.count where lines[start].kind != .loose && line.offset <= lines[start].nameEnd {
            var raw = joined(start..<lines.count)
            let from = raw.count
            raw += line.bytes.prefix(4096)
            let found = raw.withUnsafeBufferPointer { readings($0, lines[start].reading, from: from) }
            for reading in found where !reading.label.isSeverity {
                guard let index = lines.lastRecord(before: start),
                    raw.withUnsafeBufferPointer({ adopt(index, forPart: $0, reading) })
                else { continue }
                let owner = lines[index]
                rows.add(reading.label, line.bytes.from(reading.textStart - from), to: &owner.draft)
                owner.column = reading.label.column
                owner.end = line.end
                lines.removeLast(lines.count - start)
                return owner
            }
        }
        return nil
    }

    /// The bytes of lines as they stand in the file, each with its line feed.
    private func joined(_ range: Range<Int>) -> [UInt8] {
        var raw: [UInt8] = []
        for index in range {
            raw += lines[index].raw
            if lines[index].hasReturn { raw.append(13) }
            raw.append(10)
        }
        return raw
    }

    private enum Strength { case none, weak, strong(LineReading) }

    /// How sure it is that a record with line feeds in its names was meant: the message says the same names, or the
    /// session said them before; or no message of another kind can follow such names, which is weaker.
    private func strength(_ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading, start: Int) -> Strength {
        if let owner = lines.lastRecord(before: start), lines[owner].isHostile,
            isSameProcess(bytes, reading, lines[owner].raw, lines[owner].reading),
            isSameClient(bytes, reading, lines[owner].raw, lines[owner].reading)
        {
            return .strong(reading)
        }
        return StderrAssembler.untabbed(bytes[reading.textStart...]).withUnsafeBufferPointer { text in
            guard let number = rows.known.find(text, reading.label), rows.known.isEarly(number),
                let agreeing = rows.agreeing(bytes, reading, number, text)
            else { return .none }
            return rows.known.isNaming(number) ? .strong(agreeing) : .weak
        }
    }

    mutating func mergeRecord(_ range: ClosedRange<Int>, _ raw: [UInt8], _ reading: LineReading) {
        let end = lines[range.upperBound].end
        lines.removeLast(lines.count - 1 - range.lowerBound)
        lines[range.lowerBound].raw = raw
        lines[range.lowerBound].end = end
        read(range.lowerBound, as: reading)
    }

    mutating func mergePart(_ range: ClosedRange<Int>, _ raw: [UInt8], _ reading: LineReading, into owner: Int) {
        StderrAssembler.untabbed(raw[reading.textStart...]).withUnsafeBufferPointer {
            rows.add(reading.label, $0, to: &lines[owner].draft)
        }
        lines[owner].column = reading.label.column
        lines[owner].end = lines[range.upperBound].end
        lines.removeLast(lines.count - range.lowerBound)
    }
}
