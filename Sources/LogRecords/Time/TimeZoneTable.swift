import Glibc
import VigilModel

/// What the zone abbreviations of one log stand for.
///
/// PostgreSQL prints `%Z` of `log_timezone`, an abbreviation or a numeric offset, never the offset of an abbreviation.
/// But a csvlog row carries the session's start twice: as UTC seconds in the session id and as local time in column 9.
/// Their difference is the offset of that column's abbreviation, with no table and no guess.
public struct TimeZoneTable: Sendable {
    private var offsets: [String: Int64] = [:]
    private let configured: [String: Int64]
    /// Abbreviations that nothing told the meaning of; read as UTC.
    public private(set) var unknown: Set<String> = []

    /// Takes the source's configured zone (`Europe/Berlin`), if any.
    public init(timezone: String? = nil) {
        configured = timezone.map(TimeZoneFile.abbreviations) ?? [:]
    }

    /// Milliseconds east of UTC of a printed zone. `learned` is the offset that the row itself proves for it.
    mutating func offset(of zone: String, learned: () -> Int64?) -> Int64 {
        if let known = offsets[zone] { return known }
        let found =
            TimeZoneTable.numeric(zone) ?? learned() ?? configured[zone]
            ?? TimeZoneTable.usual[zone].map { Int64($0) * 60_000 }
        if found == nil, unknown.count < 64 { unknown.insert(zone) }
        // A log has a handful of zones; garbage must not fill the table.
        if offsets.count < 64 { offsets[zone] = found ?? 0 }
        return found ?? 0
    }

    /// `+03`, `-0330`, `+05:30`, as zones without an abbreviation print.
    static func numeric(_ zone: String) -> Int64? {
        guard let sign = zone.first, sign == "+" || sign == "-" else { return nil }
        let digits = zone.dropFirst().filter { $0 != ":" }
        guard [2, 4, 6].contains(digits.count), let number = Int64(digits) else { return nil }
        let seconds =
            digits.count == 2
            ? number * 3600
            : digits.count == 4
                ? number / 100 * 3600 + number % 100 * 60
                : number / 10000 * 3600 + number / 100 % 100 * 60 + number % 100
        return (sign == "-" ? -seconds : seconds) * 1000
    }

    /// Minutes east of UTC as in PostgreSQL's `timezonesets/Default` file.
    static let usual: [String: Int] = [
        "UTC": 0, "GMT": 0, "Z": 0, "UCT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "MEZ": 60,
        "MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180, "SAST": 120, "IST": 120, "JST": 540, "KST": 540, "HKT": 480,
        "SGT": 480, "CST": -360, "CDT": -300, "EST": -300, "EDT": -240, "MST": -420, "MDT": -360, "PST": -480,
        "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    ]
}

/// The abbreviations of a zone in the system's time zone database (RFC 8536, TZif).
enum TimeZoneFile {
    /// Abbreviation → milliseconds east of UTC; empty when there is no such zone.
    static func abbreviations(of name: String) -> [String: Int64] {
        guard !name.contains(".."), let file = fopen("/usr/share/zoneinfo/\(name)", "r") else { return [:] }
        defer { fclose(file) }
        var data = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&data, 1, data.count, file)
        return parse(Array(data.prefix(count)))
    }

    static func parse(_ data: [UInt8]) -> [String: Int64] {
        guard data.count >= 44, data.starts(with: Array("TZif".utf8)) else { return [:] }
        func number(_ at: Int) -> Int {
            Int(Int32(bitPattern: data[at..<at + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }))
        }
        let transitions = number(32)
        let types = number(36)
        let characters = number(40)
        let typesAt = 44 + transitions * 5
        let namesAt = typesAt + types * 6
        guard transitions >= 0, types >= 0, characters >= 0, namesAt + characters <= data.count else { return [:] }
        var result: [String: Int64] = [:]
        for type in 0..<types {
            let at = typesAt + type * 6
            let nameAt = namesAt + Int(data[at + 5])
            guard nameAt < namesAt + characters else { continue }
            let name = data[nameAt..<namesAt + characters].prefix { $0 != 0 }
            result[String(decoding: name, as: UTF8.self)] = Int64(number(at)) * 1000
        }
        return result
    }
}
