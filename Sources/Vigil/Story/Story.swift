import EventStore
import LocatedYAML
import VigilModel

/// What one user, address or session did.
public struct Story {
    /// Whose.
    public let subject: StorySubject
    private let store: Store
    private let since, until: LogTime

    /// What a name is taken for.
    public enum Kind: String, CaseIterable, Sendable {
        case user, address, session
    }

    /// Finds out whose story it is. Throws `StoryProblem` when the name is nobody's, or may be more than one thing.
    public init(_ name: String, as kind: Kind?, in store: Store, since: LogTime?, until: LogTime?) throws {
        self.store = store
        self.since = since ?? .distantPast
        self.until = until ?? .distantFuture
        if let kind {
            subject = try Story.subject(name, kind)
            return
        }
        let found = try store.subjects(named: name)
        guard let first = found.first else { throw try Story.nobody(name, store) }
        guard found.count == 1 else {
            let words = found.map(\.word)
            throw StoryProblem(
                text:
                    "\(Shown.quoted(name)) is \(words.map { ($0 == "address" ? "an " : "a ") + $0 }.joined(separator: " and "))",
                hint: "say which: " + words.map { "--as \($0)" }.joined(separator: " or "), isAmbiguous: true)
        }
        subject = first
    }

    private static func subject(_ name: String, _ kind: Kind) throws -> StorySubject {
        switch kind {
        case .user: .user(name)
        case .session: .session(name)
        case .address: CIDR(name).map(StorySubject.address) ?? .host(name)
        }
    }

    private static func nobody(_ name: String, _ store: Store) throws -> StoryProblem {
        if let ip = IPAddress(name) {
            let clients = try store.clients(behind: ip.description)
            let hint =
                clients > 0
                ? "it is a proxy, with \(clients) clients behind it: pgvigil events --group-by source.nat.ip,source.ip"
                : "pgvigil events --group-by source.ip shows the addresses that are there; a block works, too, as \(CIDR(ip, prefix: ip.isV4 ? 24 : 64))"
            return StoryProblem(text: "nothing in the store is of the address \(ip)", hint: hint)
        }
        let near = nearest(to: name, among: try store.users(limit: 10_000))
        return StoryProblem(
            text: "nothing in the store is of a user, an address or a session \(Shown.quoted(name))",
            hint: near.map { "did you mean \(Shown.quoted($0))?" }
                ?? "names are case-sensitive; pgvigil events --group-by user.name shows those that are there")
    }

    /// Hands over what happened, in order. With `most`, of a long story its end; gives the time at which it begins then.
    @discardableResult
    public func tell(most: Int? = nil, _ body: (StoryItem) throws -> Void) throws -> LogTime? {
        try store.story(of: subject, since: since, until: until, most: most, body)
    }

    /// What a user did too often for a row each; nothing for an address or a session, of which nobody counts it.
    public func activity(limit: Int) throws -> [UserActivity] {
        guard case .user(let name) = subject else { return [] }
        return try store.activity(of: name, since: since, until: until, limit: limit)
    }
}

/// A story that cannot be told.
public struct StoryProblem: Error, CustomStringConvertible {
    let text, hint: String
    /// True when the name may be more than one thing.
    public var isAmbiguous = false

    /// Why, and what to do.
    public var description: String { "\(text)\n  hint: \(hint)" }
}
