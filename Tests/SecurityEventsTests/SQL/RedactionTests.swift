import SecurityEvents
import Testing

/// `~` stands for `<redacted>` in what is wanted.
struct RedactionTests {
    static let passwords: [(String, String)] = [
        ("ALTER ROLE x PASSWORD 's3cret'", "ALTER ROLE x PASSWORD '~'"),
        (
            "alter user x with encrypted password 's3cret' valid until '2030-01-01'",
            "alter user x with encrypted password '~' valid until '2030-01-01'"
        ),
        ("CREATE ROLE x PaSsWoRd 's3''cr''et'", "CREATE ROLE x PaSsWoRd '~'"),
        ("ALTER ROLE x PASSWORD NULL", "ALTER ROLE x PASSWORD NULL"),
        ("ALTER ROLE x PASSWORD ''", "ALTER ROLE x PASSWORD ''"),
        (
            "ALTER ROLE x PASSWORD/* it's */ -- 'no'\n /* /* ' */ */ 's3cret'",
            "ALTER ROLE x PASSWORD/* it's */ -- 'no'\n /* /* ' */ */ '~'"
        ),
        ("ALTER ROLE x PASSWORD E's3\\'cr\\\\'", "ALTER ROLE x PASSWORD E'~'"),
        ("ALTER ROLE x PASSWORD U&'s!0041cret' UESCAPE '!'", "ALTER ROLE x PASSWORD U&'~' UESCAPE '!'"),
        ("ALTER ROLE x PASSWORD 's3'\n   'cret'\n -- c'\n 'more' CREATEDB", "ALTER ROLE x PASSWORD '~' CREATEDB"),
        ("ALTER ROLE x PASSWORD $$s3'cret$$; SELECT 'a'", "ALTER ROLE x PASSWORD $$~$$; SELECT 'a'"),
        ("ALTER ROLE x PASSWORD $a$s3$$cret$a$", "ALTER ROLE x PASSWORD $a$~$a$"),
        ("ALTER ROLE x PASSWORD'SCRAM-SHA-256$4096:c2FsdA==$c3Q=:c2U='", "ALTER ROLE x PASSWORD'~'"),
        ("ALTER ROLE x PASSWORD 's3cret that is cut o", "ALTER ROLE x PASSWORD '~"),
        ("ALTER ROLE x PASSWORD E's3cret\\", "ALTER ROLE x PASSWORD E'~"),
        ("ALTER ROLE x PASSWORD $q$s3cret$", "ALTER ROLE x PASSWORD $q$~"),
        ("SELECT 1; ALTER ROLE x PASSWORD 's3cret'; SELECT 'a'", "SELECT 1; ALTER ROLE x PASSWORD '~'; SELECT 'a'"),
        ("ALTER ROLE x PASWORD 's3cret'", "ALTER ROLE x PASWORD '~'"),
        ("ALTER ROLE x PASSWORD = 's3cret'", "ALTER ROLE x PASSWORD = '~'"),
        ("ALTER ROLE x PASSWORD \"s3cret\"", "ALTER ROLE x PASSWORD ~"),
        ("ALTER ROLE x PASSWORD s3cret!$x CREATEDB", "ALTER ROLE x PASSWORD ~ CREATEDB"),
        ("CREATE USER x IDENTIFIED BY 's3cret'", "CREATE USER x IDENTIFIED BY '~'"),
        ("ALTER ROLE password SUPERUSER", "ALTER ROLE password SUPERUSER"),
        ("ALTER ROLE x SET search_path = 'a', 'b'", "ALTER ROLE x SET search_path = 'a', 'b'"),
        ("ALTER ROLE x VALID UNTIL 'infinity'", "ALTER ROLE x VALID UNTIL 'infinity'"),
        ("ALTER ROLE x PASSWORD $1", "ALTER ROLE x PASSWORD $1"),
        ("SELECT password FROM users WHERE name = 'bob'", "SELECT password FROM users WHERE name = 'bob'"),
        (
            "UPDATE users SET name = 'bob', password = 's3cret' || 'x'",
            "UPDATE users SET name = 'bob', password = '~' || '~'"
        ),
        ("SELECT * FROM u WHERE password IN ('s3cret', 'x')", "SELECT * FROM u WHERE password IN ('~', '~')"),
    ]

