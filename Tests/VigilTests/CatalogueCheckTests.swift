import Testing
import Vigil

@testable import Patterns

@Suite("patterns check")
struct CatalogueCheckTests {
    private func failures(example message: String) throws -> [String] {
        let row =
            "2026-03-02 09:49:01.374 UTC,\"bob\",\"shop\",7,\"203.0.113.9:4000\",69a55d0d.7,1,\"SELECT\","
            + "2026-03-02 09:49:01 UTC,3/1,0,ERROR,22013,\"\(message)\",,,,,,,,,\"psql\",\"client backend\",,0"
        let events = """
            about: A test.
            patterns:
              - id: evil
                description: Costs too much.
                when: {severity: ERROR, sqlstate: 22013, matches: {message: '^(a+)+[bc]$'}}
                event: {category: database, action: evil, severity: low}
                counterexamples:
                  - record: '\(row)'

            """
        let messages = "severity_fatal: FATAL\nseverity_error: ERROR\n"
        let catalogue = try Catalogue(files: [("messages/m.yml", messages), ("events/e.yml", events)])
        return CatalogueCheck(catalogue).failures
    }

    @Test("an expression that gives up on its own example fails")
    func evil() throws {
        let failures = try failures(example: String(repeating: "a", count: 60))
        #expect(failures.count == 1)
        #expect(failures.first?.hasPrefix("evil: its expression gives up") ?? false, "\(failures)")
        #expect(try self.failures(example: "aaaa").isEmpty)
    }
}
