import LogRecords
import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

/// Records that are missing are told with their exact range, and nothing else is taken for a loss.
@Suite("Line gaps")
struct LineGapTests {
    private static let catalogue = Result { try Catalogue.embedded().events }

    /// Hands records to a tracker as a source reader does.
    private struct Feeder: RecordConsumer {
        var tracker = LineGapTracker()
        var reader: EventReader
        mutating func take(_ records: RecordBatch) { reader.read(records, gaps: tracker.take(records)) }
        mutating func takeUnfinished(_ records: RecordBatch) { reader.read(records, isCounted: false) }
        mutating func skip(_ unread: Unread) { tracker.lose(at: unread.offset) }
        mutating func pass(_ line: TextLine) { tracker.lose(at: line.offset) }
    }

    private static func row(
        _ session: String, _ line: Int, at second: Int = 0, day: Int = 2,
        _ message: String = "checkpoint starting: time",
        context: String = ""
    ) -> String {
        let time = "2026-03-0\(day) \(second / 3600 + 10):\(pad(second / 60 % 60)):\(pad(second % 60)).001 UTC"
        let pid = Int(session.split(separator: ".").last ?? "", radix: 16) ?? 0
        return
            "\(time),\"u\",\"d\",\(pid),\"192.0.2.7:4000\",\(session),\(line),\"idle\",2026-03-02 07:00:00 UTC,3/4,0,LOG,"
            + "00000,\"\(message)\",,,,,\(context.isEmpty ? "" : "\"\(context)\""),,,,\"psql\",\"client backend\",,0\n"
    }

    private static func pad(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

    /// What is told of a log, read in pieces of that many bytes.
    private static func told(_ log: String, piece: Int = .max) throws -> [String] {
        let bytes = Array(log.utf8)
        var feeder = Feeder(reader: EventReader(catalogue: try catalogue.get()))
        let reader = LogFormat.csvlog.reader(ReadingFacts(timezone: nil, head: bytes))
        var start = 0
        while start < bytes.count {
            let end = piece < bytes.count - start ? start + piece : bytes.count
            reader.read(bytes[start..<end], into: &feeder, atEnd: end == bytes.count)
            start = end
        }
        return feeder.reader.takeEvents().filter { $0.kind.action == "tamper.line_gap" }.map {
            #expect($0.actor.user == "u" && $0.actor.ip?.description == "192.0.2.7" && $0.kind.severity == .high)
            return $0.message ?? ""
        }
    }

    @Test("one line, ten lines, two holes of two sessions")
    func holes() throws {
        let log = [(1, 1), (2, 1), (1, 2), (2, 2), (1, 4), (2, 13), (1, 5), (2, 14), (1, 9)]
            .map { Self.row("69a55d0d.\($0.0)", $0.1) }.joined()
        let wanted = [
            "line 3 of session 69a55d0d.1 is missing", "lines 3 to 12 of session 69a55d0d.2 are missing",
            "lines 6 to 8 of session 69a55d0d.1 are missing",
        ]
        for piece in [1, 7, 100, 256, .max] { #expect(try Self.told(log, piece: piece) == wanted) }
    }

    @Test("sessions that began before, lines that come again, and ids that come again are no loss")
    func noHoles() throws {
        let lines = [50, 51, 52, 50, 51, 52, 53, 1, 2, 3]
        #expect(try Self.told(lines.map { Self.row("69a55d0d.1", $0) }.joined()).isEmpty)
        let twice = (1...20).flatMap { [Self.row("69a55d0d.1", $0), Self.row("69a55d0d.1", $0)] }.joined()
        #expect(try Self.told(twice).isEmpty)
    }

    @Test("behind bytes that could not be read nothing is compared")
    func unread() throws {
        let torn = Self.row("69a55d0d.1", 2).dropLast(90) + "\n"
        let log = Self.row("69a55d0d.1", 1) + torn + Self.row("69a55d0d.1", 3) + Self.row("69a55d0d.1", 5)
        for piece in [1, 64, .max] {
            #expect(try Self.told(log, piece: piece) == ["line 4 of session 69a55d0d.1 is missing"])
        }
    }

    @Test("files of other days behind each other, in any order, are no loss")
    func seams() throws {
        func day(_ day: Int, _ lines: ClosedRange<Int>) -> String {
            lines.map { Self.row("69a55d0d.1", $0, at: $0, day: day) }.joined()
        }
        let days = [day(2, 1...9), day(3, 10...19), day(4, 20...29)]
        for order in [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2], [2, 0, 1]] {
            #expect(try Self.told(order.map { days[$0] }.joined()).isEmpty, "\(order)")
        }
    }

    @Test("pgaudit's ids: hidden statements are told, what a function raises is not")
    func audits() throws {
        func audit(_ line: Int, _ id: Int, context: String = "") -> String {
            Self.row("69a55d0d.1", line, "AUDIT: SESSION,\(id),1,READ,SELECT,,,SELECT 1,<none>", context: context)
        }
        #expect(
            try Self.told(audit(1, 3) + audit(2, 3) + audit(3, 4) + audit(4, 6) + audit(5, 9))
                == [
                    "pgaudit's statement 5 of session 69a55d0d.1 is missing",
                    "pgaudit's statements 7 to 8 of session 69a55d0d.1 are missing",
                ])
        #expect(try Self.told(audit(1, 3) + audit(2, 9, context: "PL/pgSQL function f() line 1 at RAISE")).isEmpty)
        // Lost with its record: one finding.
        #expect(try Self.told(audit(1, 3) + audit(3, 5)) == ["line 2 of session 69a55d0d.1 is missing"])
    }

    @Test("more sessions than there is room for raise nothing")
    func bounded() throws {
        var log = ""
        for line in 1...3 {
            for session in 1...9000 { log += Self.row("69a55d0d.\(String(session, radix: 16))", line) }
        }
        #expect(try Self.told(log).isEmpty)
    }

    @Test("stopped anywhere and gone on, the same is found as in one reading")
    func state() throws {
        var random = SystemRandomNumberGenerator()
        var lines: [Int: Int] = [:]
        var rows: [String] = []
        for number in 0..<4000 {
            let session = Int.random(in: 1...700, using: &random)
            lines[session, default: 0] += Int.random(in: 0...9, using: &random) == 0 ? 2 : 1
            rows.append(Self.row("69a55d0d.\(String(session, radix: 16))", lines[session] ?? 0, at: number))
        }
        let whole = Array(rows.joined().utf8)
        func gaps(_ bytes: ArraySlice<UInt8>, _ tracker: inout LineGapTracker) -> [LineGap] {
            struct Taker: RecordConsumer {
                var tracker: LineGapTracker
                var gaps: [LineGap] = []
                mutating func take(_ records: RecordBatch) {
                    gaps += tracker.take(records).map {
                        LineGap(record: 0, counter: $0.counter, first: $0.first, last: $0.last)
                    }
                }
                mutating func takeUnfinished(_ records: RecordBatch) {}
                mutating func skip(_ unread: Unread) {}
                mutating func pass(_ line: TextLine) {}
            }
            var taker = Taker(tracker: tracker)
            LogFormat.csvlog.reader(ReadingFacts(timezone: nil, head: Array(bytes.prefix(4096)))).read(
                bytes, into: &taker)
            tracker = taker.tracker
            return taker.gaps
        }
        var tracker = LineGapTracker()
        let wanted = gaps(whole[...], &tracker)
        #expect(wanted.count > 100)
        let stops = [0, 700, 1400, 2500, 3999, 4000].map { rows[..<$0].reduce(0) { $0 + $1.utf8.count } }
        var found: [LineGap] = []
        var state: [UInt8] = LineGapTracker().state(at: 0)
        for (start, end) in zip(stops, stops.dropFirst()) {
            var next = LineGapTracker()
            next.restore(state)
            found += gaps(whole[start..<end], &next)
            state = next.state(at: Int64(end))
        }
        #expect(found == wanted)
        #expect(state == tracker.state(at: Int64(whole.count)))
        // A state that is damaged is none.
        for length in [0, 5, 12, 20] {
            var damaged = LineGapTracker()
            damaged.restore(Array(state.prefix(length)))
        }
    }

    @Test(
        "a line of jsonlog that was torn is no missing record, wherever buffers end", arguments: [1, 64, 333, Int.max])
    func tornJSON(piece: Int) throws {
        let lines = (1...9).map { number in
            #"{"timestamp":"2026-03-02 10:00:0\#(number).000 UTC","user":"u","dbname":"d","pid":7,"remote_host":"192.0.2.7","#
                + #""session_id":"69a5c6da.7","line_num":\#(number),"error_severity":"LOG","message":"x","backend_type":"client backend"}"#
        }
        let torn = lines.enumerated().map { $0.offset == 4 ? String($0.element.prefix(60)) : $0.element }
        func told(_ lines: [String]) throws -> [String] {
            let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
            var feeder = Feeder(reader: EventReader(catalogue: try Self.catalogue.get()))
            let reader = LogFormat.jsonlog.reader(ReadingFacts(timezone: nil, head: bytes))
            var start = 0
            while start < bytes.count {
                let end = piece < bytes.count - start ? start + piece : bytes.count
                reader.read(bytes[start..<end], into: &feeder, atEnd: end == bytes.count)
                start = end
            }
            return feeder.reader.takeEvents().compactMap(\.message)
        }
        #expect(try told(torn) == [])
        #expect(
            try told(lines.enumerated().filter { $0.offset != 4 }.map(\.element)) == [
                "line 5 of session 69a5c6da.7 is missing"
            ])
    }

    @Test("damage that is read once more after a stop is none of what follows")
    func damageAgain() {
        var tracker = LineGapTracker()
        tracker.resume(at: 1000)
        tracker.lose(at: 500)
        #expect(tracker.state(at: 2000)[0] == 0)
        tracker.lose(at: 1500)
        #expect(tracker.state(at: 2000)[0] == 1)
    }
}
