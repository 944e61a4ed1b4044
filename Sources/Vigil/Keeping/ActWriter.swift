import EventStore
import Foundation
import VigilModel

/// Writes what pgvigil works by into the store, when it is not what it was: configuration, rules, whom it never bans.
struct ActWriter {
    private let store: Store

    init(_ store: Store) { self.store = store }

    /// Records what has changed since it was recorded last.
    func note(_ configuration: Configuration, rules: String) throws {
        let allowed = configuration.bans.allow.map { entry in
            "\(entry.cidr)" + (entry.reason.isEmpty ? "" : " (\(entry.reason))")
        }.sorted()
        let acts = [
            OwnAct(
                .configuration, configuration.path.map { "read from \($0)" } ?? "the defaults",
                item: configuration.digest),
            OwnAct(.rules, configuration.patterns.map { "of \($0)" } ?? "of pgvigil \(Version.text)", item: rules),
            OwnAct(
                .allow, allowed.isEmpty ? "nobody by name" : ActWriter.list(allowed),
                item: Fingerprint.sha256(allowed.joined(separator: "\n").utf8)),
        ]
        try store.add(acts.filter { try store.lastAct($0.kind)?.item != $0.item })
    }

    /// The first hundred; the hash is of all.
    private static func list(_ entries: [String]) -> String {
        entries.prefix(100).joined(separator: ", ") + (entries.count > 100 ? ", and \(entries.count - 100) more" : "")
    }

    /// Records that logs are followed from now on, and that the last time was not ended. Gives what there is to say.
    func start(paths: [String]) throws -> String? {
        var acts: [OwnAct] = []
        var talk: String?
        if let last = try store.lastAct(.start, .stop, .crash), last.kind != .stop, !isWatched {
            let until = try store.sourceStatus().compactMap(\.lastRead).max().map { max($0, last.time) } ?? last.time
            let text = "what began at \(last.time) was not stopped; it last read something at \(until)"
            acts.append(OwnAct(.crash, text))
            talk = text
        }
        acts.append(OwnAct(.start, "following \(paths.joined(separator: " ")), pgvigil \(Version.text)"))
        try store.add(acts)
        return talk
    }

    /// Records the end.
    func stop(_ reason: String) throws { try store.add([OwnAct(.stop, reason)]) }

    /// Another process follows logs into this store.
    private var isWatched: Bool { StoreProcess.all(of: store.path).contains { $0.command == "watch" } }
}
