import EventStore
import Foundation
import Testing
import Vigil
import VigilModel

@Suite("Corpus: records read back")
struct ReadBackTests {
    /// Statements that may hold a secret, all of them, and some of the other events.
    private func events(_ store: Store) throws -> [Int64] {
        var found: [Int64] = []
        var number = 0
        try store.forEachEvent(after: .distantPast, through: .distantFuture, place: { _ in .event }) { event, _ in
            number += 1
            let isLikely = ["priv.", "secret.", "danger.", "perm."].contains { event.kind.action.hasPrefix($0) }
            if (number % 37 == 0 || isLikely) && found.count < 30 { found.append(event.seq) }
        }
        return found
    }

    @Test(
        "the records behind events are found in every form of log, and show no password",
        arguments: ["pg17-audit", "pg18-auditfile", "pgbouncer", "patroni4-pg17", "pgbackrest-2.55-pg17"])
    func found(name: String) throws {
        let run = try Run(name, unpacking: ["logs/*"])
        let finder = RecordFinder(Configuration())
        for file in try FileManager.default.subpathsOfDirectory(atPath: run.logs.path).sorted() {
            let path = run.logs.appending(path: file).path
            guard let head = FileManager.default.contents(atPath: path), !head.isEmpty,
                let (store, _) = try? run.replay([path], into: "\(UUID().uuidString).db")
            else { continue }
            for event in try events(store) {
                for place in try store.places(of: event) {
                    guard let text = finder.record(at: place).text else {
                        Issue.record("\(file) byte \(place.offset): \(finder.record(at: place))")
                        continue
                    }
                    let secret = try #/(Pw-\w+-\d{6}|-secret-\d{3,}|changed-\d{3,})/#.firstMatch(in: text)
                    #expect(secret == nil, "\(file) byte \(place.offset): \(text)")
                }
            }
        }
    }
}
