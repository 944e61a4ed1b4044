/// One value of a row that is shown or sent.
public enum ShownValue: Sendable, Equatable {
    case text(String)
    case number(Int64)
    case time(LogTime)
    case list([String])

    /// The value in words; a list's members apart by a space.
    public var text: String {
        switch self {
        case .text(let text): text
        case .number(let number): String(number)
        case .time(let time): time.description
        case .list(let list): list.joined(separator: " ")
        }
    }

    /// The value in JSON (RFC 8259).
    public var json: String {
        switch self {
        case .text(let text): JSONString.quoted(text)
        case .number(let number): String(number)
        case .time(let time): JSONString.quoted(time.description)
        case .list(let list): "[" + list.map(JSONString.quoted).joined(separator: ",") + "]"
        }
    }
}

/// A row that is shown or sent: keys in their documented order, absent ones left out.
public typealias ShownRow = [(key: String, value: ShownValue)]

extension ShownRow {
    /// The value of a key; nil: absent.
    public func value(_ key: String) -> ShownValue? { first { $0.key == key }?.value }

    /// The row as one JSON object, keys in their order.
    public var json: String {
        "{" + map { "\(JSONString.quoted($0.key)):\($0.value.json)" }.joined(separator: ",") + "}"
    }
}
