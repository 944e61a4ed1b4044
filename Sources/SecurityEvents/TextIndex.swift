import Glibc
import Patterns
import VigilModel

/// Finds the first pattern that a record of another log than the server's fits, by the first bytes of its message: most
/// lines of a busy log end here, with nothing else looked at. The same as trying all patterns in file order.
struct TextIndex {
    /// What a pattern asks for, as far as it can be looked at without the pattern.
    private struct Asks {
        /// Columns that must be empty, as bits.
        var absent: UInt32 = 0
        /// Severities of up to eight bytes, in `severities`.
        var severities = 0..<0
        /// Beginnings of other columns than the message, in `starts`: of each column one must stand.
        var starts = 0..<0
        /// Expressions that are left to match, in `rests`.
        var rests = 0..<0
        /// There is more to it: the pattern itself must be asked.
        var isPlain = true
    }

    /// A pattern that messages of one hash may fit.
    private struct Candidate {
        var pattern: Int
        /// What the message starts with, as csvlog writes it; nothing when that is not known.
        var start = Start()
    }

    /// Bytes that a column starts with.
    private struct Start {
        var column = LogColumn.message
        var head: UInt64 = 0
        var mask: UInt64 = 0
        /// All of them, in `bytes`, when there are more than eight.
        var rest = 0..<0
        /// Another one of the same column follows that may stand in place of it.
        var hasOther = false
    }

    let patterns: [EventPattern]
    private var asks: [Asks] = []
    private var severities: [(head: UInt64, count: Int)] = []
    private var starts: [Start] = []
    private var rests: [(column: LogColumn, regex: Regex)] = []
    private var bytes: [UInt8] = []
    private var candidates: [Candidate] = []
    /// Where the candidates of each dataset and hash stand.
    private var lists: [Range<Int>] = []
    private let scratch = Regex.Scratch()

    private static let hashes = 128

    /// Takes the patterns of all datasets; those of the server's log are left out.
    init(_ patterns: [EventPattern]) {
        self.patterns = patterns.filter { $0.condition.dataset != .postgresql }
        var messages: [LiteralStarts?] = []
        for pattern in self.patterns { messages.append(add(pattern)) }
        for dataset in LogDataset.allCases { list(dataset, messages) }
    }

    /// Notes what a pattern asks for; gives what its messages start with.
    private mutating func add(_ pattern: EventPattern) -> LiteralStarts? {
        let condition = pattern.condition
        var ask = Asks()
        ask.isPlain =
            condition.messages.isEmpty && condition.commandTags.isEmpty && condition.backendTypes.isEmpty
            && condition.messagesAboutUser.isEmpty && condition.detailsAboutUser.isEmpty
        for column in condition.absent { ask.absent |= 1 << UInt32(column.rawValue) }
        let first = severities.count
        for word in condition.severities.texts.map({ Array($0.utf8) }) {
            if word.count > 8 { ask.isPlain = false }
            severities.append((TextIndex.head(word).head, word.count))
        }
        ask.severities = first..<severities.count
        let (firstStart, firstRest) = (starts.count, rests.count)
        var message: LiteralStarts?
        for (column, regex) in condition.expressions {
            let found = LiteralStarts(of: regex.source)
            if column == .message, message == nil, !found.texts.isEmpty {
                message = found
            } else if column != .message, found.isWhole {
                for (number, text) in found.texts.enumerated() {
                    var start = start(column, text)
                    start.hasOther = number + 1 < found.texts.count
                    starts.append(start)
                }
            }
            if !found.isWhole { rests.append((column, regex)) }
        }
        ask.starts = firstStart..<starts.count
        ask.rests = firstRest..<rests.count
        asks.append(ask)
        return message
    }

    private mutating func start(_ column: LogColumn, _ text: [UInt8]) -> Start {
        let quoted = text.flatMap { $0 == 34 ? [34, 34] : [$0] }
        let (head, mask) = TextIndex.head(quoted)
        let place = bytes.count
        if quoted.count > 8 { bytes += quoted }
        return Start(column: column, head: head, mask: mask, rest: place..<bytes.count)
    }

    /// What a pattern's messages start with, one of these; nil when that is not known.
    static func messageStarts(of pattern: EventPattern) -> [[UInt8]]? {
        for (column, regex) in pattern.condition.expressions where column == .message {
            let found = LiteralStarts(of: regex.source)
            if !found.texts.isEmpty { return found.texts }
        }
        return nil
    }

