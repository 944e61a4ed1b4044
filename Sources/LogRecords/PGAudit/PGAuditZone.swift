import VigilModel

/// Finds out what an ambiguous zone abbreviation stands for in a file whose rows show no session start (json, and csv
/// of 1.7.1 and later): a session is never younger than its start, which the session id tells in UTC. So the largest
/// offset that makes no row of the file's head older than its own session is the one.
enum PGAuditZone {
    /// Minutes east of UTC that an abbreviation is used for in the time zone database, largest first.
    private static let meanings: [String: [Int64]] = [
        "CST": [480, -360], "IST": [330, 120, 60], "BST": [360, 60], "EST": [600, -300], "SST": [480, -660],
        "PST": [480, -480], "AST": [180, -240], "GST": [240], "WIB": [420], "PKT": [300], "ICT": [420], "HKT": [480],
    ]

    /// Looks at a file's first bytes.
    static func learn(from head: UnsafeBufferPointer<UInt8>, into zones: inout TimeZoneTable) {
        var youngest: [String: Int64] = [:]
        for line in head.split(separator: 10).prefix(400) {
            guard let first = line.first, first == 123 || first == 34,
                let (zone, age) = age(UnsafeBufferPointer(rebasing: line)), meanings[zone] != nil
            else { continue }
            youngest[zone] = min(youngest[zone] ?? .max, age)
        }
        for (zone, age) in youngest {
            // A clock may print a row some ms before the session's start.
            guard let offset = meanings[zone]?.first(where: { $0 * 60_000 <= age + 60_000 }) else { continue }
            _ = zones.offset(of: zone) { offset * 60_000 }
        }
    }

    /// A row's zone, and how much later its local time is than its session's start in UTC, in milliseconds.
    private static func age(_ line: UnsafeBufferPointer<UInt8>) -> (String, Int64)? {
        let isJSON = line[0] == 123
        let times = isJSON ? Array("\"timestamp\":\"".utf8) : [34]
        guard let start = place(of: times, in: line, limit: 256) else { return nil }
        let rest = UnsafeBufferPointer(rebasing: line[start...])
        guard let parts = PGAuditTime.parts(rest),
            let local = LogTime(parsing: String(decoding: rest[..<19], as: UTF8.self)),
            let seconds = isJSON ? idInJSON(line) : idInCSV(line)
        else { return nil }
        let zone = String(decoding: rest[parts.zone..<parts.end], as: UTF8.self)
        return (zone, local.milliseconds - seconds * 1000)
    }

    private static func idInJSON(_ line: UnsafeBufferPointer<UInt8>) -> Int64? {
        let name = Array("\"custom.session_id\":\"".utf8)
        guard let start = place(of: name, in: line, limit: 1024) else { return nil }
        return seconds(line[start...])
    }

    private static func idInCSV(_ line: UnsafeBufferPointer<UInt8>) -> Int64? {
        var row = PGAuditEscapedFields()
        guard row.read(line), row.values.count > 5 else { return nil }
        return seconds(line[row.values[5].range])
    }

    /// The hexadecimal digits of a session id before its dot.
    private static func seconds(_ id: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        let digits = id.prefix(16).prefix { $0 != 46 }
        return Int64(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private static func place(of text: [UInt8], in line: UnsafeBufferPointer<UInt8>, limit: Int) -> Int? {
        guard line.count > text.count else { return nil }
        for at in 0..<min(limit, line.count - text.count) where line[at] == text[0] {
            if line[at...].starts(with: text) { return at + text.count }
        }
        return nil
    }
}
