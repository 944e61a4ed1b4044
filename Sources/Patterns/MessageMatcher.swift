import Glibc
import VigilModel

/// Templates laid out in one piece of memory: whether a record's message is one of them costs no look at anything else.
/// The same as `MessageTemplate.matches`, which is for single looks.
public final class MessageMatcher: @unchecked Sendable {
    // Unchecked: nothing changes after `init`.
    private struct Piece {
        var at, count: Int
    }

    private struct Entry {
        /// The text before its first blank and behind its last, quotes doubled.
        var prefix, suffix: Piece
        /// What follows the number of one that starts with a number.
        var second: Piece
        /// Pieces between that and the last.
        var middles: Range<Int>
        var isWhole, startsWithNumber, hasTwoPieces: Bool
    }

    private let bytes: UnsafeMutablePointer<UInt8>
    private let entries: UnsafeMutablePointer<Entry>
    private let pieces: UnsafeMutablePointer<Piece>

    /// Takes templates; each is known by its index.
    public init(_ templates: [MessageTemplate]) {
        var bytes: [UInt8] = []
        var pieces: [Piece] = []
        func add(_ text: [UInt8]) -> Piece {
            defer { bytes += text }
            return Piece(at: bytes.count, count: text.count)
        }
        let entries = templates.map { template in
            let first = pieces.count
            if template.startsWithNumber, template.pieces.count > 3 {
                for piece in template.pieces[2..<(template.pieces.count - 1)] { pieces.append(add(piece)) }
            }
            return Entry(
                prefix: add(template.quotedPrefix), suffix: add(template.quotedSuffix ?? []),
                second: add(template.pieces.count > 1 ? template.pieces[1] : []), middles: first..<pieces.count,
                isWhole: template.quotedSuffix == nil, startsWithNumber: template.startsWithNumber,
                hasTwoPieces: template.pieces.count == 2)
        }
        self.bytes = .allocate(capacity: bytes.count + 1)
        self.bytes.initialize(from: bytes, count: bytes.count)
        self.pieces = .allocate(capacity: pieces.count + 1)
        self.pieces.initialize(from: pieces, count: pieces.count)
        self.entries = .allocate(capacity: entries.count + 1)
        self.entries.initialize(from: entries, count: entries.count)
    }

    deinit {
        bytes.deallocate()
        pieces.deallocate()
        entries.deallocate()
    }

    /// Where the text behind the template's first words starts, when the message is that template: behind the number and
    /// what follows it, or behind the prefix. Nil for another message.
    @inline(__always)
    public func textStart(_ index: Int, in message: UnsafeBufferPointer<UInt8>) -> Int? {
        let entry = entries + index
        let prefix = entry.pointee.prefix
        guard stands(prefix, in: message, at: 0) else { return nil }
        if entry.pointee.isWhole { return message.count == prefix.count ? prefix.count : nil }
        let suffix = entry.pointee.suffix
        guard message.count >= prefix.count &+ suffix.count,
            stands(suffix, in: message, at: message.count &- suffix.count)
        else { return nil }
        return entry.pointee.startsWithNumber ? behindNumber(entry, message) : prefix.count
    }

    @inline(__always)
    private func stands(_ piece: Piece, in message: UnsafeBufferPointer<UInt8>, at: Int) -> Bool {
        guard at &+ piece.count <= message.count, let base = message.baseAddress else { return false }
        return piece.count == 0 || memcmp(base + at, bytes + piece.at, piece.count) == 0
    }

    private func behindNumber(_ entry: UnsafeMutablePointer<Entry>, _ message: UnsafeBufferPointer<UInt8>) -> Int? {
        let start = entry.pointee.prefix.count
        var at = start
        while at < message.count, message[at] == 46 || message[at] &- 48 < 10 { at &+= 1 }
        guard at > start, stands(entry.pointee.second, in: message, at: at) else { return nil }
        at &+= entry.pointee.second.count
        if entry.pointee.hasTwoPieces { return at == message.count ? at : nil }
        // Some languages put the words that tell behind a name.
        var rest = at
        for index in entry.pointee.middles {
            let piece = pieces[index]
            guard piece.count > 0 else { continue }
            while !stands(piece, in: message, at: rest) {
                rest &+= 1
                if rest > message.count { return nil }
            }
            rest &+= piece.count
        }
        return at
    }
}
