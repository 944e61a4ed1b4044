/// Makes up prefixes from what lines show: times, numbers in brackets, `user=…` and the like.
enum PrefixInference {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// A field or a character of the prefix to be.
    private typealias Piece = String

    /// Prefixes that some of the lines could have, each also with `%q` at every place where it can be.
    static func prefixes(_ lines: [Bytes]) -> [String] {
        var seen: Set<String> = []
        var result: [String] = []
        for line in lines.prefix(60) {
            guard let pieces = pieces(line), seen.count < 6, seen.insert(pieces.joined()).inserted else { continue }
            // Of two that fit alike, the first counts: a log may know one database only.
            for pieces in [withDatabase(pieces), pieces].compactMap({ $0 }) {
                result.append(pieces.joined())
                for index in pieces.indices.dropFirst() where pieces[index].count > 1 || pieces[index - 1] == " " {
                    result.append((pieces[..<index] + ["%q"] + pieces[index...]).joined())
                }
            }
        }
        return result
    }

    /// The same with a database for the bare word behind the user's name; nil when there is none.
    private static func withDatabase(_ pieces: [Piece]) -> [Piece]? {
        guard let user = pieces.firstIndex(of: "%u"), !pieces.contains("%d"), user + 2 < pieces.count,
            !isWord(pieces[user + 1])
        else { return nil }
        let start = user + 2
        let end = pieces[start...].firstIndex { !isWord($0) } ?? pieces.count
        guard end > start, end == pieces.count || pieces[end] != "=" else { return nil }
        return pieces[..<start] + ["%d"] + pieces[end...]
    }

    /// True for a character of a word.
    private static func isWord(_ piece: Piece) -> Bool {
        piece.utf8.count == 1 && piece.utf8.allSatisfy { isWord($0) || $0 == 45 }
    }

    /// What a key in front of `=` says of its value.
    private static let keys: [String: String] = [
        "user": "%u", "usr": "%u", "username": "%u", "u": "%u", "db": "%d", "database": "%d", "dbname": "%d", "d": "%d",
        "app": "%a", "application": "%a", "application_name": "%a", "appname": "%a", "a": "%a", "client": "%h",
        "host": "%h", "ip": "%h", "remote": "%r", "rhost": "%h", "addr": "%h", "h": "%h", "r": "%r", "pid": "%p",
        "p": "%p", "process": "%p", "session": "%c", "sess": "%c", "sid": "%c", "session_id": "%c", "c": "%c",
        "line": "%l", "l": "%l", "vxid": "%v", "v": "%v", "vtx": "%v", "xid": "%x", "txid": "%x", "x": "%x",
        "trx": "%x", "trx_id": "%x", "tx": "%x", "cmd": "%i", "tag": "%i", "command": "%i", "ps": "%i", "i": "%i",
        "state": "%e", "sqlstate": "%e", "e": "%e", "err": "%e", "error": "%e", "code": "%e", "bt": "%b",
        "backend": "%b", "type": "%b", "b": "%b", "backend_type": "%b", "qid": "%Q", "query_id": "%Q", "queryid": "%Q",
        "L": "%L", "start": "%s", "started": "%s", "s": "%s", "leader": "%P", "local": "%L",
    ]

