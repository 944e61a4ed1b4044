import LogRecords
import VigilModel

/// The forms in which a PostgreSQL server can write its one log at the same time (`log_destination`), the richest last.
enum ServerLogForm: String, Comparable, CaseIterable, Sendable {
    case syslog, stderr, jsonlog, csvlog

    /// Nil for a format that is no form of the server's log, as pgauditlogtofile's or PgBouncer's.
    init?(_ format: LogFormat) { self.init(rawValue: format.rawValue) }

    static func < (left: ServerLogForm, right: ServerLogForm) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}

/// Finds files that hold what another one holds in a richer form: a server that logs to csvlog, jsonlog and stderr
/// writes everything three times, and one action must not count thrice.
struct SameLog {
    /// A file that might be read.
    struct Candidate {
        var path: String
        /// Nil for what is no server log.
        var form: ServerLogForm?
        /// When its first record was written.
        var start: LogTime?
        /// Seconds since it was last written to.
        var age: Double?
        /// Somebody named the file: it is read.
        var isNamed = false
    }

    private static let minute: Int64 = 60_000
    private static let day = 1440 * minute

    private let candidates: [Candidate]
    private let names: [LogName]

    /// For the index of each file that is not to be read, the index of the one that has the same.
    static func find(_ candidates: [Candidate]) -> [Int: Int] {
        guard Set(candidates.compactMap(\.form)).count > 1 else { return [:] }
        let same = SameLog(candidates: candidates, names: candidates.map { LogName($0.path) })
        let servers = candidates.indices.filter { candidates[$0].form != nil }
        let byStem = Dictionary(grouping: servers) { same.names[$0].folder + "/" + same.names[$0].stem }
        let bySeries = Dictionary(grouping: servers.filter { same.names[$0].series != nil }) {
            same.names[$0].folder + "/" + (same.names[$0].series ?? "")
        }
        var result: [Int: Int] = [:]
        for index in servers where !candidates[index].isNamed {
            let name = same.names[index]
            result[index] =
                same.richest(byStem[name.folder + "/" + name.stem] ?? [], over: index)
                ?? name.series.flatMap { same.covering(bySeries[name.folder + "/" + $0] ?? [], index) }
        }
        return result
    }

    /// The richest file of the same stem.
    private func richest(_ siblings: [Int], over poor: Int) -> Int? {
        siblings.filter { isRicher($0, poor) && isSameTime($0, poor) }.max(by: isPoorer)
    }

    /// The file of a richer form that was being written when this one was begun.
    private func covering(_ series: [Int], _ poor: Int) -> Int? {
        guard let start = candidates[poor].start else { return nil }
        let begun = series.filter {
            guard isRicher($0, poor), let other = candidates[$0].start else { return false }
            return other <= start.adding(milliseconds: 10 * SameLog.minute)
        }
        let form = begun.compactMap { candidates[$0].form }.max()
        let last = begun.filter { candidates[$0].form == form }.max { left, right in
            (candidates[left].start ?? .distantPast, candidates[right].path)
                < (candidates[right].start ?? .distantPast, candidates[left].path)
        }
        return last.flatMap { isSameTime($0, poor) ? $0 : nil }
    }

    /// False when one file is of another time: last year's Monday beside this week's, or a form that was given up.
    /// A day's leeway: a stderr log may not say which zone its times are in.
    private func isSameTime(_ rich: Int, _ poor: Int) -> Bool {
        guard let richStart = candidates[rich].start, let start = candidates[poor].start else { return true }
        if start < richStart.adding(milliseconds: -SameLog.day) { return false }
        guard start > richStart.adding(milliseconds: SameLog.day),
            let richAge = candidates[rich].age, let age = candidates[poor].age
        else { return true }
        return richAge <= age + Double(SameLog.day / 1000)
    }

    private func isRicher(_ left: Int, _ right: Int) -> Bool {
        guard let left = candidates[left].form, let right = candidates[right].form else { return false }
        return left > right
    }

    private func isPoorer(_ left: Int, _ right: Int) -> Bool {
        isRicher(right, left)
            || candidates[left].form == candidates[right].form && candidates[left].path > candidates[right].path
    }
}
