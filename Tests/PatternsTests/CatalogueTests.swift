import LocatedYAML
import Testing
import VigilModel

@testable import Patterns

@Suite("Catalogue")
struct CatalogueTests {
    @Test("is the same without its examples")
    func withoutExamples() throws {
        let (whole, plain) = (try Catalogue.embedded(), try Catalogue.embedded(withExamples: false))
        #expect(plain.events.examples.isEmpty && plain.rules.allSatisfy(\.examples.isEmpty))
        #expect(plain.digest == whole.digest)
        #expect(plain.rules.map(\.about) == whole.rules.map(\.about))
        #expect(plain.rules.map(\.place) == whole.rules.map(\.place))
        #expect(plain.rules.map { $0.match.words(of: .action) } == whole.rules.map { $0.match.words(of: .action) })
        let places = { (events: EventCatalogue) in
            events.patterns.map { $0.id + $0.place } + events.statements.map { $0.id + $0.place }
                + events.texts.map { $0.id + $0.place } + events.gaps.map { $0.id + $0.place }
        }
        #expect(places(plain.events) == places(whole.events))
    }

    @Test(
        "leaves out the lines of examples and nothing else",
        arguments: [
            ("a: 1\nexamples:\n  - b\n    c\n\n  - d\ne: 2\n", "a: 1\nexamples:\n\n\n\n\ne: 2\n"),
            ("examples:\n- a\n- b\nc: d", "examples:\n\n\nc: d"),
            ("- id: a\n  counterexamples:\n    - x\n- id: b", "- id: a\n  counterexamples:\n\n- id: b"),
            ("about: examples: none\n  x", "about: examples: none\n  x"),
            ("examples: [a,\n  b]", "examples: [a,\n  b]"),
        ])
    func lines(text: String, left: String) { #expect(ExampleLines.emptied(text) == left) }

    @Test("the built-in one is sound and complete")
    func embedded() throws {
        let catalogue = try Catalogue.embedded()
        #expect(catalogue.events.patterns.count > 30)
        #expect(catalogue.rules.map(\.about.id).contains("auth-bruteforce"))
        let actions = Set(catalogue.events.statements.map(\.kind.action))
        for action in ["ddl", "ddl.drop", "priv.grant", "priv.superuser", "priv.password", "priv.rls_disable"] {
            #expect(actions.contains(action), "\(action)")
        }
    }

    @Test("every pattern of statements, and every rule, has examples that must and must not match")
    func examples() throws {
        let catalogue = try Catalogue.embedded()
        for statement in catalogue.events.statements {
            let own = catalogue.events.examples.filter { $0.pattern == statement.id }
            #expect(own.contains { $0.gives != nil } && own.contains { $0.gives == nil }, "\(statement.id)")
        }
        for rule in catalogue.rules { #expect(rule.examples.count >= 2, "\(rule.about.id)") }
    }
}

@Suite("Located YAML")
struct LocatedYAMLTests {
    /// The message of reading a configuration-like text.
    private func problem(_ text: String) -> String {
        do {
            let keys = try YAMLValue(text: text, file: "f.yml").mapping(["mode", "within", "list"], required: ["mode"])
            _ = try keys["within"]?.duration()
            _ = try keys["list"]?.list()
            return ""
        } catch { return "\(error)" }
    }

    @Test(
        "names file, line, what is wrong and what to do",
        arguments: [
            ("mdoe: x", "f.yml:1:1: unknown key 'mdoe'\n    mdoe: x\n    ^\n  hint: did you mean mode?"),
            ("list: []", "f.yml:1:1: the key 'mode' is missing"),
            ("mode: a\nwithin: 10 minutes", "f.yml:2:9: a length of time belongs here"),
            ("mode: a\nlist: 7", "f.yml:2:7: a list belongs here"),
            ("mode: a\nmode: b", "the key mode is given twice"),
            ("mode: [a", "f.yml:"), ("- a", "keys and values belong here"),
        ])
    func problems(text: String, message: String) {
        #expect(problem(text).contains(message))
    }

    @Test("takes scalars as texts")
    func scalars() throws {
        #expect(try YAMLValue(text: "28000", file: "f").text() == "28000")
        #expect(try YAMLValue(text: "00000", file: "f").text() == "00000")
    }
}

@Suite("Message templates")
struct MessageTemplateTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("match about a name what the server says about it, whatever the name is")
    func about() {
        let unknown = MessageTemplate("Role \"%s\" does not exist.")
        let expired = MessageTemplate("User \"%s\" has an expired password.")
        for name in ["bob", "x\" has an expired password.", "a\nUser \"a\" has an expired password.", "%s", ""] {
            let detail = bytes("Role \"\(name)\" does not exist.\nConnection matched pg_hba.conf line 7: \"host all\"")
            #expect(unknown.matches(detail, about: bytes(name)))
            #expect(!expired.matches(detail, about: bytes(name)))
        }
    }

    @Test("know printf's blanks")
    func blanks() {
        #expect(MessageTemplate("a %1$s b %2$d").matches(bytes("a x b 7")))
        #expect(MessageTemplate("100 %% %s").matches(bytes("100 %% x")))
        #expect(!MessageTemplate("exact").matches(bytes("exactly")))
    }

    @Test(
        "give the text of their first blank",
        arguments: [
            ("permission denied for table %s", "permission denied for table orders", "orders"),
            ("parameter \"%s\" changed to \"%s\"", "parameter \"a\" changed to \"b\" changed to \"c\"", "a"),
            ("table \"%2$s\" policy \"%1$s\"!", "table \"t\" policy \"p\"!", "p"),
            ("%s is denied", "x is denied", "x"),
            ("parameter \"%s\" changed to \"%s\"", "parameter \"a\" was changed to b\"", nil),
            ("no blank", "no blank", nil),
        ] as [(String, String, String?)])
    func firstBlank(format: String, text: String, wanted: String?) {
        let text = bytes(text)
        let found = MessageTemplate(format).firstBlank(of: text).map { String(decoding: text[$0], as: UTF8.self) }
        #expect(found == wanted)
    }
}

@Suite("Regular expressions")
struct RegexTests {
    @Test("give their named groups")
    func groups() throws {
        let regex = try Regex("=(?<auth_method>[a-z0-9-]+) \\((?<hba_rule>.*:[0-9]+)\\)$")
        let text = Array("identity=\"a\" method=scram-sha-256 (/etc/pg_hba.conf:12)".utf8)
        var found: [String: String] = [:]
        #expect(regex.match(text) { found[$0] = String(decoding: text[$1], as: UTF8.self) })
        #expect(found == ["auth_method": "scram-sha-256", "hba_rule": "/etc/pg_hba.conf:12"])
    }

