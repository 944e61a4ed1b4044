import SecurityEvents

/// Whatever a statement is made of: what is found lies in its text, in order and not without number; what is left of it
/// without secrets is what stays when that is done again; and the secret of a statement that is whole never stays.
enum SQLProperty {
    static let secret = "S3cr3t-4711"

    static let seeds: [[UInt8]] = [
        "ALTER ROLE x /* a */ PASSWORD E'a\\'b' 'c'; SELECT 1", "CREATE USER u PASSWORD $x$a$b$x$ VALID UNTIL 'y'",
        "DO $b$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''y'''; END $b$ LANGUAGE plpgsql",
        "CREATE SUBSCRIPTION s CONNECTION 'host=h password=p' PUBLICATION p;\nCOPY t TO PROGRAM 'curl -u a:b h'",
        "SELECT U&\"d\\0061ta\" UESCAPE '!' || E'\\x41' -- c\n FROM t WHERE a = 1 OR 1 = 1 UNION SELECT rolpassword",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT (2); END; GRANT ALL ON t TO PUBLIC",
        "SELECT dblink('postgres://u:p@h/d', $$SELECT md5('x')$$), set_config('a.password', 'y', false)",
        "ALTER SYSTEM SET archive_command = 'PGPASSWORD=x psql'; /* /* nested */ */ SET log_statement TO none",
    ].map { Array($0.utf8) }

    static func problem(with input: [UInt8]) -> String? {
        var end = 0
        let statements = SQLReader.statements(in: input)
        if statements.count > 1000 { return "\(statements.count) statements" }
        for statement in statements {
            guard statement.range.lowerBound >= end, !statement.range.isEmpty, statement.range.upperBound <= input.count
            else { return "a statement at \(statement.range) behind \(end)" }
            if statement.shape.utf8.count > 4096 { return "a shape of \(statement.shape.utf8.count) bytes" }
            end = statement.range.upperBound
        }
        let once = SQLReader.redacted(input)
        if SQLReader.redacted(once) != once { return "secrets are found in what is left" }
        // Behind the end of a line a statement begins anew, unless the text before it left something open.
        let open = SQLReader.statements(in: input + Array("\n;SELECT probe_4711()".utf8))
        guard
            open.last.map({ String(decoding: (input + Array("\n;SELECT probe_4711()".utf8))[$0.range], as: UTF8.self) })
                == "SELECT probe_4711()"
        else { return nil }
        let text = input + Array("\n;ALTER ROLE x PASSWORD '\(secret)'".utf8)
        return String(decoding: SQLReader.redacted(text), as: UTF8.self).contains(secret) ? "the secret stays" : nil
    }
}
