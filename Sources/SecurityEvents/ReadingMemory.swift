import Patterns
import VigilModel

/// What patterns took from messages, remembered: the lines of a login say the same each time somebody comes in.
struct ReadingMemory {
    private struct Entry {
        var pattern = -1
        var message: [UInt8] = []
        var found: [(EventField, String)] = []
    }

    private var entries = [Entry](repeating: Entry(), count: 256)

    /// Messages that are longer are read each time.
    private static let longest = 512

    /// As `EventBuilder.found`; `number` is that of the pattern whose readings these are.
    mutating func found(
        _ record: LogRecord, _ readings: [(column: LogColumn, regex: Regex)], _ number: Int, _ scratch: Regex.Scratch
    ) -> [(EventField, String)] {
        guard let first = readings.first else { return [] }
        guard readings.count == 1, first.column == .message, let place = ReadingMemory.place(record) else {
            return EventBuilder.found(record, readings, scratch)
        }
        if let known = known(record, number, place) { return known }
        let found = EventBuilder.found(record, readings, scratch)
        entries[place] = Entry(pattern: number, message: record.withContent(.message) { Array($0) }, found: found)
        return found
    }

    /// What is remembered of the same message and pattern; nil when nothing is.
    func known(_ record: LogRecord, _ number: Int) -> [(EventField, String)]? {
        ReadingMemory.place(record).flatMap { known(record, number, $0) }
    }

    private func known(_ record: LogRecord, _ number: Int, _ place: Int) -> [(EventField, String)]? {
        guard entries[place].pattern == number, record.equals(.message, entries[place].message) else { return nil }
        return entries[place].found
    }

    private static func place(_ record: LogRecord) -> Int? {
        record.withContent(.message) { message in
            guard message.count >= 8, message.count <= longest else { return nil }
            var hash = PlaceHash()
            hash.combine(message)
            return Int(truncatingIfNeeded: hash.place >> 56)
        }
    }
}
