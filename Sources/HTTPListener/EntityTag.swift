/// The name of one state of what a path gives (RFC 9110, 8.8.3): the same tag, the same bytes.
public struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    private let opaque: String

    /// Takes what names the state: letters and digits, such as a hash.
    public init(_ opaque: String) { self.opaque = opaque }

    /// As it stands in `ETag`.
    public var description: String { "\"\(opaque)\"" }

    /// True when a client that sent `If-None-Match` has this state already. Weak tags count as well (RFC 9110, 13.1.2).
    public func isKnown(to request: HTTPRequest) -> Bool {
        guard let field = request.headers["if-none-match"] else { return false }
        return field.split(separator: ",").contains { part in
            var tag = part.drop { $0 == " " || $0 == "\t" }
            while tag.last == " " || tag.last == "\t" { tag.removeLast() }
            if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            return tag == "*" || tag == description
        }
    }
}
