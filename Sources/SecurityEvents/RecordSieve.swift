import Patterns
import VigilModel

/// What a first look at a record showed.
public struct RecordLook: Sendable, Equatable {
    /// 0: no pattern knows its message. 1: no pattern fits its statements. 2: not known. The most there is: only its time
    /// counts. Between: the candidate that it matches, plus three; of other logs than the server's the pattern.
    private let code: UInt16
    private let session: UInt16
    /// True for a record of pgaudit's that is to be counted, and means something to an open statement only.
    let isOnlyCounted: Bool

    private init(code: Int, slot: Int = 0, isOnlyCounted: Bool = false) {
        self.code = UInt16(truncatingIfNeeded: code)
        session = UInt16(truncatingIfNeeded: slot)
        self.isOnlyCounted = isOnlyCounted
    }

    /// Nothing is known of it.
    static let unseen = RecordLook(code: 2)
    /// It is of another log than the server's, and nobody can make anything of it.
    static let passed = RecordLook(code: Int(UInt16.max))
    /// It is of another log than the server's, and fits that pattern of `TextIndex`.
    static func fitting(_ pattern: Int) -> RecordLook { RecordLook(code: pattern + 3) }
    static func nothing(_ key: SessionKey) -> RecordLook { RecordLook(code: 0, slot: key.slot) }
    static func quiet(_ key: SessionKey) -> RecordLook { RecordLook(code: 1, slot: key.slot) }
    static func known(_ candidate: Int, _ key: SessionKey, isOnlyCounted: Bool = false) -> RecordLook {
        RecordLook(code: candidate + 3, slot: key.slot, isOnlyCounted: isOnlyCounted)
    }

    /// True when it can only mean something to what is known of its session.
    @inline(__always) var isQuiet: Bool { code < 2 }
    /// True when it means nothing to anybody but that time went on.
    @inline(__always) var isPassed: Bool { code == .max }
    /// True when it tells nothing of a statement either.
    @inline(__always) var isNothing: Bool { code == 0 }
    /// The candidate of `PatternIndex` that it matches, statement words included, or else the pattern of `TextIndex`.
    @inline(__always) var candidate: Int? { code > 2 ? Int(code) - 3 : nil }
    /// True when the slot of its session's key is known.
    @inline(__always) var hasSlot: Bool { code != 2 }
    /// That slot.
    @inline(__always) var slot: Int { Int(session) }
}

/// Takes a first look at records, each by itself: most records of a busy log can mean nothing but to what is known of
/// their session. It remembers nothing that matters, so it may run ahead of who reads them, on another thread.
public struct RecordSieve {
    /// How a record that shows a candidate's message is looked at.
    private enum Treatment {
        /// As it is.
        case known
        /// It matters to an open statement only.
        case ended
        /// By the words of its statements.
        case statement(isNamed: Bool)
        /// By the words of the statement that pgaudit tells of.
        case audit
    }

    /// Columns that a pattern accepted, as far as it asks for them: those of the next record are mostly the same.
    private struct Accepted: Equatable {
        var severity: UInt64 = 0
        var tag, backend: (head: UInt64, tail: UInt64)
        var lengths: Int = -1

        static func == (left: Accepted, right: Accepted) -> Bool {
            left.severity == right.severity && left.tag == right.tag && left.backend == right.backend
                && left.lengths == right.lengths
        }
    }

    /// What a candidate's pattern asks for.
    private struct Asks {
        var severity, tag, backend, hasMore: Bool
        var query, context: Bool
        var others: [LogColumn]
    }

    private let index: PatternIndex
    private let texts: TextIndex
    private let words: StatementWords
    private let treatments: [Treatment]
    private let asks: [Asks]
    private var accepted: [Accepted]

    /// Takes the catalogue; who reads the records must have the same.
    public init(_ catalogue: EventCatalogue) {
        index = PatternIndex(catalogue.patterns.filter { $0.condition.dataset == .postgresql })
        texts = TextIndex(catalogue.patterns)
        words = StatementWords(catalogue.statements)
        let patterns = index.patterns
        treatments = index.candidates.map { RecordSieve.treatment(patterns[$0.pattern], $0.template) }
        asks = index.candidates.map { RecordSieve.asks(patterns[$0.pattern]) }
        accepted = index.candidates.map { _ in Accepted(tag: (0, 0), backend: (0, 0)) }
    }

