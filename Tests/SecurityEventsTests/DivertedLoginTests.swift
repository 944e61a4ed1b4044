import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

/// Logins told of in files of pgauditlogtofile, whose refusals may stand in the server's own log.
@Suite("Diverted logins")
struct DivertedLoginTests {
    private static func line(_ session: String, second: Int, tag: String, _ content: String) -> String {
        #"{"log.source":"pgauditlogtofile","severity":"audit","timestamp":"2026-03-02 09:00:\#(second).000000000 UTC","#
            + #""db.user":"bob","db.name":"shop","custom.process_id":"7","net.peer.name":"192.0.2.9","net.peer.port":"4000","#
            + #""custom.session_id":"\#(session)","custom.command_tag":"\#(tag)","custom.transaction_id":"0","#
            + #""custom.state_code":"00000","content":"\#(content)"}"# + "\n"
    }

    private static let log =
        line("69a55d0d.1", second: 10, tag: "authentication", "connection authorized: user=bob database=shop")
        + line("69a55d0d.2", second: 11, tag: "authentication", "connection authorized: user=bob database=nosuch")
        + line(
            "69a55d0d.1", second: 40, tag: "idle",
            "disconnection: session time: 0:00:30.000 user=bob database=shop host=192.0.2.9 port=4000")

    private func read(_ bytes: ArraySlice<UInt8>, from offset: Int64, _ collector: inout EventCollector) {
        let reader = LogFormat.pgauditlogtofile.reader(
            offset: offset, ReadingFacts(timezone: nil, head: Array(DivertedLoginTests.log.utf8)))
        reader.read(bytes, into: &collector)
    }

    @Test("a login is one when its session did something more; silence proves nothing")
    func admitted() throws {
        var collector = EventCollector(reader: EventReader(catalogue: try Catalogue.embedded().events))
        read(Array(DivertedLoginTests.log.utf8)[...], from: 0, &collector)
        collector.reader.settle()
        let events = collector.reader.takeEvents()
        #expect(events.map(\.kind.action) == ["auth.success"])
        #expect(events.first?.sessionID == "69a55d0d.1" && events.first?.offset == 0)
        #expect(events.first?.time.description == "2026-03-02T09:00:10.000Z")
    }

    @Test("a standby's login is told from a client's")
    func replication() throws {
        let log =
            DivertedLoginTests.line(
                "69a55d0d.3", second: 10, tag: "authentication", "replication connection authorized: user=bob")
            + DivertedLoginTests.line(
                "69a55d0d.3", second: 40, tag: "idle",
                "disconnection: session time: 0:00:30.000 user=bob database= host=192.0.2.9 port=4000")
        var collector = EventCollector(reader: EventReader(catalogue: try Catalogue.embedded().events))
        read(Array(log.utf8)[...], from: 0, &collector)
        #expect(collector.reader.takeEvents().map(\.kind.tags) == [["auth.success", "conn.replication"]])
    }

    @Test("a reading that goes on behind the authorized line knows of it")
    func resumed() throws {
        let catalogue = try Catalogue.embedded().events
        let bytes = Array(DivertedLoginTests.log.utf8)
        let cut = bytes.lastIndex(of: UInt8(ascii: "{")) ?? 0
        var first = EventCollector(reader: EventReader(catalogue: catalogue))
        read(bytes[..<cut], from: 0, &first)
        #expect(first.reader.takeEvents().isEmpty)
        let known = first.reader.takeSessions(from: Int64(cut)).rows
        var second = EventCollector(reader: EventReader(catalogue: catalogue, sessions: known))
        read(bytes[cut...], from: Int64(cut), &second)
        #expect(second.reader.takeEvents().map(\.kind.action) == ["auth.success"])
    }
}
