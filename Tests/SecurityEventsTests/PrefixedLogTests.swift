import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

/// Events of stderr logs, whose lines leave out what a csvlog row has.
@Suite("Events of stderr logs")
struct PrefixedLogTests {
    /// Events of lines that all start with the same time.
    private static func events(_ lines: [String]) throws -> [SecurityEvent] {
        let log = Array(lines.map { "2026-03-02 09:49:01.374 UTC \($0)\n" }.joined().utf8)
        let reader = LogFormat.stderr.reader(ReadingFacts(timezone: nil, prefix: "%m [%p] %q%u@%d ", head: log))
        var collector = EventCollector(reader: EventReader(catalogue: try Catalogue.embedded().events))
        reader.read(log, into: &collector)
        return collector.reader.takeEvents()
    }

    @Test("the server's own lines count, though no prefix says which process wrote them")
    func server() throws {
        let found = try PrefixedLogTests.events([
            "[7] LOG:  database system is ready to accept connections",
            "[7] LOG:  received SIGHUP, reloading configuration files",
            "[7] LOG:  parameter \"shared_buffers\" cannot be changed without restarting the server",
            "[7] LOG:  configuration file \"/pg/a.conf\" contains errors; unaffected changes were applied",
            "[8] bob@shop LOG:  received SIGHUP, reloading configuration files",
        ])
        #expect(
            found.map(\.kind.action) == ["server.start", "config.reload", "config.parameter", "config.reload"])
        #expect(found.map(\.kind.outcome) == [.success, .unknown, .unknown, .failure])
    }

    @Test("the port of a refusal that names the host is that of its connection, when it is the same host")
    func port() throws {
        let refusal =
            "FATAL:  no pg_hba.conf entry for host \"192.0.2.7\", user \"bob\", database \"shop\", no encryption"
        let found = try PrefixedLogTests.events([
            "[8] [unknown]@[unknown] LOG:  connection received: host=192.0.2.7 port=4000", "[8] bob@shop \(refusal)",
            "[9] [unknown]@[unknown] LOG:  connection received: host=192.0.2.9 port=5000", "[9] bob@shop \(refusal)",
        ])
        #expect(found.map(\.actor.address) == ["192.0.2.7", "192.0.2.7"])
        #expect(found.map(\.sourcePort) == [4000, nil])
    }
}
