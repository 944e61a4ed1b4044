import GRDB
import VigilModel

/// The identities of stored events, the same in every store. It lives inside one read.
final class EventIdentities {
    private let db: Database
    /// Prepared when somebody asks.
    private var select: RawStatement?

    init(_ db: Database) { self.db = db }

    /// The identity of an event; its number when it is not there.
    func identity(of seq: Int64) throws -> String {
        let select = try select ?? RawStatement(db, EventIdentities.sql)
        self.select = select
        defer { select.reset() }
        select.bind { $0.add(seq) }
        return try select.next() ? select.text(0) ?? "\(seq)" : "\(seq)"
    }

    private static let sql = "SELECT origin || '-' || line || '-' || mark || '-' || content FROM events WHERE seq = ?"
}
