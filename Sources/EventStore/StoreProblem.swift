import VigilModel

/// Why a file cannot be used as a store, and what to do.
public struct StoreProblem: Error, CustomStringConvertible, Sendable {
    /// The file.
    public let path: String
    /// What is wrong.
    public let reason: String
    /// What to do.
    public let hint: String

    /// All of it.
    public var description: String { "\(Shown.text(path)): \(reason)\n  hint: \(hint)" }
}
