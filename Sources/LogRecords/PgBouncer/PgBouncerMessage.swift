/// What PgBouncer's own words look like, so that they can be told from names that a client made up. Texts as in
/// client.c, objects.c, proto.c, scram.c and janitor.c of PgBouncer 1.12 to 1.26.
enum PgBouncerMessage {
    /// How sure it is that PgBouncer wrote a text as one whole message.
    enum Standing {
        /// It cannot be: a fixed text with something behind it, a level it is never written at.
        case impossible
        /// Nothing known starts so: not before something that is known.
        case unknown
        /// It may be, and ends in a client's text, which can hold anything.
        case open
        /// It is one of the fixed texts.
        case fixed
    }

    /// Judges a text behind a prefix (`db/user@addr:port `). `level` is empty when it is not known.
    static func standing(
        _ text: UnsafeBufferPointer<UInt8>, prefix: UnsafeBufferPointer<UInt8>, level: UnsafeBufferPointer<UInt8>
    ) -> Standing {
        if text.has("closing because: ") {
            guard isLevel(level, "LOG"), let end = ageStart(text), end >= 17 else { return .impossible }
            return reason(UnsafeBufferPointer(rebasing: text[17..<end]), prefix)
        }
        if text.has("pooler error: ") {
            guard isLevel(level, "WARNING") else { return .impossible }
            return reason(UnsafeBufferPointer(rebasing: text[14...]), prefix)
        }
        if text.has("no such user: ") {
            return isLevel(level, "LOG") && isNobody(prefix) ? .open : .impossible
        }
        if text.has("login attempt: db=") {
            return isLevel(level, "LOG") && names(text, prefix) != nil ? .open : .impossible
        }
        if text.has("login failed: db=") || text.has("registered new auto-database: db=") {
            return isLevel(level, "LOG") ? .open : .impossible
        }
        if text.has("unsupported startup parameter") { return isLevel(level, "WARNING") ? .open : .impossible }
        for error in errors where text.has(error) {
            return isLevel(level, "ERROR") && text.count == error.utf8CodeUnitCount ? .fixed : .impossible
        }
        return .unknown
    }

    /// How long the database's name is in the prefix, and where the user's database stands in
    /// `login attempt: db=… user=… tls=…`, which says again who the user is.
    static func names(
        _ text: UnsafeBufferPointer<UInt8>, _ prefix: UnsafeBufferPointer<UInt8>
    ) -> (slash: Int, database: Range<Int>)? {
        guard text.has("login attempt: db="), let tls = text.findLast(" tls=") else { return nil }
        for slash in 0..<min(prefix.count, longestNames.database + 1) where prefix[slash] == 47 {
            let user = prefix[(slash + 1)...]
            let start = tls - user.count
            guard start >= 24, text.has(" user=", at: start - 6), start - 6 - 18 <= longestNames.database,
                text[start..<tls].elementsEqual(user)
            else { continue }
            return (slash, 18..<start - 6)
        }
        return nil
    }

    /// Longest name of a database and of a user (`MAX_DBNAME`, `MAX_USERNAME`).
    static let longestNames = (database: 63, user: 127)

    /// Judges why a connection was closed.
    private static func reason(
        _ text: UnsafeBufferPointer<UInt8>, _ prefix: UnsafeBufferPointer<UInt8>
    ) -> Standing {
        for fixed in reasons where text.has(fixed) {
            if text.count == fixed.utf8CodeUnitCount { return .fixed }
        }
        // Reasons that end in a client's text are cut at 127 bytes (disconnect_client).
        let isShort = text.count <= 127
        if text.has("no such database: ") || text.has("database does not allow connections: ") {
            return isShort && (prefix.has("(nodb)/") || text.has("database ")) ? .open : .impossible
        }
        if text.has("no such user: ") { return isShort && isNobody(prefix) ? .open : .impossible }
        if text.has("unsupported startup parameter") || text.has("database \"") {
            return isShort ? .open : .impossible
        }
        for fixed in reasons where text.has(fixed) { return .impossible }
        // What a server says may be cut behind a client's text, too; else a quote follows that.
        return text.count == 127 ? .open : .unknown
    }

    /// Where ` (age=0s)` starts at the text's end.
    private static func ageStart(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let last = text.last, last == 41, let start = text.findLast(" (age=") else { return nil }
        var cursor = LineCursor(text, at: start + 6)
        guard cursor.number(digits: 20) != nil else { return nil }
        _ = cursor.run { $0 == 115 || $0 == 117 }
        return cursor.at == text.count - 1 ? start : nil
    }

    private static func isLevel(_ level: UnsafeBufferPointer<UInt8>, _ wanted: StaticString) -> Bool {
        level.isEmpty || (level.count == wanted.utf8CodeUnitCount && level.has(wanted))
    }

    /// True for the prefix of a client of whom nothing is known yet.
    private static func isNobody(_ prefix: UnsafeBufferPointer<UInt8>) -> Bool {
        prefix.count == 15 && prefix.has("(nodb)/(nouser)")
    }

    private static let errors: [StaticString] = [
        "password authentication failed", "SCRAM authentication failed: user has MD5 secret",
        "invalid SCRAM response (nonce does not match)", "TLS connection required",
        "TLS client certificate required", "TLS certificate name mismatch",
    ]

    private static let reasons: [StaticString] = [
        "SASL authentication failed", "password authentication failed", "no such user", "login rejected",
        "no authentication method is found", "\"trust\" authentication failed", "certificate authentication failed",
        "unix socket login rejected", "PAM authentication failed", "LDAP authentication failed",
        "empty password returned by client", "TLS connection required", "TLS client certificate required",
        "TLS certificate name mismatch", "SSL required", "old V2 protocol not supported", "no username supplied",
        "username too long", "password too long", "client sent partial pkt in startup phase",
        "failed cancel request", "client unexpected eof", "client close request", "SSL req inside SSL",
        "client selected an invalid SASL authentication mechanism", "received unencrypted data after SSL request",
        "no more connections allowed (max_client_conn)",
        "client connections exceeded (max_db_client_connections)",
        "client connections exceeded (max_user_client_connections)", "client_login_timeout (server down)",
        "client_login_timeout", "query_timeout", "query_wait_timeout", "client_idle_timeout", "not allowed",
        "client re-sent startup pkt", "client password pkt before startup packet", "bad packet", "unknown pkt",
        "server shutting down", "pooler is shutting down", "admin forced disconnect", "bad cancel request",
    ]
}

extension UnsafeBufferPointer<UInt8> {
    /// Where that text last stands, before a place.
    func findLast(_ text: StaticString, before end: Int? = nil) -> Int? {
        let length = text.utf8CodeUnitCount
        let last = text.utf8Start[length - 1]
        var place = (end ?? count) - 1
        while place >= length - 1 {
            if self[place] == last, has(text, at: place + 1 - length) { return place + 1 - length }
            place -= 1
        }
        return nil
    }
}
