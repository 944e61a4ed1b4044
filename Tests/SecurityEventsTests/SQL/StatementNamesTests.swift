import Testing

@testable import SecurityEvents

@Suite("What a statement names")
struct StatementNamesTests {
    @Test(
        "calls are names before a parenthesis, however they are written",
        arguments: [
            ("SELECT pg_read_file('x')", true), ("SELECT PG_READ_FILE ('x')", true),
            ("SELECT pg_catalog.pg_read_file('x')", true), ("SELECT \"pg_catalog\" . \"pg_read_file\"/**/('x')", true),
            ("SELECT U&\"pg_\\0072ead_file\"('x')", true), ("SELECT \"PG_READ_FILE\"('x')", false),
            ("SELECT pg_read_file FROM t", false), ("SELECT 'pg_read_file(x)' -- pg_read_file(x)", false),
            ("SELECT \"a pg_read_file(\" FROM t", false), ("CREATE TABLE pg_read_file (a int)", false),
            ("INSERT INTO s.pg_read_file (a) VALUES (1)", false),
        ])
    func calls(sql: String, wanted: Bool) throws {
        let statement = try #require(statements(sql).first)
        #expect(statement.calls(["pg_read_file"]) == wanted)
    }

    @Test(
        "names stand outside of constants",
        arguments: [
            ("TABLE pg_authid", true), ("SELECT 1 FROM \"pg_authid\" a", true), ("SELECT 'pg_authid'", false),
            ("SELECT 1 /* pg_authid */", false), ("SELECT pg_authid2", false),
        ])
    func names(sql: String, wanted: Bool) throws {
        let statement = try #require(statements(sql).first)
        #expect(statement.names(["pg_authid"]) == wanted)
    }

    @Test(
        "secrets are told from verifiers and from what was redacted",
        arguments: [
            ("ALTER ROLE a PASSWORD 'x'", ["password"]),
            ("ALTER ROLE a PASSWORD 'md50123456789abcdef0123456789abcdef'", ["hash"]),
            ("ALTER ROLE a PASSWORD <REDACTED>", []), ("ALTER ROLE a PASSWORD '<redacted>'", []),
            ("SELECT 1", []),
        ])
    func secrets(sql: String, wanted: [String]) throws {
        let statement = try #require(statements(sql).first)
        #expect(statement.secrets.map(\.rawValue) == wanted)
    }

    @Test(
        "a constant that stands for a name is one in the normal form, and an empty comment at the end stays",
        arguments: [
            ("SELECT set_config('log_statement', 'none', false)", "SELECT SET_CONFIG(\"log_statement\",'?',FALSE)"),
            ("SELECT set_config('a\" (', 'b', true)", "SELECT SET_CONFIG(\"a\"\" (\",'?',TRUE)"),
            ("DO LANGUAGE 'plperlu' 'x'", "DO LANGUAGE \"plperlu\" '?'"),
            ("SELECT 1--", "SELECT 1 --"), ("SELECT 1; -- ') ", "SELECT 1 --"), ("SELECT 1 -- x", "SELECT 1"),
            ("SELECT 1 --\n", "SELECT 1 --"), ("SELECT '--'", "SELECT '?'"),
        ])
    func shapes(sql: String, wanted: String) {
        #expect(statements(sql).map(\.shape) == [wanted])
    }

    @Test(
        "a block's statements are read, and what it executes as a constant",
        arguments: [
            (
                "DO $$ BEGIN PERFORM f(1); IF a THEN DROP TABLE t; ELSE x := g(2); END IF; END $$",
                "SELECT DROP TABLE SELECT"
            ),
            ("DO $$ DECLARE a int := 1; BEGIN LOOP COPY t FROM PROGRAM 'id'; EXIT; END LOOP; END $$", "SELECT COPY"),
            ("DO 'BEGIN EXECUTE ''CREATE TABLE t (a int); DROP TABLE u''; END'", "CREATE TABLE DROP TABLE SELECT"),
            (
                "DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', a, b); END $$ LANGUAGE plpgsql",
                "ALTER ROLE SELECT"
            ),
            ("DO $$ BEGIN EXECUTE 'DO $x$ BEGIN DROP ROLE a; END $x$'; END $$", "DO DROP ROLE SELECT"),
            ("DO $$ import os $$ LANGUAGE plpython3u", ""), ("DO $$ SELECT 'drop table t' $$", "SELECT"),
            ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM t $$", "DELETE"),
            ("CREATE FUNCTION f(a text DEFAULT 'DROP TABLE t') RETURNS int LANGUAGE sql AS 'SELECT 1'", "SELECT"),
            ("SELECT $$ DROP TABLE t $$", ""),
        ])
    func blocks(sql: String, wanted: String) throws {
        let commands = SQLBlock.statements(in: try #require(statements(sql).first)).map(\.command)
        let known = commands.filter { !["", "END"].contains($0) && $0 != "COMMIT" }
        for command in wanted.split(separator: " ") where command.count > 3 {
            #expect(known.joined(separator: " ").contains(command), "\(known)")
        }
        #expect(wanted.isEmpty == known.isEmpty, "\(known)")
    }

    @Test("blocks of any text end", .timeLimit(.minutes(1)))
    func hostileBlocks() throws {
        for piece in ["DO $$", "EXECUTE '", "BEGIN ", "x;", "''''"] {
            let sql = "DO $q$ " + String(repeating: piece, count: 20_000) + " $q$"
            _ = SQLBlock.statements(in: try #require(statements(sql).first))
        }
    }

    @Test("messages lose connection strings and verifiers, and nothing else")
    func messages() {
        #expect(
            SQLReader.redacted(message: "parameter \"primary_conninfo\" changed to \"host=a password=geheim user=b\"")
                == "parameter \"primary_conninfo\" changed to \"host=a password=<redacted> user=b\"")
        #expect(
            SQLReader.redacted(message: "Parameter »primary_conninfo« auf »postgresql://a:geheim@b/c« gesetzt")
                == "Parameter »primary_conninfo« auf »postgresql://a:<redacted>@b/c« gesetzt")
        #expect(
            !SQLReader.redacted(message: "invalid input syntax: \"bob:SCRAM-SHA-256$4096:c2Fs$c3Rv:c2Vy\"")
                .contains("c2Fs"))
        let plain = "password authentication failed for user \"bob\""
        #expect(SQLReader.redacted(message: plain) == plain)
    }
}
