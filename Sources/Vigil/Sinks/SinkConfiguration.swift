import Deliveries
import HTTPTransport
import LocatedYAML
import VigilModel

/// A sink of the key `sinks`.
public struct SinkConfiguration: Sendable, Equatable {
    /// Where it sends to, and how.
    public enum Kind: Sendable, Equatable {
        case alertmanager([HTTPEndpoint], AlertmanagerSink.Options)
        case victoriaLogs(HTTPEndpoint, VictoriaLogsSink.Options)
        case webhook(HTTPEndpoint)
        case file(FileSink.Options)
    }

    /// Where it sends to, and how.
    public let kind: Kind
    /// What it takes, under its name.
    public let subscription: Subscription
    /// Most that waits for it; beyond it the oldest goes.
    public let backlog: Int

    /// What it takes when somebody asks for it: of any age.
    var asked: Subscription {
        var subscription = subscription
        subscription.oldest = nil
        return subscription
    }

    /// Where it sends to, for people: without what is secret.
    public var target: String {
        switch kind {
        case .alertmanager(let endpoints, _): endpoints.map(\.name).joined(separator: " ")
        case .victoriaLogs(let endpoint, _), .webhook(let endpoint): endpoint.name
        case .file(let options): options.path
        }
    }
}

extension SinkConfiguration {
    private enum What: String, CaseIterable { case alerts, events }

    private static let common = ["name", "send", "severity", "max_age", "backlog"]

    /// Reads the key `sinks`: of each kind one, or a list of several.
    static func read(_ value: YAMLValue) throws(YAMLProblem) -> [SinkConfiguration] {
        var sinks: [SinkConfiguration] = []
        let keys = try value.mapping(["alertmanager", "victorialogs", "webhook", "file"])
        for kind in ["alertmanager", "victorialogs", "webhook", "file"] {
            for (number, entry) in (try keys[kind]?.oneOrMore() ?? []).enumerated() {
                let sink = try read(entry, kind, usual: number == 0 ? kind : "\(kind)-\(number + 1)")
                guard !sinks.contains(where: { $0.subscription.name == sink.subscription.name }) else {
                    throw entry.problem(
                        "two sinks are named '\(sink.subscription.name)'", hint: "give one of them another `name`")
                }
                sinks.append(sink)
            }
        }
        return sinks
    }

    private static func read(
        _ value: YAMLValue, _ kind: String, usual: String
    ) throws(YAMLProblem) -> SinkConfiguration {
        switch kind {
        case "alertmanager":
            let keys = try value.mapping(
                common.filter { $0 != "send" } + EndpointReader.keys.filter { !$0.hasPrefix("url_") }
                    + ["urls", "peers", "hold", "resend", "heartbeat", "labels", "link"])
            var options = AlertmanagerSink.Options()
            if let peers = keys["peers"] { options.peers = try peers.word(AlertmanagerSink.Options.Peers.self) }
            // Below the time that Alertmanager lets a group wait (group_wait), nobody would hear of it.
            if let hold = keys["hold"] { options.hold = try atLeast(10_000, hold) }
            if let resend = keys["resend"] { options.resend = try atLeast(1000, resend) }
            if let heartbeat = keys["heartbeat"] { options.heartbeat = try heartbeat.boolean() }
            options.labels = try texts(keys["labels"], named: isLabel)
            options.link = try keys["link"]?.text()
            var endpoints: [HTTPEndpoint] = []
            for url in try (keys["urls"]?.oneOrMore() ?? []) + (keys["url"].map { [$0] } ?? []) {
                var endpoint = try EndpointReader.read(url, keys)
                // Alertmanager answers 400 to packed bodies, unless something before it unpacks them.
                if keys["compress"] == nil { endpoint.packs = false }
                endpoints.append(endpoint)
            }
            guard !endpoints.isEmpty else { throw value.problem("the key 'url' is missing", hint: "or `urls`, a list") }
            return try make(.alertmanager(endpoints, options), keys, usual, send: [.alerts], severity: .high)
        case "victorialogs":
            let keys = try value.mapping(common + EndpointReader.keys + ["account", "project", "fields"])
            var options = VictoriaLogsSink.Options()
            if let number = keys["account"] { options.account = UInt32(try number.integer(0...Int(UInt32.max))) }
            if let number = keys["project"] { options.project = UInt32(try number.integer(0...Int(UInt32.max))) }
            options.fields = try texts(keys["fields"]) { !$0.isEmpty && $0.utf8.count <= 128 && !$0.hasPrefix("_") }
            let endpoint = try EndpointReader.read(value, only: keys)
            return try make(.victoriaLogs(endpoint, options), keys, usual, send: [.events], severity: .info)
        case "webhook":
            let keys = try value.mapping(common + EndpointReader.keys)
            let endpoint = try EndpointReader.read(value, only: keys)
            return try make(.webhook(endpoint), keys, usual, send: [.alerts], severity: .high)
        default:
            let keys = try value.mapping(common + ["path", "max_size", "keep"], required: ["path"])
            var options = FileSink.Options(path: try keys["path"]?.text() ?? "")
            if let size = keys["max_size"] { options.size = try bytes(size) }
            if let keep = keys["keep"] { options.keep = try keep.integer(0...1000) }
            return try make(.file(options), keys, usual, send: [.alerts, .events], severity: .info)
        }
    }

