import Vigil
import VigilModel

/// What was delivered, for a person.
enum DeliveryText {
    static func lines(_ outcomes: [OutboxDrain.Outcome]) -> [String] {
        outcomes.map { outcome in
            var text = "sink \(outcome.sink): \(Sizes.count(outcome.delivered)) delivered"
            if outcome.refused > 0 { text += ", \(Sizes.count(outcome.refused)) refused (pgvigil outbox --aside)" }
            if outcome.waiting > 0 { text += ", \(Sizes.count(outcome.waiting)) wait (pgvigil outbox --send)" }
            if let problem = outcome.problem { text += "\n  \(problem)" }
            return text
        }
    }
}
