/// Tables of what waits for sinks.
///
/// A row of `outbox` is written in the transaction that writes its event or alert, and goes when the sink has taken it.
/// An event that says more since it was told has a higher `version`; only what was read is taken away.
enum OutboxSchema {
    static let tables = """
        CREATE TABLE sinks (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
            -- Events up to this one were there before the sink was.
            after_event INTEGER NOT NULL,
            sent INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0,
            -- By the clock on the wall.
            last_success INTEGER, failing_since INTEGER, attempts INTEGER NOT NULL DEFAULT 0, next_try INTEGER,
            problem TEXT);
        CREATE TABLE outbox (
            sink INTEGER NOT NULL REFERENCES sinks, kind INTEGER NOT NULL, item INTEGER NOT NULL,
            written INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (sink, kind, item)) WITHOUT ROWID;
        -- What a sink refused, and why.
        CREATE TABLE set_aside (
            sink INTEGER NOT NULL REFERENCES sinks, kind INTEGER NOT NULL, item INTEGER NOT NULL,
            time INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (sink, kind, item)) WITHOUT ROWID;
        -- Alerts that a sink keeps telling until they end.
        CREATE TABLE firing (
            sink INTEGER NOT NULL REFERENCES sinks, alert INTEGER NOT NULL, "end" INTEGER NOT NULL,
            PRIMARY KEY (sink, alert)) WITHOUT ROWID;
        """
}
