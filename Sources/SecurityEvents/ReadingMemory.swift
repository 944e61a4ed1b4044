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
        guard readings.count == 1, first.column == .message else {
            return EventBuilder.found(record, readings, scratch)
        }
        let place = record.withContent(.message) { message -> Int? in
            guard message.count >= 8, message.count <= ReadingMemory.longest else { return nil }
            // Names stand in the middle and at the end.
            var mixed = UInt64(message.count) &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15
            for index in stride(from: message.count / 4, to: message.count, by: 3) {
                mixed = (mixed ^ UInt64(message[index])) &* 0x0000_0100_0000_01b3
            }
            return Int(truncatingIfNeeded: (mixed ^ (mixed >> 29)) & 255)
        }
        guard let place else { return EventBuilder.found(record, readings, scratch) }
        if entries[place].pattern == number, record.equals(.message, entries[place].message) {
            return entries[place].found
        }
        let found = EventBuilder.found(record, readings, scratch)
        entries[place] = Entry(pattern: number, message: record.withContent(.message) { Array($0) }, found: found)
        return found
    }
}
