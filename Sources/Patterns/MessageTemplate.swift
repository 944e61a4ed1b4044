import VigilModel

/// One of the server's own message formats (`role "%s" does not exist`), in any of its languages. It is matched by its
/// literal pieces: as a whole, or by what stands before its first and behind its last blank. A class, so that handing one
/// on costs nothing.
public final class MessageTemplate: Sendable {
    /// What stands between the blanks.
    let pieces: [[UInt8]]
    /// The text before the first blank as csvlog writes it, quotes doubled.
    public let quotedPrefix: [UInt8]
    /// The text behind the last blank as csvlog writes it; nil when there is no blank.
    let quotedSuffix: [UInt8]?
    /// True when its only blank ends it: what is behind the prefix is the blank's text.
    public let endsOpen: Bool
    /// True when its first blank is a duration, and what follows the number tells it from templates that start alike.
    public let startsWithNumber: Bool

    /// Which of its blanks is that of the first argument, from 1 in order.
    private let first: Int

    /// Reads printf's `%s`, `%d`, `%u`, `%1$s`.
    public init(_ format: String, startsWithNumber: Bool = false) {
        var pieces: [[UInt8]] = [[]]
        var first = 1
        var rest = Array(format.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 37, let conversion = rest.firstIndex(where: { !(48...57).contains($0) && $0 != 36 }),
                [115, 100, 117, 109].contains(rest[conversion])
            {
                if rest[..<conversion].elementsEqual("1$".utf8) { first = pieces.count }
                pieces.append([])
                rest = rest[(conversion + 1)...]
            } else {
                pieces[pieces.count - 1].append(byte)
            }
        }
        self.pieces = pieces
        self.first = first
        self.startsWithNumber = startsWithNumber
        let quoted = { (piece: [UInt8]) in piece.contains(34) ? piece.flatMap { $0 == 34 ? [34, 34] : [$0] } : piece }
        quotedPrefix = quoted(pieces[0])
        quotedSuffix = pieces.count > 1 ? quoted(pieces[pieces.count - 1]) : nil
        endsOpen = pieces.count == 2 && pieces[1].isEmpty
    }

    /// What stands behind the number of a template that starts with one, quotes doubled.
    public var quotedTail: [UInt8] { startsWithNumber && pieces.count > 1 ? pieces[1] : [] }

    /// The text before the first blank.
    public var prefix: [UInt8] { pieces[0] }

    /// What stands between its blanks: one text more than there are blanks.
    public var texts: [String] { pieces.map { String(decoding: $0, as: UTF8.self) } }

    /// Which of its blanks is that of the first argument, from 1 in order.
    public var firstArgument: Int { first }

    /// True when few messages of other kinds start so: with at least four bytes of its own, or with a quote.
    public var isFoundByItsStart: Bool { prefix.count >= 4 || prefix.first == UInt8(ascii: "\"") }

    /// Bytes of text between its blanks.
    var length: Int { pieces.reduce(0) { $0 + $1.count } }

    /// True when the text starts and ends as the template does. The blanks may hold anything.
    public func matches(_ text: [UInt8]) -> Bool {
        let suffix = pieces.count > 1 ? pieces[pieces.count - 1] : []
        guard pieces.count > 1 else { return text == prefix }
        return text.count >= prefix.count + suffix.count && text.starts(with: prefix)
            && text.suffix(suffix.count).elementsEqual(suffix)
    }

    /// True when the text is the template with that name in its one blank, up to the end or a line break. Nothing that
    /// a client puts into its name can make it match another template.
    public func matches(_ text: [UInt8], about name: [UInt8]) -> Bool {
        guard pieces.count == 2 else { return matches(text) }
        var at = 0
        // The first piece decides for all languages but one, and costs nothing to look at.
        guard MessageTemplate.take(pieces[0], from: text, &at), MessageTemplate.take(name, from: text, &at),
            MessageTemplate.take(pieces[1], from: text, &at)
        else { return false }
        return at == text.count || text[at] == 10
    }

    /// Where the text of its first blank stands: `%1$s`, or the first in order, up to what follows it in the template.
    public func firstBlank(of text: [UInt8]) -> Range<Int>? {
        guard pieces.count > 1, matches(text) else { return nil }
        var start = pieces[0].count
        for number in 1..<pieces.count {
            let isLast = number == pieces.count - 1
            let end = isLast ? text.count - pieces[number].count : find(pieces[number], in: text, from: start)
            guard let end, end >= start else { return nil }
            if number == first { return start..<end }
            start = end + pieces[number].count
        }
        return nil
    }

