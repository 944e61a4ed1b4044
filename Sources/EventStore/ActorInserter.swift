import GRDB
import VigilModel

/// Finds the rows of actors, and writes those that are missing. It lives inside one write transaction.
final class ActorInserter {
    private let db: Database
    private let statements: WriterStatements

    init(_ db: Database, _ statements: WriterStatements) {
        self.db = db
        self.statements = statements
    }

    /// The row of an actor. `all` are those of the store, if they are known: it is not asked for others then.
    func entry(of actor: EventActor, _ all: inout ActorTable?) throws -> KindCache.Entry {
        let statements = try statements.actors(db)
        // Nothing is empty there.
        let (address, user) = (actor.address?.asStored ?? "", actor.user?.asStored ?? "")
        let database = actor.database?.asStored ?? ""
        let digest = statements.insert.bind { row in
            row.add(address)
            row.add(user)
            row.add(database)
            row.add(actor.ipText)
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
        let number = statements.insert.lastRow
        all?.add(digest, number)
        return KindCache.Entry(id: number, digest: digest)
    }

    private func hash(ofRow number: Int64, _ compare: RawStatement) throws -> ChainHash? {
        defer { compare.reset() }
        compare.bind { $0.add(number) }
        return try compare.next() ? compare.hash : nil
    }
}