    static let options: [(String, String)] = [
        (
            "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'x', password 's3cret')",
            "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'x', password '~')"
        ),
        (
            "ALTER USER MAPPING FOR u SERVER s OPTIONS (SET password 's3cret', ADD \"api_token\" 's3cret')",
            "ALTER USER MAPPING FOR u SERVER s OPTIONS (SET password '~', ADD \"api_token\" '~')"
        ),
        (
            "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', Secret_Key E's3cret', passcode 's3cret')",
            "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', Secret_Key E'~', passcode '~')"
        ),
        (
            "CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (key 's3cret', key_column 'id')",
            "CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (key '~', key_column 'id')"
        ),
        (
            "ALTER USER MAPPING FOR u SERVER s OPTIONS (ADD password_required 'false')",
            "ALTER USER MAPPING FOR u SERVER s OPTIONS (ADD password_required 'false')"
        ),
        ("SET app.api_key = 's3cret'", "SET app.api_key = '~'"),
        ("SET LOCAL my.secret TO 's3cret', E's3cret'", "SET LOCAL my.secret TO '~', E'~'"),
        ("SET app.token = s3cret", "SET app.token = ~"),
        ("ALTER DATABASE d SET app.\"Token\" = 's3cret'", "ALTER DATABASE d SET app.\"Token\" = '~'"),
        ("ALTER SYSTEM SET x.password_file_key = 's3cret'", "ALTER SYSTEM SET x.password_file_key = '~'"),
        ("SET password_encryption = 'md5'", "SET password_encryption = 'md5'"),
        ("SET app.token TO DEFAULT", "SET app.token TO DEFAULT"),
        ("SELECT set_config('app.token', 's3cret', true), 'a'", "SELECT set_config('app.token', '~', true), 'a'"),
        (
            "SELECT pg_catalog . set_config (E'app.\\x6bey', lower('s3cret'), true)",
            "SELECT pg_catalog . set_config (E'app.\\x6bey', lower('~'), true)"
        ),
        ("SELECT set_config('log_statement', 'none', false)", "SELECT set_config('log_statement', 'none', false)"),
        ("SELECT crypt('s3cret', gen_salt('bf'))", "SELECT crypt('~', gen_salt('bf'))"),
        ("SELECT CRYPT(lower('s3cret'), '$2a$06$s3cret') = pw", "SELECT CRYPT(lower('~'), '~') = pw"),
        (
            "SELECT pgp_sym_encrypt('data', 's3cret', 'compress-algo=1')",
            "SELECT pgp_sym_encrypt('data', '~', 'compress-algo=1')"
        ),
        ("SELECT pgp_sym_decrypt(col, 's3cret')", "SELECT pgp_sym_decrypt(col, '~')"),
        (
            "SELECT encrypt('data', 's3cret', 'aes'), hmac('data', 's3cret', 'sha256')",
            "SELECT encrypt('data', '~', 'aes'), hmac('data', '~', 'sha256')"
        ),
    ]

