/// Tables of what is read from a server of logs, which has no offsets: what was seen of it is kept by row.
enum StreamSchema {
    static let tables = """
        -- Times of a source's records are those at which they were received: its events ban nobody.
        ALTER TABLE sources ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
        -- Line numbers that were seen of a server's sessions; `seen` is the newest row's time.
        CREATE TABLE stream_sessions (
            source INTEGER NOT NULL REFERENCES sources, session TEXT NOT NULL, seen INTEGER NOT NULL,
            lines TEXT NOT NULL, PRIMARY KEY (source, session)) WITHOUT ROWID;
        -- Rows without session and line: how often each was seen.
        CREATE TABLE stream_rows (
            source INTEGER NOT NULL REFERENCES sources, time INTEGER NOT NULL, digest INTEGER NOT NULL,
            count INTEGER NOT NULL, PRIMARY KEY (source, time, digest)) WITHOUT ROWID;
        -- Up to where a server of logs was read.
        CREATE TABLE cursors (
            name TEXT PRIMARY KEY, reached INTEGER NOT NULL, late INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
        """
}
