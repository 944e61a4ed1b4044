import VigilModel

/// A compiled `log_line_prefix`: what stands at the start of each line of a stderr log.
///
/// It falls into two parts. The head, up to the first text of a client (or `%q`), is written by the server alone and is
/// read from left to right. What follows may hold names of a client and is read from right to left, from the severity
/// back to the head, so that nothing in a name can pass for the fields behind it.
struct LogLinePrefix {
    /// A literal or a field.
    struct Element: Equatable {
        /// The field; nil for a literal.
        var field: PrefixField?
        /// The least width: negative where blanks are put behind, positive where before.
        var width = 0
        /// Where a literal stands in `literals`.
        var range = 0..<0
    }

    /// As configured.
    let text: String
    let elements: [Element]
    /// The bytes of all literals.
    let literals: [UInt8]
    /// How many elements the head has.
    let headCount: Int
    /// The element before which a process without a client stops (`%q`); nil: none does.
    let stop: Int?
    /// From the end of the head: how far a name of a client can reach, and with it the text that a client can put at
    /// the start of a line. 0: no client text stands in the prefix.
    let span: Int
    /// From the end of the head: how far the prefix can reach.
    let reach: Int
    /// Behind the last name stands something that a client cannot choose: an address, a process, a SQLSTATE.
    let tailTells: Bool
    /// User and database, side by side but for a literal.
    let pair: (first: PrefixField, between: Int, second: PrefixField)?
    /// The column of its last field when that is free text.
    let lastFree: LogColumn?
    /// The fields it has.
    let fields: [PrefixField]
    /// A bit for each of them.
    private let present: UInt32
    /// The fields behind the head.
    let tailFields: [PrefixField]
    /// The tail, and the tail up to `%q`, for nearly all lines.
    let tail, tailUpToStop: PrefixTail?
    /// The field that tells processes apart.
    let processField: PrefixField?

    init(_ text: String) {
        self.text = text
        var elements: [Element] = []
        var literals: [UInt8] = []
        var stop: Int?
        func add(_ byte: UInt8) {
            if let last = elements.indices.last, elements[last].field == nil, stop != elements.count {
                elements[last].range = elements[last].range.lowerBound..<literals.count + 1
            } else {
                elements.append(Element(range: literals.count..<literals.count + 1))
            }
            literals.append(byte)
        }
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                add(byte)
                continue
            }
            let digits = rest.prefix { $0 == UInt8(ascii: "-") || ($0 >= 48 && $0 <= 57) }
            rest = rest.dropFirst(digits.count)
            guard let letter = rest.popFirst() else { break }
            if letter == UInt8(ascii: "%") {
                add(letter)
            } else if letter == UInt8(ascii: "q") {
                if stop == nil { stop = elements.count }
            } else if let field = PrefixField(escape: letter) {
                let width = Int(String(decoding: digits, as: UTF8.self)) ?? 0
                elements.append(Element(field: field, width: max(-500, min(500, width))))
            }
        }
        self.elements = elements
        self.literals = literals
        self.stop = stop
        let firstFree = elements.firstIndex { $0.field?.isFree == true } ?? elements.count
        headCount = min(firstFree, stop ?? elements.count)
        let tail = elements[headCount...]
        func length(_ part: ArraySlice<Element>) -> Int {
            part.reduce(0) { $0 + max($1.field?.longest ?? $1.range.count, abs($1.width)) }
        }
        let lastRaw = tail.lastIndex { $0.field?.isRaw == true }
        span = lastRaw.map { length(tail[...$0]) } ?? 0
        reach = length(tail)
        tailTells = lastRaw.map { tail[($0 + 1)...].contains { $0.field?.isFree == false } } ?? false
        pair = tail.indices.dropLast(2).first {
            elements[$0].field?.isName == true && elements[$0 + 1].field == nil
                && elements[$0 + 2].field?.isName == true && elements[$0].width == 0 && elements[$0 + 2].width == 0
        }.flatMap { index in
            guard let first = elements[index].field, let second = elements[index + 2].field else { return nil }
            return (first, index + 1, second)
        }
        switch elements.last(where: { $0.field != nil })?.field {
        case .user: lastFree = .userName
        case .database: lastFree = .databaseName
        case .application: lastFree = .applicationName
        case .tag: lastFree = .commandTag
        case .backendType: lastFree = .backendType
        default: lastFree = nil
        }
        tailFields = tail.compactMap(\.field)
        fields = PrefixField.allCases.filter { field in elements.contains { $0.field == field } }
        present = fields.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
        self.tail = PrefixTail(tail, literals)
        tailUpToStop = stop.flatMap { $0 > firstFree ? PrefixTail(elements[firstFree..<$0], literals) : nil }
        processField = fields.first { $0 == .process || $0 == .session }
    }

    /// True when the field is in it.
    @inline(__always)
    func has(_ field: PrefixField) -> Bool { present & 1 << UInt32(field.rawValue) != 0 }

    /// True when its lines tell their time.
    var hasTime: Bool { has(.time) || has(.milliseconds) || has(.epoch) }

    /// True when it tells processes with a client from others.
    var tellsClients: Bool { stop != nil || has(.user) || has(.database) || has(.remote) || has(.host) }
}
