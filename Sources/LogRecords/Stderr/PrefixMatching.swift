/// One way to read a line: its fields, its severity or label, and where the text behind that starts.
struct LineReading {
    /// Where the fields stand.
    var fields = PrefixFields()
    /// Behind the part of the prefix that the server alone writes.
    var headEnd = 0
    /// What the line is.
    var label = StderrLabel.log
    /// Where severity or label stands: behind the prefix.
    var labelStart = 0
    /// Where the text starts.
    var textStart = 0
    /// No other severity or label stands between the head and it.
    var isFirst = false
    /// The prefix ended at `%q`.
    var stops = false
}

extension LogLinePrefix {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Reads the head; false when the line does not start so.
    func readHead(_ bytes: Bytes, _ reading: inout LineReading) -> Bool {
        var at = 0
        for index in 0..<headCount {
            let element = elements[index]
            guard let field = element.field else {
                guard isLiteral(element, bytes, at, bytes.count) else { return false }
                at += element.range.count
                continue
            }
            let first = at
            if element.width > 0 { while at < bytes.count, bytes[at] == 32 { at += 1 } }
            var limit = bytes.count
            // An address with colons is told from a colon behind it by what may follow.
            if field == .host, let stop = colonBehind(index, bytes, at) { limit = stop }
            guard let end = PrefixShape.end(field, bytes, at, limit) else { return false }
            reading.fields[field] = at..<end
            at = end
            if element.width < 0 { while at < bytes.count, bytes[at] == 32, at - first < -element.width { at += 1 } }
        }
        reading.headEnd = at
        return true
    }

    /// Finds the first severity or label from an offset on that a whole prefix stands before.
    func readLabel(_ bytes: Bytes, from start: Int, labels: StderrLabels, _ reading: inout LineReading) -> Bool {
        let last = min(bytes.count, reading.headEnd + reach + StderrLabels.longest)
        var at = start
        var isFirst = start == reading.headEnd
        while let label = labels.first(in: bytes, from: reading.headEnd, at, before: last) {
            if fits(bytes, reading.headEnd, label.start, &reading)
                || (isTag(bytes, label.start) && fits(bytes, reading.headEnd, label.start - 7, &reading))
            {
                reading.label = label.label
                reading.labelStart = label.start
                reading.textStart = label.end
                reading.isFirst = isFirst
                return true
            }
            isFirst = false
            at = label.colon + 1
        }
        return false
    }

    /// True when the tag stands there that set_user puts behind the prefix while somebody is superuser.
    private func isTag(_ bytes: Bytes, _ end: Int) -> Bool {
        end >= 7 && bytes[(end - 7)..<end].elementsEqual("AUDIT: ".utf8)
    }

    /// True when what stands between head and severity is the rest of the prefix.
    private func fits(_ bytes: Bytes, _ from: Int, _ to: Int, _ reading: inout LineReading) -> Bool {
        if let stop {
            if stop == headCount, from == to {
                reading.stops = true
                reading.fields.clear(tailFields)
                return true
            }
            if readTail(bytes, from, to, upTo: elements.count, &reading.fields) {
                reading.stops = false
                return true
            }
            reading.stops = true
            reading.fields.clear(tailFields)
            return stop > headCount && readTail(bytes, from, to, upTo: stop, &reading.fields)
        }
        reading.stops = false
        return readTail(bytes, from, to, upTo: elements.count, &reading.fields)
    }

    /// Reads the fields of the tail from right to left. A literal is looked for as near as the fields before and behind it
    /// allow.
    private func readTail(
        _ bytes: Bytes, _ from: Int, _ to: Int, upTo count: Int, _ fields: inout PrefixFields
    ) -> Bool {
        let quick = count == elements.count ? tail : tailUpToStop
        if let quick, quick.read(bytes, from, to, &fields) { return true }
        var failed: [Int] = []
        return readTail(bytes, from, to, at: count - 1, &fields, &failed)
    }

