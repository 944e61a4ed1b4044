/// A strict reading of one csvlog row, for the moments when the fast one cannot be trusted: after damage, at the start
/// of a file, at its end.
///
/// Why it cannot be talked into a record: PostgreSQL quotes every text column that is not NULL and doubles each quote
/// inside. Text of a client that lies inside such a column can therefore never show a message column that opens with
/// one quote and has anything but quotes before the next, and a row without that is not sound.
enum SoundRecord {
    enum Outcome: Equatable {
        /// A whole row; the offset behind its line feed.
        case sound(end: Int)
        /// Sound as far as the bytes go.
        case incomplete
        /// Not a row, for a reason found at that offset.
        case unsound(at: Int, reason: String)
    }

    /// Column counts of PostgreSQL 9.0–12, 13, 14–18.
    static let columnCounts: [Int] = [23, 24, 26]

    /// Columns that the server writes without quotes: times, numbers, ids, severity, SQLSTATE, location's neighbours.
    private static let bare: Set<Int> = [0, 3, 5, 6, 8, 9, 10, 11, 12, 17, 20, 24, 25]

    /// Reads the row that starts at `start`. With `atEnd` the last row needs no line feed. Without `strict` text columns
    /// need no quotes: enough where the place is known to be the start of a row.
    static func read(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, atEnd: Bool = false, strict: Bool = true
    ) -> Outcome {
        var at = start
        var column = 0
        while true {
            let begin = at
            switch field(bytes, from: at, bare: bare.contains(column) || (!strict && bytes[at...].first != 34)) {
            case .end(let next): at = next
            case .incomplete where atEnd && isLastColumn(bytes[begin...], column): at = bytes.count
            case .incomplete: return .incomplete
            case .unsound(let place): return .unsound(at: place, reason: misplaced)
            }
            if let reason = complaint(bytes, column, begin..<at, strict: strict) {
                return .unsound(at: begin, reason: reason)
            }
            column += 1
            if at == bytes.count { return columnCounts.contains(column) ? .sound(end: at) : .incomplete }
            if bytes[at] == 10 {
                guard columnCounts.contains(column) else {
                    return .unsound(at: at, reason: "\(column) columns instead of 23, 24 or 26")
                }
                return .sound(end: at + 1)
            }
            at += 1
            if column > 26 { return .unsound(at: at, reason: "more than 26 columns") }
        }
    }

    /// Where a row that starts at `start` shows damage as far as its bytes go: no time at its start, or a quote out of
    /// place. The same things make a whole row damaged, so a row is judged alike in whatever pieces it comes.
    static func damage(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> String? {
        let form = Array("0000-00-00 00:00:00.000 ".utf8)
        for (index, wanted) in form.enumerated() where start + index < bytes.count {
            let byte = bytes[start + index]
            if wanted == 48 ? !isDigit(byte) : byte != wanted { return "no log time" }
        }
        var inside = false
        for at in start..<bytes.count where bytes[at] == 34 {
            let previous = at > start ? bytes[at - 1] : 44
            if !inside, previous != 44, previous != 10, !(previous == 34 && at - 1 > start) { return misplaced }
            if inside, at + 1 < bytes.count, ![44, 10, 13, 34].contains(bytes[at + 1]) { return misplaced }
            inside.toggle()
        }
        return nil
    }

    private static let misplaced = "a quote out of place"

    /// True when the bytes are the whole of a column that may be a row's last.
    private static func isLastColumn(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ column: Int) -> Bool {
        guard columnCounts.contains(column + 1), let last = bytes.last else { return false }
        if column == 25 { return isDigit(last) }
        return last == 34 && bytes.count >= 2 && bytes.reduce(0) { $0 + ($1 == 34 ? 1 : 0) } % 2 == 0
    }

    private enum Field {
        case end(Int), incomplete, unsound(Int)
    }

    /// The offset of the separator behind a field.
    private static func field(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, bare: Bool) -> Field {
        var at = start
        guard at < bytes.count else { return .incomplete }
        if bytes[at] == 34 {
            if bare { return .unsound(at) }
            at += 1
            while true {
                while at < bytes.count, bytes[at] != 34 { at += 1 }
                guard at + 1 < bytes.count else { return .incomplete }
                if bytes[at + 1] != 34 { break }
                at += 2
            }
            at += 1
            // CR LF of a Windows server.
            if bytes[at] == 13, at + 1 < bytes.count, bytes[at + 1] == 10 { at += 1 }
            return bytes[at] == 44 || bytes[at] == 10 ? .end(at) : .unsound(at)
        }
        while at < bytes.count, bytes[at] != 44, bytes[at] != 10 {
            if bytes[at] == 34 || bytes[at] == 0 { return .unsound(at) }
            // The longest unquoted column is a time; damage must not run on for megabytes.
            if at - start > 64 { return .unsound(at) }
            at += 1
        }
        return at < bytes.count ? .end(at) : .incomplete
    }

    /// What is wrong with a column's content, if anything.
    private static func complaint(
        _ bytes: UnsafeBufferPointer<UInt8>, _ column: Int, _ range: Range<Int>, strict: Bool
    ) -> String? {
        let field = UnsafeBufferPointer(rebasing: bytes[range])
        switch column {
        case 0: return isTime(field) ? nil : "no log time"
        case 3, 6: return !field.isEmpty && field.allSatisfy(isDigit) ? nil : "no process id or line number"
        case 5: return isSessionID(field) ? nil : "no session id"
        case 11: return field.isEmpty ? "no severity" : nil
        case 12: return field.count == 5 && field.allSatisfy(isStateCharacter) ? nil : "no SQLSTATE"
        case 13: return !strict || field.contains { $0 != 34 } ? nil : "no message"
        case _ where !strict: return nil
        case 1, 2, 4, 7, 14, 15, 16, 18, 19, 21, 22, 23:
            let bareEnd = field.isEmpty || (field.count == 1 && field[0] == 13)
            return bareEnd || field[0] == 34 ? nil : "text without quotes"
        default: return nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    private static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte >= 97 && byte <= 102) }
    private static func isStateCharacter(_ byte: UInt8) -> Bool { isDigit(byte) || (byte >= 65 && byte <= 90) }

    /// `YYYY-MM-DD HH:MM:SS.mmm Z…`
    static func isTime(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
        guard field.count >= 25, field.count <= 40 else { return false }
        let form = Array("0000-00-00 00:00:00.000 ".utf8)
        return form.indices.allSatisfy { form[$0] == 48 ? isDigit(field[$0]) : field[$0] == form[$0] }
    }

    /// `hex.hex`
    static func isSessionID(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let dot = field.firstIndex(of: 46), dot > 0, dot < field.count - 1, field.count <= 33 else {
            return false
        }
        return field[..<dot].allSatisfy(isHex) && field[(dot + 1)...].allSatisfy(isHex)
    }
}
