import EventStore
import VigilModel

/// Whether what a rule needs is logged.
public enum NeedState: Sendable, Equatable {
    /// It is, for that reason.
    case met(String)
    /// It is not, for that reason.
    case unmet(String)
    /// Nobody knows.
    case unknown(String)

    var isUnmet: Bool { if case .unmet = self { true } else { false } }
    var isMet: Bool { if case .met = self { true } else { false } }

    /// The reason.
    public var reason: String {
        switch self {
        case .met(let reason), .unmet(let reason), .unknown(let reason): reason
        }
    }
}

/// What is known of what is logged: the settings of the servers here, what was seen in the logs so far, and which
/// formats of logs there are to read.
public struct LoggingFacts: Sendable {
    /// The servers of this node.
    public var servers: [ServerSettings]
    /// What the logs in the store told.
    public var seen: Coverage
    /// Formats of the logs that are read, in the store or at the paths that are followed.
    public var formats: Set<String>
    /// Programs whose configuration is on this node.
    public var programs: Set<LoggingNeed.Program>

    /// Takes all of it.
    public init(
        servers: [ServerSettings] = [], seen: Coverage = Coverage(), formats: Set<String> = [],
        programs: Set<LoggingNeed.Program> = []
    ) {
        self.servers = servers
        self.seen = seen
        self.formats = formats
        self.programs = programs
    }

    /// Whether one need is met. Settings say more than what was seen: that nothing was seen may mean that nothing
    /// happened.
    public func state(_ need: LoggingNeed) -> NeedState {
        switch need {
        case .program(let program):
            if formats.contains(program.rawValue) || (program == .haproxy && !seen.proxies.isEmpty) {
                return .met("its log is read")
            }
            return .unmet(programs.contains(program) ? "it runs here, and its log is not read" : "no log of it is read")
        case .columns:
            if !formats.isDisjoint(with: ["csvlog", "jsonlog"]) { return .met("read") }
            return formats.isEmpty ? .unknown("no log was read yet") : .unmet("no csvlog or jsonlog is read")
        case .other: return .unknown("this word is not known here")
        default: break
        }
        let known = servers.filter { !$0.isEmpty }
        guard !known.isEmpty else { return seenState(need) }
        let states = known.map { state(need, of: $0) }
        if let unmet = states.first(where: \.isUnmet) { return unmet }
        return states.first { !$0.isMet } ?? states.first ?? .unknown("")
    }

    // MARK: - By the settings

    private func state(_ need: LoggingNeed, of server: ServerSettings) -> NeedState {
        switch need {
        case .receipt: connection("receipt", server)
        case .authentication: connection("authentication", server)
        case .connections: connection("authorization", server)
        case .disconnections: toggle("log_disconnections", server)
        case .replicationCommands: toggle("log_replication_commands", server)
        case .statement(let level): statement(level, server)
        case .audit(let name): audit(name, server)
        case .durations:
            LoggingFacts.logsDurations(server)
                ? .met(LoggingFacts.shown("log_min_duration_statement", server))
                : .unmet(LoggingFacts.shown("log_min_duration_statement", server, "-1"))
        case .statements: anyStatements(server)
        default: .unknown("")
        }
    }

    /// `log_connections`: on or off up to 17; a list from 18.
    private func connection(_ step: String, _ server: ServerSettings) -> NeedState {
        let shown = LoggingFacts.shown("log_connections", server, "off")
        let words = (server["log_connections"]?.value ?? "off").lowercased()
            .split { $0 == "," || $0.isWhitespace }.map(String.init)
        if words.contains(where: LoggingFacts.isOn) || words.contains("all") {
            if step == "authentication", let version = server.version, version < 14 {
                return .unmet("PostgreSQL \(version) does not log it")
            }
            return .met(shown)
        }
        return words.contains(step) ? .met(shown) : .unmet(shown)
    }

    private func toggle(_ name: String, _ server: ServerSettings) -> NeedState {
        let isOn = server[name].map { LoggingFacts.isOn($0.value.lowercased()) } ?? false
        let shown = LoggingFacts.shown(name, server, "off")
        return isOn ? .met(shown) : .unmet(shown)
    }

    private func statement(_ level: LoggingNeed.StatementLevel, _ server: ServerSettings) -> NeedState {
        let value = server["log_statement"]?.value.lowercased() ?? "none"
        let shown = LoggingFacts.shown("log_statement", server, "none")
        return (LoggingNeed.StatementLevel(rawValue: value) ?? .none) >= level ? .met(shown) : .unmet(shown)
    }

    /// pgaudit must be loaded, and log the class.
    private func audit(_ name: String, _ server: ServerSettings) -> NeedState {
        let libraries = (server["shared_preload_libraries"]?.value ?? "").lowercased()
            .split { $0 == "," || $0.isWhitespace || $0 == "\"" }.map { $0.split(separator: "/").last ?? $0 }
        guard libraries.contains("pgaudit") else {
            let place = server["shared_preload_libraries"]?.place ?? server.place
            return .unmet("pgaudit is not among shared_preload_libraries in \(place)")
        }
        let classes = (server["pgaudit.log"]?.value ?? "none").lowercased()
            .split { $0 == "," || $0.isWhitespace }.map(String.init)
        let isLogged = (classes.contains("all") || classes.contains(name)) && !classes.contains("-" + name)
        let shown = LoggingFacts.shown("pgaudit.log", server, "none")
        return isLogged ? .met(shown) : .unmet(shown)
    }

    private func anyStatements(_ server: ServerSettings) -> NeedState {
        for state in [statement(.ddl, server), audit("ddl", server), audit("write", server), audit("read", server)]
        where state.isMet { return state }
        return LoggingFacts.logsDurations(server)
            ? .met(LoggingFacts.shown("log_min_duration_statement", server))
            : .unmet(LoggingFacts.shown("log_statement", server, "none"))
    }

    private static func logsDurations(_ server: ServerSettings) -> Bool {
        server["log_min_duration_statement"].map { !$0.value.hasPrefix("-") } ?? false
    }

    private static func isOn(_ word: String) -> Bool { ["on", "true", "yes", "1", "t", "y"].contains(word) }

    private static func shown(_ name: String, _ server: ServerSettings, _ standard: String = "") -> String {
        guard let setting = server[name] else { return "\(name) is \(standard), the default, in \(server.place)" }
        return "\(name) = \(Shown.text(setting.value, limit: 80)) in \(setting.place)"
    }

    // MARK: - By what was seen

    private func seenState(_ need: LoggingNeed) -> NeedState {
        func seen(_ isSeen: Bool) -> NeedState {
            if isSeen { return .met("seen in the logs") }
            return .unknown(self.seen.records == 0 ? "no log was read yet" : "not seen in the logs yet")
        }
        func line(_ step: String) -> NeedState {
            if self.seen.connections["connection." + step] != nil { return .met("seen in the logs") }
            // Sessions there were: whoever fails must have come.
            let isSilent = self.seen.failures > 0 || self.seen.statements > 0 || self.seen.audited > 0
            return isSilent ? .unmet("no such line is in the logs that were read") : seen(false)
        }
        switch need {
        case .receipt: return line("received")
        case .authentication: return line("authenticated")
        case .connections: return line("authorized")
        case .disconnections: return line("ended")
        case .statements, .statement(.ddl): return seen(self.seen.statements > 0)
        case .audit(let name): return seen(self.seen.auditClasses.contains(name))
        default: return seen(false)
        }
    }
}
