import Patterns
import Testing

@Suite("What texts that match an expression start with")
struct LiteralStartsTests {
    @Test(
        "is read from its source",
        arguments: [
            (#"\Anew connection"#, ["new connection"], true),
            (#"\AC-"#, ["C-"], true),
            (#"\A(?:a|bc)d"#, ["ad", "bcd"], true),
            (#"\A(?:PAUSE: )?switch"#, ["PAUSE: switch", "switch"], true),
            (
                #"\A(?<operation>KILL|PAUSE)(?: '(?<object>.*)')? done\z"#,
                ["KILL '", "KILL done", "PAUSE '", "PAUSE done"], false
            ),
            (#"\Aone\z|\Atwo \d+"#, ["one", "two "], false),
            (#"\Aab*"#, ["a"], false), (#"\Aab+c"#, ["ab"], false), (#"\Aab?c"#, ["abc", "ac"], true),
            (#"\Aab{2}"#, ["a"], false), (#"\Aab??c"#, ["ab", "a"], false),
            (#"\A\[DRY-RUN\] \(x\)"#, ["[DRY-RUN] (x)"], true),
            (#"\Aa(?:b[)|]c|d)e"#, ["ab", "ade"], false), (#"\Aa(?=b|c)d|\Ax"#, ["a", "x"], false),
            (#"\Aa(?:b(?:c|d)?)+e"#, ["abc", "abd", "ab"], false),
            (#"\Aa(?![[:alpha:]|)])b"#, ["a"], false),
        ])
    func read(source: String, texts: [String], isWhole: Bool) {
        let starts = LiteralStarts(of: source)
        #expect(Set(starts.texts.map { String(decoding: $0, as: UTF8.self) }) == Set(texts))
        #expect(starts.isWhole == isWhole)
    }

    @Test(
        "is not known of one that may start anywhere or anyhow",
        arguments: [
            "abc", #"\Aabc|def"#, #"\A"#, #"\A.*abc"#, #"\A\d"#, #"(?i)\Aabc"#, #"\Aab|(?i)\Acd"#, #"\A(?>ab)c|(?|x)"#,
            #"\A\Qa|b\E"#, #"(*ANY)\Aabc"#, #"\A(?:a|b)?"#, #"\Aa?"#, #"(?:\Aab|cd)"#, #"\A(?#x)ab"#,
        ])
    func unknown(source: String) {
        let starts = LiteralStarts(of: source)
        #expect(starts.texts.isEmpty && !starts.isWhole)
    }

    @Test("is short, and not told of expressions that start in too many ways")
    func limits() {
        let long = LiteralStarts(of: #"\A"# + String(repeating: "x", count: 500))
        #expect(long.texts.count == 1 && (long.texts.first?.count ?? 0) < 100 && !long.isWhole)
        let many = LiteralStarts(of: #"\Ax"# + String(repeating: "(?:a|b)", count: 20))
        #expect(!many.texts.isEmpty && many.texts.count <= 64 && !many.isWhole)
    }

    @Test("never leaves out a text that matches", arguments: 0..<20)
    func sound(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        let pieces = [
            "a", "b", "(?:a|bc)", "(?:a|b)?", "[ab]", ".", "(?:a(?:b|c)|)", "a?", "b+", "c*", "(?<n>a|b)", #"\w"#,
            "|\\Aa", "(?=a)", "{2}",
        ]
        for _ in 0..<200 {
            let source = #"\A"# + (0..<5).map { _ in pieces.randomElement(using: &numbers) ?? "" }.joined()
            guard let regex = try? Regex(source) else { continue }
            let starts = LiteralStarts(of: source)
            guard !starts.texts.isEmpty else { continue }
            for _ in 0..<40 {
                let text = (0..<Int.random(in: 0...6, using: &numbers)).map { _ in
                    UInt8(ascii: "a") + UInt8.random(in: 0...2, using: &numbers)
                }
                let isLike = starts.texts.contains { text.starts(with: $0) }
                let isMatch = regex.match(text)
                #expect(!isMatch || isLike, "\(source) matches \(String(decoding: text, as: UTF8.self))")
                #expect(!starts.isWhole || isMatch == isLike, "\(source), \(String(decoding: text, as: UTF8.self))")
            }
        }
    }
}

/// Numbers that look random and are the same each time (SplitMix64).
private struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
