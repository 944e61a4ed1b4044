import VigilModel

/// A place where the chain does not hold.
public struct ChainFault: Sendable {
    /// The table, and the row's number in it.
    public let table: String
    /// The row's number.
    public let row: Int64
    /// What is wrong.
    public internal(set) var problem: String
    /// `event.id` or `alert.id`, and when it happened, as the row says now.
    public internal(set) var id: String?
    /// When it happened, as the row says now.
    public internal(set) var time: LogTime?
    /// What the row says now.
    public internal(set) var text: String?
}

/// What going over the whole chain showed.
public struct ChainReport: Sendable {
    /// A head that was kept elsewhere, and what became of it.
    public enum Proof: Sendable, Equatable {
        /// It is a part of this chain: nothing before it was changed, taken out or put in.
        case holds
        /// It is not: rows before it are others.
        case differs
        /// So many rows of a table were there, and fewer are now.
        case isCut(table: String, last: Int64)
        /// A row that it ends with is gone since its time was over: nothing can be said.
        case isPruned(table: String, row: Int64)
    }

    /// One table.
    public struct Table: Sendable {
        /// Its name.
        public let name: String
        /// Rows that are there, and rows that are gone since their time was over.
        public internal(set) var rows: Int64 = 0
        /// Rows that are gone since their time was over.
        public internal(set) var pruned: Int64 = 0
    }

    /// Where the chain ends.
    public internal(set) var head: ChainHead
    /// All tables.
    public internal(set) var tables: [Table] = []
    /// The first faults of each table, in order.
    public internal(set) var faults: [ChainFault] = []
    /// How many there are in all.
    public internal(set) var faultCount = 0
    /// Heads that were to be proved, in their order.
    public internal(set) var proofs: [(head: ChainHead, proof: Proof)] = []

    /// True when every row is as it was written.
    public var holds: Bool { faultCount == 0 }
}
