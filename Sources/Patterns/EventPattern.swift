import VigilModel

/// Says what a record means: which columns it must show, what is read from its texts, and what follows. A class, so that
/// looking at one costs nothing.
public final class EventPattern: Sendable {
    /// Name of the pattern, unique in the catalogue.
    public let id: String
    /// What it recognises, for people.
    public let description: String
    /// The file and line it stands at.
    public let place: String
    /// What a record must show.
    public let condition: RecordCondition
    /// Messages whose first blank is the object's name, with the object's type.
    public let objects: [(type: String, messages: [MessageTemplate])]
    /// What is read from texts: named groups become event keys (`EventField`).
    public let readings: [(column: LogColumn, regex: Regex)]
    /// True when expressions are to be looked at.
    public let hasExpressions: Bool
    /// What follows from a match.
    public let effect: Effect
    /// Under which word records that match are counted by the hour, if they are.
    public let counter: String?
    /// Which records that match are one event; nil: each is one.
    public let once: Once?
    /// What the record says of its session.
    public let session: SessionStep?

    init(
        id: String, description: String, place: String, condition: RecordCondition,
        objects: [(type: String, messages: [MessageTemplate])] = [],
        readings: [(column: LogColumn, regex: Regex)], effect: Effect, counter: String?,
        once: Once?, session: SessionStep?
    ) {
        self.id = id
        self.description = description
        self.place = place
        self.condition = condition
        hasExpressions = !condition.expressions.isEmpty || condition.about != nil
        self.objects = objects
        self.readings = readings
        self.effect = effect
        self.counter = counter
        self.once = once
        self.session = session
    }

    /// True when the record's columns are those asked for; SQLSTATE and message were looked at before.
    public func columnsHold(for record: LogRecord) -> Bool { condition.columnsHold(for: record) }

    /// True when the record's message is one of those asked for.
    public func messageHolds(for record: LogRecord) -> Bool { condition.messageHolds(for: record) }

    /// Type and name of the object that the record's message is about. Of several messages that fit, that with most
    /// text of its own is meant.
    public func object(of record: LogRecord) -> (type: String, name: [UInt8])? {
        if objects.isEmpty { return nil }
        let message = record.content(.message)
        var best: (type: String, template: MessageTemplate, name: Range<Int>)?
        for (type, templates) in objects {
            for template in templates where template.length > best?.template.length ?? 0 {
                if let name = template.firstBlank(of: message) { best = (type, template, name) }
            }
        }
        return best.map { ($0.type, Array(message[$0.name])) }
    }
    /// What keeps a record from being this pattern's: how many of its conditions hold before the first that does not, and
    /// which that is; nil when all hold.
    public func mismatch(_ record: LogRecord) -> (held: Int, reason: String)? { condition.mismatch(record) }

    /// What follows from a match.
    public enum Effect: Sendable {
        /// An event at once.
        case event(EventKind)
        /// An event when the session did get in: at its next record that is no refusal.
        case login(EventKind)
        /// What was read joins the session's login.
        case evidence
        /// The record tells of a statement; statement patterns decide.
        case statement(StatementCarrier)
        /// Nothing but the counter.
        case counted
    }
}

/// What a record must show in the columns that the server writes. All that is given must hold.
public struct RecordCondition: Sendable {
    /// Whose log it must be.
    public var dataset = LogDataset.postgresql
    /// Exact SQLSTATEs, or classes as their first two characters. Empty: any.
    public var states: [String] = []
    /// Severity words in any of the server's languages. Empty: any.
    public var severities = WordSet()
    /// Command tags (csvlog column 8); `` stands for none. Empty: any.
    public var commandTags = WordSet()
    /// Backend types (column 24, PostgreSQL 13+; older records have none and pass). Empty: any.
    public var backendTypes = WordSet()
    /// Columns that must be NULL or empty: a client's `RAISE` always fills context and query.
    public var absent: [LogColumn] = []
    /// The message must be one of these. Empty: any.
    public var messages: [MessageTemplate] = []
    /// Expressions that must match a column; what their named groups hold becomes part of the event.
    public var expressions: [(column: LogColumn, regex: Regex)] = []
    /// What must match the text in the message's first blank. nil: anything.
    public var about: Regex?
    /// The message must be one of these about the record's own user. Empty: any.
    public var messagesAboutUser: [MessageTemplate] = []
    /// The detail must start with one of these about the record's own user. Empty: any.
    public var detailsAboutUser: [MessageTemplate] = []

