import GRDB
import VigilModel

/// Writes connections through a proxy with a prepared statement, chained. It lives inside one write transaction.
struct HopInserter {
    private let db: Database
    private let insert: RawStatement
    private let tip: ChainTip
    /// Up to where rules have been over events, in milliseconds.
    private let reached: Int64

    init(_ db: Database) throws {
        self.db = db
        tip = try ChainTip(.hops, db)
        reached = try Int64.fetchOne(db.cachedStatement(sql: "SELECT time FROM detection")) ?? Int64.max
        insert = try RawStatement(
            db,
            """
            INSERT OR IGNORE INTO hops (address, port, start, "end", client, client_ip, client_port, exact, chain)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
    }

    /// Writes one; false when it is there already.
    func write(_ hop: ProxyHop) throws -> Bool {
        let hash = insert.bind { row in
            row.begin(after: tip.hash)
            row.add(hop.address)
            row.add(Int64(hop.port))
            row.add(hop.start.milliseconds)
            row.add(hop.end?.milliseconds ?? Int64.max)
            row.add(hop.clientAddress)
            row.add(IPAddress(hop.clientAddress)?.description)
            row.add(Int64(hop.clientPort ?? 0))
            row.add(hop.isExact ? 1 : 0)
            return row.addChain()
        }
        guard try insert.run() > 0 else { return false }
        tip.append(insert.lastRow, hash)
        return true
    }

    /// False when rules have not yet been over any event of the connection.
    func mayConcernRules(_ hop: ProxyHop) -> Bool { hop.start.milliseconds - ProxyHop.slack <= reached }

    /// Keeps where the chain ends now: to be called when all are written.
    func finish() throws { try tip.save(db) }
}
