import VigilModel

/// What cannot be taken at its word: a client may put line feeds, severities and whole prefixes into its names. The
/// server says the names again: in the message of a failed login, and in the prefix of the DETAIL behind it. A client
/// can write one of these places, not both, so a reading counts when the two agree.
extension StderrAssembler {
    /// Looks at the last line when its text is whole.
    mutating func settle() {
        guard !lines.isEmpty, !lines[lines.count - 1].isSettled else { return }
        let last = lines.count - 1
        lines[last].isSettled = true
        if lines[last].kind == .record {
            lines[last].knowledge = lines[last].raw.withUnsafeBufferPointer {
                rows.knowledge(of: lines[last].draft, $0, lines[last].reading)
            }
            guard prefix.span > 0 else { return }
            if lines[last].isDoubtful, decide(last) { return }
            guard let number = lines[last].knowledge.number, rows.known.kind(number).isEarly else { return }
            let isAtOdds = rows.known.isNaming(number) && !lines[last].knowledge.agrees
            let followsHalf = (0..<last).contains {
                lines[$0].kind == .unfinished && lines[last].offset <= lines[$0].nameEnd
            }
            if isAtOdds || followsHalf { merge(last) }
        } else if lines[last].raw.withUnsafeBufferPointer({ labels.isAny(in: $0, from: 0, before: $0.count) }) {
            merge(last)
        }
    }

    // MARK: - One line, several readings

    /// Finds the reading that is meant of a line with several severities. True when the line is another record's part.
    private mutating func decide(_ index: Int) -> Bool {
        let raw = lines[index].raw
        let all = raw.withUnsafeBufferPointer { readings($0, lines[index].reading, from: lines[index].reading.headEnd) }
        // The part of a record before, whose names hold the severity that was read first.
        if let owner = lines.lastRecord(before: index),
            let part = all.first(where: { reading in
                !reading.label.isSeverity
                    && raw.withUnsafeBufferPointer { adopt(owner, forPart: $0, reading) }
            })
        {
            mergePart(index...index, raw, part, into: owner)
            return true
        }
        let sound = raw.withUnsafeBufferPointer { bytes in all.filter { isPlausible(bytes, $0) } }
        if sound.count > 1 {
            lines[index].readings = sound
        } else if let only = sound.first, only.labelStart != lines[index].reading.labelStart {
            read(index, as: only)
        }
        return false
    }

    private func readings(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: LineReading, from: Int
    ) -> [LineReading] {
        var reading = start
        var found: [LineReading] = []
        var at = from
        while found.count < 64, prefix.readLabel(bytes, from: at, labels: labels, &reading) {
            found.append(reading)
            at = reading.textStart
        }
        return found
    }

    /// True when a server could have meant the line so. Names with a severity in them are nobody's, so they stand before
    /// messages of failed logins alone.
    private func isPlausible(_ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading) -> Bool {
        guard reading.label.isSeverity else { return false }
        let text = StderrAssembler.untabbed(bytes[reading.textStart...])
        let number = rows.known.find(text[...], reading.label)
        let agrees = number.map { rows.known.agrees($0, text[...], with: rows.names(bytes, reading)) } ?? false
        let isNaming = number.map(rows.known.isNaming) ?? false
        if holdsLabel(bytes, reading.fields[.user]) || holdsLabel(bytes, reading.fields[.database]) {
            guard let number, rows.known.kind(number).isEarly else { return false }
            return agrees
        }
        return !isNaming || agrees
    }

    private func holdsLabel(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        let name = UnsafeBufferPointer(rebasing: bytes[range])
        return name.contains(10) || labels.isAny(in: name, from: 0, before: name.count)
    }

    /// Makes a line's record what another reading of it says.
    private mutating func read(_ index: Int, as reading: LineReading) {
        lines[index].readings = []
        if lines[index].kind == .record, lines[index].reading.labelStart == reading.labelStart { return }
        let raw = lines[index].raw
        raw.withUnsafeBufferPointer { bytes in
            rows.begin(&lines[index].draft, bytes, reading, offset: lines[index].offset, time: lines[index].time)
            lines[index].draft.set(.message, StderrAssembler.untabbed(bytes[reading.textStart...]))
            lines[index].knowledge = rows.knowledge(of: lines[index].draft, bytes, reading)
        }
        lines[index].reading = reading
        lines[index].kind = .record
        lines[index].column = .message
        lines[index].isHostile = true
        lines[index].isSettled = true
    }

    // MARK: - One record over several lines

