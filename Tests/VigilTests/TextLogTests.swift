import EventStore
import Foundation
import LogRecords
import LogSources
import Patterns
import Testing
import VigilModel

@testable import Vigil

/// Logs of PgBouncer, Patroni and pgBackRest from file to store.
@Suite("Logs of other programs")
struct TextLogTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    /// Events of a store as `action:reason address user`.
    private func events(_ store: String = "a.db") throws -> [String] {
        var result: [String] = []
        try Store(existing: place.path(store)).query(.events, EventFilter()) { row in
            func text(_ key: String) -> String {
                if case .text(let text)? = row.first(where: { $0.key == key })?.value { return text }
                return ""
            }
            result.append(
                ["event.action", "event.reason", "source.address", "user.name"].map(text).filter { !$0.isEmpty }
                    .joined(separator: " "))
        }
        return result.sorted()
    }

    /// The lines of one failed login, scram, PgBouncer 1.18.
    private static func failure(
        _ second: Int, _ user: String, from address: String, pointer: String = "C-0x56374cffd610"
    ) -> [String] {
        let time = "2026-03-02 08:41:\(10 + second).595 UTC [17219]"
        return [
            "\(time) LOG \(pointer): shop/\(user)@\(address) login attempt: db=shop user=\(user) tls=no",
            "\(time) ERROR \(pointer): shop/\(user)@\(address) password authentication failed",
            "\(time) LOG \(pointer): shop/\(user)@\(address) closing because: SASL authentication failed (age=0s)",
            "\(time) WARNING \(pointer): shop/\(user)@\(address) pooler error: SASL authentication failed",
        ]
    }

    @Test("a failed login is one event, whatever settings take of its lines", arguments: 1..<16)
    func settings(kept: Int) throws {
        var lines: [String] = []
        for second in 0..<3 {
            let all = TextLogTests.failure(second, "bob", from: "203.0.113.66:4000\(second)")
            lines += all.enumerated().filter { kept & 1 << $0.offset != 0 }.map(\.element)
        }
        lines.append("2026-03-02 08:42:59.595 UTC [17219] LOG got SIGHUP, re-reading config")
        _ = try place.replay([place.write("pgbouncer.log", lines)])
        let failures = try events().filter { $0.hasPrefix("auth.failure") }
        // A login attempt alone is no failure.
        #expect(failures.count == (kept == 1 ? 0 : 3))
        #expect(failures.allSatisfy { $0 == "auth.failure bad_password 203.0.113.66 bob" })
    }

    @Test("one source port that is used again and again is many logins")
    func samePort() throws {
        var lines: [String] = []
        for _ in 0..<5 { lines += TextLogTests.failure(0, "bob", from: "203.0.113.66:40000") }
        _ = try place.replay([place.write("pgbouncer.log", lines)])
        #expect(try events().count == 5)
    }

    @Test("a pooler that the server refuses is not the client's failure")
    func pooler() throws {
        let lines = [
            "2026-03-02 08:41:57.595 UTC [1] WARNING server login failed: FATAL password authentication failed for user \"app\"",
            "2026-03-02 08:41:57.595 UTC [1] LOG C-0x5: shop/app@192.0.2.9:40112 closing because: password authentication failed for user \"app\" (age=2s)",
            "2026-03-02 08:41:57.595 UTC [1] WARNING C-0x5: shop/app@192.0.2.9:40112 pooler error: password authentication failed for user \"app\"",
            "2026-03-02 08:41:57.595 UTC [1] LOG S-0x6: shop/app@192.0.2.5:5432 closing because: password authentication failed (age=0s)",
        ]
        _ = try place.replay([place.write("pgbouncer.log", lines)])
        #expect(try events() == ["pooler.server_refused"])
    }

    @Test("text that looks like another record is tagged, and names nobody when it is in doubt")
    func forged() throws {
        let lines = [
            "2026-03-02 08:41:57.595 UTC [1] WARNING C-0x5: (nodb)/bob@192.0.2.9:40112 pooler error: no such database: x@198.51.100.5:1 pooler error: SASL authentication failed"
        ]
        _ = try place.replay([place.write("pgbouncer.log", lines)])
        #expect(try events() == ["auth.failure bad_password"])
        var tags = ""
        try Store(existing: place.path("a.db")).query(.events, EventFilter()) { row in
            tags = row.filter { $0.key == "tags" }.map { "\($0.value)" }.joined()
        }
        #expect(tags.contains("forgery.attempt"))
    }

    /// Events of a file that is read up to a cut, where the program ends, and from where that left off.
    private func events(_ name: String, _ bytes: [UInt8], cut: Int, _ catalogue: Catalogue) throws -> [String: String] {
        var found: [String: String] = [:]
        let path = place.path(name)
        var state = SourceState(id: 1, position: 0, clock: .distantPast, counted: 0, headLength: 0)
        for end in [cut, bytes.count] {
            try Data(bytes.prefix(end)).write(to: URL(fileURLWithPath: path))
            let format = try #require(LogFormat.detect(bytes, path: path))
            let reader = SourceReader(
                file: try LogFile(path: path), format: format,
                about: ReadingFacts(timezone: nil, head: Array(bytes.prefix(1 << 16))), state: state,
                catalogue: catalogue.events)
            while try reader.step() {}
            if end == bytes.count { reader.finish() }
            let ingest = try reader.takeIngest()
            state.position = ingest.position
            state.clock = ingest.clock
            state.counted = ingest.counted
            for event in ingest.events {
                let identity = "\(event.identity)"
                let text = "\(event.time) \(event.kind.action) \(event.actor) \(event.kind.tags)"
                if let known = found[identity] { #expect(known == text) }
                found[identity] = text
            }
        }
        return found
    }

    @Test("wherever the program ends, what it finds later is what it finds at once")
    func restarts() throws {
        let catalogue = try Configuration().catalogue()
        var pooler: [String] = []
        for second in 0..<8 {
            pooler += TextLogTests.failure(second * 2, "bob", from: "203.0.113.66:4000\(second)")
            let name = "x@198.51.100.5:1 closing because: SASL authentication failed (age=0s)"
            let time = "2026-03-02 08:41:\(10 + second * 2).7"
            let client = "203.0.113.7:5000\(second)"
            pooler.append("\(time)00 UTC [17219] LOG C-0x9: (nodb)/(nouser)@\(client) no such user: \(name)")
            pooler.append("\(time)01 UTC [17219] ERROR C-0x9: (nodb)/\(name)@\(client) password authentication failed")
            pooler.append(
                "\(time)01 UTC [17219] LOG C-0x9: (nodb)/\(name)@\(client) closing because: SASL authentication failed (age=0s)"
            )
        }
        var patroni: [String] = []
        for second in 10..<40 {
            patroni.append("2026-03-02 08:41:\(second),700 ERROR: Error communicating with DCS")
            patroni.append("2026-03-02 08:41:\(second),701 INFO: DCS is not accessible")
            if second % 5 == 0 {
                patroni.append("2026-03-02 08:41:\(second),702 INFO: promoted self to leader by acquiring session lock")
            }
        }
        var console: [String] = []
        for second in 10..<20 {
            console.append("2026-03-02 08:41:\(second).195 P00   INFO: backup command begin 2.45: --stanza=demo")
            console.append("ERROR: [055]: unable to load info file")
            console.append("       HINT: has a stanza-create been performed?")
            console.append(
                "2026-03-02 08:41:\(second).295 P00   INFO: backup command end: aborted with exception [055]")
            console.append("P00  ERROR: [037]: backup command requires option: pg1-path")
        }
        for (name, lines, count) in [
            ("pgbouncer.log", pooler, 16), ("patroni.log", patroni, 4), ("console.log", console, 30),
        ] {
            let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
            let whole = try events(name, bytes, cut: 0, catalogue)
            #expect(whole.count == count, "\(whole)")
            for cut in stride(from: 11, to: bytes.count, by: 61) {
                let parts = try events(name, bytes, cut: cut, catalogue)
                #expect(parts == whole, "\(name) cut at \(cut)")
            }
        }
    }

    @Test("errors without a time are of the time of the record before, and each is an event")
    func timeless() throws {
        let lines = [
            "2026-03-02 08:41:00.000 P00   INFO: check command end: completed successfully (1ms)",
            "P00  ERROR: [037]: backup command requires option: pg1-path",
            "2026-03-04 08:41:00.000 P00   INFO: check command end: completed successfully (1ms)",
            "P00  ERROR: [037]: backup command requires option: pg1-path",
        ]
        _ = try place.replay([place.write("console.log", lines)])
        #expect(try events() == ["backup.command", "backup.failed error", "backup.command", "backup.failed error"])
    }

    @Test("what lasts is one event for its span")
    func spans() throws {
        var lines: [String] = []
        for minute in 10..<20 { lines.append("2026-03-02 08:\(minute):00,700 INFO: DCS is not accessible") }
        _ = try place.replay([place.write("patroni.log", lines)])
        #expect(try events() == ["ha.dcs_lost", "ha.dcs_lost"])
    }
}
