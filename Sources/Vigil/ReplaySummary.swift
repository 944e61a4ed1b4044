import EventStore
import Patterns
import VigilModel

/// What a replay found, for a person.
public struct ReplaySummary {
    /// The store.
    public let store: String
    /// Files read, and files with nothing in them.
    public var files = 0
    /// Files with nothing in them.
    public var empty = 0
    /// Files that are no log that can be read, with the reason.
    public var passedOver: [(path: String, reason: String)] = []
    /// Files that hold what a richer one holds, which was read.
    public var sameLogs: [(path: String, richer: String)] = []
    /// Files whose reading ended in an error.
    public var failed: [any Error] = []
    /// Servers of logs that were read, the rows that they gave, and those of them that were known, or came behind later
    /// ones that had been read.
    public var servers = 0
    /// Rows that servers of logs gave.
    public var rows = 0
    /// Rows that were known.
    public var repeatedRows = 0
    /// Rows that came behind later ones.
    public var lateRows = 0
    /// What servers of logs no longer had, in words.
    public var lostRows: [String] = []
    /// Bytes and records read in this run.
    public var bytes: Int64 = 0
    /// Records read in this run.
    public var records: Int64 = 0
    /// Lines that are no records: what child processes wrote.
    public var textLines: Int64 = 0
    /// What became of the events.
    public var result = IngestResult()
    /// Events of this run by action, and failed logins by address.
    public var actions: [String: Int64] = [:]
    /// Failed logins of this run by address.
    public var addresses: [String: Int64] = [:]
    /// The first places of bytes that are no record; how many places and bytes there are.
    public var unread: [Unread] = []
    /// How many places.
    public var unreadCount = 0
    /// How many bytes.
    public var unreadBytes: Int64 = 0
    /// How often a clock was set back; zone abbreviations that nothing explained.
    public var clockSteps = 0
    /// Zone abbreviations that nothing explained; read as UTC.
    public var unknownZones: Set<String> = []
    /// New alerts, bans in force at the end of the input, and that end.
    public var alerts: [Alert] = []
    /// Bans in force at that time.
    public var bans: [Ban] = []
    /// Alerts of this run that exceptions held back, by the exception's reason.
    public var heldBack: [String: Int64] = [:]
    /// Patterns whose expressions gave up on texts of this run.
    public var giveUps: [GiveUp] = []
    /// The time of the last event in the store.
    public var end: LogTime?
    /// Wall time.
    public var seconds = 0.0
    /// What was sent, when it was asked for.
    public var deliveries: [OutboxDrain.Outcome] = []

    /// True when there were files and none could be read to its end.
    public var isFailure: Bool { servers == 0 && files > 0 && failed.count == files }

    init(store: String) { self.store = store }

    mutating func count(_ ingests: [Ingest]) {
        for ingest in ingests {
            records += ingest.records
            textLines += ingest.textLines
            unreadCount += ingest.unread.count
            unreadBytes += ingest.unread.reduce(0) { $0 + $1.length }
            unread += ingest.unread.prefix(max(0, 20 - unread.count))
            count(ingest.events)
            for record in ingest.evidence {
                guard let (more, address) = record.increase else { continue }
                actions[record.kind.action, default: 0] += more
                if ReplaySummary.isFailure(record.kind) { count(more, from: address) }
            }
        }
    }

    private mutating func count(_ events: [SecurityEvent]) {
        // Like ones come one behind the other. By index: a copy of an event costs more than counting it.
        var last: EventKind?
        var (isFailure, total): (Bool, Int64) = (false, 0)
        for index in events.indices {
            if events[index].kind !== last {
                if let last { actions[last.action, default: 0] += total }
                last = events[index].kind
                (isFailure, total) = (ReplaySummary.isFailure(events[index].kind), 0)
            }
            total += events[index].count
            if isFailure { count(events[index].count, from: events[index].actor.address) }
        }
        if let last { actions[last.action, default: 0] += total }
    }

    private static func isFailure(_ kind: EventKind) -> Bool { kind.action == "auth.failure" }

    private mutating func count(_ count: Int64, from address: String?) {
        guard let address else { return }
        // A flood of addresses must not fill memory: the summary shows the busiest.
        if addresses.count >= 100_000, addresses[address] == nil { return }
        addresses[address, default: 0] += count
    }
}
