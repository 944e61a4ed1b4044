/// A secret that a client must show: `Authorization: Bearer …`.
public struct BearerToken: Sendable, CustomStringConvertible {
    private let bytes: [UInt8]

    /// Takes the secret; nil for one that no client could send: empty, or with other than visible ASCII characters.
    public init?(_ text: String) {
        bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
    }

    /// Never the secret.
    public var description: String { "<redacted>" }

    /// True when the header field holds the secret. How long it takes depends on what was sent only.
    func accepts(_ field: String?) -> Bool {
        guard let field else { return false }
        let scheme = "bearer "
        guard field.utf8.count > scheme.utf8.count, field.prefix(scheme.count).lowercased() == scheme else {
            return false
        }
        let given = Array(field.utf8.dropFirst(scheme.utf8.count))
        var difference = given.count ^ bytes.count
        for (index, byte) in given.enumerated() { difference |= Int(byte ^ bytes[index % bytes.count]) }
        return difference == 0
    }
}
