import GRDB
import Testing
import VigilModel

@testable import EventStore

@Suite("Story of a store")
struct StoryQueryTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.file("a.db"))
    }

    private func event(
        _ line: Int64, _ address: String, port: Int, user: String = "bob", action: String = "auth.failure",
        tags: [String] = [], target: String? = nil
    ) -> SecurityEvent {
        let kind = EventKind(
            dataset: "postgresql.log", category: "authentication", action: action, outcome: .failure,
            severity: .low, tags: [action] + tags)
        var event = SecurityEvent(
            identity: EventIdentity(origin: "69a55d0d.\(line)", line: line, hash: 7, ordinal: 0),
            time: LogTime(milliseconds: 1_772_445_000_000 + line * 1000), kind: kind,
            actor: EventActor(address: address, user: user, database: "shop"))
        event.sourcePort = port
        event.targetUser = target
        return event
    }

    private func commit(_ events: [SecurityEvent], hops: [ProxyHop] = []) throws {
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 1000, head: Array("head".utf8), format: "csvlog",
                cluster: nil, instance: nil))
        var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
        ingest.events = events
        ingest.hops = hops
        _ = try StoreWriter(store).commit([ingest])
    }

    private func lines(_ subject: StorySubject) throws -> [String] {
        var found: [String] = []
        try store.story(of: subject) { item in
            if case .event(let event) = item { found.append(event.id.split(separator: "-")[1] + "") }
        }
        return found
    }

    @Test("an address has what came from it, through a proxy too; the proxy has not what others did")
    func proxies() throws {
        let start = LogTime(milliseconds: 1_772_445_000_500)
        try commit(
            [event(1, "10.0.0.5", port: 4000), event(2, "10.0.0.5", port: 4001), event(3, "203.0.113.7", port: 1)],
            hops: [
                ProxyHop(
                    address: "10.0.0.5", port: 4000, clientAddress: "203.0.113.7", clientPort: 99, start: start,
                    end: start.adding(milliseconds: 5000), isExact: true)
            ])
        func address(_ text: String) throws -> StorySubject { .address(try #require(CIDR(text))) }
        #expect(try lines(address("203.0.113.7")) == ["1", "3"])
        #expect(try lines(address("203.0.113.0/24")) == ["1", "3"])
        #expect(try lines(address("10.0.0.5")) == ["2"])
        #expect(try lines(address("10.0.0.0/8")) == ["2"])
        #expect(try lines(address("198.51.100.0/24")) == [])
        #expect(try store.subjects(named: "203.0.113.7").map(\.word) == ["address"])
        #expect(try store.clients(behind: "10.0.0.5") == 1)
    }

    @Test("a user has what was done to the role; a session and a host have their own")
    func others() throws {
        try commit([
            event(1, "[local]", port: 0, user: "bob"),
            event(2, "app.example", port: 0, user: "eve", action: "priv.role_alter", target: "bob"),
            event(3, "app.example", port: 0, user: "eve", action: "ddl", target: "bob"),
        ])
        #expect(try lines(.user("bob")) == ["1", "2"])
        #expect(try lines(.user("eve")) == ["2", "3"])
        #expect(try lines(.host("[local]")) == ["1"])
        #expect(try lines(.session("69a55d0d.3")) == ["3"])
        #expect(try store.subjects(named: "app.example").map(\.word) == ["address"])
        #expect(try store.subjects(named: "69a55d0d.1").map(\.word) == ["session"])
        #expect(try store.subjects(named: "nobody").isEmpty)
    }
}
