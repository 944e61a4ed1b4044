import Testing

@testable import SecurityEvents

/// The first look at a text passes over none that holds a secret.
struct FirstLookTests {
    private static let words = [
        "CREATE ", "ALTER ", "ROLE ", "USER ", "GROUP ", "x ", "WITH ", "PASSWORD ", "PASWORD ", "IDENTIFIED BY ",
        "SET ",
        "my.token ", "= ", "TO ", "'abc'", "'", "\n", "''", "hmac(", "crypt(", "set_config(", "pgp_sym_encrypt(", ", ",
        ")",
        "OPTIONS (", "'my.pwd'", "'it'", "abc ", "123 ", ";", "--", "/*", "*/", "$$", "\"", "'md5", "://a:b@c'", "E'",
        "U&'",
        "'\n'", "UNTIL ", "||", "\"", "\"a b\"", "$1", "$2 ", "a$1", "$x$", "'a'\n'b=c d'", "key ", "'a -p b'",
        "IN ROLE ", "pass", "word ",
    ].map { Array($0.utf8) }

    @Test(arguments: 0..<10)
    func isSound(block: UInt64) {
        for seed in block * 2000..<(block + 1) * 2000 {
            var numbers = SeededNumbers(seed: seed)
            let pieces = Bool.random(using: &numbers) ? FirstLookTests.words : PropertyTests.pieces
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0...8, using: &numbers) { text += pieces.randomElement(using: &numbers) ?? [] }
            guard !SQLSecretHint.mayHold(query: text) else { continue }
            #expect(SQLSecretFinder.thorough(in: text) == [], "seed \(seed): \(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test(arguments: [
        "SELECT * FROM stock_moves WHERE customer_id = 1423021 AND city = 'Köln' LIMIT 20",
        "CREATE TABLE users (id int)",
        "SELECT 1 WHERE a > 734 AND b IN ('x', 'y')",
    ])
    func passesOver(text: String) {
        #expect(text.contains("users") == SQLSecretHint.mayHold(query: Array(text.utf8)))
    }
}
