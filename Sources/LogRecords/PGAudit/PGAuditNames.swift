/// User and database of a raw row: what stands between its time and its anchor. Either may hold commas and line feeds;
/// the message tells the user.
struct PGAuditNames: Equatable {
    var user: Range<Int>
    var database: Range<Int>
    /// The message names the user as the columns do.
    var isConfirmed = false
    /// The message goes on in another line, which may tell otherwise.
    var isOpen = false

    /// NAMEDATALEN - 1: the server cuts longer names.
    static let longest = 63
    /// Longest text before the anchor, the comma between the names included.
    static let reach = 2 * longest + 1
    /// The same where quotes are doubled (1.0 and 1.1).
    static let quotedReach = 2 * reach + 4

    /// Splits the text between `start` and the anchor; nil when it cannot be two names.
    init?(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ anchor: PGAuditAnchor) {
        let end = anchor.start
        if anchor.isQuoted {
            guard let names = PGAuditNames.quoted(bytes, start..<end) else { return nil }
            self = names
            return
        }
        guard end - start <= PGAuditNames.reach else { return nil }
        var best: PGAuditNames?
        // The shortest database first: names with commas are users', who need none to exist.
        for comma in stride(from: end - 1, through: start, by: -1) where bytes[comma] == 44 {
            guard comma - start <= PGAuditNames.longest, end - comma - 1 <= PGAuditNames.longest else { continue }
            var names = PGAuditNames(user: start..<comma, database: comma + 1..<end)
            let copy = PGAuditNames.named(bytes, names.user, in: anchor.end)
            names.isConfirmed = copy != .no
            names.isOpen = copy == .cut
            if names.isConfirmed {
                self = names
                return
            }
            if best == nil { best = names }
        }
        guard let best else { return nil }
        self = best
    }

    private init(user: Range<Int>, database: Range<Int>) {
        self.user = user
        self.database = database
    }

    /// Both without a comma or line feed.
    func isPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        !bytes[user].contains { $0 == 44 || $0 == 10 } && !bytes[database].contains { $0 == 44 || $0 == 10 }
    }

    /// Names as csvlog quotes them.
    private static func quoted(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> PGAuditNames? {
        var at = range.lowerBound
        var parts: [Range<Int>] = []
        for _ in 0..<2 {
            guard at < range.upperBound, bytes[at] == 34 else {
                parts.append(at..<at)
                guard at == range.upperBound || bytes[at] == 44 else { return nil }
                at += 1
                continue
            }
            let start = at + 1
            at = start
            while at < range.upperBound, bytes[at] != 34 || (at + 1 < range.upperBound && bytes[at + 1] == 34) {
                at += bytes[at] == 34 ? 2 : 1
            }
            guard at < range.upperBound else { return nil }
            parts.append(start..<at)
            at += 2
        }
        guard at == range.upperBound + 1 else { return nil }
        return PGAuditNames(user: parts[0], database: parts[1])
    }

    /// Whether the message names the user, as far as its bytes are there: ` "USER`, `=USER`, `="USER`, `»USER`, `«USER`,
    /// or in Japanese a quote right behind a word. The first name in a message about a client is the user's.
    private static func named(_ bytes: UnsafeBufferPointer<UInt8>, _ user: Range<Int>, in start: Int) -> Copy {
        guard !user.isEmpty else { return .no }
        let last = min(bytes.count, start + 128)
        var at = start
        while at < last, !isOpening(bytes, at) { at += 1 }
        guard at < last else { return .no }
        let copy = isCopy(bytes, of: user, at: at + 1)
        if copy == .no, bytes[at] == 61, at + 1 < bytes.count, bytes[at + 1] == 34 {
            return isCopy(bytes, of: user, at: at + 2)
        }
        return copy
    }

    /// True when a name may follow the byte.
    static func isOpening(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Bool {
        switch bytes[at] {
        case 61: true
        case 34: at > 0 && (bytes[at - 1] == 32 || bytes[at - 1] == 61 || bytes[at - 1] >= 0x80)
        case 0xAB, 0xBB: at > 0 && bytes[at - 1] == 0xC2
        default: false
        }
    }

    enum Copy { case yes, no, cut }

    /// Whether a name stands at a place; `cut`: as far as the bytes go.
    static func isCopy(_ bytes: UnsafeBufferPointer<UInt8>, of name: Range<Int>, at place: Int) -> Copy {
        for index in 0..<name.count {
            guard place + index < bytes.count else {
                // Nothing but a line's end may follow there.
                let next = bytes[name.lowerBound + index]
                return index > 0 || next == 10 || next == 13 ? .cut : .no
            }
            if bytes[place + index] != bytes[name.lowerBound + index] { return .no }
        }
        return .yes
    }
}
