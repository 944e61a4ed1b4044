import GRDB

/// Statements that write events and actors, prepared once: live, a transaction writes few, and preparing costs more than
/// running. They must be forgotten before their connection is closed, where that is in nobody's use.
final class WriterStatements {
    /// What finds and writes actors.
    final class Actors {
        let find, compare, insert: RawStatement

        fileprivate init(_ db: Database) throws {
            find = try RawStatement(
                db, "SELECT id, digest FROM actors WHERE address = ? AND user = ? AND database = ?")
            compare = try RawStatement(db, "SELECT id, digest FROM actors WHERE id = ?")
            insert = try RawStatement(
                db, "INSERT INTO actors (address, user, database, ip, digest) VALUES (?, ?, ?, ?, ?)")
        }
    }

    private var event: RawStatement?
    private var actors: Actors?

    /// What writes an event.
    func event(_ db: Database) throws -> RawStatement {
        if let event, event.isOf(db) { return event }
        let places = Array(repeating: "?", count: 28).joined(separator: ", ")
        let made = try RawStatement(
            db, "INSERT INTO events (\(EventInserter.columns)) VALUES (\(places)) ON CONFLICT DO NOTHING")
        event = made
        return made
    }

    func actors(_ db: Database) throws -> Actors {
        if let actors, actors.find.isOf(db) { return actors }
        let made = try Actors(db)
        actors = made
        return made
    }

    func forget() { (event, actors) = (nil, nil) }
}
