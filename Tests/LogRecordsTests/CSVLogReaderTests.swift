import LogRecords
import Testing
import VigilModel

@Suite("csvlog reader")
struct CSVLogReaderTests {
    @Test("reads the columns of every version", arguments: [23, 24, 26])
    func versions(columns: Int) {
        let found = read(row(columns: columns) + "\n")
        #expect(found.records == ["bob|192.0.2.1:40000|1|00000|hello|psql"])
        #expect(found.times == [LogTime(parsing: "2026-03-02T09:49:00.374Z")])
        #expect(found.unread.isEmpty)
    }

    @Test(
        "keeps what stands inside quotes", arguments: ["a\nb", "a\r\nb", "a,b", "say \"x\"", "\"", "\t,\n\",\n", "é用"])
    func quoted(text: String) {
        let found = read(row(user: text, message: text) + "\n" + row(line: 2) + "\n")
        #expect(found.records.count == 2)
        #expect(found.records.first?.hasPrefix(text + "|") == true)
        #expect(found.unread.isEmpty)
    }

    @Test("shows bytes that are not UTF-8")
    func invalidUTF8() {
        var bytes = Array((row(user: "X") + "\n").utf8)
        bytes[bytes.firstIndex(of: 88) ?? 0] = 0xFF
        #expect(read(bytes).records.first?.hasPrefix("\\xff|") == true)
    }

    @Test("reads files of Windows servers")
    func carriageReturns() {
        let found = read(row() + "\r\n" + row(line: 2, columns: 23) + "\r\n")
        #expect(found.records == ["bob|192.0.2.1:40000|1|00000|hello|psql", "bob|192.0.2.1:40000|2|00000|hello|psql"])
    }

    @Test("passes over a byte order mark")
    func byteOrderMark() {
        let found = read([0xEF, 0xBB, 0xBF] + Array((row() + "\n").utf8))
        #expect(found.records.count == 1)
        #expect(found.unread.isEmpty)
    }

    @Test("believes no row inside a row")
    func forged() {
        let fake = row(user: "victim", from: "\"9.9.9.9:1\"", state: "28P01", message: "password authentication failed")
        for text in ["x\n" + fake + "\n", fake, "x\"\n" + fake, "\n\n\"\n" + fake + "\n\""] {
            let found = read(row(user: text) + "\n" + row(message: text) + "\n")
            #expect(found.records.count == 2)
            #expect(!found.records.contains { $0.hasPrefix("victim|") })
        }
    }

    @Test("names garbage with its place and goes on")
    func garbage() {
        let first = row() + "\n"
        let junk = "this is no record\nnor this, \"one\n"
        let found = read(first + junk + row(line: 2) + "\n")
        #expect(found.records.count == 2)
        #expect(found.unread.map(\.offset) == [Int64(first.utf8.count)])
        #expect(found.unread.map(\.length) == [Int64(junk.utf8.count)])
    }

    @Test("names a row with too many or too few columns")
    func wrongColumns() {
        let odd = row() + ",7\n" + "2026-03-02 09:49:00.374 UTC,\"bob\"\n"
        let found = read(row() + "\n" + odd + row(line: 2) + "\n")
        #expect(found.records.count == 2)
        #expect(found.unread.reduce(0) { $0 + $1.length } == Int64(odd.utf8.count))
    }

    @Test("loses only the torn record, even with others behind it on its line")
    func tornMiddle() {
        let torn = String(row(message: "it broke \"here\" and").dropLast(40))
        let text = row() + "\n" + torn + row(line: 2) + "\n" + row(line: 3) + "\n"
        let found = read(text)
        #expect(found.records.map { $0.split(separator: "|")[2] } == ["1", "2", "3"])
        #expect(found.unread.map(\.length) == [Int64(torn.utf8.count)])
    }

    @Test("waits for the rest of a torn last record")
    func tornEnd() {
        let whole = row() + "\n"
        let found = read(whole + row(line: 2).dropLast(30))
        #expect(found.records.count == 1)
        #expect(found.unread.map(\.offset) == [Int64(whole.utf8.count)])
    }

    @Test("reads rows around blocks of zeroes")
    func zeroes() {
        let bytes = Array((row() + "\n").utf8) + [UInt8](repeating: 0, count: 5000) + Array((row(line: 2) + "\n").utf8)
        let found = read(bytes)
        #expect(found.records.count == 2)
        #expect(found.unread.map(\.length) == [5000])
    }

