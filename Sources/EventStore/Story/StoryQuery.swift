import GRDB
import VigilModel

extension Store {
    /// Hands over what somebody did, with the alerts and bans about it, in the order of time: an event before the
    /// alert that it fired. With `most`, of somebody who did more than that many things the last of them; gives the time
    /// at which the story begins then.
    @discardableResult
    public func story(
        of subject: StorySubject, since: LogTime = .distantPast, until: LogTime = .distantFuture, most: Int? = nil,
        _ body: (StoryItem) throws -> Void
    ) throws -> LogTime? {
        let begin = try most.flatMap { try start(of: subject, since: since, until: until, most: $0) }
        let since = begin ?? since
        let alerts = try storyAlerts(of: subject, since: since, until: until)
        let bans = try storyBans(of: subject, alerts: Set(alerts.map(\.id)), since: since, until: until)
        let marks = (alerts.map(StoryItem.alert) + bans.map(StoryItem.ban)).sorted { $0.time < $1.time }
        var next = 0
        let condition = subject.condition(in: since..<max(since, until))
        try pool.read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT v.*, coalesce(v.message, v.query) AS text FROM event v
                    WHERE \(condition.sql) AND v.time >= ? AND v.time < ? ORDER BY v.time, v.seq
                    """, arguments: condition.allArguments + [since.milliseconds, until.milliseconds])
            while let row = try rows.next() {
                let event = StoryEvent(row)
                while next < marks.count, marks[next].time < event.time {
                    try body(marks[next])
                    next += 1
                }
                try body(.event(event))
            }
        }
        for mark in marks[next...] { try body(mark) }
        return begin
    }

    /// The time from which on there are that many events of somebody; nil when there are fewer in all.
    private func start(of subject: StorySubject, since: LogTime, until: LogTime, most: Int) throws -> LogTime? {
        guard let actors = subject.actors else { return nil }
        let condition = subject.condition(in: since..<max(since, until))
        return try pool.read { db in
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM (\(condition.rows) LIMIT \(most + 1))", arguments: condition.arguments)
            guard let count, count > most else { return nil }
            // Who has many events is soon met by going back in time.
            return try Int64.fetchOne(
                db,
                sql: """
                    SELECT time FROM events INDEXED BY events_time
                    WHERE time >= ? AND time < ? AND actor IN (\(actors.sql)) ORDER BY time DESC LIMIT 1 OFFSET \(most)
                    """, arguments: [since.milliseconds, until.milliseconds] + actors.arguments
            ).map(LogTime.init)
        }
    }

    private func storyAlerts(of subject: StorySubject, since: LogTime, until: LogTime) throws -> [StoryAlert] {
        let test = subject.test
        // From the alerts to the events that they rest on: somebody may have done much that no alert rests on.
        return try pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT a.id, a.time, r.rule, a.severity, a.message, a.events,
                        (SELECT coalesce(e.session, e.origin) FROM evidence x JOIN events e ON e.seq = x.event
                            WHERE x.alert = a.seq ORDER BY e.time DESC, e.seq DESC LIMIT 1) AS session
                    FROM alerts a JOIN rules r ON r.id = a.rule
                    WHERE a.time >= ? AND a.time < ? AND EXISTS (
                        SELECT 1 FROM evidence x CROSS JOIN event v ON v.seq = x.event
                        WHERE x.alert = a.seq AND \(test.sql))
                    ORDER BY a.time, a.seq
                    """, arguments: [since.milliseconds, until.milliseconds] + test.arguments
            ).map {
                StoryAlert(
                    id: $0["id"], time: LogTime(milliseconds: $0["time"]), rule: $0["rule"],
                    severity: Severity(rawValue: $0["severity"]) ?? .info, message: $0["message"],
                    eventCount: $0["events"], session: $0["session"])
            }
        }
    }

    /// Bans that follow from the alerts, and of the address itself.
    private func storyBans(
        of subject: StorySubject, alerts: Set<String>, since: LogTime, until: LogTime
    ) throws -> [Ban] {
        try bans(from: since, to: until).filter { ban in
            guard ban.start >= since, ban.start < until else { return false }
            if case .address(let block) = subject, ban.cidr.overlaps(block) { return true }
            return ban.alertID.map(alerts.contains) ?? false
        }
    }
}

extension StoryEvent {
    fileprivate init(_ row: Row) {
        self.init(
            id: row["id"], time: LogTime(milliseconds: row["time"]), dataset: row["dataset"],
            category: row["category"], action: row["action"], outcome: row["outcome"],
            severity: Severity(rawValue: row["severity"]) ?? .info, count: row["count"])
        reason = row["reason"]
        tags = Set((row["tags"] as String).split(separator: " ").map(String.init)).sorted()
        message = row["text"]
        address = row["address"]
        port = row["port"]
        proxy = row["nat_ip"]
        user = row["user"]
        targetUser = row["target_user"]
        database = row["database"]
        operation = row["operation"]
        object = row["object"]
        session = row["session"]
        application = row["application"]
        authMethod = row["auth_method"]
        tlsVersion = row["tls_version"]
        cluster = row["cluster"]
        instance = row["instance"]
    }
}
