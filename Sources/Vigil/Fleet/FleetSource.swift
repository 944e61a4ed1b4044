import Foundation
import HTTPTransport
import LocatedYAML
import LogSources
import VigilModel

/// VictoriaLogs as a source: the logs of a whole fleet.
public struct FleetSource: Sendable, Equatable {
    /// As named: `victorialogs://host:9428`.
    public let name: String
    /// Who is asked.
    var server: VictoriaLogsReader.Server
    /// What is asked for.
    public var query = LogsQuery()
    /// `_time` of a server's rows is when they were received, as it is in Pigsty, and not the log's own.
    var isReceived = true
    /// Milliseconds by which reading stays behind the clock, so that rows have arrived and are seen.
    var delay: Int64 = 15_000
    /// How far back the first reading of `watch` goes, in milliseconds; nil: to the first row.
    var span: Int64?
    /// Zone of local times in lines of other programs.
    var timezone: String?

    /// An answer may take longer than one to a sink: the server's own limit is 30 to 120 s.
    private static let patience = 130.0

    private init(name: String, endpoint: HTTPEndpoint) {
        self.name = name
        server = VictoriaLogsReader.Server(endpoint)
        server.endpoint.timeout = FleetSource.patience
    }

    /// What the store knows the reading by: of another query, nothing was read.
    var cursorName: String {
        [name, "\(server.account):\(server.project)", query.condition].joined(separator: " ")
    }

    /// The address in terms of HTTP; nil for another scheme.
    static func address(_ text: String) -> String? {
        for (scheme, other) in [
            ("victorialogs://", "http://"), ("victorialogs+http://", "http://"), ("victorialogs+https://", "https://"),
        ] where text.hasPrefix(scheme) {
            return other + text.dropFirst(scheme.count)
        }
        return text.hasPrefix("http://") || text.hasPrefix("https://") ? text : nil
    }
}

extension FleetSource {
    private enum Meaning: String, CaseIterable { case log, received }

    private static let keys = [
        "victorialogs", "from", "query", "jobs", "account", "project", "time", "delay", "since", "timezone", "tls",
        "basic", "bearer", "proxy", "headers", "timeout",
    ]

    /// Reads an entry of `sources`; nil when it is about files.
    init?(ifMeant value: YAMLValue) throws(YAMLProblem) {
        guard value.isMapping,
            let (_, place) = try value.entries().first(where: { $0.key == "victorialogs" || $0.key == "from" })
        else { return nil }
        let keys = try value.mapping(FleetSource.keys)
        let text = try place.text()
        guard let address = FleetSource.address(text) else {
            throw place.problem(
                "no address of VictoriaLogs", hint: "write victorialogs://HOST:9428 or victorialogs+https://HOST:9428")
        }
        self.init(name: text, endpoint: try EndpointReader.read(place, address: address, keys))
        if keys["timeout"] != nil { server.endpoint = try EndpointReader.read(place, address: address, keys) }
        if let number = keys["account"] { server.account = UInt32(try number.integer(0...Int(UInt32.max))) }
        if let number = keys["project"] { server.project = UInt32(try number.integer(0...Int(UInt32.max))) }
        query.filter = try keys["query"]?.text()
        if let jobs = keys["jobs"] {
            query.jobs = []
            for job in try jobs.oneOrMore() {
                let name = try job.text()
                guard LogsQuery.jobs.contains(name) else {
                    throw job.problem(
                        "rows of job '\(name)' cannot be read",
                        hint: "known here: \(LogsQuery.jobs.joined(separator: ", "))")
                }
                query.jobs.append(name)
            }
            guard !query.jobs.isEmpty else { throw jobs.problem("at least one job belongs here") }
        }
        if let time = keys["time"] { isReceived = try time.word(Meaning.self) == .received }
        if let delay = keys["delay"] {
            self.delay = try delay.duration()
            guard self.delay <= 3_600_000 else { throw delay.problem("at most 1h belongs here") }
        }
        span = try keys["since"]?.duration()
        timezone = try keys["timezone"]?.text()
        if let zone = keys["timezone"], access("/usr/share/zoneinfo/" + (try zone.text()), R_OK) != 0 {
            throw zone.problem("no such time zone", hint: "write a name of the IANA database, such as Europe/Berlin")
        }
    }

    /// What `--from` names, with what the configuration knows of the same address. Throws `FleetProblem`.
    public static func named(
        _ text: String, query: String?, in configuration: Configuration
    ) throws(FleetProblem) -> FleetSource {
        var source: FleetSource
        if let known = configuration.fleets.first(where: { $0.name == text }) {
            source = known
        } else {
            guard let address = address(text), let parts = URLComponents(string: address), parts.host != nil else {
                throw FleetProblem(text, "no address of VictoriaLogs", hint: "write victorialogs://HOST:9428")
            }
            guard parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil else {
                throw FleetProblem(
                    text, "only a host, a port and a path belong in the address",
                    hint: "list it under `sources` in the configuration, with basic or bearer beside it")
            }
            source = FleetSource(
                name: text,
                endpoint: HTTPEndpoint(url: address.hasSuffix("/") ? String(address.dropLast()) : address))
        }
        if let query { source.query.filter = query }
        return source
    }
}

/// Something is wrong with a server of logs.
public struct FleetProblem: Error, CustomStringConvertible {
    /// Whom it is about, and what to do.
    public let description: String

    init(_ name: String, _ reason: String, hint: String? = nil) {
        description = "\(Shown.text(name)): \(reason)" + (hint.map { "\n  hint: \($0)" } ?? "")
    }
}