    @Test("that cannot be compiled say where")
    func problems() {
        #expect(throws: Regex.Problem.self) { try Regex("(?<a>") }
    }

    @Test("give up on hostile text", .timeLimit(.minutes(1)))
    func hostile() throws {
        #expect(try !Regex("^(a+)+$").match(Array(repeating: 97, count: 50_000) + [98]))
    }
}

@Suite("Event pattern files")
struct PatternFileTests {
    private func problem(_ events: String) -> String {
        do {
            let messages = "m:\n  - \"message %s\"\nseverity_fatal: FATAL\nshort: \"%s\"\nquoted: \"\\\"%s\\\" x\"\n"
            _ = try Catalogue(files: [("messages/m.yml", messages), ("events/e.yml", "about: x\n" + events)])
            return ""
        } catch { return "\(error)" }
    }

    private func statement(_ lines: String) -> String {
        problem(
            """
            statements:
              - id: a
                description: b
                command: [SELECT]
                event: {category: c, action: d, severity: low}
                \(lines)
            """)
    }

    private func record(_ when: String, _ lines: String = "") -> String {
        problem(
            """
            patterns:
              - id: a
                description: b
                when: \(when)
                event: {category: c, action: d, severity: low}
                \(lines)
            """)
    }

    @Test(
        "take the keys of statements",
        arguments: [
            "words: [union, '://', '--', '@@']", "calls: pg_read_file", "names: [pg_authid]",
            "object: '^parameter log_'",
            "secret: hash", "parameters: logged", "literal: 'a'",
        ])
    func keys(lines: String) { #expect(statement(lines).isEmpty) }

    @Test(
        "say what is wrong with a statement pattern, where, and what to do",
        arguments: [
            (
                "words: [Union]", "patterns/events/e.yml:7:13: a word in lower case belongs here",
                "'://', '--', '@@' and '1=1'"
            ),
            ("calls: [pg_read_file()]", "patterns/events/e.yml:7:13: a word in lower case", ""),
            ("names: ['://']", "a word in lower case belongs here", ""), ("object: '('", "of the expression", ""),
            ("secret: pasword", "'pasword' is not one of password, hash", "did you mean password?"),
            ("parameters: yes", "'yes' is not one of logged", ""),
            ("call: f", "unknown key 'call'", "did you mean calls?"),
            ("examples: [{gives: {a: b}}]", "the key 'sql' is missing", ""),
        ])
    func problems(lines: String, message: String, hint: String) {
        #expect(
            statement(lines).contains(message) && (hint.isEmpty || statement(lines).contains(hint)),
            "\(statement(lines))")
    }

    @Test("know command tags, and query for all that run expressions")
    func commands() throws {
        #expect(
            problem(
                "statements: [{id: a, description: b, command: select, event: {category: c, action: d, severity: low}}]"
            )
            .contains("a command tag is in upper case"))
        let files = [
            ("messages/m.yml", "severity_fatal: FATAL"),
            (
                "events/e.yml",
                "statements: [{id: a, description: b, command: query, event: {category: c, action: d, severity: low}}]"
            ),
        ]
        let pattern = try #require(try Catalogue(files: files).events.statements.first)
        for command in ["SELECT", "SELECT INTO", "COPY", "DO", "EXPLAIN", "CREATE INDEX"] {
            #expect(pattern.isMeant(command: command))
        }
        for command in ["", "GRANT", "DROP FUNCTION", "CREATE FUNCTION", "COMMENT"] {
            #expect(!pattern.isMeant(command: command))
        }
    }

    @Test("say what is wrong with a record pattern")
    func recordProblems() {
        #expect(record("{sqlstate: 42501, about: x}").contains("'about' needs a message"))
        #expect(record("{sqlstate: 42501}", "object: {table: nosuch}").contains("no message is named 'nosuch'"))
        #expect(record("{sqlstate: '00000', message: short}").contains("at least four bytes"))
        #expect(record("{sqlstate: '00000', message: quoted}").isEmpty)
        #expect(record("{sqlstate: '00000', message: m, about: '^a'}", "object: {table: m}").isEmpty)
    }
}
