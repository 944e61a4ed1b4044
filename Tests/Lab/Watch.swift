import Foundation
import Testing

/// A `pgvigil watch` beside the servers.
final class Watch {
    let store: String
    private let vigil: Vigil
    private let process: Child

    init(_ vigil: Vigil, _ paths: [String], store: String) throws {
        (self.vigil, self.store) = (vigil, store)
        process = try vigil.watch(paths, store: store)
    }

    deinit { process.stop() }

    private func content(_ store: String) throws -> [Set<String>] {
        try ["events", "alerts"].map { Set(try vigil.rows($0, store).map(\.content)) }
            + [
                Set(
                    try vigil.run("bans", ["--all", "--format", "jsonl"], store: store).split(separator: "\n").map(
                        String.init))
            ]
    }

    /// Waits until it has found what a replay found afterwards, and stops it.
    func stop(when replayed: String) throws {
        let wanted = try content(replayed)
        var found: [Set<String>] = []
        let end = Date(timeIntervalSinceNow: 60)
        repeat {
            found = try content(store)
            if found == wanted { break }
            Thread.sleep(forTimeInterval: 0.2)
        } while Date() < end
        let talk = vigil.lab.read(store + ".talk").suffix(1000)
        for (found, wanted) in zip(found, wanted) {
            #expect(Array(found.subtracting(wanted).prefix(3)) == [], "only live; \(talk)")
            #expect(Array(wanted.subtracting(found).prefix(3)) == [], "only in replay; \(talk)")
        }
        #expect(process.stop() == 0)
    }
}
