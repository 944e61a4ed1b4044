/// What makes an event the same event wherever it is read again: no time, no file, no instance.
///
/// PostgreSQL: the session id and session line number that the server gives each record (csvlog columns 6 and 7), a
/// short hash of SQLSTATE, command tag and client address, and the ordinal of the statement within the record.
public struct EventIdentity: Hashable, Codable, Sendable {
    /// The session id (`hex start time . hex pid`).
    public var origin: String
    /// The session line number, from 1.
    public var line: Int64
    /// Hash in the upper 32 bits, ordinal in the lower 16, both as above.
    public var mark: Int64

    /// Takes the parts.
    public init(origin: String, line: Int64, hash: UInt32, ordinal: Int) {
        self.origin = origin
        self.line = line
        self.mark = Int64(hash) << 16 | Int64(min(ordinal, 0xFFFF))
    }

    /// Takes the parts as the store keeps them.
    public init(origin: String, line: Int64, mark: Int64) {
        self.origin = origin
        self.line = line
        self.mark = mark
    }

    /// As shown in `event.id`: `69a53661.5a7f-2-1f0c7a22`, with `.ORDINAL` for the second and later statements.
    public var text: String {
        let hash = String(UInt64(bitPattern: mark) >> 16, radix: 16)
        let ordinal = mark & 0xFFFF
        let padded = String(repeating: "0", count: max(0, 8 - hash.count)) + hash
        return "\(origin)-\(line)-\(padded)" + (ordinal > 0 ? ".\(ordinal)" : "")
    }

    /// Reads what `text` gives; nil when it is no such thing.
    public init?(parsing text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3, let line = Int64(parts[parts.count - 2]) else { return nil }
        let tail = parts[parts.count - 1].split(separator: ".", omittingEmptySubsequences: false)
        guard let hash = UInt32(tail[0], radix: 16), tail.count <= 2 else { return nil }
        let ordinal = tail.count == 2 ? Int(tail[1]) : 0
        guard let ordinal else { return nil }
        self.init(
            origin: parts[0..<(parts.count - 2)].joined(separator: "-"), line: line, hash: hash, ordinal: ordinal)
    }
}
