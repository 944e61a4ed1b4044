import VigilModel

/// What cannot be taken at its word: a client may put line feeds, severities and whole prefixes into its names. The
/// server says the names again: in the message of a failed login, and in the prefix of the DETAIL behind it. A client
/// can write one of these places, not both, so a reading counts when the two agree.
extension StderrAssembler {
    /// Looks at the last line when its text is whole.
    mutating func settle() {
        guard !lines.isEmpty else { return }
        let last = lines.count - 1
        let line = lines[last]
        guard !line.isSettled else { return }
        line.isSettled = true
        guard line.kind == .record else {
            if line.raw.withUnsafeBufferPointer({ labels.isAny(in: $0, from: 0, before: $0.count) }) { _ = merge(last) }
            return
        }
        line.knowledge = line.raw.withUnsafeBufferPointer { rows.knowledge(of: line.draft, $0, line.reading) }
        guard prefix.span > 0 else { return }
        let isAtOdds = rows.isAtOdds(line.knowledge, line.reading)
        let followsHalf = (0..<last).contains {
            lines[$0].kind == .unfinished && line.offset <= lines[$0].nameEnd
        }
        if line.isDoubtful || isAtOdds || followsHalf, merge(last) { return }
        if line.isDoubtful { return decide(last) }
        if isAtOdds, !line.knowledge.agrees { part(last) }
    }

    /// Parts user and database as the message has them.
    mutating func part(_ index: Int) {
        guard let number = lines[index].knowledge.number else { return }
        let reading = lines[index].raw.withUnsafeBufferPointer { bytes in
            lines[index].draft.withContent(.message) { rows.agreeing(bytes, lines[index].reading, number, $0) }
        }
        guard let reading else { return }
        lines[index].knowledge.agrees = true
        setNames(index, reading)
    }

    /// Gives a record the names of another reading.
    mutating func setNames(_ index: Int, _ reading: LineReading) {
        let line = lines[index]
        for (field, column) in [(PrefixField.user, LogColumn.userName), (.database, .databaseName)] {
            line.draft.set(column, copy: line.raw[reading.fields[field]])
        }
        line.reading = reading
    }

    // MARK: - One line, several readings

    /// Finds the reading that is meant of a line with several severities.
    mutating func decide(_ index: Int) {
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

    func readings(
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
    func plausible(_ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading) -> LineReading? {
        guard reading.label.isSeverity else { return nil }
        let text = StderrAssembler.untabbed(bytes[reading.textStart...])
        let (number, agreeing) = text.withUnsafeBufferPointer { text in
            let number = rows.known.find(text, reading.label)
            return (number, number.map { rows.agreeing(bytes, reading, $0, text) } ?? reading)
        }
        if holdsLabel(bytes, reading.fields[.user]) || holdsLabel(bytes, reading.fields[.database]) {
            guard let number, rows.known.isEarly(number) else { return nil }
        }
        return agreeing
    }

    func holdsLabel(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        let name = UnsafeBufferPointer(rebasing: bytes[range])
        return name.contains(10) || labels.isAny(in: name, from: 0, before: name.count)
    }

    /// Makes a line's record what a reading of it says.
    mutating func read(_ index: Int, as reading: LineReading) {
        let raw = lines[index].raw
        let line = lines[index]
        line.readings = []
        line.isForged = false
        let isNew = line.kind != .record || line.reading.labelStart != reading.labelStart
        raw.withUnsafeBufferPointer { bytes in
            if isNew {
                rows.begin(&line.draft, bytes, reading, offset: line.offset, time: line.time)
                line.draft.set(.message, copy: StderrAssembler.untabbed(bytes[reading.textStart...]))
                line.column = .message
                line.kind = .record
                line.isHostile = true
                line.isSettled = true
            } else if !sameNames(reading, line.reading) {
                setNames(index, reading)
            }
            line.knowledge = rows.knowledge(of: line.draft, bytes, reading)
        }
        line.reading = reading
    }

    func sameNames(_ one: LineReading, _ other: LineReading) -> Bool {
        one.fields[.user] == other.fields[.user] && one.fields[.database] == other.fields[.database]
    }
}
