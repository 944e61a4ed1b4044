import Glibc
import VigilModel

/// What PgBouncer says in a line, behind time, pid and level, or behind the envelope of syslog or the journal:
/// `C-0x55d0: shop/app@192.0.2.7:40138 closing because: client close request (age=3s)`
/// (`log_socket_prefix` in util.c).
///
/// Database and user are a client's bytes and can hold all of this again. The client's address is the one before
/// PgBouncer's own words. Where two readings are left, nobody is named: a made-up name must not move a ban to somebody
/// else.
struct PgBouncerText {
    /// A text that is nothing but addresses must not cost more than its length.
    private static let mostPlaces = 32

    /// An address in the text: it stands behind `prefix` (the names) and before `message`.
    struct Place {
        fileprivate var prefix: Range<Int>
        fileprivate var host: Range<Int>
        fileprivate var port: Range<Int>
        fileprivate var message: Int

        /// Host and port with what stands between.
        var address: Range<Int> { host.lowerBound..<port.upperBound }

        fileprivate func isLocal(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
            host.count >= 4 && text.has("unix", at: host.lowerBound)
        }
    }

    /// Where the pointer of the connection stands (`C-0x…` of a client, `S-0x…` of a server); nil: no connection.
    let pointer: Range<Int>?
    /// Where the names start, or else the message.
    private let start: Int
    /// The only reading, if there is just one.
    let decided: Place?
    /// The readings that are left, if there are several.
    let readings: [Place]
    /// A name holds what looks like an address and PgBouncer's words.
    let isDisputed: Bool
    /// The connection ends with this line.
    let isFarewell: Bool

    /// Looks at a text. `level` is PgBouncer's word (`LOG`, `WARNING`…), empty when it is not known.
    init(_ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>) {
        guard let names = PgBouncerText.connection(text) else {
            (pointer, start, decided, readings, isDisputed, isFarewell) = (nil, 0, nil, [], false, false)
            return
        }
        pointer = 0..<names - 2
        start = names
        let first = PgBouncerText.place(text, names: names, from: names)
        guard let first, PgBouncerText.place(text, names: names, from: first.message) != nil else {
            // Most lines have one address, or none: nothing is to be decided.
            (decided, readings, isDisputed) = (first, [], false)
            isFarewell = first.map { text.has("closing because: client ", at: $0.message) } ?? false
            return
        }
        let places = PgBouncerText.places(text, from: names)
        let (known, unknown, impossible) = PgBouncerText.judged(places, text, level)
        var plausible = known.isEmpty ? unknown.isEmpty ? places : unknown : known
        // No names are that long that the right address could stand behind so many.
        let isFlood = places.count == PgBouncerText.mostPlaces
        if isFlood { plausible = places }
        if let last = plausible.last, !isFlood, PgBouncerText.agree(plausible, text) { plausible = [last] }
        decided = plausible.count == 1 ? plausible[0] : nil
        readings = plausible.count == 1 ? [] : plausible
        isDisputed = known.count + impossible > 1 || plausible.count > 1
        isFarewell = plausible.last.map { text.has("closing because: client ", at: $0.message) } ?? false
    }

    /// Whether the text is one of PgBouncer's fixed ones, so that nothing more belongs to it, and whether it names a
    /// connection and one of PgBouncer's own messages follows.
    static func standing(
        _ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>
    ) -> (isFixed: Bool, isKnown: Bool) {
        guard let names = connection(text) else { return (true, false) }
        let places = places(text, from: names)
        return (
            places.contains { standing($0, text, level) == .fixed },
            places.contains { [.open, .fixed].contains(standing($0, text, level)) }
        )
    }

    /// The places whose message PgBouncer may have written, those with none that is known, and how many it cannot have
    /// written.
    private static func judged(
        _ places: [Place], _ text: UnsafeBufferPointer<UInt8>, _ level: UnsafeBufferPointer<UInt8>
    ) -> (known: [Place], unknown: [Place], impossible: Int) {
        var (known, unknown, impossible): ([Place], [Place], Int) = ([], [], 0)
        for place in places {
            switch standing(place, text, level) {
            case .impossible: impossible += 1
            case .unknown: unknown.append(place)
            case .open, .fixed: known.append(place)
            }
        }
        return (known, unknown, impossible)
    }

    /// Where the message starts, by the reading that is right; nil: none is known to be.
    private func message(by place: Place?) -> Int { (place ?? readings.last)?.message ?? start }

    /// Gives a begun record its message, and where the text names a connection its pointer, user, database and address,
    /// by the reading that is right; nil names nobody.
    func fill(
        _ draft: inout DraftRecord, _ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>,
        by place: Place?
    ) {
        if !level.isEmpty { draft.set(.severity, level) }
        if let pointer { draft.set(.sessionID, text[pointer]) }
        if isDisputed { draft.form = .disputed }
        draft.set(.message, text[message(by: place)...])
        guard let place else { return }
        if place.isLocal(text) {
            draft.set(.connectionFrom, "[local]")
        } else {
            draft.set(.connectionFrom, text[place.host])
            draft.append(.connectionFrom, CollectionOfOne(58))
            draft.append(.connectionFrom, text[place.port])
        }
        let names = PgBouncerText.names(place, text)
        if let user = names.user { draft.set(.userName, text[user]) }
        if let database = names.database { draft.set(.databaseName, text[database]) }
    }

