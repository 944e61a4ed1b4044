import EventStore
import VigilModel

/// Puts what somebody did together for a person: by session, attempts by address, like events in a row as one line.
/// Pure: things come in, in the order of time; blocks come out, in the order of their beginnings.
public struct StoryBuilder: Sendable {
    /// What was left out at the front, so that no more lines than asked for are kept.
    public private(set) var omitted = 0
    /// Totals over all of it.
    public private(set) var totals = StoryTotals()
    private var blocks: [StoryBlock] = []
    /// Number of the first block kept.
    private var base = 0
    private var height = 0
    private let limit: Int
    private var sessions: [String: Int] = [:]
    private var attempts: [Place: Int] = [:]
    private var logins: [Place: Int] = [:]
    /// Sessions that have done nothing but log in yet.
    private var quietSessions: [String: (login: StoryEvent, block: Int)] = [:]

    /// What blocks are about.
    private struct Place: Hashable {
        var address, instance, cluster: String?
        var user, database: String?

        init(_ event: StoryEvent) {
            (address, instance, cluster) = (event.address, event.instance, event.cluster)
        }

        init(login event: StoryEvent) {
            self.init(event)
            (user, database) = (event.user, event.database)
        }
    }

    /// No more quiet sessions are remembered.
    private static let quietLimit = 20_000

    /// Attempts after so many milliseconds of quiet are another run.
    private static let quiet: Int64 = 15 * 60_000

    /// Keeps the last lines, about that many.
    public init(limit: Int) { self.limit = limit }

    /// The blocks in order.
    public var story: [StoryBlock] { blocks.filter { $0.height > 0 } }

    /// Takes the next thing.
    public mutating func take(_ item: StoryItem) {
        totals.take(item)
        switch item {
        case .event(let event): take(event)
        case .alert(let alert): take(alert)
        case .ban(let ban): mark(.ban(ban))
        }
        trim()
    }

    private mutating func take(_ event: StoryEvent) {
        if let session = event.session, let number = number(ofSession: session) {
            add(event, toSession: number)
        } else if event.action == "auth.success", let session = event.session {
            login(event, session)
        } else if StoryBuilder.isAttempt(event) {
            attempt(event)
        } else if let session = event.session {
            begin(session, with: event)
        } else if case .line(var line)? = blocks.last, line.takes(event) {
            line.take(event)
            blocks[blocks.count - 1] = .line(line)
        } else {
            append(.line(StoryLine(event)))
        }
    }

    private mutating func begin(_ session: String, with event: StoryEvent) {
        sessions[session] = base + blocks.count
        append(.session(SessionBlock(head: event, last: event.time, entries: [.line(StoryLine(event))])))
    }

    /// The block of a session. One that had only logged in gets its own now.
    private mutating func number(ofSession session: String) -> Int? {
        if let number = known(sessions[session]) { return number }
        guard let quiet = quietSessions.removeValue(forKey: session) else { return nil }
        if let number = known(quiet.block), case .logins(var block) = blocks[number - base] {
            block.count -= 1
            if block.count == 0 { height -= 1 }
            blocks[number - base] = .logins(block)
        }
        begin(session, with: quiet.login)
        return sessions[session]
    }

    private mutating func login(_ event: StoryEvent, _ session: String) {
        let place = Place(login: event)
        if let number = known(logins[place]), case .logins(var block) = blocks[number - base],
            block.last.isSameDay(as: event.time)
        {
            block.count += 1
            block.last = event.time
            blocks[number - base] = .logins(block)
        } else {
            let number = base + blocks.count
            let others = logins
            append(.logins(LoginBlock(head: event, last: event.time)))
            logins = others
            logins[place] = number
        }
        if quietSessions.count >= StoryBuilder.quietLimit { quietSessions = [:] }
        quietSessions[session] = logins[place].map { (event, $0) }
    }

    private mutating func add(_ event: StoryEvent, toSession number: Int) {
        change(session: number) { block in
            block.last = event.time
            guard case .line(var line)? = block.entries.last, line.takes(event) else {
                block.entries.append(.line(StoryLine(event)))
                return
            }
            line.take(event)
            block.entries[block.entries.count - 1] = .line(line)
        }
    }

