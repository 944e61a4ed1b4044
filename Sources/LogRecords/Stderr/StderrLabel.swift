import CScan
import VigilModel

/// What stands between prefix and text of a line: a severity begins a record, a label another part of it.
enum StderrLabel: UInt8, CaseIterable {
    case debug, log, info, notice, warning, error, fatal, panic
    case detail, hint, query, context, location, backtrace, statement

    /// True for a severity.
    var isSeverity: Bool { rawValue <= StderrLabel.panic.rawValue }

    /// The severity's English word.
    var word: StaticString {
        switch self {
        case .debug: "DEBUG"
        case .log: "LOG"
        case .info: "INFO"
        case .notice: "NOTICE"
        case .warning: "WARNING"
        case .error: "ERROR"
        case .fatal: "FATAL"
        case .panic: "PANIC"
        default: ""
        }
    }

    /// The column of a part of a record; nil for one that csvlog does not have.
    var column: LogColumn? {
        switch self {
        case .detail: .detail
        case .hint: .hint
        case .query: .internalQuery
        case .context: .context
        case .location: .location
        case .statement: .query
        default: nil
        }
    }

    /// Where its words stand in `patterns/messages/postgresql.yml`.
    fileprivate var messageName: String { (isSeverity ? "severity_" : "label_") + "\(self)" }
}

/// Severities and labels in all languages of the server.
struct StderrLabels: Sendable {
    /// A word with its colon and the blanks behind it.
    private struct Entry: Sendable {
        var label: StderrLabel
        var text: [UInt8]
        /// Bytes before the colon.
        var before: Int
    }

    /// Words by the byte before their colon.
    private let buckets: [[Entry]]

    /// No word is longer.
    static let longest = 64

    /// The words of all languages.
    static let all = StderrLabels(.all)

    init(_ messages: ServerMessages) {
        var buckets = [[Entry]](repeating: [], count: 256)
        // Georgian has one word for notice and warning: the graver one counts.
        for label in StderrLabel.allCases.reversed() {
            for word in messages.texts(label.messageName) {
                let text = Array((label.isSeverity ? word + ":  " : word).utf8)
                guard let colon = text.lastIndex(of: 58), colon > 0 else { continue }
                let entry = Entry(label: label, text: text, before: colon)
                if !buckets[Int(text[colon - 1])].contains(where: { $0.text == text }) {
                    buckets[Int(text[colon - 1])].append(entry)
                }
            }
        }
        self.buckets = buckets.map { $0.sorted { $0.text.count > $1.text.count } }
    }

    /// The word whose colon stands there and that starts at `from` or later, with the offsets of its first byte and
    /// behind its blanks.
    @inline(__always)
    func label(
        _ bytes: UnsafeBufferPointer<UInt8>, colon: Int, from: Int
    ) -> (label: StderrLabel, start: Int, end: Int)? {
        guard colon - from >= 2 else { return nil }
        let last = bytes[colon - 1]
        // Two blanks follow, but for a few words of languages that are not written in Latin letters.
        let isUsual = colon + 2 < bytes.count && bytes[colon + 1] == 32 && bytes[colon + 2] == 32
        guard isUsual || last >= 0x80 || last == 32 else { return nil }
        if isUsual, last == 71, bytes[colon - 2] == 79, colon - from >= 3, bytes[colon - 3] == 76 {
            return (.log, colon - 3, colon + 3)
        }
        return rareLabel(bytes, colon: colon, from: from)
    }

    /// The first word that starts at `from` or later and whose colon stands in `start ..< end`.
    @inline(__always)
    func first(
        in bytes: UnsafeBufferPointer<UInt8>, from: Int, _ start: Int, before end: Int
    ) -> (label: StderrLabel, start: Int, colon: Int, end: Int)? {
        guard let base = bytes.baseAddress else { return nil }
        let end = min(end, bytes.count)
        var at = max(start, from + 2)
        while at < end {
            at = cscan_label(base, at, end, bytes.count, CSCAN_BEST)
            if at < end, let found = label(bytes, colon: at, from: from) {
                return (found.label, found.start, at, found.end)
            }
            at += 1
        }
        return nil
    }

    /// True when any of the words starts there or further on, before `end`.
    func isAny(in bytes: UnsafeBufferPointer<UInt8>, from: Int, before end: Int) -> Bool {
        first(in: bytes, from: from, from, before: end) != nil
    }

    private func rareLabel(
        _ bytes: UnsafeBufferPointer<UInt8>, colon: Int, from: Int
    ) -> (label: StderrLabel, start: Int, end: Int)? {
        for entry in buckets[Int(bytes[colon - 1])] {
            let start = colon - entry.before
            guard start >= from, start + entry.text.count <= bytes.count else { continue }
            if bytes.has(entry.text, at: start) {
                return (entry.label, start, start + entry.text.count)
            }
        }
        return nil
    }
}
