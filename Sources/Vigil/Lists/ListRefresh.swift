import EventStore

/// Brings the files of `blocklists` up to date once, when no `watch` does: bans end in them also while it is stopped.
public struct ListRefresh {
    /// False when another process keeps the lists.
    public let isDone: Bool
    /// What was written, emptied, or failed.
    public let messages: [String]
    /// Lists that are not current.
    public let failing: [String]

    /// Writes what must be written, and runs the commands that belong to it.
    public init(_ store: Store, _ configuration: Configuration) throws {
        let keeper = try ListKeeper(store: store, configuration: configuration)
        isDone = try !keeper.isNeeded || keeper.once()
        messages = isDone ? keeper.takeMessages() : []
        failing = keeper.failing
    }
}
