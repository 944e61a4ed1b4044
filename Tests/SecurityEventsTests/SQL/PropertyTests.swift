import SecurityEvents
import Testing

/// Any bytes are read without a trap, in bounds, and in linear time.
struct PropertyTests {
    static let pieces =
        [
            "'", "''", "\"", "$$", "$a$", "$", "/*", "*/", "--", "\n", " ", "\\", "E'", "U&'", "U&\"", "B'", ";", "(",
            ")", ",", ".",
            "=", "||", ":", "://", "@", "a", "x1", "%", "1", "\\x27", "\\'", "UESCAPE '!'", "password", "PASSWORD ",
            "password=",
            "ALTER ROLE x ", "SET ", "OPTIONS (", "crypt(", "set_config(", "api_key", "secret", "md5", "SCRAM-SHA-256$",
            "CREATE ",
            "FUNCTION f() BEGIN ATOMIC ", "END", "GRANT ", "ON ", "TO ", "WITH ", "AS ", "postgres://u:p@h/",
            "<redacted>", "\u{0}",
            "é", "SELECT ", "FOR UPDATE ", "DO $x$", "$x$", "EXECUTE '",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0x80, 0x27]]

    static func soup(seed: UInt64) -> [UInt8] {
        var numbers = SeededNumbers(seed: seed)
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 0...60, using: &numbers) {
            if Int.random(in: 0..<8, using: &numbers) == 0 {
                text.append(UInt8.random(in: 0...255, using: &numbers))
            } else {
                text += pieces.randomElement(using: &numbers) ?? []
            }
        }
        return text
    }

    @Test(arguments: 0..<10)
    func soupIsRead(block: UInt64) {
        for seed in block * 300..<(block + 1) * 300 {
            let text = Self.soup(seed: seed)
            var end = 0
            for statement in SQLReader.statements(in: text) {
                #expect(statement.range.lowerBound >= end && !statement.range.isEmpty, "seed \(seed)")
                #expect(statement.range.upperBound <= text.count, "seed \(seed)")
                #expect(statement.shape.utf8.count <= 4096)
                end = statement.range.upperBound
            }
            let once = SQLReader.redacted(text)
            #expect(SQLReader.redacted(once) == once, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<4)
    func pureNoiseIsRead(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let text = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &numbers) }
        _ = SQLReader.statements(in: text)
        let once = SQLReader.redacted(text)
        #expect(SQLReader.redacted(once) == once)
    }

    /// Each cut of a statement is read.
    @Test func cutsAreRead() {
        let text = Array(
            "ALTER ROLE x /* a */ PASSWORD E'a\\'b' 'c'; DO $b$ EXECUTE 'x PASSWORD ''y''' $b$; SELECT U&\"d\\0061\""
                .utf8)
        for length in 0...text.count {
            _ = SQLReader.statements(in: Array(text.prefix(length)))
            _ = SQLReader.redacted(Array(text.suffix(length)))
        }
    }

    /// In quadratic time it would take minutes.
    @Test(arguments: [
        "''", "/* ' ", "$a$", "E'\\'", "'$a$='$b$=''$c$=", "DO $x$ EXECUTE 'ALTER ROLE x PASSWORD ''s''' $x$;",
    ])
    func megabyteIsReadInLinearTime(piece: String) {
        #expect(Self.timeToRead(piece, bytes: 1_000_000) < .seconds(30))
    }

    @Test(arguments: [
        "'", "/*", "$aaaaaaaa", "\"", "(", "U&'", "'\n", "' -- \n", "a://u:x/", "://", "password=", "password='", "= ",
        "crypt(", "'$$=", "SET a.token = x", "WITH a AS (", "U&'=' /*", "'a' \n ", "ALTER ROLE x PASSWORD abc", "x.",
        "FOR ", ";", ": \"", "x AS (SELECT 1), ",
    ])
    func timeIsLinear(piece: String) {
        #expect(Self.timeToRead(piece, bytes: 100_000) < .seconds(5))
    }

    private static func timeToRead(_ piece: String, bytes: Int) -> Duration {
        let unit = Array(piece.utf8)
        let text = Array(repeatElement(unit, count: bytes / unit.count).joined())
        return ContinuousClock().measure {
            _ = SQLReader.statements(in: text, limit: .max)
            _ = SQLReader.redacted(text)
        }
    }
}
