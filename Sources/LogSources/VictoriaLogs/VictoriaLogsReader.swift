import HTTPTransport
import VigilModel

/// Reads rows out of VictoriaLogs, of a single node or of a cluster's vlselect. Of one thread at a time.
public final class VictoriaLogsReader {
    /// Who is asked.
    public struct Server: Sendable, Equatable {
        /// The server.
        public var endpoint: HTTPEndpoint
        /// Tenant (headers AccountID and ProjectID).
        public var account, project: UInt32

        /// Takes all.
        public init(_ endpoint: HTTPEndpoint, account: UInt32 = 0, project: UInt32 = 0) {
            self.endpoint = endpoint
            self.account = account
            self.project = project
        }
    }

    private let server: Server
    private let client: HTTPClient

    /// Longest row that the server gives (2 MB, `-insert.maxLineSizeBytes`), with escapes.
    private static let longestRow = 16 << 20

    /// Takes whom to ask.
    public init(_ server: Server, cancellation: HTTPClient.Cancellation) {
        self.server = server
        client = HTTPClient(server.endpoint, cancellation: cancellation)
    }

    /// How much a window holds: rows, and bytes of the texts that can be long.
    public func load(_ query: LogsQuery, _ window: TimeWindow) throws -> WindowPlan.Load {
        var load: WindowPlan.Load?
        try ask(
            "\(window.condition) \(query.condition) | stats count() rows, sum_len(_msg, msg, q, detail, ctx) bytes",
            limit: 1 << 16
        ) { line in
            let texts = FlatObject.texts(line)
            guard let rows = texts["rows"].flatMap({ Int($0) }) else { return }
            load = WindowPlan.Load(rows: rows, bytes: texts["bytes"].flatMap { Double($0) }.map { Int($0) } ?? 0)
        }
        guard let load else { throw problem("the number of rows is missing in the answer") }
        return load
    }

    /// Hands over every row of a window, a line each, in no order. What was handed over counts only when this returns:
    /// an error may come behind the first rows.
    public func read(
        _ query: LogsQuery, _ window: TimeWindow, limit: Int, _ body: ([UInt8]) throws -> Void
    ) throws {
        try ask("\(window.condition) \(query.condition) | delete _stream, _stream_id", limit: limit, body)
    }

    /// Milliseconds that the server keeps rows; nil when it does not say.
    public func retention() -> Int64? {
        guard let answer = try? client.send(HTTPRequest("GET", "/flags"), limit: 1 << 20), answer.isSuccess else {
            return nil
        }
        for line in String(decoding: answer.body, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let line = line.drop { $0 == "-" }
            guard line.hasPrefix("retentionPeriod=") else { continue }
            return VictoriaLogsReader.duration(line.dropFirst(16).filter { $0 != "\"" })
        }
        return nil
    }

    /// `15d`, `2w`, `1y`; without a unit months.
    static func duration(_ text: some StringProtocol) -> Int64? {
        let hour: Int64 = 3_600_000
        let units: [(String, Int64)] = [
            ("h", hour), ("d", 24 * hour), ("w", 168 * hour), ("y", 365 * 24 * hour), ("", 31 * 24 * hour),
        ]
        for (unit, factor) in units where text.hasSuffix(unit) {
            if let number = Double(text.dropLast(unit.count)), number > 0, number < 100_000 {
                return Int64(number * Double(factor))
            }
        }
        return nil
    }

    // MARK: - Asking

    private func ask(_ query: String, limit: Int, _ body: ([UInt8]) throws -> Void) throws {
        var request = HTTPRequest(
            "POST", "/select/logsql/query", body: Array("query=\(VictoriaLogsReader.escaped(query))".utf8),
            type: "application/x-www-form-urlencoded")
        if server.account != 0 || server.project != 0 {
            request.headers += [("AccountID", String(server.account)), ("ProjectID", String(server.project))]
        }
        var rest: [UInt8] = []
        var total = 0
        var fault: [UInt8]?
        let answer = try client.send(request) { bytes in
            total += bytes.count
            guard total <= limit else { throw problem("more than \(limit >> 20) MB for \(query.prefix(80))") }
            rest += bytes
            var start = 0
            while let end = rest[start...].firstIndex(of: 10) {
                let line = rest[start..<end]
                start = end + 1
                if line.isEmpty { continue }
                // An error comes as text, behind the first rows or in their place.
                guard line.first == 123, line.last == 125, fault == nil else {
                    fault = fault ?? Array(line)
                    continue
                }
                try body(Array(line))
            }
            rest.removeFirst(start)
            guard rest.count <= VictoriaLogsReader.longestRow else { throw problem("a row without an end") }
        }
        // A torn row would show what is in it.
        let text = (fault ?? rest).first == 123 ? Array("a torn row".utf8) : fault ?? rest
        guard answer.status == 200, text.isEmpty else {
            throw problem(
                "answered \(answer.status)"
                    + (text.isEmpty ? "" : ": " + Shown.text(String(escaping: text.prefix(300)))))
        }
    }

    private func problem(_ reason: String) -> HTTPProblem {
        HTTPProblem(url: server.endpoint.url, reason: reason)
    }

    /// As a form writes it (application/x-www-form-urlencoded).
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            if (48...57).contains(byte) || (97...122).contains(byte | 32) {
                result.append(byte)
            } else {
                result += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
