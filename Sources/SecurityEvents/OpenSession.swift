import Foundation
import VigilModel

extension OpenSession {
    /// As the store keeps it.
    init(_ span: SpanTable<StatementGroup>.Span) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // A struct of numbers and texts always encodes.
        let state = (try? encoder.encode(span.value)) ?? Data()
        self.init(key: span.key, opened: span.opened, closed: span.closed, state: Array(state))
    }

    /// As it is used.
    var group: SpanTable<StatementGroup>.Span? {
        guard let value = try? JSONDecoder().decode(StatementGroup.self, from: Data(state)) else { return nil }
        return .init(key: key, opened: opened, closed: closed, value: value)
    }
}
