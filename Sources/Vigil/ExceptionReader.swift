import Detections
import LocatedYAML
import Patterns
import VigilModel

/// Reads `exceptions` of the configuration.
enum ExceptionReader {
    private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    static func read(_ value: YAMLValue) throws(YAMLProblem) -> AlertException {
        let keys = try value.mapping(
            ["rule", "user", "cidr", "database", "application", "schedule", "until", "reason"],
            required: ["rule", "reason"])
        guard let rule = keys["rule"], let why = keys["reason"] else {
            throw value.problem("rule and reason belong here")
        }
        let reason = try why.text()
        guard reason.contains(where: { !$0.isWhitespace }) else {
            throw why.problem("a reason belongs here", hint: "say why, for who reads this next year")
        }
        var exception = AlertException(rules: try rules(rule), reason: reason)
        exception.users = try texts(keys["user"])
        exception.databases = try texts(keys["database"])
        exception.applications = try texts(keys["application"])
        for block in try keys["cidr"]?.oneOrMore() ?? [] { exception.networks.append(try cidr(block)) }
        if let schedule = keys["schedule"] { exception.schedule = try self.schedule(schedule) }
        if let until = keys["until"] {
            guard let time = LogTime(parsing: try until.text()) else {
                throw until.problem("no time", hint: "write 2026-04-01 or 2026-04-01T06:00+02:00")
            }
            exception.until = time
        }
        return exception
    }

    private static func texts(_ value: YAMLValue?) throws(YAMLProblem) -> [String] {
        var result: [String] = []
        for entry in try value?.oneOrMore() ?? [] { result.append(try entry.text()) }
        return result
    }

    /// `auth-spray`, `family:auth`, a list of these, or `'*'`.
    private static func rules(_ value: YAMLValue) throws(YAMLProblem) -> AlertException.RuleChoice {
        let words = try texts(value)
        if words == ["*"] { return .all }
        guard !words.isEmpty, !words.contains("*") else {
            throw value.problem("rules belong here", hint: "write an id, family:auth, a list of these, or '*' alone")
        }
        let families = words.filter { $0.hasPrefix("family:") }.map { String($0.dropFirst("family:".count)) }
        return .some(ids: Set(words.filter { !$0.hasPrefix("family:") }), families: Set(families))
    }

    private static func cidr(_ value: YAMLValue) throws(YAMLProblem) -> CIDR {
        guard let block = CIDR(try value.text()) else {
            throw value.problem("no address or CIDR", hint: "write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")
        }
        return block
    }

    /// `{days: mon-fri, hours: 22:00-06:00, timezone: Europe/Berlin}`.
    private static func schedule(_ value: YAMLValue) throws(YAMLProblem) -> WeekSchedule {
        let keys = try value.mapping(["days", "hours", "timezone"])
        var days = Set(0..<7)
        if let value = keys["days"] {
            days = []
            for entry in try value.oneOrMore() { days.formUnion(try self.days(entry)) }
        }
        var (from, to) = (0, 1440)
        if let value = keys["hours"] {
            let parts = try value.text().split(separator: "-", omittingEmptySubsequences: false).map { minute($0) }
            guard parts.count == 2, let first = parts[0], let last = parts[1], first != last else {
                throw value.problem("no hours", hint: "write '01:00-05:30', or '22:00-06:00' past midnight")
            }
            (from, to) = (first, last)
        }
        let zone = try keys["timezone"]?.text() ?? "UTC"
        guard let schedule = WeekSchedule(days: days, from: from, to: to, zone: zone) else {
            throw (keys["timezone"] ?? value).problem(
                "no such time zone", hint: "write a name of the IANA database, such as Europe/Berlin")
        }
        return schedule
    }

    /// `mon`, `mon-fri`, `fri-mon`.
    private static func days(_ value: YAMLValue) throws(YAMLProblem) -> Set<Int> {
        let ends = try value.text().lowercased().split(separator: "-", omittingEmptySubsequences: false)
            .map { word in days.firstIndex(of: String(word)) }
        guard let first = ends.first.flatMap({ $0 }), ends.count <= 2, let last = ends.last.flatMap({ $0 }) else {
            throw value.problem("no day of the week", hint: "write mon, tue, wed, thu, fri, sat, sun, or mon-fri")
        }
        let length = (last - first + 7) % 7
        return Set((0...length).map { (first + $0) % 7 })
    }

    /// Minutes of `05:30`; `24:00` is the end of the day.
    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2, (0..<60).contains(parts[1]), (0...24).contains(parts[0]),
            parts[0] * 60 + parts[1] <= 1440
        else { return nil }
        return parts[0] * 60 + parts[1]
    }
}

/// An exception is about a rule or family that is not there.
public struct UnknownExceptionRule: Error, CustomStringConvertible {
    let word: String
    let hint: String?

    /// Which, and the nearest known one.
    public var description: String {
        "exceptions: no rule or family is named '\(word)'" + (hint.map { "\n  hint: did you mean \($0)?" } ?? "")
    }

    /// Throws for the first rule or family that a catalogue does not have.
    static func check(_ exceptions: [AlertException], _ catalogue: Catalogue) throws {
        let ids = Set(catalogue.rules.map(\.about.id))
        let families = Set(catalogue.rules.map(\.about.family))
        for exception in exceptions {
            guard case .some(let asked, let askedFamilies) = exception.rules else { continue }
            for id in asked.sorted() where !ids.contains(id) {
                throw UnknownExceptionRule(word: id, hint: nearest(to: id, among: ids.sorted()))
            }
            for family in askedFamilies.sorted() where !families.contains(family) {
                throw UnknownExceptionRule(
                    word: "family:\(family)", hint: nearest(to: family, among: families.sorted()))
            }
        }
    }
}
