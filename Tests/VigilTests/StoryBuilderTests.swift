import EventStore
import Testing
import VigilModel

@testable import Vigil

@Suite("Story builder")
struct StoryBuilderTests {
    private func event(
        _ second: Int64, _ action: String = "ddl", session: String? = "s1", address: String = "203.0.113.7",
        user: String = "bob", message: String? = nil
    ) -> StoryEvent {
        let isLogin = action.hasPrefix("auth.")
        var event = StoryEvent(
            id: "\(second)", time: LogTime(milliseconds: second * 1000), dataset: "postgresql.log",
            category: isLogin ? "authentication" : "database", action: action,
            outcome: action == "auth.failure" ? "failure" : "unknown", severity: .info)
        event.session = session
        event.address = address
        event.user = user
        event.message = message
        return event
    }

    private func alert(_ second: Int64, session: String?) -> StoryItem {
        .alert(
            StoryAlert(
                id: "a", time: LogTime(milliseconds: second * 1000), rule: "r", severity: .high, message: "m",
                eventCount: 1, session: session))
    }

    private func build(_ items: [StoryItem], limit: Int = 100) -> StoryBuilder {
        var builder = StoryBuilder(limit: limit)
        for item in items { builder.take(item) }
        builder.finish()
        return builder
    }

    /// One word a block: `session 2`, `attempts 3`, `logins 2`, `alert`.
    private func words(_ builder: StoryBuilder) -> [String] {
        builder.story.map { block in
            switch block {
            case .session(let block): "session \(block.entries.count)"
            case .attempts(let block): "attempts \(block.count)"
            case .logins(let block): "logins \(block.count)"
            case .line(let line): "line \(line.count)"
            case .alert: "alert"
            case .ban: "ban"
            }
        }
    }

    @Test("sessions that go on side by side are told one after the other")
    func sessions() {
        let built = build([
            .event(event(1, session: "s1", message: "a")), .event(event(2, session: "s2", message: "b")),
            .event(event(3, session: "s1", message: "c")), .event(event(4, session: "s1", message: "c")),
        ])
        #expect(words(built) == ["session 2", "session 1"])
    }

    @Test("failed logins of one address are one run until something came of them, or it was quiet")
    func attempts() {
        let failures = (1...5).map {
            StoryItem.event(event(Int64($0), "auth.failure", session: "x\($0)", user: "u\($0)"))
        }
        #expect(words(build(failures)) == ["attempts 5"])
        let more = [alert(5, session: nil), .event(event(6, "auth.failure", session: "y"))]
        #expect(words(build(failures + more)) == ["attempts 5", "alert", "attempts 1"])
        #expect(
            words(build(failures + [.event(event(2000, "auth.failure", session: "y"))])) == [
                "attempts 5", "attempts 1",
            ])
        let other = StoryItem.event(event(6, "auth.failure", session: "y", address: "203.0.113.8"))
        #expect(words(build(failures + [other])) == ["attempts 5", "attempts 1"])
    }

    @Test("sessions that only log in are one line; one that does more, or sets an alert off, has its own")
    func logins() {
        let logins = (1...4).map { StoryItem.event(event(Int64($0), "auth.success", session: "s\($0)")) }
        #expect(words(build(logins)) == ["logins 4"])
        #expect(words(build(logins + [.event(event(9, session: "s2"))])) == ["logins 3", "session 2"])
        #expect(words(build(logins + [alert(9, session: "s3")])) == ["logins 3", "session 2"])
        #expect(words(build([logins[0], .event(event(9, session: "s1"))])) == ["session 2"])
    }

    @Test("a flood takes no more memory than its last lines")
    func bounded() {
        var builder = StoryBuilder(limit: 50)
        for second in 0..<20_000 {
            let number = Int64(second)
            builder.take(.event(event(number, session: "s\(second % 700)", message: "\(second)")))
            builder.take(.event(event(number, "auth.failure", session: nil, address: "a\(second)", user: "u\(second)")))
            builder.take(.event(event(number, "auth.success", session: "l\(second)", address: "b\(second)")))
            #expect(builder.story.count <= 110)
        }
        builder.finish()
        #expect(builder.story.count <= 50 && builder.omitted > 0)
        #expect(builder.totals.events == 60_000)
    }

    @Test("as many lines are kept as were asked for, of sessions that log in and then do something, too")
    func full() {
        var builder = StoryBuilder(limit: 50)
        for second in 0..<5000 {
            let number = Int64(second)
            builder.take(.event(event(number, "auth.success", session: "s\(second)", address: "a\(second)")))
            builder.take(.event(event(number, session: "s\(second)", message: "\(second)")))
        }
        builder.finish()
        // A session is a line for itself and one for each of the two things in it.
        #expect(words(builder) == Array(repeating: "session 2", count: 16))
    }
}
