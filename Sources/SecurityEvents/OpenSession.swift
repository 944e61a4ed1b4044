import Foundation
import VigilModel

extension OpenSession {
    /// What can be known of a session: each has rows of its own.
    enum Content: String {
        case statement = "statement "
        case facts = "facts "
        case login = "login "
    }

    /// Changes of a table as the store keeps them.
    static func changes<Value: Codable>(
        _ changes: (void: [SessionKey], rows: [SpanTable<Value>.Span]), of content: Content
    ) -> Changes {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Changes(
            void: changes.void.map { content.rawValue + $0.text },
            rows: changes.rows.map { span in
                // A struct of numbers and texts always encodes.
                let state = (try? encoder.encode(span.value)) ?? Data()
                return OpenSession(
                    key: content.rawValue + span.key.text, opened: span.opened, closed: span.closed, state: Array(state)
                )
            })
    }

    /// As it is used; nil for a row of other content.
    func span<Value: Codable>(of content: Content) -> SpanTable<Value>.Span? {
        guard key.hasPrefix(content.rawValue),
            let session = SessionKey(text: key.dropFirst(content.rawValue.count)),
            let value = try? JSONDecoder().decode(Value.self, from: Data(state))
        else { return nil }
        return .init(key: session, opened: opened, closed: closed, value: value)
    }
}
