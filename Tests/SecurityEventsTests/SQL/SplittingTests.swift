import SecurityEvents
import Testing

struct SplittingTests {
    @Test(
        arguments: [
            ("", []), (" ;; /* ; */ ; -- ;\n", []),
            ("SELECT 1", ["SELECT 1"]),
            ("/*a*/ SELECT 1 -- b\n ; \n SELECT 2 ;", ["SELECT 1", "SELECT 2"]),
            (
                "SELECT ';'; SELECT \";\"; SELECT $$;$$; SELECT $a$;$$;$a$",
                ["SELECT ';'", "SELECT \";\"", "SELECT $$;$$", "SELECT $a$;$$;$a$"]
            ),
            ("SELECT 1 \\; SELECT 2", ["SELECT 1", "SELECT 2"]),
            ("SELECT (1; DROP TABLE t", ["SELECT (1", "DROP TABLE t"]),
            (
                "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b); SELECT 1",
                ["CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b)", "SELECT 1"]
            ),
            (
                "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2 end; END; SELECT 1",
                [
                    "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2 end; END",
                    "SELECT 1",
                ]
            ),
            (
                "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC END; BEGIN; END; SELECT 1",
                ["CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC END", "BEGIN", "END", "SELECT 1"]
            ),
            ("SELECT 1 AS begin, atomic; SELECT 2", ["SELECT 1 AS begin, atomic", "SELECT 2"]),
            ("SELECT '", ["SELECT '"]), ("SELECT 1 /* x ; SELECT 2", ["SELECT 1"]),
            ("SELECT $x$ ; SELECT 2", ["SELECT $x$ ; SELECT 2"]),
            ("/* /* */ DROP TABLE t; */ SELECT 1", ["SELECT 1"]),
            ("SELECT E'\\'; DROP TABLE t; --'", ["SELECT E'\\'; DROP TABLE t; --'"]),
            ("SELECT '\\'; DROP TABLE t; --'", ["SELECT '\\'", "DROP TABLE t"]),
            ("SELECT 'a' -- it's\n 'b;'; SELECT 2", ["SELECT 'a' -- it's\n 'b;'", "SELECT 2"]),
            ("SELECT 'a' 'b;'; SELECT 2", ["SELECT 'a' 'b;'", "SELECT 2"]),
            ("SELECT a$b$;SELECT 1;$b$", ["SELECT a$b$", "SELECT 1", "$b$"]),
            ("SELECT $1;SELECT 2", ["SELECT $1", "SELECT 2"]),
            ("SELECT u&'\\';SELECT 2", ["SELECT u&'\\'", "SELECT 2"]),
            ("SELECT 1--1;\n+2", ["SELECT 1--1;\n+2"]),
            ("SELECT 1+/* ; */2", ["SELECT 1+/* ; */2"]),
        ] as [(String, [String])])
    func split(sql: String, wanted: [String]) {
        #expect(texts(sql) == wanted)
    }

    @Test func textInConstantsGivesNothing() {
        #expect(commands("SELECT 'x; drop table t;', $$drop table u;$$, \"; drop table v\"") == ["SELECT"])
        #expect(statements("SELECT 'drop table t'").allSatisfy { !$0.shape.contains("DROP") })
    }

    @Test func limit() {
        let many = Array(String(repeating: "SELECT 1;", count: 1500).utf8)
        #expect(SQLReader.statements(in: many).count == 1000)
        #expect(SQLReader.statements(in: many, limit: 3).count == 3)
        #expect(SQLReader.statements(in: many, limit: 0).isEmpty)
        #expect(SQLReader.statements(in: many, limit: -1).isEmpty)
    }
}
