import GRDB

/// Actors of which no event is left. The last one stays: its number is not given twice.
struct ActorPruning: Pruning {
    private var from: Int64 = 0

    private static let batch = 250

    mutating func step(_ db: Database, _ deadline: Deadline) throws -> (went: RetentionResult, hasMore: Bool) {
        // Sessions have an index of their own.
        let select = try RawStatement(
            db,
            """
            SELECT a.id, EXISTS (SELECT 1 FROM events WHERE kind > 0 AND actor = a.id)
                OR EXISTS (SELECT 1 FROM events WHERE kind < 0 AND kind IN (SELECT id FROM kinds WHERE id < 0)
                    AND actor = a.id)
            FROM actors a WHERE a.id > ? AND a.id < (SELECT max(id) FROM actors) ORDER BY a.id
            LIMIT \(ActorPruning.batch)
            """)
        let delete = try db.cachedStatement(sql: "DELETE FROM actors WHERE id = ?")
        var went = RetentionResult()
        var isOver = false
        while !isOver, !deadline.isOver {
            select.bind { $0.add(from) }
            var (count, gone): (Int, [Int64]) = (0, [])
            while try select.next() {
                count += 1
                from = select.number(0)
                if select.number(1) == 0 { gone.append(from) }
            }
            select.reset()
            for actor in gone { try delete.execute(arguments: [actor]) }
            went.add(gone.count, of: "actors")
            isOver = count < ActorPruning.batch
        }
        return (went, !isOver)
    }
}
