import GRDB
import VigilModel

/// The tables, in the order they came.
///
/// Rows of `events`, `alerts`, `bans`, `acts` are never changed once written; a change of state is a new row. `chain` holds
/// the hash chain over rows in commit order (`seq`). `kinds` and `actors` hold what many events share: a row of
/// `events` is some eighty bytes, and the view `event` shows it with everything in words.
enum Schema {
    /// "PGVG": marks the file as a store of pgvigil (SQLite, PRAGMA application_id).
    static let applicationID: Int32 = 0x5047_5647

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 events, alerts, bans, sources") { db in
            try db.execute(sql: first)
        }
        migrator.registerMigration("2 outbox") { db in
            try db.execute(sql: OutboxSchema.tables)
        }
        migrator.registerMigration("3 hops by number") { db in
            try db.execute(sql: hopsByNumber)
            try db.execute(sql: SchemaViews.all)
        }
        migrator.registerMigration("4 streams") { db in
            try db.execute(sql: StreamSchema.tables)
        }
        migrator.registerMigration("5 sessions, lists") { db in
            try db.execute(sql: sessions)
        }
        migrator.registerMigration("6 counts") { db in
            try db.execute(
                sql: """
                    DROP VIEW event;
                    DROP VIEW event_hop;
                    -- Of a flood: how many like events the event stands for, as far as this record goes.
                    ALTER TABLE records ADD COLUMN count INTEGER;
                    """ + SchemaViews.all)
        }
        migrator.registerMigration("7 chain") { db in
            try ChainSchema.migrate(db)
        }
        migrator.registerMigration("8 who did it") { db in
            try db.execute(sql: whoDidIt)
        }
        migrator.registerMigration("9 give-ups") { db in
            try db.execute(sql: GiveUpTable.schema)
        }
        migrator.registerMigration("10 actors by number") { db in
            try db.execute(sql: wordsOfActors + SchemaViews.all)
        }
        return migrator
    }

    /// Indexes of events by who acted: in the middle of them stands what comes at the end of all others.
    private static let actorIndexes = [
        "events_sessions": "(kind, actor, time) WHERE kind < 0", "events_actor": "(actor, time) WHERE kind > 0",
    ]

    /// Indexes that grow everywhere with each event of somebody new, as SQL makes them, by name: a load does without.
    static let deferrable: [String: String] = {
        var indexes: [String: String] = [:]
        for (name, columns) in actorIndexes { indexes[name] = "INDEX IF NOT EXISTS \(name) ON events \(columns)" }
        indexes["actors_words"] = "UNIQUE INDEX IF NOT EXISTS actors_words ON actors (address, user, database)"
        indexes["actors_ip"] = "INDEX IF NOT EXISTS actors_ip ON actors (ip)"
        indexes["actors_user"] = "INDEX IF NOT EXISTS actors_user ON actors (user)"
        return indexes
    }()

    /// What says who an actor is becomes an index of its own, which can be made when all actors are there.
    private static let wordsOfActors = """
        DROP VIEW event;
        DROP VIEW event_hop;
        CREATE TABLE actors_by_number (
            id INTEGER PRIMARY KEY, address TEXT NOT NULL, ip TEXT, user TEXT NOT NULL, database TEXT NOT NULL,
            digest BLOB);
        INSERT INTO actors_by_number (id, address, ip, user, database, digest)
            SELECT id, address, ip, user, database, digest FROM actors;
        DROP TABLE actors;
        ALTER TABLE actors_by_number RENAME TO actors;
        CREATE UNIQUE INDEX actors_words ON actors (address, user, database);
        CREATE INDEX actors_ip ON actors (ip);
        CREATE INDEX actors_user ON actors (user);
        """

    /// For questions about one address, user or session. Sessions have an index of their own: the many of a busy server
    /// pay nothing for this one.
    private static let whoDidIt = """
        CREATE INDEX events_actor ON events \(actorIndexes["events_actor", default: ""]);
        CREATE INDEX events_session ON events (session) WHERE session IS NOT NULL;
        CREATE INDEX events_target ON events (target_user) WHERE target_user IS NOT NULL;
        """

    /// Actions of sessions: who had one, or replicated, is asked for again and again. Their kinds have negative numbers,
    /// so that an index can hold their events alone: the many others pay nothing for it.
    static let sessionActions = ["auth.success", "conn.replication"]

    private static let sessions = """
        UPDATE events SET kind = -kind WHERE kind IN (SELECT id FROM kinds WHERE action IN (\(quotedActions)));
        UPDATE records SET kind = -kind WHERE kind IN (SELECT id FROM kinds WHERE action IN (\(quotedActions)));
        UPDATE kinds SET id = -id WHERE action IN (\(quotedActions));
        CREATE INDEX events_sessions ON events \(actorIndexes["events_sessions", default: ""]);
        CREATE INDEX hops_client ON hops (client_ip) WHERE exact AND client_ip IS NOT NULL;
        -- The files of `blocklists` as they were last written: hash is of the content, told is when their reader last took
        -- it, failing since when they are not current. A file that was emptied for good is forgotten.
        CREATE TABLE lists (
            path TEXT NOT NULL, format TEXT NOT NULL, bans INTEGER, written INTEGER, hash TEXT, told INTEGER,
            failing INTEGER, problem TEXT, PRIMARY KEY (path, format)) WITHOUT ROWID;
        """

    private static let quotedActions = sessionActions.map { "'\($0)'" }.joined(separator: ", ")

    private static let first = """
        CREATE TABLE kinds (
            id INTEGER PRIMARY KEY, dataset TEXT NOT NULL, category TEXT NOT NULL, action TEXT NOT NULL,
            outcome TEXT NOT NULL, reason TEXT, severity TEXT NOT NULL, tags TEXT NOT NULL,
            UNIQUE (dataset, category, action, outcome, reason, severity, tags));
        CREATE INDEX kinds_action ON kinds (action);
        CREATE TABLE actors (
            id INTEGER PRIMARY KEY, address TEXT NOT NULL, ip TEXT, user TEXT NOT NULL, database TEXT NOT NULL,
            UNIQUE (address, user, database));
        CREATE INDEX actors_ip ON actors (ip);
        CREATE INDEX actors_user ON actors (user);
        CREATE TABLE sources (
            id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, head_length INTEGER NOT NULL, path TEXT NOT NULL,
            format TEXT NOT NULL, cluster TEXT, instance TEXT, device INTEGER, inode INTEGER, generation INTEGER NOT NULL,
            position INTEGER NOT NULL, clock INTEGER NOT NULL, counted INTEGER NOT NULL, records INTEGER NOT NULL,
            text_lines INTEGER NOT NULL, unread INTEGER NOT NULL, unread_bytes INTEGER NOT NULL,
            -- Of an archive that was read to its end: bytes on the disk. While these stand, nothing in it is new.
            packed INTEGER,
            -- The last line of each session, as they were at that offset, for the search for missing ones.
            lines BLOB, lines_offset INTEGER,
            -- In which of the last minutes something was written.
            rhythm TEXT,
            -- When something was last read, by the clock on the wall.
            read_at INTEGER,
            UNIQUE (fingerprint, path, generation));
        CREATE TABLE unread (
            source INTEGER NOT NULL REFERENCES sources, offset INTEGER NOT NULL, length INTEGER NOT NULL,
            reason TEXT NOT NULL, PRIMARY KEY (source, offset)) WITHOUT ROWID;
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY, origin TEXT NOT NULL, line INTEGER NOT NULL, mark INTEGER NOT NULL,
            time INTEGER NOT NULL, kind INTEGER NOT NULL REFERENCES kinds, actor INTEGER NOT NULL REFERENCES actors,
            source INTEGER NOT NULL REFERENCES sources, offset INTEGER NOT NULL, count INTEGER NOT NULL,
            content INTEGER NOT NULL, port INTEGER, pid INTEGER, sqlstate TEXT, session TEXT,
            session_line INTEGER, application TEXT, message TEXT, target_user TEXT, operation TEXT, object TEXT,
            object_type TEXT, audit_class TEXT, query TEXT, auth_method TEXT, hba_rule TEXT, tls_version TEXT,
            secret TEXT, chain BLOB,
            UNIQUE (origin, line, mark, content));
        -- Holds all that rules need, so that going over events does not touch their rows.
        CREATE INDEX events_time ON events (time, kind, actor, source, offset, mark, count);
        -- Further records that tell of an event: what they add shows with it.
        CREATE TABLE records (
            event INTEGER NOT NULL REFERENCES events, origin TEXT NOT NULL, line INTEGER NOT NULL,
            mark INTEGER NOT NULL, kind INTEGER NOT NULL REFERENCES kinds, time INTEGER NOT NULL,
            source INTEGER NOT NULL REFERENCES sources, offset INTEGER NOT NULL, audit_class TEXT, object TEXT,
            object_type TEXT, PRIMARY KEY (event, origin, line, mark)) WITHOUT ROWID;
        -- What is known of open sessions at a source's position.
        CREATE TABLE sessions (
            source INTEGER NOT NULL REFERENCES sources, key TEXT NOT NULL, opened INTEGER NOT NULL,
            closed INTEGER NOT NULL, state BLOB NOT NULL, PRIMARY KEY (source, key, opened)) WITHOUT ROWID;
        -- Connections through a proxy: an event from (address, port) at that time is of the client behind it.
        CREATE TABLE hops (
            address TEXT NOT NULL, port INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
            client TEXT NOT NULL, client_ip TEXT, client_port INTEGER NOT NULL, exact INTEGER NOT NULL,
            PRIMARY KEY (address, port, start, client, client_port)) WITHOUT ROWID;
        CREATE TABLE activity (
            hour INTEGER NOT NULL, source INTEGER NOT NULL REFERENCES sources, command TEXT NOT NULL,
            user TEXT NOT NULL, database TEXT NOT NULL, audit_class TEXT NOT NULL, object TEXT NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (hour, command, user, database, audit_class, object, source)) WITHOUT ROWID;
        CREATE TABLE rules (
            id INTEGER PRIMARY KEY, rule TEXT NOT NULL, name TEXT NOT NULL, family TEXT NOT NULL,
            version TEXT NOT NULL, techniques TEXT NOT NULL, soc2 TEXT NOT NULL, mlps TEXT NOT NULL,
            -- Name and version of the framework that the techniques are of.
            framework TEXT, UNIQUE (rule, version));
        CREATE TABLE alerts (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL,
            rule INTEGER NOT NULL REFERENCES rules, group_key TEXT NOT NULL, severity TEXT NOT NULL, ip TEXT, user TEXT,
            database TEXT, events INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
            message TEXT NOT NULL, chain BLOB);
        CREATE INDEX alerts_time ON alerts (time);
        CREATE TABLE evidence (
            alert INTEGER NOT NULL REFERENCES alerts, event INTEGER NOT NULL REFERENCES events,
            PRIMARY KEY (alert, event)) WITHOUT ROWID;
        -- What rules that learn have seen groups show; of the group itself, the value is empty.
        CREATE TABLE baseline (
            rule TEXT NOT NULL, group_key TEXT NOT NULL, value TEXT NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (rule, group_key, value)) WITHOUT ROWID;
        CREATE TABLE bans (
            seq INTEGER PRIMARY KEY, alert TEXT, cidr TEXT NOT NULL, ip TEXT NOT NULL, start INTEGER NOT NULL,
            "end" INTEGER NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, events INTEGER NOT NULL,
            mode TEXT NOT NULL, by TEXT NOT NULL, chain BLOB, UNIQUE (alert, cidr));
        CREATE INDEX bans_cidr ON bans (cidr, start);
        CREATE INDEX bans_start ON bans (start);
        CREATE INDEX bans_end ON bans ("end");
        -- What people decided about bans, and what became of the lists: time is from when it holds, written when it was
        -- recorded, through the last ban that was there.
        CREATE TABLE acts (
            seq INTEGER PRIMARY KEY, act TEXT NOT NULL, time INTEGER NOT NULL, written INTEGER NOT NULL, cidr TEXT,
            by TEXT NOT NULL, reason TEXT NOT NULL, through INTEGER NOT NULL, chain BLOB);
        -- Alerts that an exception of the configuration held back, to say how many.
        CREATE TABLE held_back (
            id TEXT PRIMARY KEY, time INTEGER NOT NULL, rule TEXT NOT NULL, group_key TEXT NOT NULL,
            reason TEXT NOT NULL, message TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE detection (
            id INTEGER PRIMARY KEY CHECK (id = 1), time INTEGER NOT NULL, rewind INTEGER);
        INSERT INTO detection VALUES (1, \(Int64.min / 4), NULL);
        """

    /// A hop is joined by its number, found in the index for the one event: joined as a view, all events would be gone
    /// over for each question.
    private static let hopsByNumber = """
        CREATE TABLE hops_by_number (
            id INTEGER PRIMARY KEY, address TEXT NOT NULL, port INTEGER NOT NULL, start INTEGER NOT NULL,
            "end" INTEGER NOT NULL, client TEXT NOT NULL, client_ip TEXT, client_port INTEGER NOT NULL,
            exact INTEGER NOT NULL, UNIQUE (address, port, start, client, client_port));
        INSERT INTO hops_by_number (address, port, start, "end", client, client_ip, client_port, exact)
            SELECT address, port, start, "end", client, client_ip, client_port, exact FROM hops;
        DROP VIEW IF EXISTS event;
        DROP VIEW IF EXISTS event_hop;
        DROP TABLE hops;
        ALTER TABLE hops_by_number RENAME TO hops;
        """
}
