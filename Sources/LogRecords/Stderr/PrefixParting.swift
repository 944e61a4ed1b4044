extension LogLinePrefix {
    /// Where user and database stand that stand side by side, with what parts them; nil where a line leaves one out.
    func pairSpan(_ fields: PrefixFields) -> Range<Int>? {
        guard let pair, fields[pair.first].lowerBound <= fields[pair.second].upperBound else { return nil }
        return fields[pair.first].lowerBound..<fields[pair.second].upperBound
    }

    /// Another place to part user and database, which stand side by side: where it makes them the names that are known
    /// otherwise. Nil when it cannot be.
    func parted(
        _ bytes: Bytes, _ reading: LineReading, user: Bytes?, database: Bytes?
    ) -> LineReading? {
        guard let pair, let all = pairSpan(reading.fields), !all.isEmpty else { return nil }
        let literal = Array(literals[elements[pair.between].range])
        let (first, second) = pair.first == .user ? (user, database) : (database, user)
        let place: Int
        let names = bytes.part(all)
        if let first {
            place = all.lowerBound + first.count
            guard names.has(first) else { return nil }
        } else if let second {
            place = all.upperBound - second.count - literal.count
            guard place >= all.lowerBound, names.has(second, at: names.count - second.count) else { return nil }
        } else {
            return nil
        }
        guard place + literal.count <= all.upperBound, bytes.has(literal, at: place) else { return nil }
        var result = reading
        result.fields[pair.first] = all.lowerBound..<place
        result.fields[pair.second] = place + literal.count..<all.upperBound
        for field in [pair.first, pair.second] where result.fields[field].count > field.longest { return nil }
        return result
    }
}
