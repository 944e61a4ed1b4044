import Patterns
import Testing
import VigilModel

@testable import RuleExport

@Suite("Pieces of other languages")
struct LanguageTests {
    private func regex(_ source: String) -> String {
        do { return try PortableRegex(source).pattern } catch { return "refused: \(error.reason.prefix { $0 != "," })" }
    }

    @Test("an expression says the same to RE2")
    func expressions() throws {
        #expect(regex(#"\Aab\z"#) == "^ab$")
        #expect(regex(#"(?i)^a\s+[\s"x]"#) == #"^a[\s\v]+[\s\v"x]"#)
        #expect(try PortableRegex("(?i)a").ignoresCase)
        #expect(regex("(?<name>x)(?P<other>y)(?:z)") == "(?:x)(?:y)(?:z)")
        #expect(regex("[]a[]") == #"[\]a\[]"#)
        #expect(regex("[[:alpha:]_]") == "[[:alpha:]_]")
        #expect(regex(#"a\.b\\"#) == #"a\.b\\"#)
    }

    @Test(
        "what RE2 has not is refused",
        arguments: ["a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", "(?>a)", "(?|a|b)", "a++", "a{2}+", #"(a)\1"#, #"a\Kb"#])
    func refused(source: String) {
        #expect(regex(source).hasPrefix("refused: "), "\(regex(source))")
    }

    @Test("a look-ahead that is all there is becomes its opposite")
    func denied() throws {
        let condition = try PortableRegex.condition(#"^(?![^\n]*\bRAISE\b)"#, field: "ctx")
        #expect(try LogsQLText.filter(condition) == #"!ctx:~"(?s)^(?:[^\\n]*\\bRAISE\\b)""#)
        #expect(RegexReader.denied(in: "^(?!a)b(c)") == nil)
    }

    @Test("alternatives of the outermost level")
    func alternatives() {
        #expect(PortableRegex.alternatives(#"a|(b|c)|[|]|\||d"#) == ["a", "(b|c)", "[|]", #"\|"#, "d"])
    }

    @Test("how what matches begins")
    func heads() {
        #expect(PortableRegex.heads(#"\A\[062\]: x|\Aabc?d|(?i)\Ax|\A(?:a|b)"#) == ["[062]: x", "ab", "", ""])
    }

    @Test("a value cannot get out of its quotes")
    func quotes() throws {
        #expect(LogsQLText.quoted("a\"\\\n\u{7}\u{2028}é") == #""a\"\\\n\u0007\u2028é""#)
        #expect(LogsQLText.name("user.name") == "\"user.name\"")
        #expect(LogsQLText.name("q") == "q")
        #expect(YAMLText.scalar("it's: #1") == "'it''s: #1'")
        #expect(YAMLText.scalar("yes") == "'yes'" && YAMLText.scalar("28000") == "'28000'")
        #expect(YAMLText.scalar("a\nb\u{1}") == #""a\nb\u0001""#)
        #expect(YAMLText.block("a\nb", indent: 2) == "|-\n  a\n  b")
        #expect(YAMLText.block(" a\nb", indent: 2) == #"" a\nb""#)
        #expect(YAMLText.comment("a\n- b", indent: 2) == ["  # a - b"])
    }

    @Test("filters of LogsQL")
    func filters() throws {
        func text(_ condition: Condition) throws -> String { try LogsQLText.filter(condition) }
        #expect(try text(.test(field: "tags", .item("ddl"))) == #"tags:"\"ddl\"""#)
        #expect(try text(.test(field: "tags", .itemStarts("danger."))) == #"tags:~"\"danger\\.""#)
        #expect(try text(.test(field: "a.b", .starts("x"))) == #""a.b":="x"*"#)
        #expect(try text(.test(field: "n", .number(5...9))) == "n:range[5, 9]")
        #expect(try text(.or([.equals("a", ["1"]), .equals("a", ["2"])])) == #"a:in("1", "2")"#)
        #expect(try text(.and([.has("a"), .or([.has("b"), .inverse(.has("c"))])])) == "a:* (b:* or !c:*)")
        #expect(Condition.and([.has("a"), .never]) == .never)
        // Without parentheses the time and the stream before it would be asked of the first alone.
        #expect(try LogsQLText.beside(.or([.has("a"), .has("b")])) == "(a:* or b:*)")
    }

    @Test("addresses of a block of IPv6 begin so, or it is refused")
    func blocks() throws {
        func start(_ text: String) throws -> String? { IPv6Start(try #require(CIDR(text)))?.expression }
        #expect(try start("fc00::/7") == "^f[cd][0-9a-f][0-9a-f]:")
        #expect(try start("fe80::/10") == "^fe[89ab][0-9a-f]:")
        #expect(try start("2001:db8::/32") == "^2001:db8:")
        #expect(try start("2001:db8:0:1::/64") == nil)
        #expect(try start("2001:db8::/36") == nil)
        let loopback = Condition.test(field: "ip", .block(try #require(CIDR("::1/128"))))
        #expect(try LogsQLText.filter(loopback) == #"ip:="::1""#)
    }

    @Test("what several alternatives have in common is asked once")
    func factors() throws {
        let one = Condition.and([.equals("code", ["1"]), .test(field: "m", .regex(PortableRegex(plain: "a")))])
        let other = Condition.and([.equals("code", ["1"]), .test(field: "m", .regex(PortableRegex(plain: "b")))])
        #expect(try LogsQLText.filter(Condition.or([one, other]).factored) == #"code:="1" (m:~"(?s)a" or m:~"(?s)b")"#)
    }
}