    private func find(_ piece: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        guard let first = piece.first else { return start }
        var index = start
        while index + piece.count <= text.count {
            if text[index] == first, text[index..<(index + piece.count)].elementsEqual(piece) { return index }
            index += 1
        }
        return nil
    }

    /// True when a name of the client's stands between a duration and the text: `duration: 1.234 ms  parse NAME: …`.
    public var hasName: Bool { pieces.count > 3 }

    /// True when a text stands behind a number: `duration: 1.234 ms  statement: …`.
    public var hasText: Bool { pieces.count > 2 }

    /// Where the text of a statement starts that a number comes before: behind the second piece, which follows the first
    /// blank's number.
    public func textStart(in text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard pieces.count > 2 else { return nil }
        var at = 0
        guard MessageTemplate.take(pieces[0], from: text, &at) else { return nil }
        while at < text.count, text[at] == 46 || (48...57).contains(text[at]) { at += 1 }
        return MessageTemplate.take(pieces[1], from: text, &at) ? at : nil
    }

    private static func take(_ piece: [UInt8], from text: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Bool {
        guard text.count - at >= piece.count else { return false }
        for index in 0..<piece.count where text[at + index] != piece[index] { return false }
        at += piece.count
        return true
    }

    /// Goes on behind a piece when it stands there.
    private static func take(_ piece: [UInt8], from text: [UInt8], _ at: inout Int) -> Bool {
        guard text.count - at >= piece.count else { return false }
        for index in 0..<piece.count where text[at + index] != piece[index] { return false }
        at += piece.count
        return true
    }
}

extension MessageTemplate {
    /// True when the record's message is this one.
    public func matches(_ record: LogRecord) -> Bool {
        guard record.starts(.message, with: quotedPrefix) else { return false }
        let length = record.contentRange(.message).count
        guard let quotedSuffix else { return length == quotedPrefix.count }
        return length >= quotedPrefix.count + quotedSuffix.count && record.ends(.message, with: quotedSuffix)
            && (!startsWithNumber || numberFits(record))
    }

    private static func find(_ piece: [UInt8], in text: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        guard let first = piece.first else { return text.startIndex }
        var index = text.startIndex
        while index + piece.count <= text.endIndex {
            if text[index] == first, piece.indices.allSatisfy({ text[index + $0] == piece[$0] }) { return index }
            index += 1
        }
        return nil
    }

    /// Behind a duration's number stands what tells the duration's lines apart.
    private func numberFits(_ record: LogRecord) -> Bool {
        record.withContent(.message) { text in
            var at = quotedPrefix.count
            while at < text.count, text[at] == 46 || (48...57).contains(text[at]) { at += 1 }
            let piece = pieces[1]
            guard at > quotedPrefix.count, text.count - at >= piece.count else { return false }
            for index in 0..<piece.count where text[at + index] != piece[index] { return false }
            if pieces.count == 2 { return at + piece.count == text.count }
            // Some languages put the words that tell behind a name.
            var rest = text[(at + piece.count)...]
            for piece in pieces[2..<(pieces.count - 1)] {
                guard let found = MessageTemplate.find(piece, in: rest) else { return false }
                rest = rest[(found + piece.count)...]
            }
            return true
        }
    }
}

/// Some words that a column may hold, compared as numbers: no text is made of a record's column.
public struct WordSet: Sendable {
    /// A word of up to sixteen bytes as two numbers; of a longer one its ends.
    private struct Word: Sendable {
        var head, tail: UInt64
        var count: Int
        var bytes: [UInt8]
    }

    private var words: [Word] = []

    /// No words.
    public init() {}

    /// True when there are none.
    public var isEmpty: Bool { words.isEmpty }

    /// All of them.
    public var texts: [String] { words.map { String(decoding: $0.bytes, as: UTF8.self) } }

    /// Adds a word.
    public mutating func insert(_ bytes: [UInt8]) {
        func number(_ slice: ArraySlice<UInt8>) -> UInt64 {
            slice.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64($1.offset * 8) }
        }
        words.append(
            Word(
                head: number(bytes.prefix(8)), tail: bytes.count >= 8 ? number(bytes.suffix(8)) : 0,
                count: bytes.count, bytes: bytes))
    }

    /// True when the word is one of them.
    public func contains(_ word: [UInt8]) -> Bool { words.contains { $0.bytes == word } }

    /// True when the column holds one of the words.
    public func contains(_ record: LogRecord, _ column: LogColumn) -> Bool {
        let count = record.contentRange(column).count
        let (head, tail) = (record.head(column), record.tail(column))
        for index in words.indices where words[index].head == head && words[index].count == count {
            guard words[index].tail == tail else { continue }
            if count <= 16 || record.equals(column, words[index].bytes) { return true }
        }
        return false
    }
}
