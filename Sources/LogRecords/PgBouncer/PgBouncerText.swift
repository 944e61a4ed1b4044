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
    }

    /// Where the pointer of the connection stands (`C-0x…` of a client, `S-0x…` of a server); nil: no connection.
    let pointer: Range<Int>?
    /// Where the names start, or else the message.
    private let start: Int
    /// The readings that are left.
    let readings: [Place]
    /// A name holds what looks like an address and PgBouncer's words.
    let isDisputed: Bool
    /// The text is one of PgBouncer's fixed ones, so that nothing more belongs to it.
    let isFixed: Bool
    /// It names a connection, and one of PgBouncer's own messages follows.
    let isKnown: Bool
    /// The connection ends with this line.
    let isFarewell: Bool

    /// The only reading, if there is just one.
    var decided: Place? { readings.count == 1 ? readings[0] : nil }

    /// Looks at a text. `level` is PgBouncer's word (`LOG`, `WARNING`…), empty when it is not known.
    init(_ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>) {
        guard let names = PgBouncerText.connection(text) else {
            (pointer, start, readings, isDisputed, isFixed, isFarewell) = (nil, 0, [], false, true, false)
            isKnown = false
            return
        }
        pointer = 0..<names - 2
        start = names
        let places = PgBouncerText.places(text, from: names)
        var (known, unknown, impossible): ([Place], [Place], Int) = ([], [], 0)
        var isFixed = false
        for place in places {
            switch PgBouncerText.standing(place, text, level) {
            case .impossible: impossible += 1
            case .unknown: unknown.append(place)
            case .open: known.append(place)
            case .fixed:
                known.append(place)
                isFixed = true
            }
        }
        var plausible = known.isEmpty ? unknown.isEmpty ? places : unknown : known
        // No names are that long that the right address could stand behind so many.
        let isFlood = places.count == PgBouncerText.mostPlaces
        if isFlood { plausible = places }
        if let last = plausible.last, !isFlood, PgBouncerText.agree(plausible, text) { plausible = [last] }
        readings = plausible
        isDisputed = places.count > 1 && (known.count + impossible > 1 || plausible.count > 1)
        self.isFixed = isFixed
        isKnown = !known.isEmpty
        isFarewell = plausible.last.map { text.has("closing because: client ", at: $0.message) } ?? false
    }

    /// Gives a begun record its message, and where the text names a connection its pointer, user, database and address,
    /// by the reading that is right; nil names nobody.
    func fill(
        _ draft: inout DraftRecord, _ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>,
        by place: Place?
    ) {
        if !level.isEmpty { draft.set(.severity, level) }
        if let pointer { draft.set(.sessionID, text[pointer]) }
        if isDisputed { draft.form = .disputed }
        draft.set(.message, text[((place ?? readings.last)?.message ?? start)...])
        if let place { PgBouncerText.name(&draft, place, text) }
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

    /// Every `@address:port ` in the text.
    private static func places(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> [Place] {
        var places: [Place] = []
        var index = start
        while index < text.count {
            defer { index += 1 }
            guard text[index] == 64 else { continue }
            var cursor = LineCursor(text, at: index + 1)
            guard let host = host(&cursor), cursor.skip(58) else { continue }
            let port = cursor.run { $0.digit != nil }
            guard (1...5).contains(port.count), cursor.skip(32) else { continue }
            places.append(Place(prefix: start..<index, host: host, port: port, message: cursor.at))
            if places.count == mostPlaces { break }
        }
        return places
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

    private static func name(_ draft: inout DraftRecord, _ place: Place, _ text: UnsafeBufferPointer<UInt8>) {
        if UnsafeBufferPointer(rebasing: text[place.host]).has("unix") {
            draft.set(.connectionFrom, "[local]")
        } else {
            draft.set(.connectionFrom, text[place.host])
            draft.append(.connectionFrom, CollectionOfOne(58))
            draft.append(.connectionFrom, text[place.port])
        }
        let message = UnsafeBufferPointer(rebasing: text[place.message...])
        let prefix = UnsafeBufferPointer(rebasing: text[place.prefix])
        // A login attempt says both names again, so it tells where the database ends.
        let repeated = PgBouncerMessage.names(message, prefix)
        guard let slash = repeated?.slash ?? prefix.firstIndex(of: 47) else { return }
        let user = UnsafeBufferPointer(rebasing: prefix[(slash + 1)...])
        if user.count != 8 || !user.has("(nouser)") { draft.set(.userName, user) }
        let database = UnsafeBufferPointer(
            rebasing: repeated.map { message[$0.database] } ?? prefix[..<slash])
        if database.count != 6 || !database.has("(nodb)") { draft.set(.databaseName, database) }
    }
}
