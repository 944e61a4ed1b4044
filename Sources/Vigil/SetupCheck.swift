import EventStore
import Foundation
import LogRecords
import LogSources
import Patterns
import VigilModel

/// Looks at configuration, logs and store, and says what keeps pgvigil from seeing what it could see.
public struct SetupCheck {
    /// One thing that was looked at.
    public struct Finding: Sendable {
        /// How it is.
        public enum Verdict: String, Sendable {
            /// As it should be.
            case ok
            /// It works, yet something will not be seen.
            case gap
            /// It does not work.
            case fail
        }

        /// How it is.
        public let verdict: Verdict
        /// What it is about.
        public let subject: String
        /// What was found.
        public let text: String
        /// What to do.
        public let hint: String?
        /// Rules that cannot fire for it.
        public let rules: [String]
        /// Of a log, its format.
        let format: String?

        init(
            _ verdict: Verdict, _ subject: String, _ text: String, hint: String? = nil, rules: [String] = [],
            format: String? = nil
        ) {
            self.verdict = verdict
            self.subject = subject
            self.text = text
            self.hint = hint
            self.rules = rules
            self.format = format
        }
    }

    let configuration: Configuration
    let catalogue: Catalogue

    /// Takes the configuration. Throws what is wrong with the catalogue.
    public init(_ configuration: Configuration) throws {
        self.configuration = configuration
        catalogue = try configuration.catalogue()
    }

    /// Looks at the logs at `paths` (default: the configured ones, else those of the node) and at the store.
    public func run(paths: [String], store path: String) -> [Finding] {
        let configured = configuration.sources.map(\.path)
        let isNamed = !paths.isEmpty
        let isBare = configured.isEmpty && configuration.fleets.isEmpty
        let paths = isNamed ? paths : isBare ? configuration.node.folders : configured
        var findings = [
            Finding(
                .ok, "patterns",
                "\(catalogue.events.patterns.count) record patterns, \(catalogue.events.statements.count) statement "
                    + "patterns, \(catalogue.rules.filter(\.enabled).count) rules")
        ]
        if paths.isEmpty, configuration.fleets.isEmpty {
            findings.append(Finding(.fail, "sources", "no logs are named or found", hint: "\(WatchProblem())"))
        }
        for path in paths { findings += look(at: path) }
        if !isNamed { findings += fleets() }
        findings += lists()
        findings += coverage(path)
        findings += needs(paths, formats: Set(findings.compactMap(\.format)), store: path)
        findings += exceptions()
        return findings
    }

    // MARK: - Logs

    private func look(at path: String) -> [Finding] {
        do {
            var findings: [Finding] = []
            var others = 0
            for input in try InputPaths.expand([path]) {
                do {
                    if let finding = try look(at: input) { findings.append(finding) } else { others += 1 }
                } catch let problem as SourceProblem {
                    findings.append(Finding(.fail, input.path, problem.reason, hint: problem.hint))
                }
            }
            if others > 0 { findings.append(Finding(.ok, path, "\(others) files beside them are empty or no logs")) }
            return findings
        } catch let problem as SourceProblem {
            return [Finding(.fail, path, problem.reason, hint: problem.hint)]
        } catch { return [Finding(.fail, path, "\(error)")] }
    }

    /// nil for a file of a folder that is none of ours.
    private func look(at input: InputPath) throws -> Finding? {
        let file = try LogFile(path: input.path)
        let head = try file.head(LogFormat.sniffLength)
        if head.isEmpty { return nil }
        guard let profile = SourceProfile(file, head: head, format: nil, configuration: configuration) else {
            guard input.isNamed else { return nil }
            return Finding(
                .fail, input.path, "not read: \(LogFormat.describe(head))", hint: "`sources.format` says what it is")
        }
        var text = profile.format.rawValue
        if let instance = profile.identity.instance { text += ", instance \(instance)" }
        if let age = file.age { text += ", last written \(Shown.duration(Int64(age * 1000))) ago" }
        let gaps = profile.format.gaps(profile.facts)
        guard gaps.isEmpty else {
            return Finding(
                .gap, input.path, text + "; " + gaps.map(\.lacks).joined(separator: "; "),
                hint: gaps.map(\.remedy).joined(separator: "; "), format: profile.format.rawValue)
        }
        return Finding(.ok, input.path, text, format: profile.format.rawValue)
    }

