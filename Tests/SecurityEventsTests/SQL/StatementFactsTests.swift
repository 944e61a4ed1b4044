import SecurityEvents
import Testing

struct StatementFactsTests {
    /// What is read: object type, object name, role; `-` for none.
    static let rows: [(String, String)] = [
        ("CREATE TABLE \"My.Table\" (a int)", "table My.Table -"),
        ("CREATE TABLE IF NOT EXISTS Public.\"a\"\"b\" AS SELECT 1", "table public.a\"b -"),
        ("DROP TABLE U&\"\\0061bc\"", "table abc -"),
        ("CREATE INDEX ON t (a)", "index - -"),
        ("CREATE ROLE Bob IN ROLE admin", "role bob bob"),
        ("ALTER ROLE ALL SET x = 1", "role all all"),
        ("ALTER GROUP g ADD USER eve, u", "role g eve"),
        ("ALTER GROUP g RENAME TO h", "role g g"),
        ("DROP USER IF EXISTS a, b", "role a a"),
        ("GRANT SELECT (a, b), INSERT ON TABLE s.t TO GROUP r WITH GRANT OPTION", "table s.t r"),
        ("GRANT ALL ON ALL TABLES IN SCHEMA s TO PUBLIC", "schema s public"),
        ("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO r", "function pg_read_file r"),
        ("GRANT SET ON PARAMETER log_statement TO r", "parameter log_statement r"),
        ("GRANT USAGE ON FOREIGN SERVER s TO r", "server s r"),
        ("GRANT SELECT ON type TO r", "table type r"),
        ("GRANT CONNECT ON DATABASE d TO \"R\"", "database d R"),
        ("GRANT pg_read_server_files, b TO CURRENT_USER", "role pg_read_server_files current_user"),
        ("GRANT \"ON\" TO r", "role ON r"),
        ("REVOKE ADMIN OPTION FOR a FROM b CASCADE", "role a b"),
        ("REVOKE ALL ON SCHEMA public FROM PUBLIC", "schema public public"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE o IN SCHEMA s GRANT SELECT ON TABLES TO r", "table s r"),
        ("ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC", "function - public"),
        ("SET ROLE 'admin'", "role admin admin"),
        ("SET LOCAL ROLE NONE", "role none none"),
        ("SET role TO admin", "role admin admin"),
        ("set \"Role\" = 'admin'", "role admin admin"),
        ("RESET ROLE", "role - -"),
        ("SET SESSION AUTHORIZATION DEFAULT", "session authorization default default"),
        ("SET LOCAL SESSION AUTHORIZATION x", "session authorization x x"),
        ("SET session_authorization = 'x'", "session authorization x x"),
        ("SET SESSION \"LOG_Statement\" TO none", "parameter log_statement -"),
        ("SET pgaudit.log = 'none'", "parameter pgaudit.log -"),
        ("SET TIME ZONE 'UTC'", "parameter timezone -"),
        ("SET SCHEMA 'evil'", "parameter search_path -"),
        ("SET NAMES 'utf8'", "parameter client_encoding -"),
        ("SHOW TRANSACTION ISOLATION LEVEL", "parameter transaction_isolation -"),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "- - -"),
        ("ALTER SYSTEM RESET shared_preload_libraries", "parameter shared_preload_libraries -"),
        ("ALTER TABLE t ADD COLUMN a int, OWNER TO bob", "table t bob"),
        ("ALTER TABLE t RENAME owner TO x", "table t -"),
        ("ALTER FUNCTION s.f(int, text) OWNER TO CURRENT_ROLE", "function s.f current_role"),
        ("ALTER LARGE OBJECT 42 OWNER TO bob", "large object 42 bob"),
        ("ALTER OPERATOR s.@@ (a, b) OWNER TO bob", "operator s.@@ bob"),
        ("CREATE DATABASE d WITH OWNER = bob", "database d bob"),
        ("CREATE SCHEMA AUTHORIZATION bob", "schema bob bob"),
        ("CREATE SCHEMA IF NOT EXISTS s AUTHORIZATION bob", "schema s bob"),
        ("CREATE USER MAPPING FOR bob SERVER s OPTIONS (password 'x')", "user mapping s bob"),
        ("REASSIGN OWNED BY a, b TO c", "role a c"),
        ("DROP OWNED BY a", "role a a"),
        ("COMMENT ON ROLE a IS 'x'", "role a a"),
        ("COMMENT ON FOREIGN DATA WRAPPER w IS NULL", "foreign data wrapper w -"),
        ("SECURITY LABEL FOR p ON TABLE s.t IS 'x'", "table s.t -"),
        ("COPY (SELECT * FROM t) TO PROGRAM 'id'", "- - -"),
        ("COPY s.t (a, b) FROM STDIN", "table s.t -"),
        ("SELECT a FROM ONLY s.t, u", "table s.t -"),
        ("SELECT * FROM generate_series(1, 2)", "- - -"),
        ("SELECT a INTO TEMP TABLE n FROM t", "table n -"),
        ("INSERT INTO s.t SELECT 1", "table s.t -"),
        ("WITH x AS (SELECT * FROM y) DELETE FROM ONLY t", "table t -"),
        ("VACUUM FULL FREEZE t", "table t -"),
        ("REINDEX SYSTEM d", "database d -"),
        ("FETCH FORWARD 5 FROM \"C\"", "cursor C -"),
        ("EXECUTE p(1)", "prepared statement p -"),
        ("LISTEN chan", "channel chan -"),
        ("DROP INDEX CONCURRENTLY IF EXISTS s.i", "index s.i -"),
        ("DROP TABLE if", "table if -"),
        ("DROP TABLE", "table - -"),
        ("GRANT SELECT ON", "table - -"),
    ]

    @Test(arguments: rows)
    func facts(sql: String, wanted: String) throws {
        let statement = try #require(statements(sql).first)
        let parts = [statement.objectType, statement.objectName, statement.targetRole].map { $0 ?? "-" }
        #expect(parts.joined(separator: " ") == wanted)
    }

    @Test(arguments: [
        ("select  a . b,\"C\"\"d\" from t -- x", "SELECT A.B,\"C\"\"d\" FROM T"),
        ("SELECT 'drop table', E'\\'', U&'x', B'1', N'y', $a$z$a$", "SELECT '?','?','?','?','?','?'"),
        ("SELECT 'a'\n  'b', 1.5e-3,$1::int", "SELECT '?',1.5e-3,$1 :: INT"),
        ("GRANT/**/SELECT(a)ON t/*;*/TO x", "GRANT SELECT(A)ON T TO X"),
        ("SELECT 1OR 1=-1", "SELECT 1 OR 1 = - 1"),
        ("SELECT U&\"d\\0061t\"\"a\"", "SELECT \"dat\"\"a\""),
        ("SELECT 'cut", "SELECT '?'"),
        ("SELECT \"cut", "SELECT \"cut\""),
    ])
    func shape(sql: String, wanted: String) {
        #expect(statements(sql).map(\.shape) == [wanted])
    }

    @Test func shapeIsLimited() throws {
        let long = "SELECT " + String(repeating: "aé,", count: 5000)
        let statement = try #require(statements(long).first)
        #expect(statement.shape.utf8.count <= 4096 && statement.shape.utf8.count > 4090)
        let invalid = try #require(SQLReader.statements(in: [UInt8](repeating: 0xFF, count: 9000)).first)
        #expect(invalid.shape.utf8.count <= 4096)
    }
}
