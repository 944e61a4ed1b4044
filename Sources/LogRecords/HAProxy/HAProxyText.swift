import VigilModel

/// Reads what HAProxy says in a line (configuration manual, 8.2 "Log formats"):
/// `192.0.2.7:35988 [26/Nov/2026:06:06:24.742] pg pg/pg-test-1 1/0/0 2 -- 1/1/0/0/0 0/0`.
/// Where the own address of the connection to the server stands behind the server (`%bi:%bp`, see docs/proxy.md), it
/// goes to the column `location`.
enum HAProxyText {
    /// Gives a begun record its columns and, where one stands in the text, its time as local time, or in UTC when its
    /// zone is printed.
    static func fill(
        _ draft: inout DraftRecord, _ text: UnsafeBufferPointer<UInt8>
    ) -> (time: LogTime, isLocal: Bool)? {
        draft.set(.message, text)
        var cursor = LineCursor(text)
        guard let client = endpoint(&cursor), cursor.skip(" ["), let time = date(&cursor), cursor.skip("] ") else {
            if cursor.at == 0 { connectLine(&draft, text) }
            return nil
        }
        setAddress(&draft, .connectionFrom, text[client])
        let frontend = cursor.word()
        draft.set(.context, text[frontend].prefix { $0 != 126 && $0 != 58 })
        guard cursor.skip(32), text[frontend].last != 58 else { return time }
        let server = cursor.word()
        draft.set(.applicationName, text[server])
        guard cursor.skip(32) else { return time }
        var ahead = cursor
        if let hop = endpoint(&ahead), ahead.skip(32) {
            setAddress(&draft, .location, text[hop])
            cursor = ahead
        }
        while !cursor.isAtEnd {
            let word = cursor.word()
            let bytes = text[word]
            if word.count == 2 || word.count == 4, bytes.allSatisfy({ $0 == 45 || $0.isWordPart && $0.digit == nil }) {
                draft.set(.commandTag, bytes.prefix(2))
                break
            }
            guard cursor.skip(32) else { break }
        }
        return time
    }

    /// True when the text begins as HAProxy's lines about connections do.
    static func isConnection(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var cursor = LineCursor(text)
        guard endpoint(&cursor) != nil, cursor.skip(" ["), date(&cursor) != nil else { return false }
        return cursor.skip("] ")
    }

    /// True for what HAProxy says of itself and its servers.
    static func isNotice(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        for start in [
            StaticString("Server "), "Backup Server ", "backend ", "Backend ", "Proxy ", "Connect from ",
            "Health check for ", "[NOTICE] ", "[WARNING] ", "[ALERT] ", "[EMERG] ",
        ] where text.has(start) {
            return true
        }
        return false
    }

    /// True for such lines as no other program writes.
    static func isOwnNotice(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard isNotice(text) else { return false }
        for words in [
            StaticString(" is DOWN, reason: "), " is UP, reason: ", " has no server available!",
            " : haproxy version is ",
        ] where text.find(words) != nil {
            return true
        }
        return false
    }

    /// `Connect from 192.0.2.7:58400 to 192.0.2.1:5433 (pg/TCP)`: what is logged without `option tcplog`.
    private static func connectLine(_ draft: inout DraftRecord, _ text: UnsafeBufferPointer<UInt8>) {
        var cursor = LineCursor(text)
        guard cursor.skip("Connect from "), let client = endpoint(&cursor), cursor.skip(" to ") else { return }
        setAddress(&draft, .connectionFrom, text[client])
        guard let open = text.findLast(" ("), let slash = text.findLast("/"), slash > open else { return }
        draft.set(.context, text[(open + 2)..<slash])
    }

    private static func setAddress(
        _ draft: inout DraftRecord, _ column: LogColumn, _ text: Slice<UnsafeBufferPointer<UInt8>>
    ) {
        if text.elementsEqual("-:-".utf8) { return }
        if text.starts(with: "unix:".utf8) { draft.set(column, "[local]") } else { draft.set(column, text) }
    }

    /// `192.0.2.7:35988`, `::1:33930`, `unix:1`, and `-:-` for no connection.
    private static func endpoint(_ cursor: inout LineCursor) -> Range<Int>? {
        let start = cursor.at
        if cursor.skip("-:-") { return start..<cursor.at }
        if cursor.skip("unix:") { return cursor.number(digits: 10) == nil ? nil : start..<cursor.at }
        let range = cursor.run { $0.isHexadecimal || $0 == 58 || $0 == 46 }
        let text = UnsafeBufferPointer(rebasing: cursor.bytes[range])
        guard let colon = text.findLast(":"), colon >= 2, colon + 1 < text.count, text.count - colon <= 6,
            text[(colon + 1)...].allSatisfy({ $0.digit != nil }),
            text[0..<colon].contains(where: { $0 == 58 || $0 == 46 })
        else {
            cursor.at = start
            return nil
        }
        return range
    }

    /// `26/Nov/2026:06:06:24.742`, or with a zone and without milliseconds.
    private static func date(_ cursor: inout LineCursor) -> (time: LogTime, isLocal: Bool)? {
        guard let day = cursor.number(digits: 2), cursor.skip(47), let month = month(&cursor), cursor.skip(47),
            let year = cursor.number(digits: 4), cursor.skip(58), let hour = cursor.number(digits: 2), cursor.skip(58),
            let minute = cursor.number(digits: 2), cursor.skip(58), let second = cursor.number(digits: 2),
            (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var total = Int64(LogTime.days(year: year, month: month, day: day)) * 86_400_000
        total += Int64((hour * 60 + minute) * 60 + second) * 1000
        if cursor.skip(46) {
            guard let fraction = cursor.number(digits: 3) else { return nil }
            return (LogTime(milliseconds: total + Int64(fraction)), true)
        }
        guard cursor.skip(32) else { return (LogTime(milliseconds: total), true) }
        let isWest = cursor.next == 45
        guard cursor.skip(43) || cursor.skip(45), let zone = cursor.number(digits: 4) else { return nil }
        let offset = Int64(zone / 100 * 60 + zone % 100) * 60_000
        return (LogTime(milliseconds: total - (isWest ? -offset : offset)), false)
    }

    private static func month(_ cursor: inout LineCursor) -> Int? {
        for (index, name) in [
            StaticString("Jan"), "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ].enumerated() where cursor.skip(name) {
            return index + 1
        }
        return nil
    }
}

extension LineCursor {
    /// Steps to the next blank.
    mutating func word() -> Range<Int> { run { $0 != 32 } }
}
