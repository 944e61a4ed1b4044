import Foundation

/// What must hold for any bytes at all, whoever made them up. The seeded tests and the fuzzers ask for the same.
public enum Property: String, CaseIterable, Sendable {
    /// Logs of every format, from bytes to events.
    case records
    /// Rows as Vector sends them.
    case rows
    /// SQL: statements, and what is left of it without its secrets.
    case sql
    /// Files of patterns and rules.
    case patterns
    /// The configuration.
    case configuration
    /// Rules over any run of events.
    case rules
    /// Packed files.
    case archives
    /// Addresses, times, prefixes, block lists.
    case texts

    /// What is wrong with what was made of the input; nil when all is as it must be.
    public func problem(with input: [UInt8]) -> String? {
        switch self {
        case .records: LogProperty.problem(with: input)
        case .rows: RowProperty.problem(with: input)
        case .sql: SQLProperty.problem(with: input)
        case .patterns: FileProperty.problem(withPatterns: input)
        case .configuration: FileProperty.problem(withConfiguration: input)
        case .rules: RuleProperty.problem(with: input)
        case .archives: ArchiveProperty.problem(with: input)
        case .texts: TextProperty.problem(with: input)
        }
    }

    /// Inputs to begin with.
    public var seeds: [[UInt8]] {
        switch self {
        case .records: LogProperty.seeds
        case .rows: RowProperty.seeds
        case .sql: SQLProperty.seeds
        case .patterns: FileProperty.patternSeeds
        case .configuration: FileProperty.configurationSeeds
        case .rules: RuleProperty.seeds
        case .archives: ArchiveProperty.seeds
        case .texts: TextProperty.seeds
        }
    }

    /// The repository.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
}

/// Numbers that are the same for the same seed (SplitMix64).
public struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    /// Takes the seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
