import Foundation
import VigilModel

/// What an operator knows to be nothing to worry about: events that are not looked at by some rules. The events stay in
/// the store. Pure, in event time: what follows is the same whether logs are followed or replayed.
///
/// Users, databases and applications are text that a client writes; who knows an exception may use it. With addresses,
/// a schedule and an end it is as narrow as it can be.
public struct AlertException: Sendable, Hashable {
    /// Which rules it is about.
    public var rules: RuleChoice
    /// Login users; empty: any. A `*` stands for any text.
    public var users: [String] = []
    /// Addresses; empty: any.
    public var networks: [CIDR] = []
    /// Databases; empty: any. A `*` stands for any text.
    public var databases: [String] = []
    /// `application_name`; empty: any. A `*` stands for any text.
    public var applications: [String] = []
    /// When; nil: always.
    public var schedule: WeekSchedule?
    /// From this moment on it holds nothing back any more; nil: it does not end.
    public var until: LogTime?
    /// Why it is there.
    public var reason: String

    /// Some rules.
    public enum RuleChoice: Sendable, Hashable {
        /// Every rule.
        case all
        /// Rules by id or by family.
        case some(ids: Set<String>, families: Set<String>)

        /// True when the rule is one of them.
        public func contains(_ rule: AlertRule) -> Bool {
            switch self {
            case .all: true
            case .some(let ids, let families): ids.contains(rule.id) || families.contains(rule.family)
            }
        }
    }

    /// Takes what it must have.
    public init(rules: RuleChoice, reason: String) {
        self.rules = rules
        self.reason = reason
    }

    /// True when a rule must not look at an event.
    public func holdsBack(_ event: DetectionEvent, from rule: AlertRule) -> Bool {
        guard rules.contains(rule), until.map({ event.time < $0 }) ?? true else { return false }
        return AlertException.fits(event.user, users) && AlertException.fits(event.database, databases)
            && (applications.isEmpty || AlertException.fits(event.value(of: .application), applications))
            && fits(event.ip)
            && schedule?.contains(event.time) ?? true
    }

    /// True when an alert must not be raised that no event fired: one about silence.
    public func holdsBack(_ alert: Alert) -> Bool {
        holdsBack(
            DetectionEvent(
                seq: 0, time: alert.time, kind: AlertException.silence, ip: alert.sourceIP, user: alert.user,
                database: alert.database), from: alert.rule)
    }

    private static let silence = EventKind(
        dataset: "", category: "", action: "", outcome: .unknown, severity: .info, tags: [])

    /// True when nothing but text of clients decides what it holds back.
    public var restsOnText: Bool { networks.isEmpty && !(users.isEmpty && databases.isEmpty && applications.isEmpty) }

    private func fits(_ ip: IPAddress?) -> Bool {
        guard !networks.isEmpty else { return true }
        guard let ip else { return false }
        return networks.contains { $0.contains(ip) }
    }

    private static func fits(_ text: String?, _ patterns: [String]) -> Bool {
        guard !patterns.isEmpty else { return true }
        guard let text else { return false }
        return patterns.contains { $0 == text || ($0.contains("*") && matches(Array(text.utf8), Array($0.utf8))) }
    }

    /// A star stands for any text; at a mismatch the last star takes one byte more.
    private static func matches(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (at, place) = (0, 0)
        var star: (at: Int, place: Int)?
        while at < text.count {
            if place < pattern.count, pattern[place] == 42 {
                star = (at, place + 1)
                place += 1
            } else if place < pattern.count, pattern[place] == text[at] {
                at += 1
                place += 1
            } else if let last = star {
                star = (last.at + 1, last.place)
                (at, place) = (last.at + 1, last.place)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == 42 }
    }
}

/// Hours of some days of the week, in a time zone.
public struct WeekSchedule: Sendable, Hashable {
    /// Days, Monday is 0.
    public var days: Set<Int>
    /// First minute of the day, and the one behind the last; the second is not later when the hours go past midnight.
    public var from, to: Int
    /// IANA zone.
    public var zone: TimeZone

    /// Takes days (Monday is 0), minutes of the day, and an IANA zone; nil when there is no such zone.
    public init?(days: Set<Int>, from: Int, to: Int, zone: String) {
        guard let zone = TimeZone(identifier: zone) else { return nil }
        self.days = days
        self.from = from
        self.to = to
        self.zone = zone
    }

    /// True at a moment within the hours; those past midnight belong to the day on which they began.
    public func contains(_ time: LogTime) -> Bool {
        let moment = Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)
        // Weeks enough that nothing is negative. 1970-01-01 was a Thursday.
        let weeks: Int64 = 1_000_000 * 7 * 1440
        let minutes = weeks + time.milliseconds / 60_000 + Int64(zone.secondsFromGMT(for: moment) / 60)
        let day = Int((minutes / 1440 + 3) % 7)
        let minute = Int(minutes % 1440)
        if from < to { return days.contains(day) && minute >= from && minute < to }
        return (minute >= from && days.contains(day)) || (minute < to && days.contains((day + 6) % 7))
    }
}
