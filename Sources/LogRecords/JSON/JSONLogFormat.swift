extension LogFormat {
    /// True when a file with that start is a jsonlog: its first line is an object with the names that every record has.
    /// Only a file that calls itself json may start with something else, the torn end of a record.
    static func isJSONLog(_ head: UnsafeBufferPointer<UInt8>, path: String) -> Bool {
        let isNamed = path.hasSuffix(".json") || path.hasSuffix(".json.1")
        var rest = head
        for _ in 0..<(isNamed ? 3 : 1) {
            guard let line = firstLine(rest) else { return false }
            if isJSONRecord(line) { return true }
            guard let end = rest[line.startOffset(in: rest)...].firstIndex(of: 10) else { return false }
            rest = UnsafeBufferPointer(rebasing: rest[(end + 1)...])
        }
        return false
    }

    private static func isJSONRecord(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        var fields = JSONFields(JSONLogKey.table, rawPort: JSONLogKey.rawPort)
        if case .broken(at: 0) = fields.read(line, from: 0) { return false }
        return fields[.timestamp] != nil && fields[.severity] != nil
    }

    /// The first line that is not blank.
    static func firstLine(_ head: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        var rest = head[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        rest = rest.drop { $0 <= 32 && $0 > 0 }
        return rest.isEmpty ? nil : UnsafeBufferPointer(rebasing: rest.prefix { $0 != 10 })
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Where a part of a buffer starts in it.
    func startOffset(in whole: UnsafeBufferPointer<UInt8>) -> Int {
        guard let start = baseAddress, let base = whole.baseAddress else { return 0 }
        return start - base
    }
}