    @Test(
        "mends the row of a client that bound its own socket path",
        arguments: [
            "[local]:/tmp/c\"li,ent.sock", "[local]:/a\nb", "[local]:/x\",\"y\"", "[local]:@a,b", "[local]:/\"\"\"",
            "[local]:/a\",69a55d0d.4f1b,9,\"x\",",
        ])
    func socketPath(address: String) {
        let text = row(from: "\"\(address)\"", state: "28P01") + "\n" + row(line: 2) + "\n"
        let found = read(text)
        #expect(found.records.count == 2)
        #expect(found.records.first?.contains("|[local]") == true)
        #expect(found.records.first?.contains("|1|28P01|") == true)
        #expect(found.unread.isEmpty)
    }

    @Test("keeps a megabyte of a field that is longer, with length and hash of all")
    func longField() throws {
        for size in [1_500_000, 12_000_000] {
            let found = read(
                row(message: String(repeating: "x", count: size)) + "\n" + row(line: 2) + "\n", pieces: [300_000])
            #expect(found.records.count == 2)
            let first = try #require(found.records.first)
            #expect(first.utf8.count < 1_100_000)
            #expect(first.contains("[cut: \(size) bytes, sha256 "))
            #expect(found.unread.isEmpty)
        }
    }

    @Test("finds the zone of an abbreviation in the row itself")
    func zones() {
        // 69a55d0d is 2026-03-02 09:49:01 UTC; Shanghai is eight hours ahead, and CST is Chicago's name too.
        let text = row().replacing(" UTC", with: " CST").replacing(
            "2026-03-02 09:49:01 CST", with: "2026-03-02 17:49:01 CST"
        )
        .replacing("2026-03-02 09:49:00.374", with: "2026-03-02 17:49:00.374")
        #expect(read(text + "\n").times == [LogTime(parsing: "2026-03-02T09:49:00.374Z")])
    }
}

@Suite("csvlog reader, properties")
struct CSVLogReaderProperties {
    /// A log with everything that is hard, sound rows numbered by their line.
    private static func log(_ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes: [UInt8] = []
        for line in 1...Int.random(in: 1...30, using: &numbers) {
            switch Int.random(in: 0..<12, using: &numbers) {
            case 0: bytes += Array(repeating: UInt8.random(in: 0...255, using: &numbers), count: 90)
            case 1:
                bytes += Array(row(line: line, message: "cut").utf8).dropLast(Int.random(in: 1...200, using: &numbers))
            case 2: bytes += Array((row(from: "\"[local]:/a\"b,c\"", line: line) + "\n").utf8)
            case 3: bytes += Array("noise, \"noise\n".utf8)
            default:
                let text = String(repeating: "a\n\",b\" ", count: Int.random(in: 0...60, using: &numbers))
                bytes += Array((row(user: text, line: line, message: text + "!") + "\n").utf8)
            }
        }
        return bytes
    }

    @Test("finds the same in whatever pieces the bytes come", arguments: 1...60)
    func pieces(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let bytes = CSVLogReaderProperties.log(&numbers)
        let whole = read(bytes)
        let sizes = (0..<7).map { _ in Int.random(in: 1...700, using: &numbers) }
        #expect(read(bytes, pieces: sizes) == whole, "seed \(seed)")
        #expect(read(bytes, pieces: [1]) == whole, "seed \(seed), byte by byte")
    }

    @Test("accounts for every byte", arguments: 1...60)
    func everyByte(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed) &* 977)
        let bytes = CSVLogReaderProperties.log(&numbers)
        let found = read(bytes)
        // Starts of records and unread spans in order: each ends where the next begins.
        let starts = (found.offsets.map { ($0, Int64(-1)) } + found.unread.map { ($0.offset, $0.length) }).sorted {
            $0.0 < $1.0
        }
        if let first = starts.first { #expect(first.0 == 0, "seed \(seed)") }
        for (one, next) in zip(starts, starts.dropFirst()) where one.1 >= 0 {
            #expect(one.0 + one.1 == next.0, "seed \(seed)")
        }
    }

    @Test("survives any bytes", arguments: 1...40)
    func anyBytes(seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed) &* 31)
        let alphabet = Array("\",\n\r0123456789-: .UTCab\u{0}".utf8) + [0xFF]
        let bytes = (0..<5000).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &numbers)] }
        let found = read(bytes, pieces: [997])
        #expect(found.records.count + found.unread.count > 0)
    }

    @Test("does not hang on a file that is all damage", .timeLimit(.minutes(1)))
    func damage() {
        let line = "2026-03-02 09:49:00.374 UTC,\"bob\",\"x\",1,\"\n"
        let found = read(String(repeating: line, count: 50_000))
        #expect(found.records.isEmpty)
    }
}