    /// Adds a record with the same columns at once.
    func append(
        to rows: inout RowBuffer, _ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>,
        pid: UnsafeBufferPointer<UInt8>, offset: Int64, time: LogTime, by place: Place?
    ) {
        let names = place.map { PgBouncerText.names($0, text) }
        func part(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: text[range]) }
        // A login attempt says its database twice.
        let length = 2 * text.count + level.count + pid.count + 8
        rows.append(
            offset: offset, time: time, dataset: .pgbouncer, form: isDisputed ? .disputed : .columns, length: length
        ) { row in
            if let user = names?.user { row.put(.userName, part(user)) }
            if let database = names?.database { row.put(.databaseName, part(database)) }
            row.put(.processID, pid)
            if let place {
                if place.isLocal(text) {
                    row.putPlain(.connectionFrom, PgBouncerText.local)
                } else {
                    row.put(.connectionFrom, part(place.host), 58, part(place.port))
                }
            }
            if let pointer { row.putPlain(.sessionID, part(pointer)) }
            if !level.isEmpty { row.putPlain(.severity, level) }
            row.put(.message, part(message(by: place)..<text.count))
        }
    }

    private static var local: UnsafeBufferPointer<UInt8> {
        let text: StaticString = "[local]"
        return UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// Reads a text that stands for itself.
    static func fill(
        _ draft: inout DraftRecord, _ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>
    ) {
        let parsed = PgBouncerText(text, level: level)
        parsed.fill(&draft, text, level: level, by: parsed.decided)
    }

    /// Where the names start behind `C-0x…: ` or `S-0x…: `.
    private static func connection(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        var cursor = LineCursor(text)
        guard cursor.skip(67) || cursor.skip(83), cursor.skip("-0x"), !cursor.run({ $0.isHexadecimal }).isEmpty,
            cursor.skip(": ")
        else { return nil }
        return cursor.at
    }

    private static func standing(
        _ place: Place, _ text: UnsafeBufferPointer<UInt8>, _ level: UnsafeBufferPointer<UInt8>
    ) -> PgBouncerMessage.Standing {
        let prefix = UnsafeBufferPointer(rebasing: text[place.prefix])
        guard areNames(prefix) || prefix.has("peer-") else { return .impossible }
        return PgBouncerMessage.standing(
            UnsafeBufferPointer(rebasing: text[place.message...]), prefix: prefix, level: level)
    }

    /// True when a slash parts the bytes into names that are not too long.
    private static func areNames(_ prefix: UnsafeBufferPointer<UInt8>) -> Bool {
        let first = max(0, prefix.count - 1 - PgBouncerMessage.longestNames.user)
        return first <= PgBouncerMessage.longestNames.database && first < prefix.count
            && prefix[first...min(PgBouncerMessage.longestNames.database, prefix.count - 1)].contains(47)
    }

    /// Every `@address:port ` in the text, up to some.
    private static func places(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> [Place] {
        var places: [Place] = []
        var index = start
        while places.count < mostPlaces, let place = place(text, names: start, from: index) {
            places.append(place)
            index = place.prefix.upperBound + 1
        }
        return places
    }

    /// The first `@address:port ` from an offset on; the names start at `names`.
    private static func place(_ text: UnsafeBufferPointer<UInt8>, names: Int, from start: Int) -> Place? {
        guard let base = text.baseAddress else { return nil }
        var index = start
        while index < text.count, let found = memchr(base + index, 64, text.count - index) {
            let at = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base
            index = at + 1
            var cursor = LineCursor(text, at: index)
            guard let host = host(&cursor), cursor.skip(58) else { continue }
            let port = cursor.run { $0.digit != nil }
            guard (1...5).contains(port.count), cursor.skip(32) else { continue }
            return Place(prefix: names..<at, host: host, port: port, message: cursor.at)
        }
        return nil
    }

    /// `192.0.2.7`, `[2001:db8::1]`, `unix(4711)`, `unix`.
    private static func host(_ cursor: inout LineCursor) -> Range<Int>? {
        let start = cursor.at
        if cursor.skip("unix") {
            if cursor.skip(40) { guard cursor.number(digits: 10) != nil, cursor.skip(41) else { return nil } }
            return start..<cursor.at
        }
        if cursor.skip(91) {
            let address = cursor.run { $0.isWordPart || $0 == 58 || $0 == 46 || $0 == 37 || $0 == 45 }
            return (2...62).contains(address.count) && cursor.skip(93) ? address : nil
        }
        for part in 0..<4 {
            if part > 0 { guard cursor.skip(46) else { return nil } }
            guard let number = cursor.number(digits: 3), number < 256 else { return nil }
        }
        return start..<cursor.at
    }

    private static func agree(_ places: [Place], _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let last = places.last else { return false }
        return places.allSatisfy {
            text[$0.host].elementsEqual(text[last.host]) && text[$0.port].elementsEqual(text[last.port])
        }
    }

    /// Where user and database stand; nil where there is none yet.
    private static func names(
        _ place: Place, _ text: UnsafeBufferPointer<UInt8>
    ) -> (user: Range<Int>?, database: Range<Int>?) {
        let message = UnsafeBufferPointer(rebasing: text[place.message...])
        let prefix = UnsafeBufferPointer(rebasing: text[place.prefix])
        // A login attempt says both names again, so it tells where the database ends.
        let repeated = PgBouncerMessage.names(message, prefix)
        guard let slash = repeated?.slash ?? prefix.firstIndex(of: 47) else { return (nil, nil) }
        let start = place.prefix.lowerBound
        let user = start + slash + 1..<place.prefix.upperBound
        let database =
            repeated.map { $0.database.lowerBound + place.message..<$0.database.upperBound + place.message }
            ?? start..<start + slash
        return (
            user.count == 8 && text.has("(nouser)", at: user.lowerBound) ? nil : user,
            database.count == 6 && text.has("(nodb)", at: database.lowerBound) ? nil : database
        )
    }
}
