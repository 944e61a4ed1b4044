import EventStore
import Vigil
import VigilModel

/// A story for a person: who, from where, what happened in order, what was made of it.
struct StoryText {
    private(set) var lines: [String] = []
    private let subject: StorySubject
    private let totals: StoryTotals
    private var day = ""
    /// Names of instances help only where there is more than one.
    private var hasInstances: Bool { totals.instances.count > 1 }

    init(_ story: StoryBuilder, subject: StorySubject, activity: [UserActivity]) {
        self.subject = subject
        totals = story.totals
        head()
        if story.omitted > 0 { lines += ["", "… \(Sizes.plural(story.omitted, "earlier part")) not shown"] }
        for block in story.story { add(block) }
        add(activity)
    }

    // MARK: - The head

    private mutating func head() {
        var parts = [
            "\(Shown.text(subject.name, limit: 100)), \(subject.word == "address" ? "an" : "a") \(subject.word): "
                + Sizes.plural(Int(totals.events), "event")
        ]
        if totals.alerts > 0 { parts.append(Sizes.plural(totals.alerts, "alert")) }
        if totals.bans > 0 { parts.append(Sizes.plural(totals.bans, "ban")) }
        var line = parts.joined(separator: ", ")
        if let first = totals.first, let last = totals.last { line += ", \(span(first, last, withDay: true)) UTC" }
        lines.append(line)
        if subject.word != "address" { add("from", totals.addresses) }
        if subject.word != "user" { add("users", totals.users) }
        add("databases", totals.databases)
        add("instances", totals.instances)
        add("what", totals.actions)
    }

    /// `from       203.0.113.7 (17), 10.20.1.11 (2)`.
    private mutating func add(_ title: String, _ counts: [String: Int64]) {
        guard !counts.isEmpty else { return }
        let sorted = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        let shown = sorted.prefix(6).map { "\(StoryText.name($0.key)) (\(Sizes.count($0.value)))" }
        let more = sorted.count > 6 ? ", and \(Sizes.count(Int64(sorted.count - 6))) more" : ""
        lines.append("  \(StoryText.padded(title, 11))\(shown.joined(separator: ", "))\(more)")
    }

    // MARK: - What happened

    private mutating func add(_ block: StoryBlock) {
        let day = block.start.formatted(separator: " ").prefix(10)
        if day != self.day {
            self.day = String(day)
            lines += ["", self.day]
        }
        switch block {
        case .session(let block): add(block)
        case .attempts(let block): add(block)
        case .logins(let block):
            let many = block.count > 1 ? "\(Sizes.count(Int64(block.count))) sessions" : "session"
            let id = block.count > 1 ? "" : " \(block.head.session.map { Shown.text($0, limit: 60) } ?? "?")"
            lines.append(
                item(
                    span(block.first, block.last),
                    "\(many)\(id)  \(who(block.head, withPort: block.count == 1)), \(StoryText.login(block.head))"))
        case .line(let line):
            let event = line.event
            lines.append(
                item(
                    span(line.first, line.last),
                    "\(StoryText.severity(event.severity))\(what(line)) \(who(event))  [\(event.dataset)]"))
        case .alert(let alert): lines.append(item(span(alert.time, alert.time), StoryText.text(alert)))
        case .ban(let ban):
            let mode = ban.mode == .observe ? ", observed" : ""
            lines.append(
                item(
                    span(ban.start, ban.start),
                    "BAN   \(ban.cidr) until \(ban.end): \(ban.ruleID), \(Sizes.plural(Int(ban.eventCount), "event"))\(mode)"
                ))
        }
    }

