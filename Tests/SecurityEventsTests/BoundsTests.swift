import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

/// What nobody but a log's size would bound.
@Suite("Bounds")
struct BoundsTests {
    private static func read(_ log: String, as format: LogFormat) throws -> EventReader {
        let log = Array(log.utf8)
        let reader = format.reader(ReadingFacts(timezone: nil, prefix: "%m [%p] %q%u@%d ", head: log))
        var collector = EventCollector(reader: EventReader(catalogue: try Catalogue.embedded().events))
        reader.read(log, into: &collector)
        return collector.reader
    }

    private static func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

    @Test("a statement that makes thousands of tables leaves a small row, and an event for each")
    func manyParts() throws {
        func row(_ line: Int, _ message: String) -> String {
            "2026-03-02 09:49:01.374 UTC,\"u\",\"d\",7,\"192.0.2.7:4000\",69a53661.7,\(line),\"DO\","
                + "2026-03-02 07:00:00 UTC,3/4,0,LOG,00000,\"\(message)\",,,,,,,,,\"psql\",\"client backend\",,0\n"
        }
        var log = row(1, "statement: DO $$BEGIN PERFORM make(); END$$")
        for number in 2..<3000 {
            log += row(
                number, "AUDIT: SESSION,1,\(number),DDL,CREATE TABLE,TABLE,t\(number),CREATE TABLE t\(number)(),<none>")
        }
        var reader = try BoundsTests.read(log, as: .csvlog)
        #expect(reader.takeEvents().filter { $0.kind.action == "ddl" }.count >= 2998)
        let sizes = reader.takeSessions(from: .max - 1).rows.map(\.state.count)
        #expect(sizes.count == 1 && (sizes.max() ?? 0) < 64 << 10, "\(sizes)")
    }

    @Test("of sessions that never come in only some wait, and each is told of once")
    func logins() throws {
        let log = (0..<12_000).map { number in
            "2026-03-02 09:49:01.374 UTC,\"u\(number)\",\"d\",7,\"192.0.2.7:4000\",\(String(0x69a5_3661 + number, radix: 16)).7,1,"
                + "\"authentication\",2026-03-02 07:00:00 UTC,3/4,0,LOG,00000,"
                + "\"connection authorized: user=u database=d\",,,,,,,,,\"\",\"client backend\",,0\n"
        }.joined()
        var reader = try BoundsTests.read(log, as: .csvlog)
        #expect(reader.takeEvents().count == 2000)
        #expect(reader.held.map { $0.offset > 0 } ?? false)
        reader.settle()
        #expect(reader.takeEvents().count == 10_000)
    }

    @Test("texts without number at one moment are told apart all the same")
    func texts() throws {
        let count = (1 << 16) + 1000
        let log = (0..<count).map { number in
            "2026-03-02 09:49:01.374 UTC [7] u\(number)@d FATAL:  password authentication failed for user \"u\(number)\"\n"
        }
        // The last one comes twice.
        var reader = try BoundsTests.read(log.joined() + log[count - 1], as: .stderr)
        #expect(Set(reader.takeEvents().map(\.identity.text)).count == count + 1)
    }

    @Test("a log that runs backwards is not held to its start")
    func backwards() throws {
        let log = (0..<4000).reversed().map { second in
            let time =
                "2026-03-02 0\(second / 3600):\(BoundsTests.two(second / 60 % 60)):\(BoundsTests.two(second % 60))"
            return "\(time).001 UTC [7] bob@shop FATAL:  password authentication failed for user \"bob\"\n"
        }.joined()
        var reader = try BoundsTests.read(log, as: .stderr)
        #expect(reader.takeEvents().count == 4000)
        #expect(reader.held.map { $0.offset > 0 } ?? true)
    }
}