    /// Changes a session's block in its place: no copy of what a long session did.
    private mutating func change(session number: Int, _ body: (inout SessionBlock) -> Void) {
        guard case .session(var block) = blocks[number - base] else { return }
        blocks[number - base] = .line(StoryLine(block.head))
        height -= block.height
        body(&block)
        if block.entries.count > limit * 2 {
            block.omitted += block.entries.count - limit
            block.entries.removeFirst(block.entries.count - limit)
        }
        height += block.height
        blocks[number - base] = .session(block)
    }

    private mutating func attempt(_ event: StoryEvent) {
        let place = Place(event)
        if let number = known(attempts[place]), case .attempts(var block) = blocks[number - base],
            event.time.milliseconds - block.last.milliseconds <= StoryBuilder.quiet
        {
            blocks[number - base] = .line(StoryLine(block.head))
            height -= block.height
            block.take(event)
            height += block.height
            blocks[number - base] = .attempts(block)
            return
        }
        if attempts.count >= limit { attempts = [:] }
        attempts[place] = base + blocks.count
        append(.attempts(AttemptBlock(event)))
    }

    private mutating func take(_ alert: StoryAlert) {
        // What a session did is read with what was made of it.
        guard let number = alert.session.flatMap({ number(ofSession: $0) }) else { return mark(.alert(alert)) }
        change(session: number) { $0.entries.append(.alert(alert)) }
        attempts = [:]
    }

    /// What comes after an alert or a ban is another run of attempts: one sees what it changed.
    private mutating func mark(_ block: StoryBlock) {
        append(block)
        attempts = [:]
    }

    private mutating func append(_ block: StoryBlock) {
        blocks.append(block)
        height += block.height
        // What happened between logins stands between them.
        logins = [:]
    }

    /// A block that is still kept.
    private func known(_ number: Int?) -> Int? { number.flatMap { $0 >= base ? $0 : nil } }

    /// Lets the oldest blocks go when there are far too many lines.
    private mutating func trim() {
        guard height > limit * 2 || blocks.count > limit * 2 else { return }
        cut(to: limit)
    }

    /// Leaves the last blocks that fit.
    public mutating func finish() { cut(to: limit) }

    private mutating func cut(to limit: Int) {
        var gone = 0
        while gone < blocks.count - 1, height > limit {
            height -= blocks[gone].height
            gone += 1
        }
        guard gone > 0 else { return }
        blocks.removeFirst(gone)
        base += gone
        omitted += gone
        sessions = sessions.filter { $0.value >= base }
    }

    /// A login that failed, or bytes of who never got so far.
    private static func isAttempt(_ event: StoryEvent) -> Bool {
        event.action.hasPrefix("probe.") || (event.category == "authentication" && event.outcome == "failure")
    }
}

extension LogTime {
    fileprivate func isSameDay(as other: LogTime) -> Bool {
        formatted(separator: " ").prefix(10) == other.formatted(separator: " ").prefix(10)
    }
}

/// What a story comes to.
public struct StoryTotals: Sendable {
    /// Events by action.
    public private(set) var actions: [String: Int64] = [:]
    /// Events by address, database and instance: who they came from, where they went. At most a thousand of each.
    public private(set) var addresses: [String: Int64] = [:]
    /// Events by user.
    public private(set) var users: [String: Int64] = [:]
    /// Events by database.
    public private(set) var databases: [String: Int64] = [:]
    /// Events by instance.
    public private(set) var instances: [String: Int64] = [:]
    /// How many events, alerts and bans.
    public private(set) var events: Int64 = 0
    /// How many alerts.
    public private(set) var alerts = 0
    /// How many bans.
    public private(set) var bans = 0
    /// Time of the first and the last thing.
    public private(set) var first, last: LogTime?

    /// True when there is nothing.
    public var isEmpty: Bool { first == nil }

    mutating func take(_ item: StoryItem) {
        first = first ?? item.time
        last = max(last ?? item.time, item.time)
        switch item {
        case .alert: alerts += 1
        case .ban: bans += 1
        case .event(let event):
            events += event.count
            actions[event.action, default: 0] += event.count
            StoryTotals.count(event.address, event.count, in: &addresses)
            StoryTotals.count(event.user, event.count, in: &users)
            StoryTotals.count(event.database, event.count, in: &databases)
            StoryTotals.count(event.instance ?? event.cluster, event.count, in: &instances)
        }
    }

    private static func count(_ name: String?, _ count: Int64, in counts: inout [String: Int64]) {
        guard let name, counts[name] != nil || counts.count < 1000 else { return }
        counts[name, default: 0] += count
    }
}
