import Foundation
import GRDB
import VigilModel

/// Tables of the hash chain, and what older stores need for it.
enum ChainSchema {
    private static let tables = """
        -- Where the chain of a table ends. Rows up to `pending` were there before there was a chain.
        CREATE TABLE heads (
            tbl TEXT PRIMARY KEY, last INTEGER NOT NULL, chain BLOB NOT NULL, pending INTEGER) WITHOUT ROWID;
        -- Rows that are gone since their time was over: of each run the hash of the last, which the next follows.
        CREATE TABLE pruned (
            tbl TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, chain BLOB NOT NULL,
            PRIMARY KEY (tbl, first)) WITHOUT ROWID;
        ALTER TABLE kinds ADD COLUMN digest BLOB;
        ALTER TABLE actors ADD COLUMN digest BLOB;
        ALTER TABLE rules ADD COLUMN digest BLOB;
        ALTER TABLE hops ADD COLUMN chain BLOB;
        -- What an act is about besides an address, and of how many rows.
        ALTER TABLE acts ADD COLUMN item TEXT;
        ALTER TABLE acts ADD COLUMN rows INTEGER;
        ALTER TABLE acts ADD COLUMN total INTEGER;
        DROP VIEW event_hop;
        DROP VIEW event;
        CREATE TABLE records_by_seq (
            seq INTEGER PRIMARY KEY, event INTEGER NOT NULL REFERENCES events, origin TEXT NOT NULL,
            line INTEGER NOT NULL, mark INTEGER NOT NULL, kind INTEGER NOT NULL REFERENCES kinds,
            time INTEGER NOT NULL, source INTEGER NOT NULL REFERENCES sources, offset INTEGER NOT NULL,
            audit_class TEXT, object TEXT, object_type TEXT, count INTEGER, chain BLOB, UNIQUE (event, origin, line, mark));
        INSERT INTO records_by_seq (event, origin, line, mark, kind, time, source, offset, audit_class, object, object_type, count)
            SELECT event, origin, line, mark, kind, time, source, offset, audit_class, object, object_type, count FROM records
            ORDER BY event, origin, line, mark;
        DROP TABLE records;
        ALTER TABLE records_by_seq RENAME TO records;
        -- Events that alerts rest on stay as long as these.
        CREATE INDEX evidence_event ON evidence (event);
        """

    static func migrate(_ db: Database) throws {
        try db.execute(sql: tables)
        try db.execute(sql: SchemaViews.all)
        for table in WordTable.allCases { try digest(table, db) }
        for table in ChainedTable.allCases {
            try db.execute(
                sql: """
                    INSERT INTO heads VALUES (?, 0, ?, (SELECT nullif(coalesce(max(\(table.key)), 0), 0)
                        FROM \(table.rawValue)))
                    """, arguments: [table.rawValue, table.origin.data])
        }
    }

    private static func digest(_ table: WordTable, _ db: Database) throws {
        let words = table.words.joined(separator: ", ")
        var last = Int64.min
        while true {
            let rows = try Row.fetchAll(
                db, sql: "SELECT id, \(words) FROM \(table.rawValue) WHERE id > ? ORDER BY id LIMIT 1000",
                arguments: [last])
            guard let end = rows.last else { return }
            last = end["id"]
            let update = try db.cachedStatement(sql: "UPDATE \(table.rawValue) SET digest = ? WHERE id = ?")
            for row in rows {
                let hash = ChainHash(words: table.words.map { row[$0] as String? })
                try update.execute(arguments: [hash.data, row["id"] as Int64])
            }
        }
    }
}

extension ChainHash {
    /// Its bytes, as SQLite takes them.
    var data: Data { Data(bytes) }
}