    static func head(_ text: [UInt8]) -> (head: UInt64, mask: UInt64) {
        let head = text.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64($1.offset * 8) }
        return (head, text.count >= 8 ? .max : (1 << UInt64(text.count * 8)) &- 1)
    }

    /// Lists the candidates of each hash in file order. Those of which too few bytes are known stand in every list.
    private mutating func list(_ dataset: LogDataset, _ messages: [LiteralStarts?]) {
        var everywhere: [Candidate] = []
        var byHash: [Int: [Candidate]] = [:]
        for (number, pattern) in patterns.enumerated() where pattern.condition.dataset == dataset {
            guard let message = messages[number] else {
                everywhere.append(Candidate(pattern: number))
                continue
            }
            for text in message.texts {
                let candidate = Candidate(pattern: number, start: start(.message, text))
                if candidate.start.mask & 0xFFFF_FFFF == 0xFFFF_FFFF {
                    byHash[TextIndex.hash(candidate.start.head), default: []].append(candidate)
                } else {
                    everywhere.append(candidate)
                }
            }
        }
        let usual = candidates.count..<candidates.count + everywhere.count
        candidates += everywhere
        for hash in 0..<TextIndex.hashes {
            guard let own = byHash[hash] else {
                lists.append(usual)
                continue
            }
            let first = candidates.count
            candidates += (own + everywhere).sorted { $0.pattern < $1.pattern }
            lists.append(first..<candidates.count)
        }
    }

    @inline(__always)
    private static func hash(_ head: UInt64) -> Int {
        Int(truncatingIfNeeded: (UInt32(truncatingIfNeeded: head) &* 0x9E37_79B1) >> 25)
    }

    /// The first pattern that the record fits.
    func match(_ record: LogRecord) -> Int? {
        let head = record.head(.message)
        let list = lists[Int(record.dataset.rawValue) &* TextIndex.hashes &+ TextIndex.hash(head)]
        var failed = -1
        for index in list {
            let number = candidates[index].pattern
            guard number != failed, head & candidates[index].start.mask == candidates[index].start.head,
                stands(candidates[index].start, in: record)
            else { continue }
            if holds(number, for: record) { return number }
            failed = number
        }
        return nil
    }

    /// True when all bytes of a start stand there of which the head does.
    @inline(__always)
    private func stands(_ start: Start, in record: LogRecord) -> Bool {
        guard !start.rest.isEmpty else { return true }
        return record.withContent(start.column) { content in
            guard let base = content.baseAddress, content.count >= start.rest.count else { return false }
            return bytes.withUnsafeBufferPointer { bytes in
                guard let wanted = bytes.baseAddress else { return false }
                return memcmp(base, wanted + start.rest.lowerBound, start.rest.count) == 0
            }
        }
    }

    /// True when a record whose message starts as the pattern's do shows all else that it asks for.
    private func holds(_ number: Int, for record: LogRecord) -> Bool {
        let ask = asks[number]
        var absent = ask.absent
        while absent != 0 {
            guard let column = LogColumn(rawValue: absent.trailingZeroBitCount), record.isEmpty(column) else {
                return false
            }
            absent &= absent &- 1
        }
        guard startsHold(ask.starts, for: record), severitiesHold(ask.severities, for: record) else { return false }
        if !ask.isPlain {
            guard patterns[number].columnsHold(for: record), patterns[number].messageHolds(for: record) else {
                return false
            }
        }
        for rest in ask.rests where !EventBuilder.matches(record, rests[rest].column, rests[rest].regex, scratch) {
            return false
        }
        return true
    }

    @inline(__always)
    private func startsHold(_ range: Range<Int>, for record: LogRecord) -> Bool {
        var isMet = false
        for index in range {
            if !isMet {
                isMet =
                    record.head(starts[index].column) & starts[index].mask == starts[index].head
                    && stands(starts[index], in: record)
            }
            if !starts[index].hasOther {
                guard isMet else { return false }
                isMet = false
            }
        }
        return true
    }

    @inline(__always)
    private func severitiesHold(_ range: Range<Int>, for record: LogRecord) -> Bool {
        guard !range.isEmpty else { return true }
        let head = record.head(.severity)
        let count = record.contentRange(.severity).count
        return range.contains { severities[$0].head == head && severities[$0].count == count }
    }
}