    private static func treatment(_ pattern: EventPattern, _ template: MessageTemplate) -> Treatment {
        guard case .statement(let carrier) = pattern.effect, pattern.counter == nil else { return .known }
        switch carrier {
        case .ended: return .ended
        case .audited: return .audit
        case .logged: return .statement(isNamed: !template.endsOpen)
        case .prepared, .timed: return template.hasText ? .statement(isNamed: template.hasName) : .known
        }
    }

    private static func asks(_ pattern: EventPattern) -> Asks {
        let condition = pattern.condition
        return Asks(
            severity: !condition.severities.isEmpty, tag: !condition.commandTags.isEmpty,
            backend: !condition.backendTypes.isEmpty,
            hasMore: pattern.hasExpressions || !condition.messagesAboutUser.isEmpty
                || !condition.detailsAboutUser.isEmpty,
            query: condition.absent.contains(.query), context: condition.absent.contains(.context),
            others: condition.absent.filter { $0 != .query && $0 != .context })
    }

    /// Looks at records.
    public mutating func look(at batch: RecordBatch) -> [RecordLook] {
        let count = batch.count
        return [RecordLook](unsafeUninitializedCapacity: count) { looks, filled in
            for number in 0..<count { looks.initializeElement(at: number, to: look(at: batch[number])) }
            filled = count
        }
    }

    @inline(__always)
    private mutating func look(at record: LogRecord) -> RecordLook {
        if record.dataset != .postgresql { return lookAtText(record) }
        guard record.form == .columns || record.form == .prefixed, record.head(.sqlState) == PatternIndex.success
        else { return .unseen }
        let head = record.head(.message)
        if index.isUnknown(messageHead: head) {
            return TextFinder.mayBeRaised(record) ? .unseen : .nothing(SessionKey(record))
        }
        var next = 0
        while let (number, start) = index.message(of: record, head: head, from: next) {
            guard columnsHold(number, record) else {
                next = number + 1
                continue
            }
            switch treatments[number] {
            case .known: return .known(number, SessionKey(record))
            case .ended: return .quiet(SessionKey(record))
            case .statement(let isNamed):
                return words.mayFit(record, behind: start, isNamed: isNamed)
                    ? .known(number, SessionKey(record)) : .quiet(SessionKey(record))
            case .audit:
                return .known(number, SessionKey(record), isOnlyCounted: !words.mayFit(audited: record))
            }
        }
        return .unseen
    }

    private func lookAtText(_ record: LogRecord) -> RecordLook {
        // Who read it was told that nobody asks for it.
        if record.columnCount == 0 { return .passed }
        if let pattern = texts.match(record) { return .fitting(pattern) }
        return ProxyReader.mayRead(record) ? .unseen : .passed
    }

    /// True when a record with the candidate's message shows all else that its pattern asks for.
    @inline(__always)
    private mutating func columnsHold(_ number: Int, _ record: LogRecord) -> Bool {
        if asks[number].query, !record.isEmpty(.query) { return false }
        if asks[number].context, !record.isEmpty(.context) { return false }
        if asks[number].hasMore { return fits(number, record) }
        for column in asks[number].others where !record.isEmpty(column) { return false }
        var shown = Accepted(tag: (0, 0), backend: (0, 0), lengths: 0)
        var isShort = true
        if asks[number].severity {
            shown.severity = record.head(.severity)
            shown.lengths = record.contentRange(.severity).count
            isShort = shown.lengths <= 8
        }
        if asks[number].tag {
            shown.tag = (record.head(.commandTag), record.tail(.commandTag))
            let length = record.contentRange(.commandTag).count
            shown.lengths |= length << 16
            isShort = isShort && length <= 16
        }
        if asks[number].backend {
            shown.backend = (record.head(.backendType), record.tail(.backendType))
            let length = record.contentRange(.backendType).count
            shown.lengths |= length << 32
            isShort = isShort && length <= 16
        }
        if isShort, shown == accepted[number] { return true }
        guard fits(number, record) else { return false }
        if isShort { accepted[number] = shown }
        return true
    }

    private func fits(_ number: Int, _ record: LogRecord) -> Bool {
        let pattern = index.candidates[number].pattern
        return index.patterns[pattern].columnsHold(for: record) && index.expressionsHold(pattern, record)
    }
}
