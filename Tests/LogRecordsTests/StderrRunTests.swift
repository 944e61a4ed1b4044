import Testing
import VigilModel

@testable import LogRecords

/// Lines taken one by one, whatever the assembler could do with many.
private struct OneByOne<Assembler: LineAssembler>: LineAssembler {
    var assembler: Assembler

    var held: Int64? { assembler.held }
    var unknownZones: Set<String> { assembler.unknownZones }
    mutating func take(_ line: LogLine, into rows: inout RowBuffer) { assembler.take(line, into: &rows) }
    mutating func finish(into rows: inout RowBuffer) { assembler.finish(into: &rows) }
    mutating func settle(into rows: inout RowBuffer) { assembler.settle(into: &rows) }
}

@Suite("stderr, many lines at once")
struct StderrRunTests {
    /// What a busy server writes, with what is hard now and then.
    private static func log(_ numbers: inout SeededNumbers, _ prefix: String, oddity: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < 30_000 {
            if Int.random(in: 0..<100, using: &numbers) < oddity {
                bytes += odd(&numbers, prefix)
            } else {
                bytes += plain(&numbers, prefix)
            }
        }
        return bytes
    }

    /// `isSure` leaves out what a prefix without a client must not stand before, and names with blanks.
    private static func plain(_ numbers: inout SeededNumbers, _ prefix: String, isSure: Bool = false) -> [UInt8] {
        var writer = LogWriter(prefix)
        let messages = [
            "statement: select 1", "duration: 12.345 ms  statement: SELECT '\"x\"',\n  'a: b:  c'\nFROM t",
            "connection authorized: user=bob database=shop", "connection received: host=192.0.2.1 port=40000",
            "checkpoint complete", "", "\"", String(repeating: "long ", count: 200),
        ]
        for _ in 1...Int.random(in: 1...12, using: &numbers) {
            var entry = LogWriter.Entry(pid: Int.random(in: 1...4, using: &numbers))
            entry.isClient = isSure || Int.random(in: 0..<5, using: &numbers) > 0
            entry.host = ["192.0.2.1", "2001:db8::1", nil][Int.random(in: 0..<3, using: &numbers)]
            entry.application =
                ["psql", "[unknown]", isSure ? "\"b\"" : "a \"b\" c", ""][Int.random(in: 0..<4, using: &numbers)]
            entry.severity = ["LOG", "ERROR", "WARNING", "FATAL"][Int.random(in: 0..<4, using: &numbers)]
            entry.message = messages[Int.random(in: 0..<messages.count, using: &numbers)]
            if entry.severity == "ERROR" { entry.message += " at character 7" }
            if Bool.random(using: &numbers) { entry.parts.append(("DETAIL", "parameters: $1 = '7',\n$2 = '8'")) }
            if Bool.random(using: &numbers) { entry.parts.append(("STATEMENT", "select \"x\"\n\tfrom t\n\nwhere y")) }
            writer.write(entry)
        }
        return Array(writer.text.utf8)
    }

    private static func odd(_ numbers: inout SeededNumbers, _ prefix: String) -> [UInt8] {
        switch Int.random(in: 0..<8, using: &numbers) {
        case 0: return Array("no record\n\tgoes on\n".utf8)
        case 1: return Array("2026-03-02 09:49:00.374 UTC [7] bob@shop FATAL:  \r\n".utf8)
        case 2: return Array("2026-03-02 09:49:00.374 UTC [7] b LOG:  a@b LOG:  c@d FATAL:  x\n\tLOG:  y LOG:  \n".utf8)
        case 3: return Array((row(user: "a\nb", message: "x") + "\n").utf8)
        case 4: return (0..<60).map { _ in UInt8.random(in: 0...255, using: &numbers) }
        default:
            let names = StderrForgingTests.names(prefix)
            let name = names[Int.random(in: 0..<names.count, using: &numbers)]
            let message = "password authentication failed for user \"\(name.user)\""
            return Array(StderrForgingTests.log(prefix, name, message, detail: Bool.random(using: &numbers)).text.utf8)
        }
    }

    private static func facts(_ bytes: [UInt8], _ prefix: String) -> ReadingFacts {
        ReadingFacts(timezone: nil, prefix: prefix, head: Array(bytes.prefix(LogFormat.sniffLength)))
    }

    private static func read<Assembler: LineAssembler>(
        _ bytes: [UInt8], _ pieces: [Int], by assembler: Assembler
    ) -> StderrFound {
        var found = StderrFound()
        LineReader(assembler: assembler).read(bytes[...], pieces: pieces, into: &found)
        return found
    }

    @Test("find what lines taken one by one give", arguments: StderrPrefixTests.prefixes + StderrPrefixTests.odd)
    func same(prefix: String) {
        for seed in 1...12 {
            var numbers = SeededNumbers(seed: UInt64(seed) &* 7919)
            let bytes = Self.log(&numbers, prefix, oddity: [0, 5, 40][seed % 3])
            let sizes = (0..<5).map { _ in Int.random(in: 1...9000, using: &numbers) }
            let facts = Self.facts(bytes, prefix)
            let wanted = Self.read(bytes, sizes, by: OneByOne(assembler: StderrAssembler(facts)))
            #expect(Self.read(bytes, sizes, by: StderrAssembler(facts)) == wanted, "seed \(seed)")
            #expect(Self.read(bytes, [1 << 20], by: StderrAssembler(facts)) == wanted, "seed \(seed), at once")
        }
    }

    @Test("take nearly all of an ordinary log", arguments: StderrPrefixTests.prefixes)
    func takes(prefix: String) {
        var numbers = SeededNumbers(seed: 5)
        let bytes = (0..<30).flatMap { _ in Self.plain(&numbers, prefix, isSure: true) }
        var assembler = StderrAssembler(Self.facts(bytes, prefix))
        var rows = RowBuffer()
        let run = bytes.withUnsafeBufferPointer { assembler.run($0, offset: 0, into: &rows) }
        #expect(run.taken > bytes.count * 3 / 4, "\(run.taken) of \(bytes.count)")
        #expect(!rows.isEmpty)
    }

    @Test("a record longer than what may wait is read", arguments: [1, 20, 3000])
    func long(lines: Int) {
        var writer = LogWriter("%m [%p] %q%u@%d ")
        var entry = LogWriter.Entry()
        entry.message = Array(repeating: String(repeating: "x", count: 99), count: lines).joined(separator: "\n")
        for _ in 1...3 { writer.write(entry) }
        let found = readLog(Array(writer.text.utf8), prefix: writer.prefix, pieces: [5000])
        #expect(found.rows.map { $0[.message] } == Array(repeating: entry.message, count: 3))
        #expect(found.others == 0)
    }
}