    private static func make(
        _ kind: Kind, _ keys: [String: YAMLValue], _ usual: String, send: [What], severity: Severity
    ) throws(YAMLProblem) -> SinkConfiguration {
        var send = send
        if let words = keys["send"] {
            send = []
            for word in try words.oneOrMore() { send.append(try word.word(What.self)) }
        }
        let name = try keys["name"]?.text() ?? usual
        if let place = keys["name"],
            !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
                || name.isEmpty
        {
            throw place.problem("a name of letters, digits, - _ . belongs here")
        }
        let least = try keys["severity"]?.word(Severity.self) ?? severity
        // For the file and VictoriaLogs age does not matter: nobody is woken.
        let wakes: Bool
        switch kind {
        case .alertmanager, .webhook: wakes = true
        default: wakes = false
        }
        return SinkConfiguration(
            kind: kind,
            subscription: Subscription(
                name: name, events: send.contains(.events), alerts: send.contains(.alerts) ? least : nil,
                oldest: try keys["max_age"]?.duration() ?? (wakes ? 3_600_000 : nil)),
            backlog: try keys["backlog"]?.integer(1000...1_000_000_000) ?? 10_000_000)
    }

    /// What Prometheus takes as a label's name.
    private static func isLabel(_ name: String) -> Bool {
        let first = name.utf8.first.map { $0 == 95 || ($0 | 32) >= 97 && ($0 | 32) <= 122 } ?? false
        return first
            && name.utf8.allSatisfy { $0 == 95 || ($0 | 32) >= 97 && ($0 | 32) <= 122 || (48...57).contains($0) }
    }

    private static func texts(
        _ value: YAMLValue?, named isName: (String) -> Bool
    ) throws(YAMLProblem) -> [String: String] {
        var result: [String: String] = [:]
        for (name, value) in try value?.entries() ?? [] {
            guard isName(name) else { throw value.problem("'\(name)' cannot be a name here") }
            result[name] = try value.text()
        }
        return result
    }

    private static func atLeast(_ least: Int64, _ value: YAMLValue) throws(YAMLProblem) -> Int64 {
        let length = try value.duration()
        guard length >= least else { throw value.problem("at least \(Shown.duration(least)) belong here") }
        return length
    }

    /// `100MB`, `1GB`, or bytes.
    private static func bytes(_ value: YAMLValue) throws(YAMLProblem) -> Int {
        let text = try value.text()
        for (unit, factor) in [("kB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("", 1)] where text.hasSuffix(unit) {
            if let number = Int(text.dropLast(unit.count)), number > 0, number < 1 << 20 || unit.isEmpty {
                return number * factor
            }
        }
        throw value.problem("a size belongs here", hint: "write 100MB or 1GB")
    }
}
