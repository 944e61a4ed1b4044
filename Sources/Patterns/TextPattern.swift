import VigilModel

/// Says what it means when a text that a client wrote looks like something else: a name, a message that it made the
/// server write, a statement.
public struct TextPattern: Sendable {
    /// Where a text of a client's stands.
    public enum Place: String, CaseIterable, Sendable {
        /// The user or the database, as the start-up packet has them.
        case name
        /// What the client calls itself.
        case application
        /// A message that a client made the server write, by RAISE or by an error about its own text, and its DETAIL.
        case message
        /// The text of a statement, comments and constants included.
        case statement
    }

    /// Name of the pattern, unique in the catalogue.
    public let id: String
    /// What it recognises, for people.
    public let description: String
    /// The file and line it stands at.
    public let place: String
    /// Which texts it looks at.
    public let places: [Place]
    /// What must match in such a text.
    public let regex: Regex
    /// What follows: the event of the record gets these words, or is one.
    public let kind: EventKind
}
