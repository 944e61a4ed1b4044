import Glibc
import Patterns
import VigilModel

/// Finds texts of clients that are made to look like something else, by the catalogue's text patterns. Most names,
/// messages and statements hold no byte that could make them so, and end at the first look.
final class TextFinder {
    private let patterns: [TextPattern.Place: [TextPattern]]
    /// Kinds made of two others, by these.
    private var merged: [[ObjectIdentifier]: Merged] = [:]
    /// What applications' names were found to look like.
    private var applications: [String: EventKind?] = [:]
    private var lastApplication: (name: String, kind: EventKind?)?
    private let scratch = Regex.Scratch()

    /// A kind, and those it was made of, which must outlive their identifiers.
    private struct Merged {
        let kind: EventKind
        let parts: (EventKind, EventKind)
    }

    /// Combinations and names remembered.
    private static let limit = 4096

    init(_ patterns: [TextPattern]) {
        self.patterns = Dictionary(
            uniqueKeysWithValues: TextPattern.Place.allCases.map { place in
                (place, patterns.filter { $0.places.contains(place) })
            })
    }

    // MARK: - First looks

    /// True when a record may hold a message of a client's with more than one line in it: the server's own have no
    /// context.
    static func mayBeRaised(_ record: LogRecord) -> Bool {
        guard !record.isEmpty(.context) else { return false }
        return TextFinder.hasLines(record, .message) || TextFinder.hasLines(record, .detail)
    }

    /// True when the column holds a line break or a terminal's escape character.
    private static func hasLines(_ record: LogRecord, _ column: LogColumn) -> Bool {
        record.withContent(column) { text in
            guard let start = text.baseAddress else { return false }
            return memchr(start, 10, text.count) != nil || memchr(start, 27, text.count) != nil
        }
    }

    /// True when a name holds a byte that can make it look like something else: a control character, a quote, a colon,
    /// an equals sign, or the first of a character that is not seen (U+200B, U+202E, U+FEFF and their like).
    private static func mayLookOdd(_ name: String) -> Bool {
        name.utf8.contains { byte in
            byte < 0x20 || byte == 0x7F || byte == 34 || byte == 58 || byte == 61 || byte == 0xE2 || byte == 0xEF
        }
    }

    // MARK: - What is found

    /// Gives an event the words of what its names are made to look like.
    func mark(_ event: inout SecurityEvent) {
        for name in [event.actor.user, event.actor.database] {
            guard let name, TextFinder.mayLookOdd(name) else { continue }
            take(Array(name.utf8), .name, into: &event)
        }
        if let name = event.applicationName, let kind = kind(ofApplication: name) {
            event.kind = merge(event.kind, kind)
        }
    }

    private func take(_ text: [UInt8], _ place: TextPattern.Place, into event: inout SecurityEvent) {
        guard let kind = kind(of: text, place) else { return }
        event.kind = merge(event.kind, kind)
    }

    /// What the name of an application looks like. There are few on a server, so each is looked at once.
    private func kind(ofApplication name: String) -> EventKind? {
        if let lastApplication, lastApplication.name == name { return lastApplication.kind }
        if let known = applications[name] {
            lastApplication = (name, known)
            return known
        }
        let kind = kind(of: Array(name.utf8), .application)
        if applications.count >= TextFinder.limit { applications = [:] }
        applications[name] = .some(kind)
        return kind
    }

    /// What the message or the detail of a client's record is made to look like.
    func kind(ofMessage record: LogRecord) -> EventKind? {
        var found: EventKind?
        for column in [LogColumn.message, .detail] where TextFinder.hasLines(record, column) {
            guard let kind = kind(of: record.content(column), .message) else { continue }
            found = found.map { merge($0, kind) } ?? kind
        }
        return found
    }

    /// What a part of a statement is made to look like.
    func kind(ofStatement text: some Collection<UInt8>) -> EventKind? { kind(of: Array(text), .statement) }

    private func kind(of text: [UInt8], _ place: TextPattern.Place) -> EventKind? {
        matching(text, place).reduce(nil) { found, pattern in found.map { merge($0, pattern.kind) } ?? pattern.kind }
    }

    private func matching(_ text: [UInt8], _ place: TextPattern.Place) -> [TextPattern] {
        guard let own = patterns[place], !own.isEmpty else { return [] }
        let parts = TextFinder.parts(of: text, place)
        return own.filter { pattern in
            parts.contains { part in
                text.withUnsafeBufferPointer { pattern.regex.match(UnsafeBufferPointer(rebasing: $0[part]), scratch) }
            }
        }
    }

    /// What is looked at on its own: a name as it is; each line of a message; of a statement each line that begins as one
    /// of a log does. So no number of other lines can use up what a match may cost.
    private static func parts(of text: [UInt8], _ place: TextPattern.Place) -> [Range<Int>] {
        guard place == .message || place == .statement else { return [text.indices] }
        var parts: [Range<Int>] = []
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: SQLBytes.newline) ?? text.count
            let line = start..<min(end, start + lineLimit)
            if place == .message || text.withUnsafeBufferPointer({ StatementWords.startsLogLine($0, start) }) {
                parts.append(line)
            }
            start = end + 1
        }
        return parts
    }

    /// Bytes looked at of a line.
    private static let lineLimit = 4096

    /// Ids of the patterns that match a text.
    func ids(of text: [UInt8], _ place: TextPattern.Place) -> [String] {
        matching(text, place).map(\.id)
    }

    /// The words of both. A login stays what it is; of anything else the more severe is the action.
    func merge(_ kind: EventKind, _ text: EventKind) -> EventKind {
        let key = [ObjectIdentifier(kind), ObjectIdentifier(text)]
        if let known = merged[key] { return known.kind }
        let isLogin = kind.category == "authentication"
        var best = kind.tagged(Set(text.tags))
        if !isLogin, text.severity > kind.severity {
            best = EventKind(
                dataset: kind.dataset, category: text.category, action: text.action, outcome: kind.outcome,
                reason: text.reason, severity: text.severity, tags: best.tags)
        }
        if merged.count < TextFinder.limit { merged[key] = Merged(kind: best, parts: (kind, text)) }
        return best
    }
}
