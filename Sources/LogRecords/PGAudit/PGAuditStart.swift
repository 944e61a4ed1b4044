/// What the start of a row of pgauditlogtofile looks like, in each of its forms.
enum PGAuditStart {
    /// True when a row of any form may start so.
    static func isAny(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        switch line.first {
        case 34: isTime(UnsafeBufferPointer(rebasing: line[1...]), before: 34)
        case 123: line.starts(with: PGAuditJSON.opening)
        default: isTime(line, before: 44)
        }
    }

    static func isTime(_ bytes: UnsafeBufferPointer<UInt8>, before mark: UInt8) -> Bool {
        guard let parts = PGAuditTime.parts(bytes) else { return false }
        return parts.end < bytes.count && bytes[parts.end] == mark
    }

    /// True when a row of 1.7.1 and later, in csv, starts there.
    static func isEscapedRow(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard isTime(UnsafeBufferPointer(rebasing: bytes[1...]), before: 34) else { return false }
        var fields = PGAuditEscapedFields()
        guard fields.read(bytes), fields.values.count > 10 else { return false }
        guard let pid = Int(String(decoding: bytes[fields.values[3].range], as: UTF8.self)) else { return false }
        return PGAuditAnchor.isSession(bytes[fields.values[5].range], of: pid)
    }

    /// True when a row of 1.0 to 1.7.0 starts there.
    static func isRawRow(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { firstAnchor(bytes) != nil }

    /// The anchor of a raw row.
    static func firstAnchor(_ bytes: UnsafeBufferPointer<UInt8>) -> PGAuditAnchor? {
        guard let parts = PGAuditTime.parts(bytes), parts.end < bytes.count, bytes[parts.end] == 44 else { return nil }
        let start = parts.end + 1
        for at in start..<max(start, min(bytes.count, start + PGAuditNames.quotedReach))
        where PGAuditAnchor.mayStart(bytes, at: at) {
            if let anchor = PGAuditAnchor(bytes, at: at), PGAuditNames(bytes, from: start, anchor) != nil {
                return anchor
            }
        }
        return nil
    }
}
