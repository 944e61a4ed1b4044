import LocatedYAML
import Patterns
import Testing
import VigilModel

@Suite("Catalogue")
struct CatalogueTests {
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
