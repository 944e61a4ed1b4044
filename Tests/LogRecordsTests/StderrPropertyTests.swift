import LogRecords
import Testing
import VigilModel

@Suite("stderr reader, properties")
struct StderrPropertyTests {
    /// A log with everything that is hard.
    static func log(_ numbers: inout SeededNumbers, _ prefix: String) -> [UInt8] {
        var bytes: [UInt8] = []
        let names = StderrForgingTests.names(prefix)
        for _ in 1...Int.random(in: 1...25, using: &numbers) {
            switch Int.random(in: 0..<8, using: &numbers) {
            case 0: bytes += (0..<60).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            case 1: bytes += Array("psql: ERROR:  x\n\ty\n\n".utf8)
            case 2: bytes += Array((row(user: "a\nb", message: "2026-03-02 09:49:00.374 UTC [1] LOG:  x") + "\n").utf8)
            case 3, 4:
                let name = names[Int.random(in: 0..<names.count, using: &numbers)]
                let message = "password authentication failed for user \"\(name.user)\""
                let log = StderrForgingTests.log(prefix, name, message, detail: Bool.random(using: &numbers)).text
                bytes += Array(log.utf8.prefix(Int.random(in: 300...log.utf8.count + 300, using: &numbers)))
            default:
                bytes += Array(StderrPrefixTests.log(prefix).utf8.prefix(Int.random(in: 1...3000, using: &numbers)))
            }
        }
        return bytes
    }

    @Test("finds the same in whatever pieces the bytes come", arguments: 1...40)
    func pieces(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let prefix = StderrForgingTests.prefixes[seed % StderrForgingTests.prefixes.count]
        let bytes = StderrPropertyTests.log(&numbers, prefix)
        let whole = readLog(bytes, prefix: prefix)
        let sizes = (0..<7).map { _ in Int.random(in: 1...700, using: &numbers) }
        #expect(readLog(bytes, prefix: prefix, pieces: sizes) == whole, "seed \(seed)")
        #expect(readLog(bytes, prefix: prefix, pieces: [1]) == whole, "seed \(seed), byte by byte")
    }

    @Test("a reading that goes on where another ended finds what one reading finds", arguments: 1...40)
    func resumed(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed) &* 13)
        let prefix = StderrForgingTests.prefixes[seed % StderrForgingTests.prefixes.count]
        let bytes = StderrPropertyTests.log(&numbers, prefix)
        let facts = ReadingFacts(timezone: nil, prefix: prefix, head: Array(bytes.prefix(LogFormat.sniffLength)))
        var found = StderrFound()
        var position = 0
        while position < bytes.count {
            let reader = LogFormat.stderr.reader(offset: Int64(position), facts)
            var rest = bytes[position..<min(bytes.count, position + Int.random(in: 1...6000, using: &numbers))]
            if rest.endIndex < bytes.count, !rest.contains(10) { rest = bytes[position...] }
            let isLast = rest.endIndex == bytes.count
            reader.read(rest, into: &found, atEnd: false)
            if isLast {
                reader.drain(into: &found, atEnd: true)
                break
            }
            // Nothing was decided: more must be read at a time.
            if Int(reader.position) == position {
                let whole = LogFormat.stderr.reader(offset: Int64(position), facts)
                whole.read(bytes[position...], into: &found)
                break
            }
            position = Int(reader.position)
        }
        #expect(found == readLog(bytes, prefix: prefix), "seed \(seed)")
    }

    @Test("accounts for every byte", arguments: 1...40)
    func everyByte(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed) &* 977)
        let prefix = StderrForgingTests.prefixes[seed % StderrForgingTests.prefixes.count]
        let bytes = StderrPropertyTests.log(&numbers, prefix)
        let found = readLog(bytes, prefix: prefix)
        let starts =
            (found.rows.map { ($0.offset, Int64(-1)) } + found.unread.map { ($0.offset, $0.length) }
            + found.text.map { ($0.offset, $0.length) }).sorted { $0.0 < $1.0 }
        if let first = starts.first { #expect(first.0 == 0, "seed \(seed)") }
        for (one, next) in zip(starts, starts.dropFirst()) where one.1 >= 0 {
            #expect(one.0 + one.1 == next.0, "seed \(seed)")
        }
    }

    @Test("survives any bytes", arguments: 1...40)
    func anyBytes(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed) &* 31)
        let words = [
            "2026-03-02 09:49:00.374 UTC ", "[7] ", "bob@shop ", "LOG:  ", "\n", "\t", "FATAL:  ", "role \"",
            "\" does not exist", "DETAIL:  ", ":  ", "@", "\u{0}", "\r\n",
        ]
        var bytes: [UInt8] = []
        while bytes.count < 8000 { bytes += Array(words[Int.random(in: 0..<words.count, using: &numbers)].utf8) }
        for format in [LogFormat.stderr, .syslog] {
            let found = readLog(bytes, as: format, prefix: "%m [%p] %q%u@%d ", pieces: [997])
            #expect(found.rows.count + found.unread.count + found.text.count > 0)
        }
    }

    @Test("does not hang on a log that is all doubt", .timeLimit(.minutes(1)))
    func doubt() {
        let line = "2026-03-02 09:49:00.374 UTC [7] b LOG:  a@b LOG:  c@d FATAL:  e@f FATAL:  x\n\tLOG:  y@z LOG:  \n"
        let found = readLog(String(repeating: line, count: 5000), prefix: "%m [%p] %q%u@%d ")
        #expect(found.rows.count + found.unread.count > 0)
    }
}
