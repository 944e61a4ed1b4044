import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

@Suite("What reading statements gave is remembered")
struct StatementMemoryTests {
    private let memory = StatementMemory()
    private let classifier: StatementClassifier

    init() throws { classifier = StatementClassifier(try Catalogue.embedded().events.statements) }

    /// What is made of a text: statements with their places, kinds, and the text without its secrets.
    private func shown(_ text: StatementText) -> [String] {
        zip(text.statements, text.kinds(classifier)).map { statement, kind in
            "\(statement.range) \(statement.command) \(statement.objectName ?? "-") \(statement.shape) "
                + "\(kind?.action ?? "-") \(kind?.tags ?? []) \(text.redacted(statement.range))"
        } + ["\(text.context.look)", text.redacted(0..<text.bytes.count)]
    }

    /// Texts that may be taken for each other: with other numbers, names, secrets and values.
    static let families: [[String]] = [
        ["SELECT * FROM a WHERE id = 4711", "SELECT * FROM a WHERE id = 1234", "SELECT * FROM a WHERE id = 99"],
        ["DELETE FROM a WHERE 1 = 1", "DELETE FROM a WHERE 2 = 1", "DELETE FROM a WHERE 1 = 7"],
        ["CREATE TABLE t_1 (id int)", "CREATE TABLE t_2 (id int)", "CREATE TABLE t_1 (id int)"],
        [
            "ALTER ROLE a PASSWORD 'geheim1'", "ALTER ROLE a PASSWORD 'geheim2'", "ALTER ROLE a PASSWORD 'geheim1'",
        ],
        ["SET ssl = 0", "SET ssl = 1", "SET row_security = 0", "SET row_security = 1"],
        ["SELECT 1;\n2026 x", "SELECT 1;\n1026 x", "SELECT 2, 3; DROP TABLE b", "SELECT 7, 8; DROP TABLE b"],
        ["SELECT f(1, '5'), 2 -- 33", "SELECT f(2, '5'), 2 -- 33", "SELECT f(1, '6'), 2 -- 34"],
        ["INSERT INTO k VALUES (17, $1, $2)", "INSERT INTO k VALUES (18, $1, $2)", "", "7", " 7"],
        ["SELECT 123/*1*/,1", "SELECT 124/*2*/,2", "SELECT \"a 1\" = 2", "SELECT \"a 2\" = 2"],
    ]

    @Test("a text is read as if it were the first one", arguments: families)
    func same(_ family: [String]) {
        // The third time something is remembered, at the latest.
        for _ in 0..<4 {
            for text in family {
                let bytes = Array(text.utf8)
                for isParsed in [true, false] {
                    let remembered = memory.text(bytes, classifier.words, isParsed: isParsed)
                    let fresh = StatementText(bytes, classifier.words, isParsed: isParsed)
                    #expect(shown(remembered) == shown(fresh), "\(text)")
                }
            }
        }
    }

    @Test("what comes again is remembered, with other numbers too")
    func remembered() {
        func known(_ text: String) -> Bool { memory.text(Array(text.utf8), classifier.words).known != nil }
        #expect(!known("SELECT * FROM a WHERE id = 4711"))
        #expect(known("SELECT * FROM a WHERE id = 1234") && known("SELECT * FROM a WHERE id = 9999"))
        #expect(!known("SELECT * FROM a WHERE id = 99999"))
    }
}
