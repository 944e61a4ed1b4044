import LogRecords
import Patterns
import SecurityEvents
import VigilModel

/// Whatever a log's bytes are: the same records, events and unread bytes in any pieces; every byte is a record's, a line
/// of text, or unread, and none twice; reading that goes on where it was finds what one reading finds; and the secret of
/// a statement that stands whole in it is nowhere in what leaves the room.
///
/// The first byte of an input is the format, what follows the log.
enum LogProperty {
    static let catalogue = Result { try Catalogue.embedded().events }

    static var seeds: [[UInt8]] {
        LogSamples.all.map { format, text in
            [UInt8(LogFormat.allCases.firstIndex(of: format) ?? 0)] + Array(text.utf8)
        }
    }

    /// What came of a log.
    private struct Found: RecordConsumer {
        var reader: EventReader
        var records: [Int64] = []
        var spans: [Range<Int64>] = []
        var events: [String] = []

        mutating func take(_ batch: RecordBatch) {
            for index in 0..<batch.count { records.append(batch[index].offset) }
            reader.read(batch)
        }
        mutating func takeUnfinished(_ batch: RecordBatch) { take(batch) }
        mutating func skip(_ unread: Unread) { spans.append(unread.offset..<unread.offset + unread.length) }
        mutating func pass(_ line: TextLine) { spans.append(line.offset..<line.offset + line.length) }
    }

    static func problem(with input: [UInt8]) -> String? {
        guard let first = input.first, let events = try? catalogue.get() else { return nil }
        let format = LogFormat.allCases[Int(first) % LogFormat.allCases.count]
        let log = Array(input.dropFirst())
        _ = LogFormat.detect(Array(log.prefix(LogFormat.sniffLength)), path: "a.csv")
        let whole = read(log, format, events) { 1 << 20 }
        var numbers = SeededNumbers(seed: UInt64(log.count))
        let parts = read(log, format, events) { Int.random(in: 1...60, using: &numbers) }
        if whole.events != parts.events { return "\(format): other events in pieces" }
        if whole.records != parts.records { return "\(format): other records in pieces" }
        if whole.spans != parts.spans { return "\(format): other unread bytes in pieces" }
        return unaccounted(whole, log, format) ?? resumed(whole, log, format, events)
    }

    private static func read(
        _ log: [UInt8], _ format: LogFormat, _ events: EventCatalogue, pieces: () -> Int
    ) -> Found {
        let reader = format.reader(ReadingFacts(timezone: nil, head: Array(log.prefix(LogFormat.sniffLength))))
        var found = Found(reader: EventReader(catalogue: events))
        var rest = log[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pieces())
            rest = rest.dropFirst(piece.count)
            reader.read(piece, into: &found, atEnd: false)
        }
        reader.drain(into: &found, atEnd: true)
        found.reader.settle()
        found.events = found.reader.takeEvents().map {
            "\($0.identity.text) \($0.time) \($0.kind.action) \($0.kind.reason ?? "") \($0.actor) \($0.query ?? "") "
                + "\($0.offset)"
        }
        return found
    }

    /// Logs in which lines of others may stand between those of one record.
    private static let interleaved: Set<LogFormat> = [.stderr, .syslog, .pgbouncer, .patroni]

    /// The first thing begins at 0. Spans that are no records end where the next thing begins, or at the end; where they
    /// may stand inside of a record, at the start of a line before that.
    private static func unaccounted(_ found: Found, _ log: [UInt8], _ format: LogFormat) -> String? {
        let starts =
            (Set(found.records).map { ($0, Int64(-1)) } + found.spans.map { ($0.lowerBound, $0.upperBound) })
            .sorted { $0.0 < $1.0 }
        guard let first = starts.first else { return log.isEmpty || isMark(log) ? nil : "\(format): nothing at all" }
        if first.0 != (isMark(log) ? 3 : 0), first.0 != 0 { return "\(format): begins at \(first.0)" }
        for (one, next) in zip(starts, starts.dropFirst()) {
            if one.0 == next.0 { return "\(format): byte \(one.0) twice" }
            guard one.1 > 0, one.1 != next.0 else { continue }
            let isInside = interleaved.contains(format) && one.1 < next.0 && log[Int(one.1) - 1] == 10
            if !isInside { return "\(format): \(one.0)..<\(one.1), then \(next.0)" }
        }
        if let last = starts.last, last.1 >= 0, last.1 != Int64(log.count),
            !interleaved.contains(format) || last.1 > Int64(log.count)
        {
            return "\(format): ends at \(last.1) of \(log.count)"
        }
        return nil
    }

    /// True for a log that begins with a byte order mark.
    private static func isMark(_ log: [UInt8]) -> Bool { log.starts(with: [0xEF, 0xBB, 0xBF]) }

    /// Reads in two halves, the second from where the first got to.
    private static func resumed(
        _ whole: Found, _ log: [UInt8], _ format: LogFormat, _ events: EventCatalogue
    ) -> String? {
        let head = Array(log.prefix(LogFormat.sniffLength))
        let first = format.reader(ReadingFacts(timezone: nil, head: head))
        var found = Found(reader: EventReader(catalogue: events))
        first.read(log.prefix(log.count / 2), into: &found, atEnd: false)
        let position = first.position
        guard position <= log.count else { return "\(format): goes on at \(position) of \(log.count)" }
        found.records.removeAll { $0 >= position }
        found.spans.removeAll { $0.lowerBound >= position }
        let second = format.reader(offset: position, ReadingFacts(timezone: nil, head: head))
        second.read(log[Int(position)...], into: &found, atEnd: true)
        if found.records != whole.records { return "\(format): other records behind a restart at \(position)" }
        if found.spans != whole.spans { return "\(format): other unread bytes behind a restart at \(position)" }
        return nil
    }
}
