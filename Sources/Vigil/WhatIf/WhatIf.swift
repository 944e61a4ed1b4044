import EventStore
import Foundation
import VigilModel

/// Runs other rules over events and compares with what a store holds. Nothing is written to that store: rules run in a
/// copy of its events, or in a store of what was read, in the folder for temporary files.
public struct WhatIf {
    private let options: Replay.Options
    private let configuration: Configuration
    private let since, until: LogTime

    /// Prior good sessions count for so many milliseconds.
    private static let memory: Int64 = 30 * 86_400_000
    /// Alerts of one rule about the same that are no farther apart are one that moved.
    private static let move: Int64 = 3_600_000

    /// Takes what is asked for; without paths the events of the store are meant. Throws what is wrong with the
    /// catalogue.
    public init(_ options: Replay.Options, configuration: Configuration) throws {
        self.options = options
        self.configuration = configuration
        since = options.since ?? .distantPast
        until = options.until ?? .distantFuture
        _ = try configuration.catalogue()
    }

    /// Reads, detects and compares. `progress` is called from time to time with bytes read and to read.
    public func run(progress: @escaping (_ read: Int64, _ total: Int64?) -> Void) throws -> WhatIfReport {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "what-if.db").path
        var report = WhatIfReport()
        let now: Store
        let before: Store?
        if options.paths.isEmpty {
            let store = try Store(existing: options.store)
            before = store
            now = try store.copyOfEvents(to: path)
            let pass = DetectionPass(
                store: now, rules: try configuration.catalogue().rules, configuration: configuration)
            for held in try pass.run(through: .distantFuture).heldBack where isMeant(held.alert.time) {
                report.heldBack[held.reason, default: 0] += 1
            }
        } else {
            before = access(options.store, F_OK) == 0 ? try Store(existing: options.store) : nil
            var options = options
            options.store = path
            let summary = try Replay(options, configuration: configuration).run(progress: progress)
            report.heldBack = summary.heldBack
            now = try Store(path: path)
        }
        report.store = before?.path
        if let span = try now.eventSpan() {
            report.events = span.count
            report.span = (span.first, span.last)
        }
        let raised = try now.knownAlerts(since: since, until: until)
        let known = try before.map { try comparable($0, with: now) } ?? []
        compare(raised, known, &report)
        try compare(bans: now, with: before, known: known, raised: raised, &report)
        return report
    }

    private func isMeant(_ time: LogTime) -> Bool { since <= time && time < until }

    /// What the store holds about events that rules went over now: it may hold those of other logs, too.
    private func comparable(_ store: Store, with now: Store) throws -> [KnownAlert] {
        let alerts = try store.knownAlerts(since: since, until: until)
        guard !options.paths.isEmpty else { return alerts }
        return try alerts.filter { try $0.event.map(now.holds(event:)) ?? false }
    }

    private func compare(_ raised: [KnownAlert], _ known: [KnownAlert], _ report: inout WhatIfReport) {
        let (new, old) = (Set(raised.map(\.id)), Set(known.map(\.id)))
        var lost = known.filter { !new.contains($0.id) }
        for alert in raised where !old.contains(alert.id) {
            let like = lost.indices.filter { lost[$0].rule == alert.rule && lost[$0].group == alert.group }
            func distance(_ index: Int) -> Int64 { abs(lost[index].time.milliseconds - alert.time.milliseconds) }
            if let near = like.min(by: { distance($0) < distance($1) }), distance(near) <= WhatIf.move {
                report.movedAlerts.append((lost.remove(at: near), alert))
            } else {
                report.gainedAlerts.append(alert)
            }
        }
        report.lostAlerts = lost
        report.keptAlerts = new.intersection(old).count
        for rule in Set((raised + known).map(\.rule)).sorted() {
            let (before, now) = (known.filter { $0.rule == rule }.count, raised.filter { $0.rule == rule }.count)
            report.rules.append((rule, before, now))
        }
    }

    /// Bans are compared by the alert that they came of. Those that a person gave are none of the rules' business.
    private func compare(
        bans now: Store, with before: Store?, known: [KnownAlert], raised: [KnownAlert], _ report: inout WhatIfReport
    ) throws {
        let (new, old) = (Set(raised.map(\.id)), Set(known.map(\.id)))
        let given = try now.bans(from: .distantPast, to: .distantFuture).filter { new.contains($0.alertID ?? "") }
        let held =
            try before?.bans(from: .distantPast, to: .distantFuture).filter { old.contains($0.alertID ?? "") } ?? []
        let first = Dictionary((raised + known).map { ($0.id, $0.first) }) { one, _ in one }
        // A ban of an alert that moved is that of the alert it was.
        let moved = Dictionary(report.movedAlerts.map { ($0.now.id, $0.before.id) }) { one, _ in one }
        func key(_ ban: Ban) -> String {
            let alert = ban.alertID ?? ""
            return "\(moved[alert] ?? alert) \(ban.cidr)"
        }
        let sessions = try SessionLedger(of: Set((given + held).map(\.cidr)), in: now)
        func judged(_ ban: Ban) -> JudgedBan {
            let start = first[ban.alertID ?? ""] ?? ban.start
            return JudgedBan(
                ban: ban,
                before: sessions.sessions(
                    of: ban.cidr, from: start.adding(milliseconds: -WhatIf.memory), to: start),
                during: sessions.sessions(of: ban.cidr, from: ban.start, to: ban.end))
        }
        let heldByKey = Dictionary(held.map { (key($0), $0) }) { one, _ in one }
        let givenKeys = Set(given.map(key))
        for ban in given {
            guard let other = heldByKey[key(ban)] else {
                report.gainedBans.append(judged(ban))
                continue
            }
            if other.end == ban.end && other.start == ban.start {
                report.keptBans += 1
            } else {
                report.changedBans.append((other, judged(ban)))
            }
        }
        for ban in held where !givenKeys.contains(key(ban)) { report.lostBans.append(judged(ban)) }
    }
}
