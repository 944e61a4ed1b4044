import EventStore
import Foundation
import Testing
import Vigil
import VigilModel

/// A line of truth.jsonl, as far as bans go.
private struct TruthLine: Decodable {
    let type: String
    let scenario: String?
    let kind: String
    let time: String
    let user: Words?
    let src: Words?
    let outcome: String?
    let expected: [Expected]?
    let cause: String?

    enum CodingKeys: String, CodingKey {
        case type, scenario, kind, time, user, src, outcome, expected
        case cause = "benign_cause"
    }

    struct Expected: Decodable {
        let rule: String
        let src: Words?
    }

    /// One word, or several.
    struct Words: Decodable {
        let all: [String]

        init(from decoder: any Decoder) throws {
            let one = try? decoder.singleValueContainer().decode(String.self)
            all = try one.map { [$0] } ?? decoder.singleValueContainer().decode([String?].self).compactMap { $0 }
        }
    }

    static func all(in file: URL) throws -> [TruthLine] {
        // Names with odd bytes are no concern here.
        String(decoding: try Data(contentsOf: file), as: UTF8.self).split(separator: "\n").compactMap {
            try? JSONDecoder().decode(TruthLine.self, from: Data($0.utf8))
        }
    }
}

@Suite("Corpus: who is banned")
struct BanTruthTests {
    private static let runs = [
        "pg15-audit-all", "pg15-audit-ddl", "pg15-auditfile", "pg15-bigstmt", "pg15-de", "pg15-noaudit-dur0",
        "pg15-rotate", "pg15-zh", "pg17-audit", "pg18-audit", "pg18-auditfile", "pgbouncer",
    ]

    @Test(
        "who guessed or sprayed, unless others log in from there; nobody else, and nobody through forged text",
        arguments: runs)
    func truth(name: String) throws {
        let run = try Run(name, unpacking: ["logs", "truth/truth.jsonl"], strip: 0)
        let lines = try TruthLine.all(in: run.logs.appending(path: "truth/truth.jsonl"))
        var attackers: Set<String> = []
        var hostile: Set<String> = []
        for line in lines where line.type == "scenario" {
            let rules = (line.expected ?? []).filter { $0.rule == "auth.bruteforce" || $0.rule == "auth.spray" }
            if line.cause == nil { attackers.formUnion(rules.flatMap { $0.src?.all ?? [] }) }
            // Whoever forges, enumerates or guesses may be banned, too, when his logins fail often enough.
            let words = ["brute", "spray", "compromise", "enumeration", "injection", "invalid_utf8"]
            if words.contains(where: line.kind.contains) { hostile.formUnion(line.src?.all ?? []) }
        }
        let configuration = try configured(run)
        let (store, _) = try run.replay([run.logs.appending(path: "logs").path], into: "a.db", configuration)
        let banned = Set(try store.allBans().map(\.sourceIP.description))
        let spared = try spared(store)
        #expect(!attackers.isEmpty)
        let missed = attackers.subtracting(banned).subtracting(spared).subtracting(["[local]"])
        #expect(missed.isEmpty, "\(missed)")
        #expect(banned.isSubset(of: hostile), "\(banned.subtracting(hostile))")
        // Only the monitor's own address is also an attacker's.
        #expect(spared.isSubset(of: ["::1"]))
    }

    private func configured(_ run: Run) throws -> Configuration {
        let file = run.folder.appending(path: "pgvigil.yml").path
        try Data("bans: {mode: enforce, loopback: true}\n".utf8).write(to: URL(fileURLWithPath: file))
        return try Configuration.load(file)
    }

    private func spared(_ store: Store) throws -> Set<String> {
        Set(
            try counts(store, .alerts, action: nil, by: ["rule.id", "source.ip"]).keys.compactMap { key in
                key.hasPrefix("ban-spared|") ? String(key.dropFirst(11)) : nil
            })
    }
}
