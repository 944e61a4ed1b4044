import Testing
import VigilModel

@testable import EventStore

/// Rules get the same events from memory as from the store.
@Suite("Stored events")
struct StoredEventsTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.file("a.db"))
    }

    private static let kinds = ["auth.failure", "auth.success", "ddl.create"].map {
        EventKind(
            dataset: "postgresql.log", category: "authentication", action: $0, outcome: .failure, reason: nil,
            severity: .low, tags: [$0])
    }
    /// Names that a client may write, and addresses in all forms.
    private static let names = [nil, "", "bob", "bo\0b", "a user with a long name, beyond fifteen bytes", "名前"]
    private static let addresses = [
        nil, "", "192.0.2.1", "2001:db8::7", "2001:DB8:0:0::7", "::ffff:192.0.2.9", "fe80::1%eth0", "db1.example.com",
        "[local]", "1.2.3", "192.0.2.1\0",
    ]

    private func event(_ number: Int, _ random: inout SystemRandomNumberGenerator) -> SecurityEvent {
        // Most actors are new, as in a flood; some come again.
        let user = Bool.random(using: &random) ? "user\(number)" : StoredEventsTests.names.randomElement(using: &random)
        let address = StoredEventsTests.addresses.randomElement(using: &random)
        let database = StoredEventsTests.names.randomElement(using: &random)
        var event = SecurityEvent(
            identity: EventIdentity(origin: "69a55d0d.7", line: Int64(number), hash: 7, ordinal: 0),
            time: LogTime(milliseconds: 1_772_445_000_000 + Int64(number / 3)),
            kind: StoredEventsTests.kinds[number % 3],
            actor: EventActor(address: address ?? nil, user: user ?? nil, database: database ?? nil))
        event.applicationName = (StoredEventsTests.names.randomElement(using: &random) ?? nil)
        event.offset = Int64(number)
        return event
    }

    /// What rules see of an event, in words.
    private func shown(_ event: DetectionEvent) -> String {
        let keys: [EventKey] = [.address, .ip, .network, .user, .database, .application]
        let values = keys.map { event.value(of: $0).map { "'\($0)'" } ?? "-" }
        return "\(event.seq) \(event.time.milliseconds) \(event.kind.action) \(event.actor.groupIP ?? "-") "
            + values.joined(separator: " ")
    }

    @Test("who acted is the same whether it was handed over or is looked up", arguments: [1, 7, 100, 5000])
    func actors(of commitSize: Int) throws {
        var random = SystemRandomNumberGenerator()
        let source = try store.open(
            FileIdentity(
                path: "a.csv", device: 1, inode: 1, size: 1000, head: Array("head".utf8), format: "csvlog",
                cluster: nil, instance: nil))
        let writer = StoreWriter(store)
        try writer.gather()
        var queue = StoredEventsQueue()
        let memory = DetectionMemory { _ in .details }
        var handed: [String] = []
        let all = min(10 * commitSize, 6000)
        var after = LogTime.distantPast
        for start in stride(from: 0, to: all, by: commitSize) {
            var ingest = Ingest(source: source.id, position: 10, clock: .distantPast, counted: 10)
            ingest.events = (start..<min(start + commitSize, all)).map { event($0, &random) }
            _ = try writer.commit([ingest])
            queue.add(writer.takeStored())
            // Rules stay behind: what is due may be of several commits, and of a part of one.
            guard Bool.random(using: &random) || start + commitSize >= all else { continue }
            // What is still to come may have the time of the last event.
            let lag = start + commitSize >= all ? 0 : Int64.random(in: 1...20, using: &random)
            let through = LogTime(milliseconds: 1_772_445_000_000 + Int64((start + commitSize) / 3) - lag)
            let due = queue.take(through: through)
            let span = try #require(due)
            try store.forEachEvent(after: after, through: through, memory, stored: span) { event, _ in
                handed.append(shown(event))
            }
            after = max(after, through)
        }
        var read: [String] = []
        try store.forEachEvent(after: .distantPast, through: .distantFuture, place: { _ in .details }) { event, _ in
            read.append(shown(event))
        }
        #expect(handed.count == all)
        #expect(read.count == all)
        let differing = zip(handed, read).first { $0 != $1 }
        #expect(differing == nil)
    }
}
