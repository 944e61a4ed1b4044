import ArgumentParser
import EventStore
import Vigil
import VigilModel

/// What `events` and `alerts` take.
struct FilterOptions: ParsableArguments {
    @Option(help: .init("From this time on.", valueName: "time")) var since: TimeArgument?
    @Option(help: .init("Before this time.", valueName: "time")) var until: TimeArgument?
    @Option(help: .init("event.action, as auth.failure.", valueName: "word")) var action: String?
    @Option(help: .init("event.category.", valueName: "word")) var category: String?
    @Option(help: .init("A word in tags.", valueName: "word")) var tag: String?
    @Option(help: .init("source.ip: an address, or a block as 203.0.113.0/24.", valueName: "address")) var sourceIp:
        String?
    @Option(help: .init("user.name.", valueName: "name")) var user: String?
    @Option(help: .init("db.namespace.", valueName: "name")) var db: String?
    @Option(help: .init("postgresql.log.session_id.", valueName: "id")) var session: String?
    @Option(help: .init("db.object.name.", valueName: "name")) var object: String?
    @Option(help: .init("service.name.", valueName: "name")) var cluster: String?
    @Option(help: .init("service.node.name.", valueName: "name")) var instance: String?
    @Option(help: .init("rule.id; of events: those behind its alerts.", valueName: "id")) var rule: String?
    @Option(help: .init("rule.family, likewise.", valueName: "word")) var family: String?
    @Option(help: .init("At least so severe: info, low, medium, high, critical.", valueName: "severity"))
    var severity: Severity?
    @Option(help: .init("The newest rows only; of counts, the largest.", valueName: "number")) var limit: Int?
    @Option(help: .init("Count by these keys, as shown by --format jsonl.", valueName: "key,key")) var groupBy: String?
    @Option(help: "table, jsonl or csv.") var format: OutputFormat = .table

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1.") }
        if let sourceIp, CIDR(sourceIp) == nil {
            throw ValidationError("--source-ip takes an address or a block, as 203.0.113.7 or 203.0.113.0/24.")
        }
        if let since, let until, since.time >= until.time { throw ValidationError("--since must be before --until.") }
    }

    /// True when all rows are meant.
    var isEmpty: Bool {
        let filter = filter()
        return filter.values.isEmpty && filter.since == nil && filter.until == nil && filter.severity == nil
            && filter.limit == nil && groupBy == nil
    }

    func filter() -> EventFilter {
        var filter = EventFilter()
        filter.since = since?.time
        filter.until = until?.time
        filter.severity = severity
        filter.limit = limit
        let given: [(String, String?)] = [
            ("event.action", action), ("event.category", category), ("tags", tag), ("source.ip", sourceIp),
            ("user.name", user), ("db.namespace", db), ("postgresql.log.session_id", session),
            ("db.object.name", object), ("service.name", cluster), ("service.node.name", instance),
            ("rule.id", rule), ("rule.family", family),
        ]
        filter.values = given.compactMap { key, value in value.map { (key, $0) } }
        return filter
    }

    /// Writes the rows that the options ask for. `tableKeys` are those that fit a screen.
    func show(_ what: Queryable, in store: Store, tableKeys: [String]) throws {
        var filter = filter()
        for (key, _) in filter.values where !what.isChosen(by: key) {
            let other = [("events", Queryable.events), ("alerts", .alerts)].first { $0.1.names.contains(key) }
            let hint = other.map { "; use pgvigil \($0.0)" } ?? ""
            throw Failure(ValidationError("\(key) is no key of these rows\(hint)"), code: 2)
        }
        if let groupBy {
            let keys = groupBy.split(separator: ",").map(String.init)
            guard !keys.isEmpty else { throw Failure(ValidationError("--group-by needs a key"), code: 2) }
            var writer = RowWriter(format, columns: keys + ["count"])
            try store.count(what, filter, by: keys) { writer.write($0) }
            writer.finish()
            return
        }
        // A screen holds the newest; for machines all rows are meant.
        let isCut = format == .table && filter.limit == nil
        if isCut { filter.limit = 200 }
        var writer = RowWriter(format, columns: format == .table ? tableKeys : what.names)
        try store.query(what, filter) { writer.write($0) }
        writer.finish()
        if isCut && writer.count == 200 { Talk.say("the newest 200; --limit N shows more, --format jsonl all") }
        if writer.count == 0 { Talk.say("nothing matches") }
    }
}

/// Shows events.
struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show events of the store.",
        discussion: """
              pgvigil events --action auth.failure --group-by source.ip,user.name
              pgvigil events --tag priv.grant --since 2026-03-01 --format jsonl
              pgvigil events --session 69a5be29.51e0
              pgvigil events --source-ip 203.0.113.0/24 --rule auth-spray --format csv
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup(title: "Which events") var filter: FilterOptions

    func run() throws {
        try reporting {
            let store = try Store(existing: common.storePath(try common.load()))
            try filter.show(
                .events, in: store,
                tableKeys: [
                    "@timestamp", "event.severity", "event.action", "event.reason", "source.address", "user.name",
                    "db.namespace", "message",
                ])
        }
    }
}

/// Shows the hourly counters.
struct ActivityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activity", abstract: "Show who touched what: hourly counters of pgaudit records and connections.",
        discussion: """
            What is too ordinary to be an event is counted: every record of pgaudit's by \
            user, database, class, command and object, and connection lines by user and \
            database.

              pgvigil activity --object public.salaries --group-by user.name,pgaudit.class
              pgvigil activity --user report_ro --since 2026-03-02 --format jsonl
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup(title: "Which counters") var filter: FilterOptions

    func run() throws {
        try reporting {
            let store = try Store(existing: common.storePath(try common.load()))
            try filter.show(
                .activity, in: store,
                tableKeys: [
                    "@timestamp", "user.name", "db.namespace", "pgaudit.class", "db.operation.name",
                    "db.object.name", "event.count",
                ])
        }
    }
}