    /// Looks whether the last lines are one record with line feeds in its names, or a part of one.
    private mutating func merge(_ last: Int) {
        var weak: (start: Int, raw: [UInt8], reading: LineReading)?
        for start in 0...last where lines[start].kind != .loose && lines[last].offset <= lines[start].nameEnd {
            if start == last, lines[last].kind == .record { continue }
            var raw: [UInt8] = []
            for index in start...last {
                if index > start { raw.append(10) }
                if index == last { break }
                raw += lines[index].raw
                if lines[index].hasReturn { raw.append(13) }
            }
            let from = start == last ? lines[start].reading.headEnd : raw.count
            raw += lines[last].raw
            let found = raw.withUnsafeBufferPointer { readings($0, lines[start].reading, from: from) }
            for reading in found {
                if !reading.label.isSeverity {
                    guard let owner = lines.lastRecord(before: start),
                        raw.withUnsafeBufferPointer({ adopt(owner, forPart: $0, reading) })
                    else { continue }
                    return mergePart(start...last, raw, reading, into: owner)
                }
                switch raw.withUnsafeBufferPointer({ strength($0, reading, start: start) }) {
                case .none: continue
                case .weak:
                    guard weak == nil, lines[last].kind != .record || lines[start].kind == .unfinished else { continue }
                    weak = (start, raw, reading)
                case .strong: return mergeRecord(start...last, raw, reading)
                }
            }
        }
        guard let weak else { return }
        let isHalf = lines[weak.start].kind == .unfinished
        if isHalf || prefix.tailTells {
            mergeRecord(weak.start...last, weak.raw, weak.reading)
        } else {
            for index in weak.start...last { lines[index].isForged = true }
        }
    }

    private enum Strength { case none, weak, strong }

    /// How sure it is that a record with line feeds in its names was meant: the message says the same names, or the
    /// session said them before; or no message of another kind can follow such names, which is weaker.
    private func strength(_ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading, start: Int) -> Strength {
        if let owner = lines.lastRecord(before: start), lines[owner].isHostile,
            isSameProcess(bytes, reading, lines[owner].raw, lines[owner].reading),
            isSameClient(bytes, reading, lines[owner].raw, lines[owner].reading)
        {
            return .strong
        }
        let text = StderrAssembler.untabbed(bytes[reading.textStart...])
        guard let number = rows.known.find(text[...], reading.label), rows.known.kind(number).isEarly else {
            return .none
        }
        guard rows.known.agrees(number, text[...], with: rows.names(bytes, reading)) else { return .none }
        return rows.known.isNaming(number) ? .strong : .weak
    }

    private mutating func mergeRecord(_ range: ClosedRange<Int>, _ raw: [UInt8], _ reading: LineReading) {
        let end = lines[range.upperBound].end
        lines.removeLast(lines.count - 1 - range.lowerBound)
        lines[range.lowerBound].raw = raw
        lines[range.lowerBound].end = end
        read(range.lowerBound, as: reading)
    }

    private mutating func mergePart(_ range: ClosedRange<Int>, _ raw: [UInt8], _ reading: LineReading, into owner: Int)
    {
        rows.add(
            reading.label, StderrAssembler.untabbed(raw[reading.textStart...]), to: &lines[owner].draft)
        lines[owner].column = reading.label.column
        lines[owner].end = lines[range.upperBound].end
        lines.removeLast(lines.count - range.lowerBound)
    }

    // MARK: - Comparing

    /// True when a line is a part of that record: of the same process and client. Of a record with several readings, the
    /// one that names this client is then meant.
    mutating func adopt(_ owner: Int, forPart bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading) -> Bool {
        guard isSameProcess(bytes, reading, lines[owner].raw, lines[owner].reading) else { return false }
        if lines[owner].isHostile { return isSameClient(bytes, reading, lines[owner].raw, lines[owner].reading) }
        guard
            let other = lines[owner].readings.first(where: {
                isSameClient(bytes, reading, lines[owner].raw, $0)
            })
        else { return false }
        read(owner, as: other)
        return true
    }

    func isSameProcess(
        _ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading, _ other: [UInt8], _ otherReading: LineReading
    ) -> Bool {
        for field in [PrefixField.process, .session] where prefix.has(field) {
            let range = otherReading.fields[field]
            guard range.upperBound <= other.count else { return false }
            return bytes[reading.fields[field]].elementsEqual(other[range])
        }
        return true
    }

    private func isSameClient(
        _ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading, _ other: [UInt8], _ otherReading: LineReading
    ) -> Bool {
        for field in [PrefixField.user, .database, .application, .remote, .host] where prefix.has(field) {
            let range = otherReading.fields[field]
            guard range.upperBound <= other.count, bytes[reading.fields[field]].elementsEqual(other[range]) else {
                return false
            }
        }
        return true
    }

    /// A text without the TAB that the server puts behind each line feed.
    static func untabbed(_ text: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for byte in text where byte != 9 || result.last != 10 { result.append(byte) }
        return result
    }
}
