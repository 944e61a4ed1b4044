import Detections
import EventStore
import Foundation
import LocatedYAML
import LogRecords
import Patterns
import Responses
import VigilModel

/// What an operator decided: one YAML file, everything optional.
public struct Configuration: Sendable {
    /// The file it was read from, and SHA-256 of what that said; nil for the defaults.
    public private(set) var path, digest: String?
    /// Path of the store.
    public var store: String?
    /// Folder that replaces the built-in catalogue.
    public var patterns: String?
    /// Sources and what is known of them.
    public var sources: [Source] = []
    /// Servers of logs that are sources, too.
    public var fleets: [FleetSource] = []
    /// Who is banned and for how long.
    public var bans = BanPolicy()
    /// Where the fleet's own addresses stand.
    public var topology = Topology()
    /// What lists are told besides the bans.
    public var listOptions = BlockListOptions()
    /// Files that `watch` keeps current.
    public var blockLists: [BlockListFile] = []
    /// Changes to packaged rules, by id.
    public var rules: [String: RuleTuning] = [:]
    /// Members beside those of the packaged sets, by the set's name.
    public var sets: [String: [String]] = [:]
    /// The file with the key for fingerprints of secrets.
    public var secretKeyFile: String?
    /// What rules do not look at.
    public var exceptions: [AlertException] = []
    /// What is known of rows that Vector posts; nil: none are taken.
    var ingest: FleetReader.Manner?
    /// Who is told of alerts and events.
    public var sinks: [SinkConfiguration] = []
    /// Where `watch` answers those who ask.
    public var listen: ListenConfiguration?
    /// A file of metrics that `watch` keeps, for node_exporter.
    public var metricsFile: String?
    /// How long rows are kept, and how much room they may take.
    public var retention = RetentionLimits()
    /// What the machine tells of itself.
    public var node = NodeLayout()

    /// A source and what is known of it.
    public struct Source: Sendable {
        /// File, folder or pattern.
        public var path: String
        /// Its format; nil: found by content.
        public var format: LogFormat?
        /// Cluster and instance it belongs to.
        public var cluster: String?
        /// Instance it belongs to (`service.node.name`).
        public var instance: String?
        /// IANA zone for abbreviations that the log does not explain.
        public var timezone: String?
        /// `log_line_prefix` of a stderr log; nil: recognised.
        public var prefix: String?
    }

    /// What is changed of a rule.
    public struct RuleTuning: Sendable {
        var enabled: Bool?
        var severity: Severity?
        var threshold: Int?
        var window: Int64?
    }

    /// The defaults.
    public init() { bans.topology = topology.entries() }

    /// Where the configuration is looked for when none is named.
    public static let defaultPath = "/etc/pgvigil/pgvigil.yml"

