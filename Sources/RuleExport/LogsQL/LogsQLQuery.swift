import Patterns
import VigilModel

/// A rule as a query of LogsQL that gives one number for each group in which the rule would fire.
struct LogsQLQuery {
    /// The query, one pipe a line.
    let text: String
    /// Labels that its results have.
    let labels: [EventKey: String]
    /// How far back it looks, in milliseconds.
    let window: Int64

    /// How far back a rule without a condition looks: events that arrive later than that are not seen.
    static let matchWindow: Int64 = 600_000
    /// Groups shown at once: a client that makes up names makes no more alerts than that.
    private static let limit = 100
    /// Within so long a second failure of the same client is a repetition.
    private static let retry = "100ms"

    init(_ rule: Rule, _ reading: Reading, notes: inout Notes) throws(NotExpressible) {
        let window: Int64
        let isPlain: Bool
        switch rule.condition {
        case .match: (window, isPlain) = (LogsQLQuery.matchWindow, true)
        case .threshold(_, let within), .distinct(_, _, let within): (window, isPlain) = (within, false)
        case .sequence: throw NotExpressible("a sequence: queries count events, they do not see their order")
        case .firstSeen: throw NotExpressible("what was never seen before: a query has no memory of what was learnt")
        case .absence: throw NotExpressible("silence: a query sees what is there, not who has gone quiet")
        }
        if rule.reset != nil { throw NotExpressible("counting that begins anew at an event (reset)") }
        self.window = window
        var keys = rule.groupBy.filter { $0 != .network }
        // Each event fires, so a finer grouping changes nothing but that the alert says where.
        if isPlain { keys = [.cluster, .instance].filter { !keys.contains($0) } + keys }
        keys = keys.filter { reading.fields[$0] != nil }
        var labels: [EventKey: String] = [:]
        for key in keys { labels[key] = LogsQLQuery.label(key, reading) }
        self.labels = labels
        let builder = LogsQLQuery.Builder(rule: rule, reading: reading, keys: keys, isPlain: isPlain)
        text = try builder.lines(window: window, notes: &notes).joined(separator: "\n| ")
    }

    /// The label of a key: that of the instance where a value is no field of its own but the cluster's name.
    private static func label(_ key: EventKey, _ reading: Reading) -> String {
        guard let field = reading.fields[key], ["cls", "ins"].contains(field) else { return GroupLabel.name(key) }
        return field
    }

    /// What is put together line by line.
    private struct Builder {
        let rule: Rule
        let reading: Reading
        let keys: [EventKey]
        let isPlain: Bool

        func lines(window: Int64, notes: inout Notes) throws(NotExpressible) -> [String] {
            let condition = Condition.and([reading.condition] + presence)
            guard condition != .never else { throw NotExpressible("it can never hold: a set that it names is empty") }
            var lines = ["_time:\(Durations.text(window)) \(stream)"]
            if reading.pipes.isEmpty {
                lines[0] += " " + (try LogsQLText.beside(condition))
            } else {
                // What is made of a row can be asked for behind the pipes that make it; the rest narrows the search.
                let usesDerived = !condition.fields.isDisjoint(with: reading.derived)
                let first = condition.relaxed(without: reading.derived)
                if first != .always { lines[0] += " " + (try LogsQLText.beside(first)) }
                let used = condition.fields.union(countedFields)
                lines += reading.pipes.filter { !$0.makes.isDisjoint(with: used) }.map(\.text)
                if usesDerived { lines.append("filter " + (try LogsQLText.filter(later(condition)))) }
            }
            if keys.contains(.ip) { lines += networkPipes(&notes) }
            lines += try counting(&notes)
            lines += renames
            lines.append("filter events:>=\(rule.condition.count)")
            lines.append("sort by (events desc) limit \(LogsQLQuery.limit)")
            return lines
        }

        private var stream: String {
            // Older servers know no lists in a stream's filter.
            let names = reading.jobs.joined(separator: "|")
            return "{job\(reading.jobs.count == 1 ? "=" : "=~")\(LogsQLText.quoted(names))}"
        }

        /// Events that lack a key are not counted, unless it is one of their server.
        private var presence: [Condition] {
            guard !isPlain else { return [] }
            var needed = keys.filter { ![.cluster, .instance, .path].contains($0) }
            if case .distinct(let key, _, _) = rule.condition { needed.append(key) }
            return needed.compactMap { reading.fields[$0] }.map { Condition.has($0) }
        }