    private static func pieces(_ line: Bytes) -> [Piece]? {
        guard let end = label(line) else { return nil }
        var pieces: [Piece] = []
        var used: Set<String> = []
        var key = ""
        var at = 0
        let names = names(line, end)
        func isUsed(_ escape: String) -> Bool { used.contains(escape) }
        while at < end {
            if let (escape, next) = shape(line, at, end, isUsed: isUsed) {
                // `host=` holds an address with or without its port.
                pieces.append(escape)
                used.insert(escape)
                at = next
                key = ""
                continue
            }
            let byte = line[at]
            if byte == 61, let escape = keys[key] ?? keys[key.lowercased()], !isUsed(escape) {
                pieces += ["=", escape]
                used.insert(escape)
                at = value(line, at + 1, end, &pieces, &used)
                key = ""
                continue
            }
            let isStart = at == 0 || !isWord(line[at - 1])
            if isStart, let (escape, length) = word(line, at, end, names) ?? tag(line, at, end), !isUsed(escape) {
                pieces.append(escape)
                used.insert(escape)
                at += length
                continue
            }
            if isWord(byte) { key.append(Character(UnicodeScalar(byte))) } else { key = "" }
            if !isWord(byte), byte < 0x80, !isUnknownName(line, at) {
                pieces.append(byte == 37 ? "%%" : String(UnicodeScalar(byte)))
                at += 1
                continue
            }
            // `user@database`: both up to a blank or bracket.
            var word = at
            while word < end, isWord(line[word]) || line[word] >= 0x80 || [45, 46, 91, 93].contains(line[word]) {
                word += 1
            }
            if word < end, line[word] == 64, !isUsed("%u") {
                var database = word + 1
                while database < end,
                    isWord(line[database]) || line[database] >= 0x80
                        || [45, 46, 91, 93].contains(line[database])
                { database += 1 }
                pieces += ["%u", "@", "%d"]
                used.formUnion(["%u", "%d"])
                at = database
                key = ""
                continue
            }
            pieces.append(byte < 0x80 ? String(UnicodeScalar(byte)) : "?")
            at += 1
        }
        return pieces
    }

    /// The names that the line's message tells.
    private static func names(_ line: Bytes, _ label: Int) -> [(String, [UInt8])] {
        for colon in label..<min(line.count, 400) where line[colon] == 58 {
            guard let found = StderrLabels.all.label(line, colon: colon, from: label) else { continue }
            let text = line.from(found.end)
            guard let number = KnownMessages.all.find(text, found.label) else { return [] }
            let names = KnownMessages.all.names(number, text).names
            return [("%u", names.user), ("%d", names.database)].compactMap { escape, name in
                name.map { (escape, Array($0)) }
            }
        }
        return []
    }

    /// A name that the message tells, or a backend type, that stands there as a word.
    private static func word(
        _ line: Bytes, _ at: Int, _ end: Int, _ names: [(String, [UInt8])]
    ) -> (String, Int)? {
        for (escape, word) in names + backendTypes where !word.isEmpty && at + word.count <= end {
            guard line[at..<at + word.count].elementsEqual(word), at + word.count == end || line[at + word.count] == 32
            else { continue }
            return (escape, word.count)
        }
        return nil
    }

    private static let backendTypes: [(String, [UInt8])] = [
        "postmaster", "client backend", "not initialized", "walsender", "walreceiver", "walwriter", "checkpointer",
        "background writer", "startup", "archiver", "logger", "autovacuum launcher", "autovacuum worker",
        "stats collector", "parallel worker", "logical replication launcher", "logical replication worker",
        "slotsync worker", "walsummarizer", "io worker",
    ].map { ("%b", Array($0.utf8)) }

    /// A command tag, or what stands in its place, that nothing is written in front of.
    private static func tag(_ line: Bytes, _ at: Int, _ end: Int) -> (String, Int)? {
        for tag in tags where at + tag.count < end && line[at + tag.count] == 32 && line[at...].starts(with: tag) {
            return ("%i", tag.count)
        }
        return nil
    }

    /// The usual ones (`get_ps_display`, `set_ps_display` in the server's source), the longer of those that begin alike
    /// first.
    private static let tags = [
        "authentication", "startup", "idle in transaction (aborted)", "idle in transaction", "idle", "PARSE", "BIND",
        "SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT", "ROLLBACK", "SET", "SHOW", "COPY", "CREATE TABLE",
        "ALTER TABLE", "DROP TABLE",
    ].map { Array($0.utf8) }

    private static func isUnknownName(_ line: Bytes, _ at: Int) -> Bool {
        line[at] == 91 && KnownMessages.all.unknownNames.contains { line[at...].starts(with: $0) }
    }

