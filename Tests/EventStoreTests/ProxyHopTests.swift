import Foundation
import GRDB
import Testing
import VigilModel

@testable import EventStore

/// The client behind the proxy is who an event is of.
@Suite("Proxy hops")
struct ProxyHopTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.file("a.db"))
    }

    private static let base: Int64 = 1_772_445_000_000

    private func event(port: Int, second: Int64) -> SecurityEvent {
        let kind = EventKind(
            dataset: "postgresql.log", category: "authentication", action: "auth.failure", outcome: .failure,
            reason: "bad_password", severity: .low, tags: ["auth.failure"])
        var event = SecurityEvent(
            identity: EventIdentity(origin: "69a55d0d.\(port)", line: second, hash: 7, ordinal: 0),
            time: LogTime(milliseconds: ProxyHopTests.base + second * 1000), kind: kind,
            actor: EventActor(address: "10.0.0.5", user: "bob", database: "shop"))
        event.sourcePort = port
        return event
    }

    private func hop(_ client: String, port: Int, from: Int64, to: Int64?, isExact: Bool = true) -> ProxyHop {
        ProxyHop(
            address: "10.0.0.5", port: port, clientAddress: client, clientPort: 40_000,
            start: LogTime(milliseconds: ProxyHopTests.base + from * 1000),
            end: to.map { LogTime(milliseconds: ProxyHopTests.base + $0 * 1000) }, isExact: isExact)
    }

    private func commit(_ events: [SecurityEvent], _ hops: [ProxyHop]) throws {
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 1000, head: Array("head".utf8), format: "csvlog",
                cluster: nil,
                instance: nil))
        var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
        ingest.events = events
        ingest.hops = hops
        _ = try StoreWriter(store).commit([ingest])
    }

    private func shown() throws -> [String] {
        var rows: [String] = []
        try store.query(.events, EventFilter()) { row in
            let values = ["source.address", "source.ip", "source.port", "source.nat.ip", "tags"].map { key -> String in
                switch row.first(where: { $0.key == key })?.value {
                case .text(let text)?: text
                case .number(let number)?: String(number)
                case .list(let list)?: list.joined(separator: " ")
                default: "-"
                }
            }
            rows.append(values.joined(separator: " "))
        }
        return rows
    }

    @Test("a port is the client's that held it then; used again, it is the next one's; free, it is nobody's")
    func resolved() throws {
        try commit(
            [event(port: 5001, second: 10), event(port: 5001, second: 100), event(port: 5001, second: 300)],
            [
                hop("203.0.113.9", port: 5001, from: 9, to: 11), hop("2001:db8::7", port: 5001, from: 99, to: 101),
                hop("192.0.2.1", port: 5002, from: 0, to: nil),
            ])
        #expect(
            try shown() == [
                "203.0.113.9 203.0.113.9 40000 10.0.0.5 auth.failure",
                "2001:db8::7 2001:db8::7 40000 10.0.0.5 auth.failure", "10.0.0.5 10.0.0.5 5001 - auth.failure",
            ])
    }

    @Test("before the pooler stands a proxy: its client is the likeliest")
    func chain() throws {
        var proxy = hop("203.0.113.9", port: 40_000, from: 8, to: 12)
        proxy.address = "10.0.0.4"
        try commit(
            [event(port: 5001, second: 10)], [hop("10.0.0.4", port: 5001, from: 9, to: nil, isExact: false), proxy])
        #expect(try shown() == ["203.0.113.9 203.0.113.9 40000 10.0.0.5 auth.failure proxy.candidate"])
    }

    @Test("the likeliest client is marked, and rules believe neither in it nor in the pooler's own address")
    func candidate() throws {
        try commit(
            [event(port: 5001, second: 10), event(port: 5002, second: 11)],
            [
                hop("203.0.113.9", port: 5001, from: 9, to: nil, isExact: false),
                hop("203.0.113.8", port: 5002, from: 9, to: nil),
            ])
        #expect(try shown().first == "203.0.113.9 203.0.113.9 40000 10.0.0.5 auth.failure proxy.candidate")
        var addresses: [String?] = []
        try store.forEachEvent(
            after: .distantPast, through: .distantFuture, place: { $0.action == "auth.failure" ? .event : nil }
        ) { event, _ in
            addresses.append(event.ip?.description)
        }
        #expect(addresses == [nil, "203.0.113.8"])
    }

    @Test("coverage counts a failure for who is behind, as far as that is known")
    func coverage() throws {
        try commit(
            [event(port: 5001, second: 10), event(port: 5002, second: 11), event(port: 5003, second: 12)],
            [
                hop("10.0.0.4", port: 5001, from: 9, to: nil, isExact: false),
                hop("203.0.113.8", port: 5002, from: 9, to: nil),
            ])
        let found = try store.coverage()
        #expect(found.failures == 3 && found.proxies == ["10.0.0.5"])
        #expect(Set(found.addresses.map(\.address)) == ["10.0.0.4", "203.0.113.8", "10.0.0.5"])
        #expect(found.addresses.allSatisfy { $0.failures == 1 && $0.users == 1 })
    }

    @Test("a connection whose end is not known has no login after its first minute")
    func open() throws {
        try commit(
            [event(port: 5001, second: 10), event(port: 5001, second: 100)],
            [hop("203.0.113.9", port: 5001, from: 9, to: nil)])
        #expect(
            try shown() == [
                "203.0.113.9 203.0.113.9 40000 10.0.0.5 auth.failure", "10.0.0.5 10.0.0.5 5001 - auth.failure",
            ])
    }

    @Test("what is known comes before what is likely; of two at the same moment there is one")
    func preferred() throws {
        try commit(
            [event(port: 5001, second: 10)],
            [
                hop("203.0.113.9", port: 5001, from: 9, to: 12),
                hop("203.0.113.7", port: 5001, from: 10, to: nil, isExact: false),
                hop("203.0.113.8", port: 5001, from: 9, to: 12),
            ])
        #expect(try shown() == ["203.0.113.8 203.0.113.8 40000 10.0.0.5 auth.failure"])
    }

    @Test("behind the pooler stands the proxy, and behind that the client")
    func chained() throws {
        var pooled = hop("10.0.0.5", port: 6001, from: 9, to: nil, isExact: false)
        pooled.clientPort = 5001
        pooled.address = "10.0.0.6"
        var seen = event(port: 6001, second: 10)
        seen.actor = EventActor(address: "10.0.0.6", user: "bob", database: "shop")
        try commit([seen], [pooled, hop("203.0.113.9", port: 5001, from: 8, to: 12)])
        #expect(try shown() == ["203.0.113.9 203.0.113.9 40000 10.0.0.6 auth.failure proxy.candidate"])
    }

    @Test("a hop that is told of after rules went over its failure sends them back")
    func late() throws {
        try commit([event(port: 5001, second: 10)], [])
        let end = LogTime(milliseconds: ProxyHopTests.base + 60_000)
        _ = try store.commit(alerts: [], bans: [], learnt: [], through: end)
        try commit([], [hop("203.0.113.9", port: 5002, from: 9, to: 11)])
        #expect(try store.detectionState().rewind == nil)
        try commit([], [hop("203.0.113.9", port: 5001, from: 9, to: 11)])
        #expect(try store.detectionState().rewind == LogTime(milliseconds: ProxyHopTests.base + 10_000))
    }

    @Test("are found for one event without going over the others")
    func plan() throws {
        let plan = try store.pool.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT * FROM event WHERE seq IN (1, 2)")
                .map { $0["detail"] as String }
        }
        #expect(!plan.contains { $0.hasPrefix("SCAN") || $0.hasPrefix("MATERIALIZE") }, "\(plan)")
    }
}
