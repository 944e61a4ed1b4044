/// Looks for the end of a raw row behind its anchor, line by line: which lines belong to it, without reading any byte
/// twice.
struct PGAuditRowScan {
    enum Kind {
        /// pgaudit's CSV, quoted, and nine raw columns.
        case audit
        /// Ten raw columns.
        case message
        /// Ten columns quoted as in csvlog (1.0 and 1.1).
        case quoted
    }

    enum Place {
        case start, bare, quoted, closing
    }

    let kind: Kind
    /// Names that must not be taken for the end of a column: those with a comma or line feed.
    private let names: [Range<Int>]
    /// Next byte to look at.
    private(set) var at: Int
    /// Separators so far.
    private(set) var commas = 0
    private(set) var place = Place.start
    /// A line feed stood in the quoted text that is open.
    private var crossed = false
    /// Where the pgaudit part ends, once it has.
    private(set) var messageEnd: Int?
    /// Quotes out of place showed that the row cannot go on over lines as it seemed to.
    private(set) var isMalformed = false

    /// pgaudit's columns without rows.
    private static let auditColumns = 9

    init(kind: Kind, at: Int, names: [Range<Int>]) {
        self.kind = kind
        self.at = at
        self.names = names
    }

    /// True when the row may end where the bytes that were looked at end.
    var isComplete: Bool {
        switch kind {
        case .audit: commas >= PGAuditRowScan.auditColumns + 8
        case .message: commas >= 9
        case .quoted: commas >= 9 && place != .quoted
        }
    }

    /// Within a quoted column.
    var isQuoted: Bool { place == .quoted }

    /// Goes on from another place, where the bytes looked at last are gone.
    mutating func rewind(to place: Int) {
        at = min(at, place)
        messageEnd = messageEnd.map { min($0, place) }
    }

    /// Looks at the bytes up to `end`.
    mutating func advance(_ bytes: UnsafeBufferPointer<UInt8>, to end: Int) {
        switch kind {
        case .message: advanceText(bytes, to: end)
        case .quoted: advanceQuoted(bytes, to: end, limit: .max)
        case .audit:
            advanceQuoted(bytes, to: end, limit: PGAuditRowScan.auditColumns)
            while at < end {
                if bytes[at] == 44 { commas += 1 }
                at += 1
            }
        }
    }

    /// Counts separators outside quotes until there are `limit`.
    private mutating func advanceQuoted(_ bytes: UnsafeBufferPointer<UInt8>, to end: Int, limit: Int) {
        while at < end, commas < limit, !isMalformed {
            let byte = bytes[at]
            switch (place, byte) {
            case (.start, 34): (place, crossed) = (.quoted, false)
            case (.quoted, 34): place = .closing
            case (.quoted, _): if byte == 10 { crossed = true }
            case (.closing, 34): place = .quoted
            case (.closing, 44), (.start, 44), (.bare, 44):
                commas += 1
                place = .start
                if commas == limit { messageEnd = at }
            // The row's end, or a forged text: on one line it can do no harm.
            case (.closing, _) where byte != 10 && byte != 13 && crossed: isMalformed = true
            default: place = .bare
            }
            at += 1
        }
    }

    /// Counts commas outside the names.
    private mutating func advanceText(_ bytes: UnsafeBufferPointer<UInt8>, to end: Int) {
        let seen = UnsafeBufferPointer(rebasing: bytes[..<end])
        while at < end {
            if bytes[at] == 44 { commas += 1 }
            let step = skip(seen, at)
            if step == nil { return }
            at += step ?? 1
        }
    }

    /// How far to go from a place: over the name that opens there. Nil when the name goes on in the next line.
    private func skip(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int? {
        guard !names.isEmpty, PGAuditNames.isOpening(bytes, place) else { return 1 }
        for name in names {
            switch PGAuditNames.isCopy(bytes, of: name, at: place + 1) {
            case .yes: return 1 + name.count
            case .cut: return nil
            case .no: break
            }
        }
        return 1
    }

    /// The separators of a message row from `start` on, names passed over.
    static func separators(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, names: [Range<Int>], limit: Int
    ) -> [Int] {
        var scan = PGAuditRowScan(kind: .message, at: start, names: names)
        var found: [Int] = []
        while scan.at < bytes.count, found.count < limit {
            if bytes[scan.at] == 44 { found.append(scan.at) }
            scan.at += scan.skip(bytes, scan.at) ?? 1
        }
        return found
    }
}