    private mutating func add(_ block: SessionBlock) {
        let head = block.head
        var text = "session \(head.session.map { Shown.text($0, limit: 60) } ?? "?")  \(who(head))"
        if let application = head.application {
            text += ", application \(Shown.quoted(String(application.prefix(40))))"
        }
        lines.append(item(span(block.first, block.last), text))
        if block.omitted > 0 { lines.append(StoryText.margin + "… \(block.omitted) earlier lines of it not shown") }
        for entry in block.entries {
            switch entry {
            case .alert(let alert): lines.append(StoryText.margin + clock(alert.time) + "  " + StoryText.text(alert))
            case .line(let line):
                let time =
                    clock(line.first) + (line.count > 1 && line.last > line.first ? " – \(clock(line.last))" : "")
                lines.append(StoryText.margin + "\(time)  \(StoryText.severity(line.event.severity))\(what(line))")
            }
        }
    }

    private mutating func add(_ block: AttemptBlock) {
        let kinds = block.kinds.sorted { ($1.value, $0.key.words) < ($0.value, $1.key.words) }
        let users = Set(kinds.compactMap(\.key.user)).count
        let many = users > 1 ? " as \(users) users" : ""
        var text = "\(Sizes.count(block.count)) \(block.words)\(many)"
        if let address = block.head.address { text += " from \(Shown.text(address, limit: 60))" }
        if let proxy = block.head.proxy { text += " through \(proxy)" }
        text += on(block.head)
        guard kinds.count > 1 || block.others > 0 else {
            let only = kinds.first.map { $0.key.reasonAndNames } ?? ""
            lines.append(item(span(block.first, block.last), text + only))
            return
        }
        lines.append(item(span(block.first, block.last), text))
        for (kind, count) in kinds.prefix(AttemptBlock.shownKinds) {
            lines.append(StoryText.margin + "\(Sizes.count(count)) × \(kind.action)\(kind.reasonAndNames)")
        }
        let rest = kinds.dropFirst(AttemptBlock.shownKinds)
        let count = rest.reduce(block.others) { $0 + $1.value }
        if count > 0 { lines.append(StoryText.margin + "\(Sizes.count(count)) × others") }
    }

    /// What an event says, in one line.
    private func what(_ line: StoryLine) -> String {
        let event = line.event
        let times = line.count > 1 ? "\(Sizes.count(line.count)) × " : ""
        if event.action == "auth.success" {
            return times + StoryText.login(event)
        }
        let reason = event.reason.map { " (\($0))" } ?? ""
        let outcome = event.outcome == "failure" && !event.action.hasSuffix("denied") ? ", failed" : ""
        let isOthers = event.user.map { $0 != subject.name } ?? false
        let by = subject.word == "user" && isOthers ? " by \(Shown.quoted(event.user ?? ""))" : ""
        let more = event.tags.filter { $0 != event.action && !event.action.hasPrefix($0 + ".") }
        let tags = more.isEmpty ? "" : " [\(more.joined(separator: " "))]"
        let text =
            event.message.map { ": \(Shown.text($0.split(separator: "\n").joined(separator: " "), limit: 160))" } ?? ""
        return "\(times)\(event.action)\(reason)\(outcome)\(by)\(tags)\(text)"
    }

    private static func login(_ event: StoryEvent) -> String {
        let how = [event.authMethod, event.tlsVersion].compactMap { $0.map { Shown.text($0) } }
        return "logged in" + (how.isEmpty ? "" : " (\(how.joined(separator: ", ")))")
    }

    /// `report_ro@webshop from 203.0.113.7:51234 through 10.0.0.2 on shop-1`.
    private func who(_ event: StoryEvent, withPort: Bool = true) -> String {
        var text = StoryText.names(event.user, event.database)
        if let address = event.address {
            text += " from \(Shown.text(address, limit: 60))"
            // What follows the last colon of an IPv6 address would be read as a part of it.
            if withPort, let port = event.port { text += address.contains(":") ? ", port \(port)" : ":\(port)" }
        }
        if let proxy = event.proxy {
            text += " through \(proxy)" + (event.tags.contains("proxy.candidate") ? " (the likeliest client)" : "")
        }
        return text + on(event)
    }

