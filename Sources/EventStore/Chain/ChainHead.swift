import GRDB
import VigilModel

/// Where the chains of all tables end: the last row of each, and one hash over all. As text it can be kept elsewhere, and
/// `verify` proves later that nothing before it was touched.
public struct ChainHead: Sendable, Hashable, CustomStringConvertible {
    /// The last row of each table, 0 for none.
    let rows: [ChainedTable: Int64]
    /// Of names, last rows and hashes.
    let hash: ChainHash

    init(_ tips: [ChainedTable: (last: Int64, hash: ChainHash)]) {
        rows = tips.mapValues(\.last)
        hash = ChainHead.hash(tips)
    }

    static func hash(_ tips: [ChainedTable: (last: Int64, hash: ChainHash)]) -> ChainHash {
        ChainHash(
            words: ChainedTable.allCases.flatMap { table -> [String?] in
                let tip = tips[table]
                return [table.rawValue, tip.map { "\($0.last)" }, tip?.hash.hexadecimal]
            })
    }

    /// `events=1200,records=3,hops=0,alerts=17,bans=4,acts=9:5f0c…`, with 32 hexadecimal digits.
    public var description: String {
        let rows = ChainedTable.allCases.map { "\($0.rawValue)=\(self.rows[$0] ?? 0)" }
        return "\(rows.joined(separator: ",")):\(hash.hexadecimal)"
    }

    /// Reads what `description` writes; nil when the text is something else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let hash = ChainHash(hexadecimal: String(parts[1])) else { return nil }
        var rows: [ChainedTable: Int64] = [:]
        for part in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let table = ChainedTable(rawValue: String(pair[0])), let last = Int64(pair[1]),
                last >= 0, rows[table] == nil
            else { return nil }
            rows[table] = last
        }
        guard rows.count == ChainedTable.allCases.count else { return nil }
        (self.rows, self.hash) = (rows, hash)
    }

    /// Every head that stands somewhere in a text, as in a log.
    public static func all(in text: String) -> [ChainHead] {
        text.split { $0.isWhitespace || "\"'<>()[]".contains($0) }.compactMap { word in
            word.range(of: "events=").flatMap { ChainHead(word[$0.lowerBound...]) }
        }
    }

    /// How many rows were ever written to all tables.
    public var count: Int64 { rows.values.reduce(0, +) }

    /// Rows that were ever written, by table.
    public var tables: [(name: String, rows: Int64)] {
        ChainedTable.allCases.map { ($0.rawValue, rows[$0] ?? 0) }
    }
}

extension ChainHead {
    init(_ db: Database) throws {
        var tips: [ChainedTable: (last: Int64, hash: ChainHash)] = [:]
        for table in ChainedTable.allCases {
            let tip = try ChainTip(table, db)
            tips[table] = (tip.last, tip.hash)
        }
        self.init(tips)
    }
}

extension Store {
    /// Where the chain ends now.
    public func head() throws -> ChainHead { try pool.read { try ChainHead($0) } }
}