    static let embedded: [(String, String)] = [
        (
            "SELECT dblink_connect('host=h password=s3cret dbname=d')",
            "SELECT dblink_connect('host=h password=~ dbname=d')"
        ),
        (
            "SELECT dblink_connect('host=h password=''s3 cr\\''et'' dbname=d')",
            "SELECT dblink_connect('host=h password=''~'' dbname=d')"
        ),
        (
            "SELECT dblink_connect('password = s3cret\\ more user=u sslpassword=s3cret')",
            "SELECT dblink_connect('password = ~ user=u sslpassword=~')"
        ),
        ("SELECT f('PASSWD=s3cr''et user=u')", "SELECT f('PASSWD=~ user=u')"),
        ("SELECT f(E'host=h pass\\x77ord=s3cret')", "SELECT f(E'host=h pass\\x77ord=~')"),
        ("SELECT f(U&'host=h pass!0077ord=s3cret' UESCAPE '!')", "SELECT f(U&'host=h pass!0077ord=~' UESCAPE '!')"),
        ("SELECT f('host=h password=s3'\n'cret user=u')", "SELECT f('host=h password=~ user=u')"),
        ("SELECT f($$host=h password=s3cret$$)", "SELECT f($$host=h password=~$$)"),
        ("SELECT f('host=h password=s3cret", "SELECT f('host=h password=~"),
        (
            "SELECT 'postgres://bob:s3cret@h:5432/d?sslmode=require'",
            "SELECT 'postgres://bob:~@h:5432/d?sslmode=require'"
        ),
        (
            "SELECT 'http://h:8080/a@b', 'mailto:a@b', 'redis://:s3cret@h'",
            "SELECT 'http://h:8080/a@b', 'mailto:a@b', 'redis://:~@h'"
        ),
        ("SELECT 'amqp://u:s3/cr?et@h/v'", "SELECT 'amqp://u:~@h/v'"),
        (
            "SELECT 'postgres:///d?user=u&password=s3cret&sslmode=off'",
            "SELECT 'postgres:///d?user=u&password=~&sslmode=off'"
        ),
        ("SELECT '{\"user\": \"u\", \"password\": \"s3\\\"cret\"}'", "SELECT '{\"user\": \"u\", \"password\": \"~\"}'"),
        ("COPY t TO PROGRAM 'PGPASSWORD=s3cret psql -h h'", "COPY t TO PROGRAM 'PGPASSWORD=~ psql -h h'"),
        ("SELECT 'SCRAM-SHA-256$4096:c2E+/A==$c3Q=:c2U=', 'md50123456789abcdef0123456789abcdef'", "SELECT '~', '~'"),
        ("SELECT 'user u has md50123456789abcdef0123456789abcdef.'", "SELECT 'user u has ~.'"),
        ("SELECT 'md5', 'md50123', md5('x')", "SELECT 'md5', 'md50123', md5('x')"),
        ("SELECT 1 -- ALTER ROLE x PASSWORD 's3cret'\n, 2", "SELECT 1 -- ALTER ROLE x PASSWORD '~'\n, 2"),
        ("/* postgres://u:s3cret@h */ SELECT 1", "/* postgres://u:~@h */ SELECT 1"),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=s3cret' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=~' PUBLICATION p"
        ),
        ("SELECT dblink_connect(\"host=h password=s3cret\")", "SELECT dblink_connect(\"host=h password=~\")"),
        ("SELECT 'it''s password=s3cret'", "SELECT 'it''s password=~'"),
        ("SELECT 'it''s password=s''s3cret'", "SELECT 'it''s password=~'"),
    ]

    static let nested: [(String, String)] = [
        (
            "DO $$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''s3cret'''; END $$",
            "DO $$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''~'''; END $$"
        ),
        (
            "DO $a$ BEGIN EXECUTE $b$ ALTER ROLE x PASSWORD $c$s3cret$c$ $b$; END $a$",
            "DO $a$ BEGIN EXECUTE $b$ ALTER ROLE x PASSWORD $c$~$c$ $b$; END $a$"
        ),
        (
            "SELECT dblink_exec('c', E'ALTER ROLE x PASSWORD \\'s3cret\\'')",
            "SELECT dblink_exec('c', E'ALTER ROLE x PASSWORD \\'~\\'')"
        ),
        (
            "DO 'BEGIN EXECUTE ''ALTER ROLE x PASSWORD ''''s3cret'''' ''; END'",
            "DO 'BEGIN EXECUTE ''ALTER ROLE x PASSWORD ''''~'''' ''; END'"
        ),
        (
            "DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', 'u', 's3cret'); RAISE NOTICE 'a'; END $$",
            "DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', '~', '~'); RAISE NOTICE 'a'; END $$"
        ),
        (
            "DO $$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''' || 's3cret' || ''''; END $$",
            "DO $$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''' || '~' || '~'; END $$"
        ),
        (
            "DO $$ BEGIN EXECUTE format('ALTER ROLE x PASSWORD ''%s''', 's3cret'); END $$",
            "DO $$ BEGIN EXECUTE format('ALTER ROLE x PASSWORD ''~''', '~'); END $$"
        ),
        (
            "DO $$ BEGIN PERFORM dblink('host=h password=s3cret', 'SELECT 1'); END $$",
            "DO $$ BEGIN PERFORM dblink('host=h password=~', 'SELECT 1'); END $$"
        ),
        (
            "DO $$ BEGIN UPDATE u SET password = crypt(p, gen_salt('bf')) WHERE password = q; END $$",
            "DO $$ BEGIN UPDATE u SET password = crypt(p, gen_salt('bf')) WHERE password = q; END $$"
        ),
        ("PREPARE p AS SELECT dblink('user=u password=s3cret')", "PREPARE p AS SELECT dblink('user=u password=~')"),
        ("SELECT 'a''b''c''d', 'say \"password\"', 'x=y'", "SELECT 'a''b''c''d', 'say \"password\"', 'x=y'"),
    ]

    @Test(arguments: passwords + options + embedded + nested)
    func redaction(sql: String, wanted: String) {
        let wanted = wanted.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "<redacted>")
        let once = redacted(sql)
        #expect(once == wanted)
        #expect(redacted(once) == once)
        #expect(!once.contains("s3"))
    }

    /// The statements stay the same ones when the secrets are gone.
    @Test(arguments: passwords + options + embedded + nested)
    func statementsStay(sql: String, wanted: String) {
        #expect(commands(redacted(sql)) == commands(sql))
        #expect(statements(redacted(sql)).map(\.objectName) == statements(sql).map(\.objectName))
    }

    /// Wherever a text is cut, the password is gone once its first byte can be seen.
    @Test(arguments: [
        "ALTER ROLE x PASSWORD 's3cret'", "ALTER ROLE x PASSWORD E'\\'s3cret'", "SELECT f('host=h password=s3cret')",
        "SELECT 'p://u:s3cret@h'", "DO $$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''s3cret'''; END $$",
    ])
    func cutText(sql: String) {
        let isUserInfo = sql.contains("://")
        for length in 0...sql.utf8.count {
            // Without its `@` the password of a URI cannot be told from a port.
            let text = String(decoding: sql.utf8.prefix(length), as: UTF8.self)
            if !isUserInfo || text.contains("@") { #expect(!redacted(text).contains("s3")) }
        }
    }

    @Test func bytesStay() {
        let text: [UInt8] =
            [0xFF, 0x27, 0x00, 0x80, 0x27, 0x3B] + Array("ALTER ROLE x PASSWORD '".utf8) + [0xFF, 0xC3, 0x27, 0xFE]
        let wanted: [UInt8] =
            [0xFF, 0x27, 0x00, 0x80, 0x27, 0x3B] + Array("ALTER ROLE x PASSWORD '<redacted>'".utf8) + [0xFE]
        #expect(SQLReader.redacted(text) == wanted)
    }

    @Test func deepNestingIsSearched() {
        var sql = "ALTER ROLE x PASSWORD 's3cret' password=s3cret"
        for level in 0..<12 {
            sql = "DO $l\(level)$ \(sql) $l\(level)$"
            #expect(!redacted(sql).contains("password=s3cret"))
            if level < 4 { #expect(!redacted(sql).contains("s3cret")) }
        }
    }
}
