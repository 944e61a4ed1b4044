import LocatedYAML
import VigilModel

/// What an alert says: text with `{KEY}` for values, and `[…]` around what is left out when a value in it is absent.
public struct MessageForm: Sendable {
    /// A value that is no key of an event.
    public enum Number: String, CaseIterable, Sendable {
        /// Events that counted.
        case count
        /// Different values of the key that is counted.
        case distinct
        /// From the first event to the last.
        case span
    }

    /// A piece of it.
    public enum Part: Sendable {
        case text(String)
        case key(EventKey)
        case number(Number)
        /// Left out when a value in it is absent.
        indirect case optional([Part])
    }

    /// In order.
    public let parts: [Part]

    /// For rules that say nothing else.
    public static func standard(_ name: String) -> MessageForm {
        MessageForm(parts: [
            .text(name), .optional([.text(": "), .key(.operation), .optional([.text(" "), .key(.object)])]),
            .optional([.text(" by "), .key(.user)]), .optional([.text(" from "), .key(.address)]),
            .optional([.text(" in "), .key(.database)]),
        ])
    }

    private init(parts: [Part]) { self.parts = parts }

    init(_ value: YAMLValue) throws(YAMLProblem) {
        var rest = Substring(try value.text())
        parts = try MessageForm.read(&rest, inside: false, value)
    }

    private static func read(
        _ rest: inout Substring, inside: Bool, _ value: YAMLValue
    ) throws(YAMLProblem) -> [Part] {
        var parts: [Part] = []
        while let next = rest.first {
            switch next {
            case "[":
                rest.removeFirst()
                parts.append(.optional(try read(&rest, inside: true, value)))
            case "]":
                guard inside else { throw value.problem("a ] without a [ before it") }
                rest.removeFirst()
                return parts
            case "{":
                let name = rest.dropFirst().prefix { $0 != "}" }
                rest = rest.dropFirst(name.count + 1)
                guard rest.first == "}" else { throw value.problem("a { without a } behind it") }
                rest.removeFirst()
                parts.append(try part(named: String(name), value))
            default:
                let text = rest.prefix { !"[]{".contains($0) }
                parts.append(.text(String(text)))
                rest = rest.dropFirst(text.count)
            }
        }
        if inside { throw value.problem("a [ without a ] behind it") }
        return parts
    }

    private static func part(named name: String, _ value: YAMLValue) throws(YAMLProblem) -> Part {
        if let number = Number(rawValue: name) { return .number(number) }
        if let key = EventKey(rawValue: name) { return .key(key) }
        let known = Number.allCases.map(\.rawValue) + EventKey.allCases.map(\.rawValue)
        throw value.problem(
            "'{\(name)}' is no value of an alert", hint: nearest(to: name, among: known).map { "did you mean {\($0)}?" }
        )
    }

    /// Every key it shows.
    public var keys: [EventKey] { MessageForm.keys(of: parts) }

    private static func keys(of parts: [Part]) -> [EventKey] {
        parts.flatMap { part -> [EventKey] in
            switch part {
            case .key(let key): [key]
            case .optional(let parts): keys(of: parts)
            case .text, .number: []
            }
        }
    }

    /// The text; `shown` gives values made safe to show. Nil parts leave their bracket out.
    public func text(_ shown: (EventKey) -> String?, _ number: (Number) -> String?) -> String {
        MessageForm.text(parts, shown, number) ?? ""
    }

    private static func text(
        _ parts: [Part], _ shown: (EventKey) -> String?, _ number: (Number) -> String?, isOptional: Bool = false
    ) -> String? {
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .optional(let parts): result += text(parts, shown, number, isOptional: true) ?? ""
            case .key(let key):
                if let value = shown(key) { result += value } else if isOptional { return nil } else { result += "?" }
            case .number(let name):
                if let value = number(name) { result += value } else if isOptional { return nil }
            }
        }
        return result
    }
}
