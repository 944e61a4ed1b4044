import Patterns
import Testing

@testable import SecurityEvents

@Suite("The first look at a statement")
struct StatementWordsTests {
    private static let catalogue = Result { try Catalogue.embedded().events }

    /// What a text means when no look is taken.
    private func means(_ text: [UInt8], _ classifier: StatementClassifier, _ context: StatementContext) -> [[String]] {
        SQLReader.statements(in: text).map { statement in
            // Words of these are not in their shapes: a secret may be one for other reasons.
            classifier.ids(matching: statement, context).filter { !$0.hasPrefix("secret-") }
        }
    }

    @Test("passes over nothing that a pattern fits")
    func equal() throws {
        let catalogue = try Self.catalogue.get()
        let classifier = StatementClassifier(catalogue.statements)
        let words = classifier.words
        let anything = Array("U&\"\"".utf8).withUnsafeBufferPointer { words.look(at: $0) }
        let everything = StatementContext(look: anything, hasParameters: true)
        var texts = catalogue.examples.filter(\.isStatement).map { Array($0.input.utf8) }
        texts += CorpusStatements.withSecrets.map { Array($0.sql.utf8) }
        texts += (0..<3000).map { PropertyTests.soup(seed: $0) }
        // The same as injection would have it, and behind another statement.
        texts += texts.map { Array("SELECT 1 FROM t WHERE a = 1 OR 1=1; ".utf8) + $0 }
        for text in texts {
            let look = text.withUnsafeBufferPointer { words.look(at: $0) }
            let found = means(text, classifier, StatementContext(look: look, hasParameters: true))
            #expect(found == means(text, classifier, everything), "\(String(decoding: text, as: UTF8.self))")
            if !words.mayFit(look, hasParameters: true) {
                #expect(found.joined().isEmpty, "\(String(decoding: text, as: UTF8.self))")
            }
        }
    }

    @Test(
        "ends what an application sends all day",
        arguments: [
            "SELECT id, name FROM orders WHERE customer_id = 7 ORDER BY created_at DESC LIMIT 20",
            "INSERT INTO orders (id, name) VALUES (7, 'x') RETURNING id", "BEGIN", "COMMIT;",
            "SET statement_timeout = 0",
            "SELECT 1 ; ",
        ])
    func ends(sql: String) throws {
        let words = StatementWords(try Self.catalogue.get().statements)
        let look = Array(sql.utf8).withUnsafeBufferPointer { words.look(at: $0) }
        #expect(!words.mayFit(look, hasParameters: true))
    }

    @Test(
        "goes on where something may be hidden",
        arguments: [
            "SELECT 1; DROP TABLE t", "SELECT 1UNION SELECT NULL", "/* */ DROP TABLE t", "SELECT U&\"a\"",
            "WITH a AS (SELECT 1) DELETE FROM t", "SELECT a INTO b FROM t", "(SELECT 1)",
        ])
    func goesOn(sql: String) throws {
        let words = StatementWords(try Self.catalogue.get().statements)
        let look = Array(sql.utf8).withUnsafeBufferPointer { words.look(at: $0) }
        #expect(words.mayFit(look, hasParameters: true))
    }
}
