import EventStore
import Foundation
import Patterns
import Synchronization
import VigilModel

/// What `watch` counts of its own work, for whoever asks at any time. It outlives a new configuration, so counters never
/// go back while the process lives.
public final class WatchMeter: Sendable {
    /// What is counted of one entry of `sources`, or one path of the command line: few, and the operator's own words,
    /// where files come and go.
    struct Source: Sendable {
        var kind = "file"
        var isUp = false
        /// Records, lines that need not be any, bytes.
        var records: Int64 = 0
        var textLines: Int64 = 0
        var bytes: Int64 = 0
        /// Places that are no record, by reason.
        var unread: [String: Int64] = [:]
        /// Events that were stored already, and that came when rules had been over their time.
        var duplicates: Int64 = 0
        var late: Int64 = 0
        /// Files that were cut while they were followed.
        var truncations: Int64 = 0
        /// Time that was asked for and could not be read, of sources that are asked.
        var gapSeconds: Double?
        var lastRecord: LogTime?
    }

    /// A file that is open, and how far it is read.
    struct OpenFile: Sendable {
        let source: String
        let path: String
        /// Bytes on the disk that were read.
        let consumed: Int64
        let lastRecord: LogTime?
    }

    /// What a rule holds.
    struct RuleState: Sendable {
        var entries = 0
        var evictions: Int64 = 0
        /// As its machine counts them; that begins anew when rules go back in time.
        fileprivate var lastEvictions = 0
    }

    /// What the loop does.
    enum Phase: String, Sendable {
        case reading, rules
        /// Seconds that it may take at once: rules go over all that came while they did not run.
        var patience: Double { self == .reading ? 60 : 900 }
    }

    /// Everything, as it stands at a moment.
    struct Counts: Sendable {
        var sources: [String: Source] = [:]
        var files: [OpenFile] = []
        var events: [EventClass: Int64] = [:]
        /// By rule; rules that are known begin at 0.
        var alerts: [String: (severity: Severity, count: Int64)] = [:]
        var rules: [String: RuleState] = [:]
        var passes = Histogram([0.0001, 0.001, 0.01, 0.1, 1, 10, 60])
        var bans: [BanMode: Int64] = [.observe: 0, .enforce: 0]
        var skipped: [String: Int64] = ["cap": 0, "prior_sessions": 0]
        var rounds: [String: (ok: Int64, failed: Int64)] = [:]
        /// Matches that gave up, by pattern.
        var giveUps: [String: Int64] = [:]
        var storeErrors: Int64 = 0
        var commits: Int64 = 0
        /// Rows that went, by table, and days until there is no more room; nil while that is not in sight.
        var pruned: [String: Int64] = [:]
        var forecastDays: Double?
        var lastCommit: Date?
        var phase = Phase.reading
        var turnedAt = Date()
        var isRunning = false
        var reloadFailures: Int64 = 0
        var isReloadGood = true
        var reloadedAt = Date()
    }

    private let counts = Mutex(Counts())

    /// Nothing counted yet.
    public init() {}

    /// A copy of everything.
    var snapshot: Counts { counts.withLock { $0 } }

    /// Changes what is counted; briefly, since the reading waits.
    func note(_ change: (inout sending Counts) -> Void) { counts.withLock { change(&$0) } }

    /// The loop goes on.
    func turn(_ phase: Phase) {
        counts.withLock { counts in
            counts.phase = phase
            counts.turnedAt = Date()
            counts.isRunning = true
        }
    }

    /// A configuration was read again; a wrong one is not used.
    public func noteReload(isGood: Bool) {
        counts.withLock { counts in
            counts.isReloadGood = isGood
            if isGood { counts.reloadedAt = Date() } else { counts.reloadFailures += 1 }
        }
    }

    /// Rules that may alert: their counters begin at 0.
    func know(_ rules: [Rule]) {
        counts.withLock { counts in
            for rule in rules where rule.enabled {
                counts.alerts[rule.about.id] = (rule.severity, counts.alerts[rule.about.id]?.count ?? 0)
            }
            for rule in [BanNotice.cappedRule, BanNotice.sparedRule] {
                counts.alerts[rule.id] = (BanNotice.severity, counts.alerts[rule.id]?.count ?? 0)
            }
        }
    }

    /// Alerts and bans of a pass of the rules, and how long it took.
    func note(alerts: [Alert], bans: [Ban], seconds: Double) {
        counts.withLock { counts in
            counts.passes.add(seconds)
            for alert in alerts {
                counts.alerts[alert.rule.id, default: (alert.severity, 0)].count += 1
                if alert.rule.id == BanNotice.cappedRule.id { counts.skipped["cap", default: 0] += 1 }
                if alert.rule.id == BanNotice.sparedRule.id { counts.skipped["prior_sessions", default: 0] += 1 }
            }
            for ban in bans { counts.bans[ban.mode, default: 0] += 1 }
        }
    }

    /// What rules hold now.
    func note(rules: [(id: String, entries: Int, evictions: Int)]) {
        counts.withLock { counts in
            for (id, entries, evictions) in rules {
                var state = counts.rules[id, default: RuleState()]
                state.entries = entries
                state.evictions += Int64(evictions >= state.lastEvictions ? evictions - state.lastEvictions : evictions)
                state.lastEvictions = evictions
                counts.rules[id] = state
            }
        }
    }

    /// A commit: `sources` are the entries that its parts belong to, `bytes` what was read for each.
    func note(_ ingests: [Ingest], sources: [String], bytes: [Int64], result: IngestResult) {
        counts.withLock { counts in
            for (index, ingest) in ingests.enumerated() {
                counts.sources[sources[index], default: Source()].add(
                    ingest, bytes: bytes[index], result.sources[ingest.source])
                for event in ingest.events { counts.events[EventClass(event.kind), default: 0] += 1 }
            }
            for (kind, count) in result.knownClasses { counts.events[kind, default: 0] -= Int64(count) }
            counts.commits += 1
            counts.lastCommit = Date()
        }
    }
}

extension WatchMeter.Source {
    /// So many reasons are told apart: they are our own words, but some have numbers in them.
    private static let reasonLimit = 20

    fileprivate mutating func add(_ ingest: Ingest, bytes: Int64, _ result: IngestResult.Part?) {
        records += ingest.records
        textLines += ingest.textLines
        self.bytes += bytes
        for span in ingest.unread where !span.isPending {
            let reason = WatchMeter.Source.word(span.reason)
            unread[
                unread.count < WatchMeter.Source.reasonLimit || unread[reason] != nil ? reason : "other", default: 0] +=
                1
        }
        duplicates += Int64(result?.known ?? 0)
        late += Int64(result?.late ?? 0)
        if ingest.clock > .distantPast { lastRecord = max(lastRecord ?? ingest.clock, ingest.clock) }
    }

    /// A reason as the value of a label: `no_record`.
    static func word(_ reason: String) -> String {
        let words = reason.lowercased().split { !$0.isASCII || !$0.isLetter }
        return words.isEmpty ? "other" : words.prefix(8).joined(separator: "_")
    }
}

extension WatchMeter {
    /// What became of a sink's round. One in which it only waits, or has nothing to send, sends nothing.
    func note(_ round: SinkFeeder.Round, of sink: String) {
        counts.withLock { counts in
            var rounds = counts.rounds[sink, default: (0, 0)]
            switch round {
            case .busy: rounds.ok += 1
            case .failed(let problem, _) where !problem.isEmpty: rounds.failed += 1
            case .failed, .idle: break
            }
            counts.rounds[sink] = rounds
        }
    }
}
