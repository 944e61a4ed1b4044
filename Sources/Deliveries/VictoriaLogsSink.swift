import HTTPTransport
import VigilModel

/// VictoriaLogs' `/insert/jsonline` (https://docs.victoriametrics.com/victorialogs/data-ingestion/#json-stream-api).
///
/// The server answers 200 to lines that it drops, so each line is made to be one that it takes; `lookUp` proves it.
public final class VictoriaLogsSink: Sink {
    /// How rows are sent.
    public struct Options: Sendable, Equatable {
        /// The tenant's account (header AccountID).
        public var account: UInt32 = 0
        /// The tenant's project (header ProjectID).
        public var project: UInt32 = 0
        /// Fields that every row carries.
        public var fields: [String: String] = [:]

        /// Tenant 0:0.
        public init() {}
    }

    /// Most deliveries in one request or write.
    public let batchSize = 1000
    private let client: HTTPClient
    private let endpoint: HTTPEndpoint
    private let options: Options

    /// Takes whom to send to.
    public init(_ endpoint: HTTPEndpoint, _ options: Options, cancellation: HTTPClient.Cancellation) {
        self.endpoint = endpoint
        self.options = options
        client = HTTPClient(endpoint, cancellation: cancellation)
    }

    /// Constant for as long as a producer lives, and few (VictoriaLogs, "stream fields").
    private static let path =
        "/insert/jsonline?_stream_fields=job,cls,ins&_time_field=_time&_msg_field=_msg"

    private var tenant: [(name: String, value: String)] {
        options.account == 0 && options.project == 0
            ? [] : [("AccountID", String(options.account)), ("ProjectID", String(options.project))]
    }

    /// Sends a batch; throws `DeliveryProblem` when it must be tried again.
    public func deliver(_ batch: [Delivery], now: LogTime) throws -> DeliveryResult {
        var result = DeliveryResult()
        try deliverInPieces(batch[...], into: &result) { part in
            var body: [UInt8] = []
            for delivery in part where !delivery.row.isEmpty {
                body += VictoriaLogsRow.line(delivery, fields: options.fields).utf8
                body.append(10)
            }
            return body.isEmpty ? .taken : try post(body)
        }
        return result
    }

    private func post(_ body: [UInt8]) throws -> Verdict {
        // As a form the server would swallow it with a 200.
        var request = HTTPRequest("POST", VictoriaLogsSink.path, body: body, type: "application/stream+json")
        request.headers += tenant
        do { return Verdict(try client.send(request), of: endpoint) } catch {
            throw DeliveryProblem("\(error)")
        }
    }

    /// Hands over the ids of our rows that the server has of a time span, each as often as it has it. Throws
    /// `DeliveryProblem` when it cannot be known.
    public func lookUp(since: LogTime, until: LogTime, _ body: (String) -> Void) throws {
        let field = "event.id"
        // Both ends in the query's text: the server's own `end` includes it.
        let query = "_time:[\(since), \(until)) job:=pgvigil | fields \"\(field)\""
        var request = HTTPRequest(
            "POST", "/select/logsql/query", body: Array("query=\(FormText.escaped(query))".utf8),
            type: "application/x-www-form-urlencoded")
        request.headers += tenant
        request.timeout = 120
        var lines = JSONLines()
        var fault: String?
        let answer: HTTPAnswer
        do {
            answer = try client.send(request) { bytes in
                lines.take(bytes) { line in
                    guard let row = JSONLines.object(line) else {
                        fault = fault ?? Shown.text(String(decoding: line.prefix(200), as: UTF8.self))
                        return
                    }
                    if let id = row[field] { body(id) }
                }
            }
        } catch { throw DeliveryProblem("\(error)") }
        // An error after the first rows comes as text behind them.
        guard answer.isSuccess, fault == nil, lines.isWhole else {
            throw DeliveryProblem("\(endpoint.name) answered \(answer.status)" + (fault.map { ": \($0)" } ?? ""))
        }
    }

    /// Sends a test and finds out where it went.
    public func test(now: LogTime) -> [TestResult] {
        let id = "test-\(now.milliseconds)"
        let row: ShownRow = [
            ("@timestamp", .time(now)), ("event.id", .text(id)), ("event.action", .text("test")),
            ("message", .text("pgvigil's test: this row shows that events arrive")),
        ]
        do {
            let line = VictoriaLogsRow.line(
                Delivery(kind: .event, item: 0, version: 0, row: row), fields: options.fields)
            switch try post(Array((line + "\n").utf8)) {
            case .taken: break
            case .refused(let reason): return [TestResult(.bad, reason)]
            case .later(let problem): return [TestResult(.bad, problem.description)]
            }
            // A new stream is seen after up to ten seconds.
            for _ in 0..<30 {
                var isThere = false
                try lookUp(since: now, until: now.adding(milliseconds: 1)) { isThere = isThere || $0 == id }
                if isThere { return [TestResult(.good, "a test event arrived and was read back")] }
                Pause.milliseconds(500)
            }
            return [
                TestResult(
                    .bad,
                    "a test event was taken with 200 but is not there after 15 s: look for dropped rows in the server's "
                        + "/metrics (vl_rows_dropped_total, vl_too_long_lines_skipped_total), its retention, and the tenant"
                )
            ]
        } catch { return [TestResult(.bad, "\(error)")] }
    }
}
