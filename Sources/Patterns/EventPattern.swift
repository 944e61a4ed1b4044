import VigilModel

/// Says what a record means: which columns it must show, what is read from its texts, and what follows.
public struct EventPattern: Sendable {
    /// Name of the pattern, unique in the catalogue.
    public let id: String
    /// What it recognises, for people.
    public let description: String
    /// The file and line it stands at.
    public let place: String
    /// What a record must show.
    public let condition: RecordCondition
    /// What is read from texts: named groups become event keys (`auth_method`, `hba_rule`, `tls_version`).
    public let readings: [(column: LogColumn, regex: Regex)]
    /// What follows from a match.
    public let effect: Effect
    /// Under which word records that match are counted by the hour, if they are.
    public let counter: String?

    /// What follows from a match.
    public enum Effect: Sendable {
        /// An event at once.
        case event(EventKind)
        /// An event when the session did get in: at its next record that is no refusal.
        case login(EventKind)
        /// What was read joins the session's login.
        case evidence
        /// The text behind the template is SQL; statement patterns decide.
        case statement
        /// Nothing but the counter.
        case counted
    }
}

/// What a record must show in the columns that the server writes. All that is given must hold.
public struct RecordCondition: Sendable {
    /// Exact SQLSTATEs, or classes as their first two characters. Empty: any.
    public var states: [String] = []
    /// Severity words in any of the server's languages. Empty: any.
    public var severities: [[UInt8]] = []
    /// Command tags (csvlog column 8); `` stands for none. Empty: any.
    public var commandTags: [[UInt8]] = []
    /// Backend types (column 24, PostgreSQL 13+; older records have none and pass). Empty: any.
    public var backendTypes: [[UInt8]] = []
    /// Columns that must be NULL or empty: a client's `RAISE` always fills context and query.
    public var absent: [LogColumn] = []
    /// The message must be one of these. Empty: any.
    public var messages: [MessageTemplate] = []
    /// The message must be one of these about the record's own user. Empty: any.
    public var messagesAboutUser: [MessageTemplate] = []
    /// The detail must start with one of these about the record's own user. Empty: any.
    public var detailsAboutUser: [MessageTemplate] = []

    /// True when the SQLSTATE fits.
    public func covers(state: String) -> Bool {
        states.isEmpty || states.contains { $0.count == 2 ? state.hasPrefix($0) : $0 == state }
    }

    /// True when the record shows all of it. `state` was tested before.
    public func holds(for record: LogRecord) -> Bool {
        guard severities.isEmpty || severities.contains(where: { record.equals(.severity, $0) }),
            commandTags.isEmpty || commandTags.contains(where: { record.equals(.commandTag, $0) }),
            backendTypes.isEmpty || record.isEmpty(.backendType)
                || backendTypes.contains(where: { record.equals(.backendType, $0) }),
            absent.allSatisfy({ record.isEmpty($0) })
        else { return false }
        return textsHold(for: record)
    }

    private func textsHold(for record: LogRecord) -> Bool {
        if messages.isEmpty && messagesAboutUser.isEmpty && detailsAboutUser.isEmpty { return true }
        if !messages.isEmpty, template(of: record) == nil { return false }
        if !messagesAboutUser.isEmpty {
            let (message, user) = (record.content(.message), record.content(.userName))
            guard messagesAboutUser.contains(where: { $0.matches(message, about: user) }) else { return false }
        }
        if !detailsAboutUser.isEmpty {
            let (detail, user) = (record.content(.detail), record.content(.userName))
            guard detailsAboutUser.contains(where: { $0.matches(detail, about: user) }) else { return false }
        }
        return true
    }

    /// The message template that the record's message fits.
    public func template(of record: LogRecord) -> MessageTemplate? {
        var copy: [UInt8]?
        for template in messages where record.starts(.message, with: template.quotedPrefix) {
            // A template that ends in a blank needs no look at the rest.
            if template.endsOpen { return template }
            let message = copy ?? record.content(.message)
            copy = message
            if template.matches(message) { return template }
        }
        return nil
    }
}

/// Says what a statement means.
public struct StatementPattern: Sendable {
    /// Name of the pattern, unique in the catalogue.
    public let id: String
    /// What it recognises, for people.
    public let description: String
    /// The file and line it stands at.
    public let place: String
    /// Command tags; one that ends in ` *` stands for all that start so.
    public let commands: [String]
    /// PCRE2 over the statement's normal form (keywords upper-case, literals as `?`, quoted names quoted).
    public let shape: Regex?
    /// What follows.
    public let kind: EventKind

    /// True when the statement is meant.
    public func matches(command: String, shape text: @autoclosure () -> [UInt8]) -> Bool {
        let named = commands.contains { pattern in
            pattern.hasSuffix(" *") ? command.hasPrefix(pattern.dropLast()) : command == pattern
        }
        return named && (shape.map { $0.match(text()) != nil } ?? true)
    }
}