    /// Reads the named file, or the default one if it is there. Throws `YAMLProblem` with file, line and what to do.
    public static func load(_ path: String?) throws -> Configuration {
        guard let path = path ?? ProcessInfo.processInfo.environment["PGVIGIL_CONFIG"] else {
            return access(defaultPath, F_OK) == 0 ? try load(defaultPath) : Configuration()
        }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ConfigurationProblem(path: path)
        }
        var configuration = try Configuration(YAMLValue(text: text, file: path))
        (configuration.path, configuration.digest) = (path, Fingerprint.sha256(text.utf8))
        return configuration
    }

    package init(_ file: YAMLValue) throws(YAMLProblem) {
        let keys = try file.mapping([
            "store", "patterns", "sources", "allow", "bans", "topology", "blocklists", "rules", "sets", "exceptions",
            "secrets", "sinks", "listen", "metrics_file", "ingest", "retention",
        ])
        store = try keys["store"]?.text()
        patterns = try keys["patterns"]?.text()
        for value in try keys["sources"]?.list() ?? [] {
            if let fleet = try FleetSource(ifMeant: value) {
                fleets.append(fleet)
            } else {
                sources.append(try Source(value))
            }
        }
        for value in try keys["allow"]?.list() ?? [] { bans.allow.append(try Configuration.allow(value)) }
        if let value = keys["bans"] { try readBans(value) }
        if let value = keys["topology"] { topology = try Topology(value) }
        bans.topology = topology.entries()
        for value in try keys["blocklists"]?.list() ?? [] {
            let file = try BlockListFile(value)
            if blockLists.contains(where: { $0.name == file.name }) {
                throw value.problem("two lists cannot share a file", hint: "give each its own path")
            }
            blockLists.append(file)
        }
        for (id, value) in try keys["rules"]?.entries() ?? [] { rules[id] = try RuleTuning(value) }
        for (name, value) in try keys["sets"]?.entries() ?? [] {
            for member in try value.list() { sets[name, default: []].append(try member.text()) }
        }
        if let value = keys["secrets"] {
            secretKeyFile = try value.mapping(["key_file"], required: ["key_file"])["key_file"]?.text()
        }
        if let value = keys["retention"] { retention = try RetentionLimits(value) }
        if let value = keys["ingest"] { ingest = try FleetReader.Manner(value) }
        if let value = keys["sinks"] { sinks = try SinkConfiguration.read(value) }
        if let value = keys["listen"] { listen = try ListenConfiguration(value) }
        metricsFile = try keys["metrics_file"].map { value throws(YAMLProblem) in try MetricsFile.path(value) }
        for value in try keys["exceptions"]?.list() ?? [] { exceptions.append(try ExceptionReader.read(value)) }
    }

    /// `192.0.2.0/24`, or `{cidr: 192.0.2.0/24, reason: office}`.
    private static func allow(_ value: YAMLValue) throws(YAMLProblem) -> AllowEntry {
        let keys = value.isMapping ? try value.mapping(["cidr", "reason"], required: ["cidr"]) : ["cidr": value]
        let place = keys["cidr"] ?? value
        let text = try place.text()
        guard let cidr = CIDR(text) else {
            throw place.problem("no address or CIDR", hint: "write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")
        }
        // A slip of the pen here would let a whole network in.
        if let host = IPAddress(String(text.prefix { $0 != "/" })), host != cidr.address {
            throw place.problem("\(text) names a host and a network", hint: "write \(cidr), or \(host) alone")
        }
        return AllowEntry(cidr: cidr, reason: try keys["reason"]?.text() ?? "")
    }

    /// The catalogue with this configuration's changes to its rules. Of the built-in one, examples are read only when asked
    /// for; what users wrote is always read as a whole, so that nothing misspelt passes.
    public func catalogue(withExamples: Bool = false) throws -> Catalogue {
        var catalogue =
            try patterns.map { try Catalogue(folder: $0, sets: sets) }
            ?? Catalogue.embedded(sets: sets, withExamples: withExamples)
        for (id, tuning) in rules {
            guard let index = catalogue.rules.firstIndex(where: { $0.about.id == id }) else {
                throw UnknownRule(id: id, hint: nearest(to: id, among: catalogue.rules.map(\.about.id)))
            }
            tuning.apply(to: &catalogue.rules[index])
        }
        try UnknownExceptionRule.check(exceptions, catalogue)
        catalogue.events.secretKey = try secretKeyFile.map { try SecretKeyFile.read($0) }
        return catalogue
    }

    /// Kinds of address that count as public ones.
    public var publicNetworks: Set<EventMatch.Network> {
        var networks: Set<EventMatch.Network> = []
        if bans.loopback { networks.insert(.loopback) }
        if bans.private { networks.insert(.private) }
        return networks
    }

    /// What is known of a file: the entry whose path is the file, holds it, or matches it.
    public func source(for path: String) -> Source? {
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        return sources.first { source in
            [path, real].contains {
                $0 == source.path || $0.hasPrefix(source.path + "/") || fnmatch(source.path, $0, 0) == 0
            }
        }
    }
}

extension Configuration.Source {
    fileprivate init(_ value: YAMLValue) throws(YAMLProblem) {
        let keys = try value.mapping(
            ["path", "format", "cluster", "instance", "timezone", "prefix"], required: ["path"])
        path = try keys["path"]?.text() ?? ""
        if let value = keys["format"], try value.text() != "auto" { format = try value.word(LogFormat.self) }
        prefix = try keys["prefix"]?.text()
        cluster = try keys["cluster"]?.text()
        instance = try keys["instance"]?.text()
        timezone = try keys["timezone"]?.text()
        if let value = keys["timezone"], access("/usr/share/zoneinfo/" + (try value.text()), R_OK) != 0 {
            throw value.problem("no such time zone", hint: "write a name of the IANA database, such as Europe/Berlin")
        }
    }
}

extension Configuration.RuleTuning {
    fileprivate init(_ value: YAMLValue) throws(YAMLProblem) {
        let keys = try value.mapping(["enabled", "severity", "threshold", "window"])
        enabled = try keys["enabled"]?.boolean()
        severity = try keys["severity"]?.word(Severity.self)
        threshold = try keys["threshold"]?.integer(1...100_000)
        window = try keys["window"]?.duration()
    }

    fileprivate func apply(to rule: inout Rule) {
        if let enabled { rule.enabled = enabled }
        if let severity { rule.severity = severity }
        rule.condition = rule.condition.tuned(count: threshold, within: window)
    }
}

/// The configuration file cannot be read.
public struct ConfigurationProblem: Error, CustomStringConvertible {
    let path: String

    /// The file and what to do.
    public var description: String { "\(path): the configuration cannot be read\n  hint: check the name and its mode" }
}

/// The configuration tunes a rule that is not there.
public struct UnknownRule: Error, CustomStringConvertible {
    let id: String
    let hint: String?

    /// The rule and the nearest known one.
    public var description: String {
        "rules: no rule is named '\(id)'" + (hint.map { "\n  hint: did you mean \($0)?" } ?? "")
    }
}
