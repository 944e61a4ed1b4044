import Detections
import EventStore
import Responses
import VigilModel

/// The bans that follow from alerts, in the order of these: each decision knows those before it. A function of stored
/// events, bans and configuration.
struct BanDecisions {
    private(set) var bans: [Ban] = []
    /// Alerts about bans that were not made.
    private(set) var notices: [BanNotice] = []

    private let store: Store
    private let policy: BanPolicy
    private let acts: [BanAct]
    private let known: KnownAddresses
    /// When the last alert about the cap was.
    private var cappedAt: LogTime?
    /// Sessions of the blocks that may be banned, from all of which it is looked for at once.
    private var sessions: [CIDR: [Session]] = [:]

    private struct Session {
        let time: LogTime
        let user: String?
        let count: Int64
    }

    init(_ findings: [Finding], store: Store, configuration: Configuration, known: KnownAddresses) throws {
        self.store = store
        self.known = known
        guard findings.contains(where: { $0.ban != nil }) else {
            policy = configuration.bans
            acts = []
            return
        }
        policy = try known.policy(configuration.bans)
        acts = try store.acts()
        if policy.priorSessions == .spare { try findSessions(findings.filter { $0.ban != nil }.map(\.alert)) }
        for finding in findings {
            if let time = finding.ban { try decide(finding.alert, time: time) }
        }
    }

    private mutating func decide(_ alert: Alert, time: Int64) throws {
        // When was it? Nobody knows, and rows that were late look like a burst.
        guard let ip = alert.sourceIP, try !store.isTimedByReceipt(alert.evidence) else { return }
        let block = policy.block(of: ip)
        let history = try store.bans(
            from: alert.time.adding(milliseconds: -policy.forgetting), to: alert.time, cidr: block)
        let earlier = BanLedger(bans: (history + bans).filter { $0.alertID != alert.id }, acts: acts)
        guard case .banned(let ban) = policy.decide(alert, time: time, history: earlier) else { return }
        if try isCapped(alert) {
            if cappedAt.map({ alert.time.milliseconds - $0.milliseconds >= BanNotice.pause }) ?? true {
                notices.append(BanNotice.capped(alert, policy))
                cappedAt = alert.time
            }
        } else if let notice = try spared(alert, block) {
            notices.append(notice)
        } else {
            bans.append(ban)
        }
    }

    // MARK: - Caps

    /// Whether the minute before has seen its bans, or all there may be are in force.
    private mutating func isCapped(_ alert: Alert) throws -> Bool {
        let minute = alert.time.adding(milliseconds: -60_000)
        let isOther = { (ban: Ban) in ban.alertID != alert.id && ban.alertID != nil }
        let stored = try store.bans(from: alert.time, to: alert.time)
        let known = Set(stored.compactMap(\.alertID))
        let new = bans.filter { isOther($0) && $0.end > alert.time && !known.contains($0.alertID ?? "") }
        let inForce = stored.filter(isOther) + new
        let recent = inForce.filter { $0.start > minute }.count
        guard recent >= policy.perMinute || Set(inForce.map(\.cidr)).count >= policy.total else { return false }
        if cappedAt == nil {
            cappedAt = try store.lastAlerts(
                after: alert.time.adding(milliseconds: -BanNotice.pause), through: alert.time
            ).filter { $0.rule == BanNotice.cappedRule.id }.map(\.time).max()
        }
        return true
    }

    // MARK: - Good sessions before the attack

    /// Goes over the logins of the time before these alerts once, however many they are.
    private mutating func findSessions(_ alerts: [Alert]) throws {
        let blocks = Set(try alerts.compactMap(\.sourceIP).map(policy.block).filter(known.hadSessions))
        guard let first = alerts.map(\.firstSeen).min(), let last = alerts.map(\.firstSeen).max(), !blocks.isEmpty
        else { return }
        let policy = policy
        var found: [CIDR: [Session]] = [:]
        // Behind a proxy the actor is not who it was.
        var actors = try store.hasProxies() ? nil : store.actors { ip in blocks.contains(policy.block(of: ip)) }
        if actors?.count ?? 0 > 5000 { actors = nil }
        try store.forEachEvent(
            after: first.adding(milliseconds: -BanPolicy.sessionMemory - 1), through: last.adding(milliseconds: -1),
            DetectionMemory { $0.action == "auth.success" ? .event : nil }, actors: actors
        ) { event, _ in
            guard let ip = event.ip else { return }
            let block = policy.block(of: ip)
            guard blocks.contains(block) else { return }
            found[block, default: []].append(Session(time: event.time, user: event.user, count: event.count))
        }
        sessions = found
    }

    private func spared(_ alert: Alert, _ block: CIDR) throws -> BanNotice? {
        guard policy.priorSessions == .spare else { return nil }
        let from = alert.firstSeen.adding(milliseconds: -BanPolicy.sessionMemory)
        if try known.hadSessions(block) {
            var count: Int64 = 0
            var users: [String: Int64] = [:]
            for session in sessions[block] ?? [] where session.time >= from && session.time < alert.firstSeen {
                count += session.count
                if let user = session.user, users.count < 1000 || users[user] != nil {
                    users[user, default: 0] += session.count
                }
            }
            if count > 0 { return BanNotice.spared(alert, block, sessions: count, users: users) }
        }
        // Where no login is logged nobody knows who else is behind a private address.
        guard block.address.isPrivate, try !store.hasSessions(from: from, before: alert.firstSeen) else { return nil }
        return BanNotice.unknown(alert, block)
    }
}
