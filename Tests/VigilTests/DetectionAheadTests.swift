import EventStore
import Foundation
import Testing
import VigilModel

@testable import Vigil

@Suite("Rules beside reading")
struct DetectionAheadTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    /// Failed logins from one public address, one a second.
    private func failures(_ seconds: Range<Int64>, from address: String = "203.0.113.66") -> [SecurityEvent] {
        let kind = EventKind(
            dataset: "postgresql.log", category: "authentication", action: "auth.failure", outcome: .failure,
            reason: "bad_password", severity: .low, tags: ["auth.failure"])
        return seconds.map { second in
            var event = SecurityEvent(
                identity: EventIdentity(origin: "69a55d0d.\(address)", line: second, hash: 7, ordinal: 0),
                time: LogTime(milliseconds: 1_772_445_000_000 + second * 1000), kind: kind,
                actor: EventActor(address: address, user: "bob", database: "shop"))
            event.offset = second
            return event
        }
    }

    /// The alerts of a store that got these commits, with rules beside it or behind it; the moments are those up to which
    /// each commit is said to be complete.
    private func alerts(
        _ commits: [(events: [SecurityEvent], complete: Int64)], beside: Way?, in name: String
    ) throws -> [String] {
        let store = try Store(path: place.path(name))
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 1000, head: Array("head".utf8), format: "csvlog",
                cluster: nil, instance: nil))
        var configuration = Configuration()
        configuration.topology.detects = false
        let pass = DetectionPass(
            store: store, rules: try configuration.catalogue().rules, configuration: configuration)
        let ahead = DetectionAhead(pass)
        let writer = StoreWriter(store)
        if beside == .handed { try writer.gather() }
        for commit in commits {
            var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
            ingest.events = commit.events
            let result = try writer.commit([ingest])
            guard beside != nil else { continue }
            let complete = LogTime(milliseconds: 1_772_445_000_000 + commit.complete * 1000)
            let stored = writer.takeStored()
            #expect((stored == nil) == (beside == .read))
            ahead.note(earliest: result.earliest, complete: complete, stored)
            // Rules may have been over it by now, or not: both must do.
            Thread.sleep(forTimeInterval: 0.05)
        }
        return try ahead.finish().run(through: .distantFuture).alerts.map { "\($0.rule.id) \($0.id) \($0.time)" }
            .sorted()
    }

    /// How rules beside reading come to the events.
    enum Way: CaseIterable { case read, handed }

    @Test("what they find is what one pass at the end finds", arguments: Way.allCases)
    func sameAlerts(_ way: Way) throws {
        let commits = (Int64(0)..<10).map { number in
            (events: failures(number * 30..<number * 30 + 30), complete: number * 30 + 30)
        }
        let behind = try alerts(commits, beside: nil, in: "behind.db")
        #expect(behind.contains { $0.hasPrefix("auth-bruteforce ") })
        #expect(try alerts(commits, beside: way, in: "beside.db") == behind)
    }

    @Test(
        "an event that comes late after all changes what they find as if it had been there before",
        arguments: Way.allCases)
    func late(_ way: Way) throws {
        let commits: [(events: [SecurityEvent], complete: Int64)] = [
            (failures(0..<6), complete: 500), (failures(500..<600, from: "198.51.100.9"), complete: 900),
            // Four more of the first address, nobody expects any by now.
            (failures(6..<12), complete: 900),
        ]
        let behind = try alerts(commits, beside: nil, in: "behind.db")
        #expect(behind.filter { $0.hasPrefix("auth-bruteforce ") }.count == 2)
        #expect(try alerts(commits, beside: way, in: "beside.db") == behind)
    }
}