    private func on(_ event: StoryEvent) -> String {
        hasInstances ? (event.instance ?? event.cluster).map { " on \(Shown.text($0, limit: 60))" } ?? "" : ""
    }

    static func names(_ user: String?, _ database: String?) -> String {
        (user.map(name) ?? "nobody") + (database.map { "@" + name($0) } ?? "")
    }

    /// A name that could be taken for words of ours, or holds an `@`, stands in quotes.
    private static func name(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy {
            [45, 46, 58, 91, 93, 95].contains($0) || (48...57).contains($0) || (65...90).contains($0 & 0xDF)
        }
        return isPlain && !text.isEmpty && text.count <= 60
            ? text : Shown.quoted(String(text.prefix(60))) + (text.count > 60 ? "…" : "")
    }

    private static func text(_ alert: StoryAlert) -> String {
        "ALERT \(alert.severity.rawValue): \(Shown.text(alert.message, limit: 300))  [\(alert.rule)] \(alert.id.prefix(8))"
    }

    /// What does not matter much needs no word.
    private static func severity(_ severity: Severity) -> String {
        severity >= .medium ? "\(severity.rawValue.uppercased())  " : ""
    }

    // MARK: - Counters

    private mutating func add(_ activity: [UserActivity]) {
        guard !activity.isEmpty else { return }
        lines += ["", "too ordinary for a line each, counted by the hour (more: pgvigil activity --user)"]
        for entry in activity {
            let what = [entry.auditClass, entry.command, entry.object].compactMap { $0 }
                .map { Shown.text($0, limit: 60) }.joined(separator: " ")
            let place = entry.database.map { " in \(Shown.text($0, limit: 60))" } ?? ""
            let number = Sizes.count(entry.count)
            lines.append(
                "  \(String(repeating: " ", count: max(0, 9 - number.count)))\(number) × \(what)\(place), "
                    + "\(hour(entry.first))" + (entry.last > entry.first ? " – \(hour(entry.last))" : ""))
        }
    }

    private func hour(_ time: LogTime) -> String {
        String(time.formatted(separator: " ").prefix(13)) + " h"
    }

    // MARK: - Times

    private static let margin = String(repeating: " ", count: 23)

    private func item(_ time: String, _ text: String) -> String { StoryText.padded(time, 21) + "  " + text }

    private func clock(_ time: LogTime) -> String { String(time.formatted(separator: " ").dropFirst(11).prefix(8)) }

    /// `16:40:01 – 16:42:50`; with the day where the two differ in it.
    private func span(_ first: LogTime, _ last: LogTime, withDay: Bool = false) -> String {
        func moment(_ time: LogTime, _ withDay: Bool) -> String {
            withDay ? String(time.formatted(separator: " ").prefix(19)) : clock(time)
        }
        if clock(first) == clock(last), last.milliseconds - first.milliseconds < 1000 { return moment(first, withDay) }
        let isOneDay = first.formatted(separator: " ").prefix(10) == last.formatted(separator: " ").prefix(10)
        if !isOneDay && !withDay {
            return "\(clock(first)) – \(last.formatted(separator: " ").dropFirst(5).prefix(11))"
        }
        return "\(moment(first, withDay)) – \(moment(last, withDay && !isOneDay))"
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension AttemptBlock {
    /// What they are.
    fileprivate var words: String {
        let isOne = count == 1
        if kinds.keys.allSatisfy({ $0.action.hasPrefix("probe.") }) { return isOne ? "probe" : "probes" }
        return isOne ? "failed login" : "failed logins"
    }
}

extension AttemptBlock.Kind {
    fileprivate var words: String { "\(action) \(reason ?? "") \(user ?? "") \(database ?? "")" }

    fileprivate var reasonAndNames: String {
        let reason = reason.map { " (\($0))" } ?? ""
        return reason + (user == nil && database == nil ? "" : " as \(StoryText.names(user, database))")
    }
}