        private var countedFields: Set<String> {
            Set(keys.compactMap { reading.fields[$0] } + [distinctField].compactMap { $0 })
        }

        /// Those parts that could not be asked for at once.
        private func later(_ condition: Condition) -> Condition {
            guard case .all(let parts) = condition else { return condition }
            return .and(parts.filter { !$0.fields.isDisjoint(with: reading.derived) })
        }

        /// IPv6 by its /64, as far as the text of an address shows it.
        private func networkPipes(_ notes: inout Notes) -> [String] {
            notes.add(
                "IPv6 addresses are grouped by their /64 as far as it stands in their text: with zeroes among its four "
                    + "groups, by what comes before ::")
            let expression = "^(?P<client>[0-9.]+$|(?:[0-9a-fA-F]+:){4}|(?:[0-9a-fA-F]+:){1,3}|:)"
            return [
                "extract_regexp \(LogsQLText.quoted(expression)) from \(LogsQLText.name(reading.address))"
                    + (reading.derived.isEmpty ? "" : RawColumns.keeping),
                #"format if (client:~":$") "<client>:/64" as client"#,
            ]
        }

        private var distinctField: String? {
            guard case .distinct(let key, _, _) = rule.condition else { return nil }
            return reading.fields[key]
        }

        /// `by (…)`: what comes first is written as it is, the rest are fields.
        private func grouping(first: [String] = [], _ more: [String] = []) -> String {
            let fields = keys.map { $0 == .ip ? "client" : LogsQLText.name(reading.fields[$0] ?? $0.rawValue) }
            var names = first
            for name in fields + more.map(LogsQLText.name) where !names.contains(name) { names.append(name) }
            return names.isEmpty ? "" : "by (\(names.joined(separator: ", "))) "
        }

        private func counting(_ notes: inout Notes) throws(NotExpressible) -> [String] {
            if let field = distinctField {
                return ["stats \(grouping())count_uniq(\(LogsQLText.name(field))) as events"]
            }
            guard let identity = reading.identity.map(LogsQLText.name), let weight = reading.weight.map(LogsQLText.name)
            else {
                if !isPlain, rule.countsFailures {
                    notes.add("a client that tries twice at once for want of TLS (sslmode=prefer) counts twice")
                }
                return ["stats \(grouping())count() as events"]
            }
            guard !isPlain else { return ["stats \(grouping())count_uniq(\(identity)) as events"] }
            let weigh = "math \(weight) default 1 as weight"
            guard rule.countsFailures else {
                return [
                    weigh, "stats \(grouping(first: [identity]))max(weight) as weight",
                    "stats \(grouping())sum(weight) as events",
                ]
            }
            notes.add(
                "of two failures of one client within the same tenth of a second one counts, as of a client that tries "
                    + "again for want of TLS; when a tenth ends between the two, both count")
            let same = ["source.ip", "user.name", "db.namespace"]
            return [
                weigh, "stats \(grouping(first: ["_time:\(LogsQLQuery.retry)", identity], same))max(weight) as weight",
                "stats \(grouping(first: ["_time"], same))sum(weight) as some, count() as tries",
                "math some - min(tries - 1, 1) as counted", "stats \(grouping())sum(counted) as events",
            ]
        }

        /// Names that Alertmanager takes for labels.
        private var renames: [String] {
            let pairs = keys.compactMap { key -> String? in
                guard let field = key == .ip ? "client" : reading.fields[key], field != label(key, reading) else {
                    return nil
                }
                return "\(LogsQLText.name(field)) as \(label(key, reading))"
            }
            return pairs.isEmpty ? [] : ["rename " + pairs.joined(separator: ", ")]
        }
    }
}

extension Rule {
    /// True when nothing but failed logins counts, which a client may repeat at once.
    var countsFailures: Bool {
        guard let words = match.words(of: .action) else { return false }
        return words.allSatisfy { $0 == "auth.failure" }
    }
}

/// Durations as people and engines write them.
enum Durations {
    /// `10m`, `6h`, `1d`; milliseconds that are no whole seconds are rounded up.
    static func text(_ milliseconds: Int64) -> String {
        let seconds = (milliseconds + 999) / 1000
        for (unit, length) in [("d", Int64(86_400)), ("h", 3600), ("m", 60)] where seconds % length == 0 && seconds > 0
        {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }
}
