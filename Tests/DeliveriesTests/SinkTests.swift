import Foundation
import Testing
import VigilModel

@testable import Deliveries

@Suite("Batches")
struct BatchTests {
    private func batch(_ count: Int) -> [Delivery] {
        (0..<count).map { Delivery(kind: .event, item: Int64($0), version: 0, row: [("event.id", .text("e\($0)"))]) }
    }

    @Test("with bad deliveries lose only these", arguments: [[], [0], [99], [3, 4, 50], Array(0..<100)])
    func poison(bad: [Int]) throws {
        var result = DeliveryResult()
        try deliverInPieces(batch(100)[...], into: &result) { part in
            part.contains { bad.contains(Int($0.item)) } ? .refused("bad") : .taken
        }
        #expect(result.refused.map(\.delivery.item) == bad.map(Int64.init))
        #expect(result.taken.map(\.item) == (0..<100).filter { !bad.contains($0) }.map(Int64.init))
    }

    @Test("that a server will not have now stay whole; what it took before it failed is not sent again")
    func later() throws {
        var result = DeliveryResult()
        #expect(throws: DeliveryProblem.self) {
            try deliverInPieces(batch(10)[...], into: &result) { _ in .later(DeliveryProblem("503")) }
        }
        #expect(result.taken.isEmpty)
        var calls = 0
        try deliverInPieces(batch(10)[...], into: &result) { _ in
            calls += 1
            return calls == 1 ? .refused("bad") : calls == 2 ? .taken : .later(DeliveryProblem("503"))
        }
        #expect(result.taken.count == 5 && result.refused.isEmpty && result.problem == "503")
    }

    @Test("wait longer each time, to five minutes, and as long as the server asks")
    func backoff() {
        var backoff = Backoff()
        let waits = (0..<12).map { _ in backoff.next() }
        #expect((750...1250).contains(waits[0]) && (225_000...375_000).contains(waits[11]))
        #expect(backoff.next(retryAfter: 1000) == 1_000_000)
    }
}

@Suite("Rows for VictoriaLogs")
struct VictoriaLogsRowTests {
    @Test(
        "are below the server's limit, however long and escaped their texts are",
        arguments: ["x", "\"", "\u{1}", "é", "🙂"])
    func cut(text: String) throws {
        let long = String(repeating: text, count: 1_100_000)
        let row: ShownRow = [
            ("@timestamp", .time(LogTime(milliseconds: 0))), ("event.id", .text("e")), ("message", .text(long)),
            ("db.query.text", .text(long)), ("user.name", .text(long)),
        ]
        let line = VictoriaLogsRow.line(Delivery(kind: .event, item: 1, version: 0, row: row), fields: [:])
        #expect(line.utf8.count <= VictoriaLogsRow.limit)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object?["event.id"] == "e" && object?["_msg"]?.contains("bytes)") == true)
    }

    @Test("have Pigsty's fields beside ours")
    func fields() {
        let row: ShownRow = [
            ("@timestamp", .time(LogTime(milliseconds: 0))), ("event.id", .text("e")),
            ("event.severity", .text("high")),
            ("service.name", .text("pg-test")), ("service.node.name", .text("pg-test-1")),
        ]
        let line = VictoriaLogsRow.line(
            Delivery(kind: .event, item: 1, version: 0, row: row), fields: ["ip": "10.0.0.1"])
        #expect(
            line
                == #"{"_time":"1970-01-01T00:00:00.000Z","_msg":"-","job":"pgvigil","cls":"pg-test","ins":"pg-test-1","level":"err","ip":"10.0.0.1","event.kind":"event","@timestamp":"1970-01-01T00:00:00.000Z","event.id":"e","event.severity":"high","service.name":"pg-test","service.node.name":"pg-test-1"}"#
        )
    }

    @Test("come back line by line, however the stream is cut", arguments: [1, 2, 7, 4096])
    func lines(piece: Int) {
        let bytes = Array("{\"a\":\"1\"}\n\n{\"a\":\"2\"}\nrest".utf8)
        var lines = JSONLines()
        var found: [String] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            Array(bytes[start..<min(start + piece, bytes.count)]).withUnsafeBytes { piece in
                lines.take(piece) { found.append(String(decoding: $0, as: UTF8.self)) }
            }
        }
        #expect(found == [#"{"a":"1"}"#, #"{"a":"2"}"#] && !lines.isWhole)
    }
}

@Suite("Files of JSON lines")
struct FileSinkTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func event(_ number: Int) -> Delivery {
        Delivery(kind: .event, item: Int64(number), version: 0, row: [("event.id", .text("e\(number)"))])
    }

    private func read(_ name: String) -> String {
        String(
            decoding: FileManager.default.contents(atPath: folder.appending(path: name).path) ?? Data(), as: UTF8.self)
    }

    @Test("begin anew when they are large, and keep so many older ones")
    func rotation() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = FileSink.Options(path: folder.appending(path: "out.jsonl").path)
        options.size = 60
        options.keep = 2
        let sink = FileSink(options)
        for number in 0..<5 {
            _ = try sink.deliver([event(number)], now: LogTime(milliseconds: 0))
        }
        // 36 bytes a line: one in each file.
        #expect(read("out.jsonl") == "{\"kind\":\"event\",\"event.id\":\"e4\"}\n")
        #expect(read("out.jsonl.2") == "{\"kind\":\"event\",\"event.id\":\"e2\"}\n")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "out.jsonl", "out.jsonl.1", "out.jsonl.2",
            ])
    }

    @Test("lose what a killed writer left of a line", arguments: ["{\"kind\":\"ev", "x", "{}\n{\"ki"])
    func torn(rest: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "out.jsonl").path
        try ("{}\n" + rest).write(toFile: path, atomically: false, encoding: .utf8)
        _ = try FileSink(FileSink.Options(path: path)).deliver([event(1)], now: LogTime(milliseconds: 0))
        #expect(read("out.jsonl").split(separator: "\n").allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        #expect(read("out.jsonl").hasSuffix("{\"kind\":\"event\",\"event.id\":\"e1\"}\n"))
    }

    @Test("are never written through a link, nor into anything but a file")
    func links() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let target = folder.appending(path: "target").path
        try "mine".write(toFile: target, atomically: false, encoding: .utf8)
        let link = folder.appending(path: "out.jsonl").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        #expect(throws: DeliveryProblem.self) {
            try FileSink(FileSink.Options(path: link)).deliver([event(1)], now: LogTime(milliseconds: 0))
        }
        #expect(read("target") == "mine")
    }
}
