import GRDB
import VigilModel

/// Finds the rows of actors, and writes those that are missing. It lives inside one write transaction, and prepares what it
/// needs when somebody comes who is not remembered: most commits bring nobody.
final class ActorInserter {
    private struct Statements {
        let find, compare, insert: RawStatement
    }

    private let db: Database
    private var prepared: Statements?

    init(_ db: Database) { self.db = db }

    private func statements() throws -> Statements {
        if let prepared { return prepared }
        let new = Statements(
            find: try RawStatement(
                db, "SELECT id, digest FROM actors WHERE address = ? AND user = ? AND database = ?"),
            compare: try RawStatement(db, "SELECT id, digest FROM actors WHERE id = ?"),
            insert: try RawStatement(
                db, "INSERT INTO actors (address, user, database, ip, digest) VALUES (?, ?, ?, ?, ?)"))
        prepared = new
        return new
    }

    /// The row of an actor. `all` are those of the store, if they are known: it is not asked for others then.
    func entry(of actor: EventActor, _ all: inout ActorTable?) throws -> KindCache.Entry {
        let statements = try statements()
        let (address, user) = (ActorInserter.stored(actor.address), ActorInserter.stored(actor.user))
        let database = ActorInserter.stored(actor.database)
        let digest = statements.insert.bind { row in
            row.add(address)
            row.add(user)
            row.add(database)
            row.add(actor.ip?.description)
            return row.addChain()
        }
        if let table = all {
            let known = try table.find(digest) { try hash(ofRow: $0, statements.compare) == digest }
            if let known { return KindCache.Entry(id: known, digest: digest) }
        } else {
            defer { statements.find.reset() }
            statements.find.bind { row in
                row.add(address)
                row.add(user)
                row.add(database)
            }
            if try statements.find.next() {
                return KindCache.Entry(id: statements.find.number(0), digest: digest)
            }
        }
        _ = try statements.insert.run()
        let number = db.lastInsertedRowID
        all?.add(digest, number)
        return KindCache.Entry(id: number, digest: digest)
    }

    private func hash(ofRow number: Int64, _ compare: RawStatement) throws -> ChainHash? {
        defer { compare.reset() }
        compare.bind { $0.add(number) }
        return try compare.next() ? compare.hash : nil
    }

    /// A text as it stands in the store: nothing is empty there, and a text ends in front of a zero byte.
    private static func stored(_ text: String?) -> String {
        guard let text else { return "" }
        return text.utf8.contains(0) ? String(text.unicodeScalars.prefix { $0 != "\0" }) : text
    }
}
