import Testing

@testable import Patterns

/// A pattern costs no more than some steps a byte, and says so when it gives up.
@Suite("Regular expressions, limits")
struct RegexLimitTests {
    struct Evil: CustomTestStringConvertible, Sendable {
        let pattern: String
        let text: String
        var testDescription: String { pattern }
    }

    private static func text(_ piece: String, _ count: Int) -> String { String(repeating: piece, count: count) }

    @Test(
        "an evil one gives up",
        arguments: [
            Evil(pattern: "^(a+)+$", text: text("a", 60) + "b"), Evil(pattern: "(a|aa)+$", text: text("a", 200) + "b"),
            Evil(pattern: "(?:a|a)*[bc]", text: text("a", 40)), Evil(pattern: "(.*)*[bc]$", text: text("a", 5000)),
            // No single place costs much, all together do.
            Evil(pattern: "a[^x]*[cd]", text: text("a", 90_000)),
            Evil(pattern: "a[^xy]*[xy]", text: text("a", 1 << 20)),
            Evil(pattern: "[ab][^x]*[ab][^x]*[cd]", text: text("ab", 10_000)),
        ])
    func evil(_ evil: Evil) throws {
        let regex = try Regex(evil.pattern)
        #expect(!regex.match(Array(evil.text.utf8)))
        #expect(regex.gaveUp == 1)
        #expect(!regex.match(Array(evil.text.utf8)))
        #expect(regex.gaveUp == 2)
    }

    @Test("an ordinary one does not, however long the text", arguments: [10, 1000, 20_000, 1 << 20])
    func ordinary(length: Int) throws {
        let text = Array((RegexLimitTests.text("a b, ", length / 5) + "DROP TABLE x --").utf8)
        for pattern in [
            "^a b", "DROP (TABLE|VIEW) \\w+", " --$", "\\b(UNION|DROP)\\b.*x", "(?i)drop|alter|grant|revoke",
        ] {
            let regex = try Regex(pattern)
            #expect(regex.match(text), "\(pattern)")
            #expect(regex.gaveUp == 0, "\(pattern)")
        }
        let none = try Regex("(CREATE|ALTER) (?<name>\\w+)")
        #expect(!none.match(text))
        #expect(none.gaveUp == 0)
    }

    @Test("groups are found by the counting one, too")
    func groups() throws {
        let regex = try Regex("user=(?<name>\\w+) of (?<host>\\S+)")
        let text = Array((RegexLimitTests.text("x", 100_000) + "user=bob of 192.0.2.1 ").utf8)
        var found: [String: String] = [:]
        #expect(regex.match(text) { found[$0] = String(decoding: text[$1], as: UTF8.self) })
        #expect(found == ["name": "bob", "host": "192.0.2.1"])
    }

    @Test("a long run of alternatives outgrows the stack of compiled code, not the answer")
    func stack() throws {
        let regex = try Regex("^(?:a|b)*c")
        #expect(regex.match(Array((RegexLimitTests.text("ab", 10_000) + "c").utf8)))
        #expect(regex.gaveUp == 0)
    }
}