    // MARK: - Block lists

    /// Whether `watch` could write each list, and run what tells its reader.
    private func lists() -> [Finding] {
        if configuration.bans.mode == .observe, !configuration.blockLists.isEmpty {
            return [
                Finding(
                    .gap, "blocklists", "bans.mode is observe: none is written",
                    hint: "`bans: {mode: enforce}` when the bans are as you want them")
            ]
        }
        return configuration.blockLists.map { list in
            let folder = URL(fileURLWithPath: list.path).resolvingSymlinksInPath().deletingLastPathComponent().path
            let isSocket = HAProxySocket.isSocket(list.path)
            if access(isSocket ? list.path : folder, W_OK) != 0 {
                return Finding(
                    .fail, list.path, "cannot be written: \(String(cString: strerror(errno)))",
                    hint: "let it be a link to a file in a folder of the user who runs watch")
            }
            if let program = list.reload.first, access(program, X_OK) != 0 {
                return Finding(.fail, list.path, "\(program) cannot be run", hint: "`reload` names it by its path")
            }
            return Finding(.ok, list.path, list.format.rawValue)
        }
    }

    // MARK: - What the logs do not tell

    private func coverage(_ path: String) -> [Finding] {
        guard access(path, F_OK) == 0 else {
            return [Finding(.gap, "store", "there is none at \(path) yet", hint: "run pgvigil watch or replay")]
        }
        do {
            let coverage = try Store(existing: path).coverage()
            guard coverage.records > 0 else { return [Finding(.gap, "store", "nothing was read yet")] }
            return connections(coverage) + statements(coverage) + proxies(coverage)
        } catch { return [Finding(.fail, "store", "\(error)")] }
    }

    private func connections(_ coverage: Coverage) -> [Finding] {
        guard coverage.connections["connection.authorized"] == nil else {
            return [Finding(.ok, "logins", "failed and successful ones are logged")]
        }
        return [
            Finding(
                .gap, "logins", "only failed ones are logged",
                hint: "log_connections = on (18: 'receipt,authentication,authorization')")
        ]
    }

    private func statements(_ coverage: Coverage) -> [Finding] {
        if coverage.audited > 0 { return [Finding(.ok, "statements", "pgaudit logs them")] }
        if coverage.statements > 0 {
            return [
                Finding(
                    .gap, "statements", "log_statement tells of changes; who reads what is not seen",
                    hint: "pgaudit with pgaudit.log = 'ddl,role,write,misc' or more")
            ]
        }
        return [
            Finding(
                .gap, "statements", "none was logged",
                hint: "log_statement = ddl, or pgaudit")
        ]
    }

    /// Addresses that stand for others: a proxy's own, this machine's, a private one with most of the failures and many
    /// users.
    private func proxies(_ coverage: Coverage) -> [Finding] {
        guard coverage.failures > 0 else { return [] }
        var findings: [Finding] = []
        for (address, failures, users) in coverage.addresses {
            let isOften = failures * 2 > coverage.failures && users >= 5
            let isOwn = address == "127.0.0.1" || address == "::1"
            let ip = IPAddress(address)
            let isNear = ip?.isPrivate == true || ip?.isLoopback == true
            guard coverage.proxies.contains(address) || isOwn || (isOften && isNear) else { continue }
            let share = Int((Double(failures) / Double(coverage.failures) * 100).rounded())
            // Some failures of this machine's own programs are nothing to worry about.
            guard share >= 5 else { continue }
            findings.append(
                Finding(
                    .gap, "proxy",
                    "\(share) % of the failed logins come from \(address), which looks like a proxy or pooler; the client "
                        + "behind is not known",
                    hint: "let HAProxy log its own address to the server, and follow its log: docs/proxy.md"))
        }
        return findings
    }
}
