import VigilModel

/// What belongs together: the parts of a record repeat its prefix.
extension StderrAssembler {
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
        other.withUnsafeBufferPointer { isSameProcess(bytes, reading, $0, otherReading) }
    }

    @inline(__always)
    func isSameProcess(
        _ bytes: UnsafeBufferPointer<UInt8>, _ reading: LineReading, _ other: UnsafeBufferPointer<UInt8>,
        _ otherReading: LineReading
    ) -> Bool {
        guard let field = prefix.processField else { return true }
        let range = otherReading.fields[field]
        guard range.upperBound <= other.count else { return false }
        return range.count == reading.fields[field].count
            && bytes.part(reading.fields[field]).has(other.part(range))
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
        if let both = prefix.pairSpan(reading.fields), let other = prefix.pairSpan(otherReading.fields) {
            return isSame(both, other)
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
