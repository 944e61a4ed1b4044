import EventStore
import VigilModel

/// What other rules would have made of events, beside what a store holds.
public struct WhatIfReport: Sendable {
    /// The store that was compared with; nil when there is none.
    public internal(set) var store: String?
    /// How many events rules went over, and their time.
    public internal(set) var events: Int64 = 0
    /// Time of the first and the last event.
    public internal(set) var span: (first: LogTime, last: LogTime)?
    /// Alerts that these rules raise and the store does not hold.
    public internal(set) var gainedAlerts: [KnownAlert] = []
    /// Alerts that the store holds and these rules do not raise.
    public internal(set) var lostAlerts: [KnownAlert] = []
    /// Alerts of the same rule about the same, raised at another time: as the store holds them, and with these rules.
    public internal(set) var movedAlerts: [(before: KnownAlert, now: KnownAlert)] = []
    /// How many alerts are the same.
    public internal(set) var keptAlerts = 0
    /// Bans that these rules give and the store does not hold.
    public internal(set) var gainedBans: [JudgedBan] = []
    /// Bans that the store holds and these rules do not give.
    public internal(set) var lostBans: [JudgedBan] = []
    /// Bans of another time: as the store holds them, and with these rules.
    public internal(set) var changedBans: [(before: Ban, now: JudgedBan)] = []
    /// How many bans are the same.
    public internal(set) var keptBans = 0
    /// Alerts by rule: in the store, and with these rules.
    public internal(set) var rules: [(rule: String, before: Int, now: Int)] = []
    /// Alerts that exceptions hold back, by reason.
    public internal(set) var heldBack: [String: Int64] = [:]

    /// True when these rules say what the store says.
    public var isSame: Bool {
        gainedAlerts.isEmpty && lostAlerts.isEmpty && movedAlerts.isEmpty && gainedBans.isEmpty && lostBans.isEmpty
            && changedBans.isEmpty
    }
}

/// A ban, and whom it would have met.
public struct JudgedBan: Sendable {
    /// The ban.
    public let ban: Ban
    /// Sessions in the 30 days before the attack; nil when the logs tell of no successful logins.
    public let before: GoodSessions?
    /// Sessions while it was in force: these would have been kept out.
    public let during: GoodSessions?
}
