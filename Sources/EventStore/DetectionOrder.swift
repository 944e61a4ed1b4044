import GRDB
import VigilModel

/// An event as rules are about to see it.
struct DetectionRow {
    let seq: Int64
    let time: LogTime
    let kind, actor, count, source, offset, mark: Int64
    /// Who stands behind a proxy; empty when nobody knows, nil without one.
    let client: String?
    let near: NearDetails?
    /// Who it was, where that need not be looked up.
    let who: EventActor?

    init(_ rows: RawStatement, _ memory: DetectionMemory, hasHops: Bool) {
        seq = rows.number(0)
        time = LogTime(milliseconds: rows.number(1))
        kind = rows.number(2)
        actor = rows.number(3)
        count = rows.number(4)
        source = rows.number(5)
        offset = rows.number(6)
        mark = rows.number(7)
        near = memory.isDetailed(kind) ? memory.near(rows, 8...10) : nil
        client = hasHops ? rows.text(11) : nil
        who = nil
    }

    init(_ event: StoredEvents.Event, _ details: [NearDetails], _ actors: CommitActors) {
        seq = event.seq
        time = event.time
        kind = event.kind
        actor = event.actor
        count = event.count
        source = event.source
        offset = event.offset
        mark = event.mark
        near = details[Int(event.near)]
        client = nil
        who = actors[event]
    }
}

/// The order of sources whose events have the same time.
struct SourceOrder {
    private let db: Database
    private var places: [Int64: Int]?

    init(_ db: Database) { self.db = db }

    /// Finds out which sources there are: to be called before two are compared.
    mutating func learn() throws {
        if places != nil { return }
        var places: [Int64: Int] = [:]
        var fingerprints: [String] = []
        for row in try Row.fetchAll(db, sql: "SELECT id, fingerprint FROM sources ORDER BY fingerprint") {
            let fingerprint: String = row["fingerprint"]
            if fingerprints.last != fingerprint { fingerprints.append(fingerprint) }
            places[row["id"]] = fingerprints.count
        }
        self.places = places
    }

    func isBefore(_ left: DetectionRow, _ right: DetectionRow) -> Bool {
        if left.source != right.source, let first = places?[left.source], let second = places?[right.source],
            first != second
        {
            return first < second
        }
        return (left.offset, left.mark) < (right.offset, right.mark)
    }
}