    /// True when the SQLSTATE fits.
    public func covers(state: String) -> Bool {
        states.isEmpty || states.contains { $0.count == 2 ? state.hasPrefix($0) : $0 == state }
    }

    /// True when the record shows all of it, SQLSTATE and message aside, which were looked at before.
    public func columnsHold(for record: LogRecord) -> Bool {
        guard severities.isEmpty || severities.contains(record, .severity),
            commandTags.isEmpty || commandTags.contains(record, .commandTag),
            backendTypes.isEmpty || record.isEmpty(.backendType) || backendTypes.contains(record, .backendType)
        else { return false }
        for column in absent where !record.isEmpty(column) { return false }
        return messagesAboutUser.isEmpty && detailsAboutUser.isEmpty || textsHold(for: record)
    }

    private func textsHold(for record: LogRecord) -> Bool {
        let user = record.content(.userName)
        if !messagesAboutUser.isEmpty {
            let message = record.content(.message)
            guard messagesAboutUser.contains(where: { $0.matches(message, about: user) }) else { return false }
        }
        if !detailsAboutUser.isEmpty {
            // Most patterns of failures ask for a detail that is not there at all.
            let detail = record.content(.detail)
            guard detailsAboutUser.contains(where: { $0.matches(detail, about: user) }) else { return false }
        }
        return true
    }

    /// The first condition that does not hold, with the number of those that do before it.
    func mismatch(_ record: LogRecord) -> (held: Int, reason: String)? {
        func shown(_ column: LogColumn) -> String { record.text(column).map { "'\($0.prefix(120))'" } ?? "empty" }
        let checks: [(Bool, String)] = [
            (dataset == record.dataset, "it is for \(dataset.name), the record is of \(record.dataset.name)"),
            (
                dataset != .postgresql || covers(state: record.text(.sqlState) ?? ""),
                "sql_state_code is \(shown(.sqlState)), not \(states.joined(separator: ", "))"
            ),
            (messageHolds(for: record), "message is another: \(shown(.message))"),
            (
                severities.isEmpty || severities.contains(record, .severity),
                "error_severity is \(shown(.severity))"
            ),
            (
                commandTags.isEmpty || commandTags.contains(record, .commandTag),
                "command_tag is \(shown(.commandTag))"
            ),
            (
                backendTypes.isEmpty || record.isEmpty(.backendType) || backendTypes.contains(record, .backendType),
                "backend_type is \(shown(.backendType))"
            ),
            (
                absent.allSatisfy { record.isEmpty($0) },
                "\(absent.first { !record.isEmpty($0) }?.name ?? "") is not empty: a client's RAISE fills it"
            ),
            (columnsHold(for: record), "message or detail is not about the record's own user"),
        ]
        if let failed = checks.firstIndex(where: { !$0.0 }) { return (failed, checks[failed].1) }
        for (index, (column, regex)) in expressions.enumerated()
        where !regex.match(record.content(column), Regex.Scratch()) {
            return (checks.count + index, "\(column.name) does not match \(regex.source)")
        }
        if let about, !expressionsHold(for: record, Regex.Scratch()) {
            return (checks.count + expressions.count, "the message's first blank does not match \(about.source)")
        }
        return nil
    }

    /// True when the record's message is one of those that are asked for.
    public func messageHolds(for record: LogRecord) -> Bool {
        messages.isEmpty || messages.contains { $0.matches(record) }
    }

    /// True when the expressions match; looked at last.
    public func expressionsHold(for record: LogRecord, _ scratch: Regex.Scratch) -> Bool {
        for (column, regex) in expressions {
            // What csvlog doubles, an expression must not see.
            guard regex.match(record.content(column), scratch) else { return false }
        }
        guard let about else { return true }
        let message = record.content(.message)
        return messages.contains { template in
            guard template.matches(record), let blank = template.firstBlank(of: message) else { return false }
            return about.match(Array(message[blank]), scratch)
        }
    }
}

/// What a record says of its session, for logs whose later records leave it out.
public enum SessionStep: String, CaseIterable, Sendable {
    /// It begins; `address` and `port` are read.
    case received
    /// It tells who it is.
    case authorized
    /// It is over.
    case ended
}

/// How a record tells of a statement.
public enum StatementCarrier: String, CaseIterable, Sendable {
    /// The text stands behind the template's words: it is about to run.
    case logged
    /// A duration comes first, then a name and the text: it was parsed or bound.
    case prepared
    /// A duration comes first: it is done.
    case timed
    /// A duration alone: the statement logged before is done.
    case ended
    /// A record of pgaudit's.
    case audited
}
