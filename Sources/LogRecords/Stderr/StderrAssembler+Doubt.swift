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
                rows.knowledge(of: &lines[last].draft, $0, lines[last].reading)
            }
            guard prefix.span > 0 else { return }
            let isAtOdds = lines[last].knowledge.number.map { number in
                rows.known.kind(number).isEarly && rows.known.isNaming(number) && !lines[last].knowledge.agrees
            }
            let followsHalf = (0..<last).contains {
                lines[$0].kind == .unfinished && lines[last].offset <= lines[$0].nameEnd
            }
            if lines[last].isDoubtful || isAtOdds == true || followsHalf, merge(last) { return }
            if lines[last].isDoubtful { return decide(last) }
            if isAtOdds == true { part(last) }
        } else if lines[last].raw.withUnsafeBufferPointer({ labels.isAny(in: $0, from: 0, before: $0.count) }) {
            _ = merge(last)
        }
    }

    /// Parts user and database as the message has them.
    private mutating func part(_ index: Int) {
        guard let number = lines[index].knowledge.number else { return }
        let reading = lines[index].raw.withUnsafeBufferPointer { bytes in
            lines[index].draft.withContent(.message) { rows.agreeing(bytes, lines[index].reading, number, $0) }
        }
        guard let reading else { return }
        lines[index].knowledge.agrees = true
        setNames(index, reading)
    }

    /// Gives a record the names of another reading.
    private mutating func setNames(_ index: Int, _ reading: LineReading) {
        let line = lines[index]
        for (field, column) in [(PrefixField.user, LogColumn.userName), (.database, .databaseName)] {
            line.draft.set(column, line.raw[reading.fields[field]])
        }
        line.reading = reading
    }

    // MARK: - One line, several readings

    /// Finds the reading that is meant of a line with several severities.
    private mutating func decide(_ index: Int) {
        let raw = lines[index].raw
        let all = raw.withUnsafeBufferPointer { readings($0, lines[index].reading, from: lines[index].reading.headEnd) }
        // The part of a record before, whose names hold the severity that was read first.
        if let owner = lines.lastRecord(before: index),
            let part = all.first(where: { reading in
                !reading.label.isSeverity
                    && raw.withUnsafeBufferPointer { adopt(owner, forPart: $0, reading) }
            })
        {
            return mergePart(index...index, raw, part, into: owner)
        }
        let sound = raw.withUnsafeBufferPointer { bytes in all.compactMap { plausible(bytes, $0) } }
        if sound.count > 1 {
            lines[index].readings = sound
        } else if let only = sound.first {
            read(index, as: only)
        } else {
            lines[index].isForged = true
        }
    }

    /// Readings of a part's line as the record of a failed login whose user is called like the part of another.
    func severeReadings(_ bytes: UnsafeBufferPointer<UInt8>, _ start: LineReading) -> [LineReading] {
        readings(bytes, start, from: start.headEnd).filter {
            guard $0.label.isSeverity, let found = plausible(bytes, $0) else { return false }
            return holdsLabel(bytes, found.fields[.user]) || holdsLabel(bytes, found.fields[.database])
        }
    }

    /// Reads the last line, held as a part that could be a record, as that record when this line is a part of it.
    mutating func adoptHeldPart(_ bytes: UnsafeBufferPointer<UInt8>, _ start: LineReading) -> LineReading? {
        let last = lines.count - 1
        guard lines[last].isPart, !lines[last].readings.isEmpty else { return nil }
        return readings(bytes, start, from: start.headEnd).first {
            !$0.label.isSeverity && adopt(last, forPart: bytes, $0)
        }
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

    /// The reading when a server could have meant the line so. Names with a severity in them are nobody's, so they stand
    /// before messages of failed logins alone.
    private func plausible(_ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading) -> LineReading? {
        guard reading.label.isSeverity else { return nil }
        let text = StderrAssembler.untabbed(bytes[reading.textStart...])
        let number = rows.known.find(text[...], reading.label)
        let agreeing = number.map { rows.agreeing(bytes, reading, $0, text[...]) } ?? reading
        if holdsLabel(bytes, reading.fields[.user]) || holdsLabel(bytes, reading.fields[.database]) {
            guard let number, rows.known.kind(number).isEarly else { return nil }
        }
        return agreeing
    }

    private func holdsLabel(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        let name = UnsafeBufferPointer(rebasing: bytes[range])
        return name.contains(10) || labels.isAny(in: name, from: 0, before: name.count)
    }

    /// Makes a line's record what a reading of it says.
    private mutating func read(_ index: Int, as reading: LineReading) {
        let raw = lines[index].raw
        let line = lines[index]
        line.readings = []
        line.isForged = false
        let isNew = line.kind != .record || line.reading.labelStart != reading.labelStart
        raw.withUnsafeBufferPointer { bytes in
            if isNew {
                rows.begin(&line.draft, bytes, reading, offset: line.offset, time: line.time)
                line.draft.set(.message, StderrAssembler.untabbed(bytes[reading.textStart...]))
                line.column = .message
                line.kind = .record
                line.isHostile = true
                line.isSettled = true
            } else if !sameNames(reading, line.reading) {
                setNames(index, reading)
            }
            line.knowledge = rows.knowledge(of: &line.draft, bytes, reading)
        }
        line.reading = reading
    }

    private func sameNames(_ one: LineReading, _ other: LineReading) -> Bool {
        one.fields[.user] == other.fields[.user] && one.fields[.database] == other.fields[.database]
    }

    // MARK: - One record over several lines

    /// Looks whether the last lines are one record with line feeds in its names, or a part of one. True when they are.
    private mutating func merge(_ last: Int) -> Bool {
        var weak: [(start: Int, raw: [UInt8], reading: LineReading)] = []
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
        let text = StderrAssembler.untabbed(bytes[reading.textStart...])
        guard let number = rows.known.find(text[...], reading.label), rows.known.kind(number).isEarly else {
            return .none
        }
        guard let agreeing = rows.agreeing(bytes, reading, number, text[...]) else { return .none }
        return rows.known.isNaming(number) ? .strong(agreeing) : .weak
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
        func isSame(_ other: LineReading) -> Bool {
            isSameProcess(bytes, reading, lines[owner].raw, other)
                && isSameClient(bytes, reading, lines[owner].raw, other)
        }
        if lines[owner].isHostile { return isSame(lines[owner].reading) }
        guard let other = lines[owner].readings.first(where: isSame) else { return false }
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

    func isSameClient(
        _ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading, _ other: [UInt8], _ otherReading: LineReading
    ) -> Bool {
        func isSame(_ range: Range<Int>, _ otherRange: Range<Int>) -> Bool {
            otherRange.upperBound <= other.count && bytes[range].elementsEqual(other[otherRange])
        }
        for field in [PrefixField.application, .remote, .host] where prefix.has(field) {
            guard isSame(reading.fields[field], otherReading.fields[field]) else { return false }
        }
        // Where user and database are parted may be known of one of them only.
        if let pair = prefix.pair {
            func both(_ fields: PrefixFields) -> Range<Int> {
                fields[pair.first].lowerBound..<fields[pair.second].upperBound
            }
            return isSame(both(reading.fields), both(otherReading.fields))
        }
        return [PrefixField.user, .database].allSatisfy {
            !prefix.has($0) || isSame(reading.fields[$0], otherReading.fields[$0])
        }
    }

    /// A text without the TAB that the server puts behind each line feed.
    static func untabbed(_ text: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var last: UInt8 = 0
        for byte in text {
            if byte != 9 || last != 10 { result.append(byte) }
            last = byte
        }
        return result
    }
}
