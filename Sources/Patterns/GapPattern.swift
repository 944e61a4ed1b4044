import VigilModel

/// Says what it means when something is missing that must be there: numbers that the server counts up, time, bytes.
public struct GapPattern: Sendable {
    /// What is counted.
    public enum Counter: String, CaseIterable, Sendable {
        /// The records of a session (`session_line_num`).
        case lines
        /// The statements of a session that pgaudit logged.
        case audit
        /// Records of a log that always spoke.
        case time
        /// Bytes of a file.
        case bytes
    }

    /// Name of the pattern, unique in the catalogue.
    public let id: String
    /// What it recognises, for people.
    public let description: String
    /// The file and line it stands at.
    public let place: String
    /// What is missing.
    public let counter: Counter
    /// What follows.
    public let kind: EventKind
}