    /// The value behind `key=`: up to what can end one. Keeps `=` with its key.
    private static func value(
        _ line: Bytes, _ start: Int, _ end: Int, _ pieces: inout [Piece], _ used: inout Set<String>
    ) -> Int {
        var at = start
        if let stop = ofSeveralWords(line, at, end, pieces.last) { return stop }
        if at < end, line[at] == 91 {
            while at < end, line[at] != 93 { at += 1 }
            return min(at + 1, end)
        }
        while at < end, ![32, 44, 59, 93, 124, 41].contains(line[at]) {
            if line[at] == 40, pieces.last == "%h" {
                // An address with its port.
                pieces[pieces.count - 1] = "%r"
                used.insert("%r")
                while at < end, line[at] != 41 { at += 1 }
                return min(at + 1, end)
            }
            at += 1
        }
        return at
    }

    /// The end of a type of process, or of a command tag, that has blanks in it: they are no part of the prefix, though
    /// every line may have them.
    private static func ofSeveralWords(_ line: Bytes, _ at: Int, _ end: Int, _ escape: Piece?) -> Int? {
        switch escape {
        case "%b": return word(line, at, end, []).map { at + $0.1 }
        case "%i":
            for state in ["idle in transaction (aborted)", "idle in transaction"]
            where line[at..<end].starts(with: state.utf8) { return at + state.utf8.count }
            let words = line[at..<end].prefix { (65...90).contains($0) || $0 == 32 }
            guard let last = words.lastIndex(where: { $0 != 32 }), words[..<last].contains(32) else { return nil }
            // Behind the tag stands what follows in the prefix, not the rest of a word.
            return last + 1 == end || !isWord(line[last + 1]) ? last + 1 : nil
        default: return nil
        }
    }

    /// A field that shows by itself what it is.
    private static func shape(
        _ line: Bytes, _ at: Int, _ end: Int, isUsed: (String) -> Bool
    ) -> (String, Int)? {
        let byte = line[at]
        let isStart = at == 0 || !isWord(line[at - 1])
        guard isStart else { return nil }
        let isDigit = byte &- 48 < 10
        func found(_ escape: String, _ field: PrefixField) -> (String, Int)? {
            guard let stop = PrefixShape.end(field, line, at, end), stop > at else { return nil }
            guard stop == end || !isWord(line[stop]) else { return nil }
            return (escape, stop)
        }
        if isDigit, !isUsed("%m"), !isUsed("%t"), let time = found("%m", .milliseconds) ?? found("%t", .time) {
            return time
        }
        if isDigit, !isUsed("%s"), let start = found("%s", .start) { return start }
        if let session = found("%c", .session), session.1 - at > 9, !isUsed("%c") { return session }
        if isDigit, !isUsed("%n"), !isUsed("%m"), !isUsed("%t"), let epoch = found("%n", .epoch) { return epoch }
        if !isUsed("%r"), !isUsed("%h"), let remote = found("%r", .remote) { return remote }
        if isDigit, !isUsed("%h"), !isUsed("%r"), let host = found("%h", .host), dots(line, at, host.1) == 3 {
            return host
        }
        if isDigit, !isUsed("%v"), let virtual = found("%v", .virtualTransaction) { return virtual }
        if isDigit, let state = found("%e", .state), !isUsed("%e"), line[at] == 48, isUsed("%p") { return state }
        if isDigit, let number = found("%p", .process) {
            for escape in ["%p", "%l", "%x"] where !isUsed(escape) { return (escape, number.1) }
        }
        return nil
    }

    private static func dots(_ line: Bytes, _ at: Int, _ end: Int) -> Int {
        line[at..<end].reduce(0) { $0 + ($1 == 46 ? 1 : 0) }
    }

    /// Where the first severity or label starts.
    private static func label(_ line: Bytes) -> Int? {
        for colon in 1..<min(line.count, 400) where line[colon] == 58 {
            if let found = StderrLabels.all.label(line, colon: colon, from: 0) { return found.start }
        }
        return nil
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (97...122).contains(byte | 32) || byte == 95
    }
}
