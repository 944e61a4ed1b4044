import EventStore
import Foundation
import VigilModel

extension SetupCheck {
    /// Rules that cannot fire, by what they need, with the setting to add.
    func needs(_ paths: [String], formats: Set<String>, store: String) -> [Finding] {
        let servers = SettingsFinder(named: configuration.topology.files).found.filter { $0.isOf(paths) }
        var facts = LoggingFacts(servers: servers, formats: formats, programs: SetupCheck.programs(paths))
        if access(store, F_OK) == 0, let seen = try? Store(existing: store).coverage() {
            facts.seen = seen
            facts.formats.formUnion(seen.formats)
        }
        let rules = catalogue.rules.filter(\.enabled).map { (id: $0.about.id, needs: $0.needs) }
        return SetupCheck.findings(RuleCoverage(rules, facts), servers)
    }

    static func findings(_ coverage: RuleCoverage, _ servers: [ServerSettings]) -> [Finding] {
        var findings: [Finding] = []
        for server in servers {
            for path in server.unreadable {
                findings.append(
                    Finding(
                        .gap, "settings", "\(path) cannot be read; what the logs show must do",
                        hint: "run pgvigil check as the user of the server, or as root"))
            }
            guard !server.isEmpty else { continue }
            let version = server.version.map { ", PostgreSQL \($0)" } ?? ""
            findings.append(Finding(.ok, "settings", "\(server.place) was read\(version)"))
        }
        for gap in coverage.unmet {
            let count = gap.rules.count == 1 ? "1 rule" : "\(gap.rules.count) rules"
            let verb = gap.isOfNobody ? "rest\(gap.rules.count == 1 ? "s" : "")" : "cannot fire"
            findings.append(
                Finding(
                    gap.isOfNobody ? .ok : .gap, "needs \(gap.need)",
                    "\(gap.reason); \(count) \(verb): \(gap.rules.joined(separator: ", "))",
                    hint: (gap.isOfNobody ? "if it runs here: " : "") + gap.hint, rules: gap.rules))
        }
        for gap in coverage.unknown {
            findings.append(
                Finding(
                    .ok, "needs \(gap.need)",
                    "\(gap.reason); not known whether these can fire: \(gap.rules.joined(separator: ", "))",
                    hint: "if it is not logged: \(gap.hint)"))
        }
        let verdict: Finding.Verdict = coverage.able == coverage.rules ? .ok : .gap
        findings.append(
            Finding(verdict, "rules", "\(coverage.able) of \(coverage.rules) can fire, as far as is known"))
        return findings
    }

    /// Programs that have their configuration on this node, when its logs are the ones that are looked at.
    private static func programs(_ paths: [String]) -> Set<LoggingNeed.Program> {
        let isOwn = paths.contains { path in ["/pg/log", "/var/log"].contains { path.hasPrefix($0) } }
        guard isOwn else { return [] }
        let files: [(LoggingNeed.Program, [String])] = [
            (.pgbouncer, ["/etc/pgbouncer/pgbouncer.ini"]), (.patroni, NodeLayout.configurations),
            (.pgbackrest, ["/etc/pgbackrest/pgbackrest.conf", "/etc/pgbackrest.conf"]),
            (.haproxy, ["/etc/haproxy/haproxy.cfg"]),
        ]
        return Set(files.filter { $0.1.contains { access($0, F_OK) == 0 } }.map(\.0))
    }

    /// Exceptions that anybody could use, or that have ended.
    func exceptions() -> [Finding] {
        let now = LogTime.wallClock
        var findings: [Finding] = []
        for exception in configuration.exceptions {
            let subject = "exception '\(exception.reason)'"
            if let until = exception.until, until <= now {
                findings.append(
                    Finding(.ok, subject, "it ended at \(until)", hint: "take it out when old logs are done"))
            } else if exception.restsOnText {
                findings.append(
                    Finding(
                        .gap, subject, "names alone decide, and a client chooses its own",
                        hint: "give it a cidr, so that nobody else can hide behind it"))
            }
        }
        return findings
    }
}
