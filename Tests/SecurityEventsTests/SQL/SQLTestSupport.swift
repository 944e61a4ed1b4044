import SecurityEvents

func statements(_ sql: String) -> [SQLStatement] {
    SQLReader.statements(in: Array(sql.utf8))
}

func commands(_ sql: String) -> [String] {
    statements(sql).map(\.command)
}

func redacted(_ sql: String) -> String {
    String(decoding: SQLReader.redacted(Array(sql.utf8)), as: UTF8.self)
}

/// The text of each statement's range.
func texts(_ sql: String) -> [String] {
    let bytes = Array(sql.utf8)
    return SQLReader.statements(in: bytes).map { String(decoding: bytes[$0.range], as: UTF8.self) }
}

/// Numbers that are the same in each run (a linear congruential generator with Knuth's constants).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 33)
    }
}
