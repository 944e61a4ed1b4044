import EventStore
import VigilModel

/// A part of a story as it is shown: what belongs together stands together.
public enum StoryBlock: Sendable {
    /// What happened in one session.
    case session(SessionBlock)
    /// Logins and probes from one address that led nowhere.
    case attempts(AttemptBlock)
    /// Sessions that did nothing worth a line but log in.
    case logins(LoginBlock)
    /// What has no session: a log of another program.
    case line(StoryLine)
    /// An alert that was fired by no session that is shown.
    case alert(StoryAlert)
    /// A ban.
    case ban(Ban)

    /// When it begins.
    public var start: LogTime {
        switch self {
        case .session(let block): block.first
        case .attempts(let block): block.first
        case .logins(let block): block.first
        case .line(let line): line.first
        case .alert(let alert): alert.time
        case .ban(let ban): ban.start
        }
    }

    /// Lines that it takes to show.
    var height: Int {
        switch self {
        case .session(let block): block.height
        case .attempts(let block): block.height
        case .logins(let block): block.count > 0 ? 1 : 0
        case .line, .alert, .ban: 1
        }
    }
}

/// One session.
public struct SessionBlock: Sendable {
    /// One thing in it.
    public enum Entry: Sendable {
        /// What was done.
        case line(StoryLine)
        /// What a rule made of it.
        case alert(StoryAlert)
    }

    /// The event that it began with: who, from where, on which instance.
    public let head: StoryEvent
    /// When its last event happened.
    public internal(set) var last: LogTime
    /// What happened in it.
    public internal(set) var entries: [Entry] = []
    /// Entries that were let go at the front.
    public internal(set) var omitted = 0

    /// When its first event happened.
    public var first: LogTime { head.time }

    var height: Int { entries.count + 1 }
}

/// Like events in a row.
public struct StoryLine: Sendable {
    /// The first of them.
    public let event: StoryEvent
    /// When the last of them happened.
    public internal(set) var last: LogTime
    /// How many.
    public internal(set) var count: Int64

    /// When the first of them happened.
    public var first: LogTime { event.time }

    init(_ event: StoryEvent) {
        self.event = event
        last = event.time
        count = event.count
    }

    /// True when the next event is the same again.
    func takes(_ next: StoryEvent) -> Bool {
        event.action == next.action && event.reason == next.reason && event.outcome == next.outcome
            && event.severity == next.severity && event.message == next.message && event.object == next.object
            && event.user == next.user && event.database == next.database && event.address == next.address
            && event.instance == next.instance && event.tags == next.tags && event.session == next.session
    }

    mutating func take(_ next: StoryEvent) {
        last = next.time
        count += next.count
    }
}

/// Sessions of one user from one address that did nothing worth a line but log in, with nothing else between them.
public struct LoginBlock: Sendable {
    /// The first of the logins: who, from where, on which instance.
    public let head: StoryEvent
    /// When the last of them happened.
    public internal(set) var last: LogTime
    /// How many sessions; none when all of them did more after all.
    public internal(set) var count = 1

    /// When the first of them happened.
    public var first: LogTime { head.time }
}

/// Logins and probes from one address that led nowhere.
public struct AttemptBlock: Sendable {
    /// What is counted together.
    public struct Kind: Hashable, Sendable {
        /// What and why.
        public let action: String
        /// `event.reason`.
        public let reason: String?
        /// As whom, to which database.
        public let user, database: String?
    }

    /// The first of them: from where, on which instance.
    public let head: StoryEvent
    /// When the last of them happened.
    public internal(set) var last: LogTime
    /// How many there were.
    public internal(set) var count: Int64 = 0
    /// How many of each kind.
    public internal(set) var kinds: [Kind: Int64] = [:]
    /// Attempts whose kind is not kept: there are too many.
    public internal(set) var others: Int64 = 0

    /// When the first of them happened.
    public var first: LogTime { head.time }

    /// Kinds of which a table shows a line each.
    public static let shownKinds = 6

    var height: Int { min(kinds.count, AttemptBlock.shownKinds) + 1 }

    /// A flood of names must not fill memory.
    private static let kindLimit = 1000

    init(_ event: StoryEvent) {
        head = event
        last = event.time
        take(event)
    }

    mutating func take(_ event: StoryEvent) {
        last = event.time
        count += event.count
        let kind = Kind(action: event.action, reason: event.reason, user: event.user, database: event.database)
        guard kinds[kind] != nil || kinds.count < AttemptBlock.kindLimit else {
            others += event.count
            return
        }
        kinds[kind, default: 0] += event.count
    }
}
