import Foundation
import GRDB
import VigilModel

/// How far one file has been read.
public struct SourceStatus: Sendable {
    /// The file as it was named, and how it is read.
    public let path, format: String
    /// Cluster and instance.
    public let cluster, instance: String?
    /// Device and inode; nil for a stream.
    public let device, inode: Int64?
    /// Everything before this byte has been read; a restart may read the last of it again.
    public let read: Int64
    /// Bytes on the disk of an archive that was read to its end.
    public let packed: Int64?
    /// Records that were read, places that are no record, and bytes there.
    public let records, unread, unreadBytes: Int64
    /// Time of the last record, and when something was last read; nil when nothing was.
    public let lastRecord, lastRead: LogTime?
}

/// What a store holds, and how far rules have been.
public struct StoreStatus: Sendable {
    /// Rows.
    public var events, alerts, bans: Int64
    /// The last event, and up to when rules have looked.
    public var lastEvent, detected: LogTime?
    /// Events that rules have not looked at yet.
    public var waiting: Int64
    /// Bytes on the disk, with those that wait beside the store.
    public var bytes: Int64
    /// Of them in the write-ahead log.
    public var logBytes: Int64
    /// Where the chain ends.
    public var head: ChainHead
}

extension Store {
    /// Every file that was read, by path.
    public func sourceStatus() throws -> [SourceStatus] {
        try pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM sources ORDER BY path, generation").map { row in
                let clock = LogTime(milliseconds: row["clock"])
                return SourceStatus(
                    path: row["path"], format: row["format"], cluster: row["cluster"], instance: row["instance"],
                    device: row["device"], inode: row["inode"],
                    read: max(row["position"] as Int64, row["counted"] as Int64), packed: row["packed"],
                    records: row["records"], unread: row["unread"], unreadBytes: row["unread_bytes"],
                    lastRecord: clock > .distantPast ? clock : nil,
                    lastRead: (row["read_at"] as Int64?).map(LogTime.init))
            }
        }
    }

    /// What the store holds.
    public func status() throws -> StoreStatus {
        func size(_ path: String) -> Int64 {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
        }
        let log = size(path + "-wal")
        let bytes = size(path) + log + size(path + "-shm")
        return try pool.read { db in
            func count(_ table: String) throws -> Int64 {
                try Int64.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
            }
            let row = try Row.fetchOne(db, sql: "SELECT time, rewind FROM detection")
            let time = LogTime(milliseconds: row?["time"] ?? LogTime.distantPast.milliseconds)
            let from = min(time.milliseconds, (row?["rewind"] as Int64?).map { $0 - 1 } ?? .max)
            return StoreStatus(
                events: try count("events"), alerts: try count("alerts"), bans: try count("bans"),
                lastEvent: try Int64.fetchOne(db, sql: "SELECT max(time) FROM events").map(LogTime.init),
                detected: time > .distantPast ? time : nil,
                waiting: try Int64.fetchOne(
                    db, sql: "SELECT count(*) FROM events WHERE time > ?", arguments: [from]) ?? 0,
                bytes: bytes, logBytes: log, head: try ChainHead(db))
        }
    }
}