    private func readTail(
        _ bytes: Bytes, _ from: Int, _ end: Int, at index: Int, _ fields: inout PrefixFields, _ failed: inout [Int]
    ) -> Bool {
        guard index >= headCount else { return end == from }
        let element = elements[index]
        guard let field = element.field else {
            let start = end - element.range.count
            return start >= from && isLiteral(element, bytes, start, end)
                && readTail(bytes, from, start, at: index - 1, &fields, &failed)
        }
        // What failed once from here fails again: names full of separators cost no more than their length.
        let state = index << 32 | end
        guard !failed.contains(state) else { return false }
        var start = end + 1
        while let next = self.start(of: element, at: index, bytes, from, end, before: start) {
            start = next
            let isBehindLiteral = index > headCount && elements[index - 1].field == nil
            let rest = isBehindLiteral ? start - elements[index - 1].range.count : start
            if readTail(bytes, from, rest, at: isBehindLiteral ? index - 2 : index - 1, &fields, &failed) {
                fields[field] = content(element, bytes, start..<end)
                return true
            }
            guard isBehindLiteral, index - 1 > headCount else { break }
        }
        failed.append(state)
        return false
    }

    /// Where a field of the tail that ends at `end` starts, before a place: the nearest there is.
    private func start(
        of element: Element, at index: Int, _ bytes: Bytes, _ from: Int, _ end: Int, before place: Int
    ) -> Int? {
        guard let field = element.field else { return nil }
        func isField(_ start: Int) -> Bool {
            PrefixShape.fits(field, bytes, content(element, bytes, start..<end), width: element.width)
        }
        if index == headCount { return isField(from) ? from : nil }
        let literal = elements[index - 1]
        let length = literal.range.count
        let lowest = max(from, end - max(field.longest, abs(element.width)))
        guard literal.field == nil else {
            // Nothing stands between two fields: as much as fits.
            return (lowest...end).first(where: isField)
        }
        if index - 1 == headCount {
            let start = from + length
            return start <= end && isLiteral(literal, bytes, from, end) && isField(start) ? start : nil
        }
        var start = place - 1
        // The byte that settles most places.
        let last = literals[literal.range.upperBound - 1]
        let floor = max(lowest, from + length)
        while start >= floor {
            guard let found = bytes.last(last, in: floor - 1..<start) else { return nil }
            start = found + 1
            if isLiteral(literal, bytes, start - length, end), isField(start) {
                // Blanks that fill up to a width are not the literal.
                if element.width > 0 {
                    while start - 1 - length >= from, bytes[start - 1] == 32,
                        isLiteral(literal, bytes, start - 1 - length, end)
                    {
                        start -= 1
                    }
                }
                return start
            }
            start -= 1
        }
        return nil
    }

    /// A field without the blanks that fill it up to its width.
    private func content(_ element: Element, _ bytes: Bytes, _ range: Range<Int>) -> Range<Int> {
        guard element.width != 0 else { return range }
        var (low, high) = (range.lowerBound, range.upperBound)
        if element.width > 0 { while low < high, bytes[low] == 32 { low += 1 } }
        if element.width < 0 { while low < high, bytes[high - 1] == 32 { high -= 1 } }
        return low..<high
    }

    @inline(__always)
    private func isLiteral(_ element: Element, _ bytes: Bytes, _ at: Int, _ limit: Int) -> Bool {
        let range = element.range
        guard at + range.count <= limit else { return false }
        for index in 0..<range.count where bytes[at + index] != literals[range.lowerBound + index] { return false }
        return true
    }

    /// Where an address of the head ends when the literal behind it starts with a colon: at the first one, or for IPv6
    /// at the last.
    private func colonBehind(_ index: Int, _ bytes: Bytes, _ at: Int) -> Int? {
        guard index + 1 < elements.count, elements[index + 1].field == nil,
            literals[elements[index + 1].range.lowerBound] == 58
        else { return nil }
        var first = at
        while first < bytes.count, bytes[first] != 58 { first += 1 }
        guard first < bytes.count else { return nil }
        var colons = 0
        var last = first
        var end = at
        while end < bytes.count, bytes[end] == 58 || bytes[end] &- 48 < 10 || bytes[end] &- 97 < 6 {
            if bytes[end] == 58 { (colons, last) = (colons + 1, end) }
            end += 1
        }
        return colons > 2 ? last : first
    }
}
