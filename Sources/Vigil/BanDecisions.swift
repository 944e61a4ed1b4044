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
    private let acts: BanActs
    /// The same bans by block, and those of these blocks that were stored before.
    private var bansOf: [CIDR: [Ban]] = [:]
    private var history: [CIDR: [Ban]] = [:]
    /// Some events are timed by when they were received.
    private var hasTimesOfReceipt = false
    private var census = BanCensus([])
    /// Bans of this time that are stored: of alerts that are looked at again.
    private var stored: [Ban] = []
    private var storedOf: [String: Ban] = [:]
    /// How often a ban was looked at: what the decisions cost.
    private(set) var looks = 0
    /// When the last alert about the cap was.
    private var cappedAt: LogTime?
    /// Blocks of those that may be banned that ever had a session, and their sessions: looked for at once.
    private var used: Set<CIDR> = []
    private var sessions: [CIDR: [Session]] = [:]

    private struct Session {
        let time: LogTime
        let user: String?
        let count: Int64
    }

    init(_ findings: [Finding], store: Store, configuration: Configuration, known: KnownAddresses) throws {
        self.store = store
        guard findings.contains(where: { $0.ban != nil }) else {
            policy = configuration.bans
            acts = BanActs([])
            return
        }
        policy = try known.policy(configuration.bans)
        acts = BanActs(try store.acts())
        hasTimesOfReceipt = try store.hasTimesOfReceipt()
        let alerts = findings.filter { $0.ban != nil }.map(\.alert)
        let blocks = Set(alerts.compactMap(\.sourceIP).map(policy.block))
        if policy.priorSessions == .spare {
            used = try known.withSessions(blocks)
            try findSessions(alerts)
        }
        if let first = alerts.map(\.time).min(), let last = alerts.map(\.time).max() {
            history = try store.bans(
                from: first.adding(milliseconds: -policy.forgetting), to: last, of: blocks)
            stored = try store.bans(from: first, to: last)
            for ban in stored { if let alert = ban.alertID { storedOf[alert] = ban } }
            census = BanCensus(stored)
        }
        for finding in findings {
            if let time = finding.ban { try decide(finding.alert, time: time) }
        }
        looks += census.looks
    }

    private mutating func decide(_ alert: Alert, time: Int64) throws {
        // When was it? Nobody knows, and rows that were late look like a burst.
        guard let ip = alert.sourceIP, try !hasTimesOfReceipt || !store.isTimedByReceipt(alert.evidence) else { return }
        let block = policy.block(of: ip)
        let since = alert.time.adding(milliseconds: -policy.forgetting)
        let before = (history[block] ?? []).filter { $0.start <= alert.time && $0.end > since }
        let earlier = BanLedger(
            bans: (before + (bansOf[block] ?? [])).filter { $0.alertID != alert.id }, acts: acts)
        looks += earlier.bans.count
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
            bansOf[block, default: []].append(ban)
            // One that is stored already is counted as such.
            if storedOf[alert.id] == nil { census.add(ban) }
        }
    }

    // MARK: - Caps

    /// Whether the minute before has seen its bans, or all there may be are in force.
    private mutating func isCapped(_ alert: Alert) throws -> Bool {
        if alert.time < census.moment { recount() }
        census.advance(to: alert.time)
        let (recent, blocks) = census.counts(without: storedOf[alert.id])
        guard recent >= policy.perMinute || blocks >= policy.total else { return false }
        if cappedAt == nil {
            cappedAt = try store.lastAlerts(
                after: alert.time.adding(milliseconds: -BanNotice.pause), through: alert.time
            ).filter { $0.rule == BanNotice.cappedRule.id }.map(\.time).max()
        }
        return true
    }

    /// Alerts come in the order of time, but for those about silence.
    private mutating func recount() {
        looks += census.looks
        let new = bans.filter { storedOf[$0.alertID ?? ""] == nil }
        census = BanCensus((stored + new).sorted { $0.start < $1.start })
    }

    // MARK: - Good sessions before the attack

    /// Goes over the logins of the time before these alerts once, however many they are.
    private mutating func findSessions(_ alerts: [Alert]) throws {
        guard let first = alerts.map(\.firstSeen).min(), let last = alerts.map(\.firstSeen).max(), !used.isEmpty
        else { return }
        let (policy, blocks) = (policy, used)
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
        if used.contains(block) {
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
