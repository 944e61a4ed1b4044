import GRDB
import VigilModel

/// The identities of stored events, the same in every store. It lives inside one read.
final class EventIdentities {
    private let select: RawStatement

    init(_ db: Database) throws {
        select = try RawStatement(
            db, "SELECT origin || '-' || line || '-' || mark || '-' || content FROM events WHERE seq = ?")
    }

    /// The identity of an event; its number when it is not there.
    func identity(of seq: Int64) throws -> String {
        defer { select.reset() }
        select.bind { $0.add(seq) }
        return try select.next() ? select.text(0) ?? "\(seq)" : "\(seq)"
    }
}
