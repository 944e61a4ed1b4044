import VigilModel

/// Reads what PgBouncer says in a line, behind time, pid and level, or behind the envelope of syslog or the journal:
/// `C-0x55d0: shop/app@192.0.2.7:40138 closing because: client close request (age=3s)`
/// (`log_socket_prefix` in util.c).
///
/// Database and user are a client's bytes and can hold all of this again. The client's address is the one before
/// PgBouncer's own words. Where two readings are left, nobody is named: a made-up name must not move a ban to somebody
/// else.
enum PgBouncerText {
    /// Longest database name, longest user name, and what stands around them (`MAX_DBNAME`, `MAX_USERNAME`).
    private static let longestPrefix = 64 + 1 + 128

    /// An address in the text: it stands behind `prefix` (the names) and before `message`.
    private struct Place {
        var prefix: Range<Int>
        var host: Range<Int>
        var port: Range<Int>
        var message: Int
    }

    /// Gives a begun record its message, and where the text names a connection its pointer, user, database and address.
    /// `level` is PgBouncer's word (`LOG`, `WARNING`…), empty when it is not known.
    static func fill(
        _ draft: inout DraftRecord, _ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>
    ) {
        if !level.isEmpty { draft.set(.severity, level) }
        guard let names = connection(text) else {
            draft.set(.message, text)
            return
        }
        draft.set(.sessionID, text[..<(names - 2)])
        let places = places(text, from: names)
        var plausible: [Place] = []
        var known = 0
        for place in places {
            let standing = standing(place, text, level)
            if standing != .unknown { known += 1 }
            if standing != .impossible { plausible.append(place) }
        }
        if places.count > 1, known > 1 { draft.form = .disputed }
        if places.count == 1 { plausible = places }
        let isDecided = plausible.count == 1 || agree(plausible, text)
        guard let last = plausible.last ?? places.last else {
            draft.set(.message, text[names...])
            return
        }
        draft.set(.message, text[last.message...])
        if isDecided { name(&draft, last, text) } else { draft.form = .disputed }
    }

    /// True when nothing behind these bytes can belong to the same record: the text is one whole message.
    static func isWhole(_ text: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let names = connection(text) else { return true }
        return places(text, from: names).contains { standing($0, text, level) == .fixed }
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
        guard prefix.count <= longestPrefix, prefix.contains(47) || prefix.has("peer-") else { return .impossible }
        return PgBouncerMessage.standing(
            UnsafeBufferPointer(rebasing: text[place.message...]), prefix: prefix, level: level)
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
            // Nobody's name is that long; a text that is nothing but addresses must not cost more than its length.
            if places.count == 32 { break }
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
        let repeated = PgBouncerMessage.names(message)
        guard let slash = repeated.map({ prefix.count - $0.user.count - 1 }) ?? prefix.firstIndex(of: 47), slash >= 0
        else { return }
        let user = UnsafeBufferPointer(rebasing: prefix[(slash + 1)...])
        if user.count != 8 || !user.has("(nouser)") { draft.set(.userName, user) }
        let database = repeated?.database ?? UnsafeBufferPointer(rebasing: prefix[..<slash])
        if database.count != 6 || !database.has("(nodb)") { draft.set(.databaseName, database) }
    }
}
