import GRDB
import VigilModel

/// An alert with the records that it rests on.
public struct AlertDetail: Sendable {
    /// What `alerts` shows of it.
    public let row: ShownRow
    /// `alert.id`, `rule.id` and `rule.version`.
    public let id, rule, version: String
    /// What its events share, as the rule grouped them.
    public let group: String
    /// Bans that came of it.
    public let bans: [Ban]
    /// The events, oldest first.
    public let evidence: [EvidenceEvent]
}

/// An event behind an alert, with the places of all records that tell of it.
public struct EvidenceEvent: Sendable {
    /// What `events` shows of it.
    public let row: ShownRow
    /// The record that it began with, then those that told more of it.
    public let places: [RecordPlace]
}

/// Where a record stands.
public struct RecordPlace: Sendable, Hashable {
    /// The file's path as it was read.
    public let path: String
    /// Where the record starts, in bytes of the (decompressed) file.
    public let offset: Int64
    /// How the file was read.
    public let format: String
    /// SHA-256 of the file's first `headLength` bytes.
    public let fingerprint: String
    /// How many bytes the fingerprint covers.
    public let headLength: Int
    /// Cluster and instance.
    public let cluster, instance: String?
}

/// An id of an alert that fits none, or several.
public struct AlertProblem: Error, CustomStringConvertible {
    let text, hint: String

    /// Which, and what to do.
    public var description: String { "\(text)\n  hint: \(hint)" }
}

extension Store {
    /// The alert whose id begins so. Throws `AlertProblem` when there is none, or more than one.
    public func alert(_ prefix: String) throws -> AlertDetail {
        try pool.read { db in
            // Ids are hexadecimal digits; anything else would be a pattern.
            let found =
                prefix.isEmpty || !prefix.allSatisfy(\.isHexDigit)
                ? []
                : try Row.fetchAll(
                    db,
                    sql: """
                        SELECT a.seq, a.id, a.group_key, r.rule, r.version FROM alerts a JOIN rules r ON r.id = a.rule
                        WHERE a.id LIKE ? || '%' ORDER BY a.time LIMIT 20
                        """, arguments: [prefix])
            guard let alert = found.first else {
                throw AlertProblem(
                    text: "no alert has an id that begins with \(Shown.quoted(prefix))",
                    hint: "pgvigil alerts --format jsonl shows them (alert.id); pgvigil story shows the start of each")
            }
            guard found.count == 1 else {
                throw AlertProblem(
                    text:
                        "\(found.count == 20 ? "20 or more" : "\(found.count)") alerts have ids that begin with \(prefix)",
                    hint:
                        "give more of it: \(found.prefix(5).map { ($0["id"] as String).prefix(16) }.joined(separator: ", "))"
                )
            }
            let id: String = alert["id"]
            return AlertDetail(
                row: try Store.row(.alerts, seq: alert["seq"], db) ?? [], id: id, rule: alert["rule"],
                version: alert["version"], group: alert["group_key"],
                bans: try Row.fetchAll(db, sql: "SELECT * FROM bans WHERE alert = ? ORDER BY start", arguments: [id])
                    .compactMap(Store.ban),
                evidence: try Store.evidence(of: alert["seq"], db))
        }
    }

    private static func evidence(of alert: Int64, _ db: Database) throws -> [EvidenceEvent] {
        try Int64.fetchAll(
            db,
            sql:
                "SELECT e.seq FROM evidence x JOIN events e ON e.seq = x.event WHERE x.alert = ? ORDER BY e.time, e.seq",
            arguments: [alert]
        ).map { seq in
            EvidenceEvent(row: try row(.events, seq: seq, db) ?? [], places: try places(of: seq, db))
        }
    }

    private static func row(_ what: Queryable, seq: Int64, _ db: Database) throws -> ShownRow? {
        let columns = what.keys.map(\.column).joined(separator: ", ")
        return try Row.fetchOne(
            db, sql: "SELECT \(columns) FROM \(what.source) WHERE seq = ?", arguments: [seq]
        ).map(what.shown)
    }

    /// Where the records stand that tell of an event, given by its row.
    public func places(of event: Int64) throws -> [RecordPlace] { try pool.read { try Store.places(of: event, $0) } }

    private static func places(of event: Int64, _ db: Database) throws -> [RecordPlace] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT s.path, p.offset, s.format, s.fingerprint, s.head_length, s.cluster, s.instance FROM (
                    SELECT source, offset, 0 AS further, time FROM events WHERE seq = ?1
                    UNION SELECT source, offset, 1, time FROM records WHERE event = ?1 AND origin <> ?2) p
                JOIN sources s ON s.id = p.source ORDER BY p.further, p.time, p.offset
                """, arguments: [event, EventEvidence.counting]
        ).map {
            RecordPlace(
                path: $0["path"], offset: $0["offset"], format: $0["format"], fingerprint: $0["fingerprint"],
                headLength: $0["head_length"], cluster: $0["cluster"], instance: $0["instance"])
        }
    }
}
