import CWords
import Patterns
import Testing

@testable import SecurityEvents

@Suite("Words found with wide instructions")
struct WordTableTests {
    private static let catalogue = Result { try Catalogue.embedded().events }

    private static let pieces =
        [
            "where", "WHERE", "password", "pg_authid", "log", "u", "U", "&", "x", "_", "__", "order_lines", "1", "23",
            "$1",
            "$", "$$", "a$b", "1union", "union", "'", "''", "\"", "--", "-", "/*", "*/", "/", "://", ":", "@@", "@",
            "=",
            " = ", "1=1", "(", ")", ";", "; ", "\\", "\n", "\t", " ", "  ", "é", "pg_read_server_files",
            "pg_terminate_backend", "md50123456789abcdef0123456789abcdef", "UPDATE t SET a = 1 ", "DELETE FROM t ",
            String(repeating: "y", count: 70), String(repeating: " ", count: 63),
        ].map { Array($0.utf8) } + [[0xFF], [0x00], [0x80]]

    private static func text(seed: UInt64) -> [UInt8] {
        var numbers = SeededNumbers(seed: seed)
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 0...40, using: &numbers) { text += pieces.randomElement(using: &numbers) ?? [] }
        return text
    }

    @Test("are those found byte by byte, in every implementation", arguments: 0..<10)
    func equal(block: UInt64) throws {
        let patterns = try Self.catalogue.get().statements
        let words = StatementWords(patterns)
        let table = try #require(words.table)
        for seed in block * 500..<(block + 1) * 500 {
            let text = seed % 2 == 0 ? Self.text(seed: seed) : PropertyTests.soup(seed: seed)
            text.withUnsafeBufferPointer { text in
                let plain = words.lookPlainly(at: text)
                for kind in [CWORDS_PORTABLE, CWORDS_BEST] {
                    let seen = table.look(at: text, kind).map { words.look($0, at: text) }
                    #expect(seen == plain, "seed \(seed), \(kind): \(String(decoding: text, as: UTF8.self))")
                }
            }
        }
    }

    @Test("are those of the corpus' statements, too")
    func corpus() throws {
        let catalogue = try Self.catalogue.get()
        let words = StatementWords(catalogue.statements)
        let texts = catalogue.examples.map(\.input) + CorpusStatements.withSecrets.map(\.sql)
        for text in texts.map({ Array($0.utf8) }) {
            text.withUnsafeBufferPointer { #expect(words.look(at: $0) == words.lookPlainly(at: $0)) }
        }
    }

    @Test("are found in texts of any length")
    func long() throws {
        let words = StatementWords(try Self.catalogue.get().statements)
        for length in [63, 64, 65, 4090, 4096, 4097, 100_000] {
            let text = Array((String(repeating: "a ", count: length / 2) + "password").utf8)
            text.withUnsafeBufferPointer {
                #expect(words.look(at: $0) == words.lookPlainly(at: $0))
                #expect(words.look(at: $0).found != StatementWords.Patterns())
            }
        }
    }

    @Test(
        "an empty comment at the end is told from others",
        arguments: [
            ("SELECT 1 --", true), ("SELECT 1 -- ')", true), ("SELECT 1 -- all", false), ("SELECT 'a -- b'", false),
            ("INSERT INTO t VALUES ('a;b -- c')", false), ("SELECT '--'", true), ("SELECT 1", false),
        ])
    func cutOff(sql: String, isPossible: Bool) {
        Array(sql.utf8).withUnsafeBufferPointer { #expect(StatementWords.mayBeCutOff($0) == isPossible) }
    }
}
