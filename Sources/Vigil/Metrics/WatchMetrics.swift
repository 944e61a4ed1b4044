import EventStore
import Foundation
import Responses
import VigilModel

/// The families of `/metrics`. Labels are few and never what a client of the database wrote: no address, user, database
/// or statement. Events are told apart by category and severity, alerts by rule, which leads on.
struct WatchMetrics {
    private let counts: WatchMeter.Counts
    private let store: StoreFigures
    private let now: Date

    /// Takes what was counted, the store, and the time by the clock.
    init(_ counts: WatchMeter.Counts, _ store: StoreFigures, now: Date = Date()) {
        (self.counts, self.store, self.now) = (counts, store, now)
    }

    /// All of them, in order. What the store cannot tell now is left out, and counted.
    var families: [MetricFamily] {
        general + sources + detections + blocks + sinks + storeFamilies + ProcessFigures().families
    }

    private var general: [MetricFamily] {
        var build = MetricFamily(.gauge, "pgvigil_build_info", "The version, as a label.")
        build.add([("version", Version.text)], 1)
        return [
            build, MetricFamily(.gauge, "pgvigil_up", "1 while logs are followed.", value: counts.isRunning ? 1 : 0),
            MetricFamily(
                .gauge, "pgvigil_loop_timestamp_seconds", "When the loop that reads and decides last went on.",
                value: counts.turnedAt.timeIntervalSince1970),
            MetricFamily(
                .gauge, "pgvigil_config_last_reload_successful",
                "1 when the last reading of the configuration went well.",
                value: counts.isReloadGood ? 1 : 0),
            MetricFamily(
                .gauge, "pgvigil_config_last_reload_success_timestamp_seconds",
                "When the configuration in force was read.", value: counts.reloadedAt.timeIntervalSince1970),
            MetricFamily(
                .counter, "pgvigil_config_reload_failures_total",
                "Configurations that were wrong and were not taken.", value: Double(counts.reloadFailures)),
        ]
    }

    // MARK: - Sources

    private var sources: [MetricFamily] {
        var up = MetricFamily(.gauge, "pgvigil_source_up", "1 while a source has something that can be read.")
        var records = MetricFamily(.counter, "pgvigil_source_records_total", "Log records that were read.")
        var lines = MetricFamily(
            .counter, "pgvigil_source_lines_total", "Records and lines that need not be any, as they were read.")
        var bytes = MetricFamily(.counter, "pgvigil_source_bytes_total", "Bytes that were read, unpacked.")
        var errors = MetricFamily(
            .counter, "pgvigil_source_parse_errors_total", "Places that should have been a record and were none.")
        var lag = MetricFamily(
            .gauge, "pgvigil_source_lag_seconds", "Time since the last record that was read; 0 when all is read.")
        var backlog = MetricFamily(
            .gauge, "pgvigil_source_backlog_bytes", "Bytes of open files that were not read yet.")
        var last = MetricFamily(
            .gauge, "pgvigil_source_last_event_timestamp_seconds", "Time of the last record, by the log.")
        var cuts = MetricFamily(
            .counter, "pgvigil_source_truncations_total", "Files that were cut while they were followed.")
        var late = MetricFamily(
            .counter, "pgvigil_source_late_rows_total", "Events that came when rules had been over their time.")
        var known = MetricFamily(.counter, "pgvigil_source_duplicates_total", "Events that were stored already.")
        var gaps = MetricFamily(
            .counter, "pgvigil_source_gap_seconds_total", "Time that a source that is asked could not be read for.")
        for (name, source) in counts.sources.sorted(by: { $0.key < $1.key }) {
            let labels = [(name: "source", value: name)]
            let files = counts.files.filter { $0.source == name }
            let waiting = files.reduce(0) { $0 + WatchMetrics.backlog($1) }
            let lastRecord = ([source.lastRecord] + files.map(\.lastRecord)).compactMap { $0 }
                .filter { $0 > .distantPast }.max().map { Double($0.milliseconds) / 1000 }
            up.add(labels + [(name: "kind", value: source.kind)], source.isUp ? 1 : 0)
            records.add(labels, Double(source.records))
            lines.add(labels, Double(source.records + source.textLines))
            bytes.add(labels, Double(source.bytes))
            // A rate can be asked for before the first comes.
            for (reason, count) in source.unread.merging(["no_record": 0], uniquingKeysWith: { one, _ in one }).sorted(
                by: { $0.key < $1.key })
            {
                errors.add(labels + [(name: "reason", value: reason)], Double(count))
            }
            let age = lastRecord.map { max(0, now.timeIntervalSince1970 - $0) } ?? 0
            lag.add(labels, waiting > 0 ? age : 0)
            backlog.add(labels, Double(waiting))
            if let lastRecord { last.add(labels, lastRecord) }
            cuts.add(labels, Double(source.truncations))
            late.add(labels, Double(source.late))
            known.add(labels, Double(source.duplicates))
            if let gap = source.gapSeconds { gaps.add(labels, gap) }
        }
        return [up, records, lines, bytes, errors, lag, backlog, last, cuts, late, known, gaps]
    }

    /// Bytes of an open file that were not read yet.
    static func backlog(_ file: WatchMeter.OpenFile) -> Int64 {
        var status = stat()
        guard stat(file.path, &status) == 0 else { return 0 }
        return max(0, Int64(status.st_size) - file.consumed)
    }

    // MARK: - Events and rules

    private var detections: [MetricFamily] {
        var events = MetricFamily(.counter, "pgvigil_events_total", "Events that were stored.")
        for (kind, count) in counts.events.sorted(by: {
            ($0.key.category, $0.key.severity) < ($1.key.category, $1.key.severity)
        }) {
            events.add([("category", kind.category), ("severity", kind.severity.rawValue)], Double(count))
        }
        var alerts = MetricFamily(.counter, "pgvigil_alerts_total", "Alerts that were raised, by rule.")
        for (rule, alert) in counts.alerts.sorted(by: { $0.key < $1.key }) {
            alerts.add([("rule", rule), ("severity", alert.severity.rawValue)], Double(alert.count))
        }
        var passes = MetricFamily(
            .histogram, "pgvigil_rule_eval_seconds", "Time that rules took to go over what was new, a pass.")
        passes.add(counts.passes)
        var entries = MetricFamily(.gauge, "pgvigil_rule_state_entries", "Groups that a rule holds something of.")
        var evictions = MetricFamily(
            .counter, "pgvigil_rule_state_evictions_total", "Groups that were let go to keep memory bounded.")
        for (rule, state) in counts.rules.sorted(by: { $0.key < $1.key }) {
            entries.add([("rule", rule)], Double(state.entries))
            evictions.add([("rule", rule)], Double(state.evictions))
        }
        var giveUps = MetricFamily(
            .counter, "pgvigil_pattern_give_ups_total",
            "Matches of expressions that would have cost too much, by pattern.")
        for (pattern, count) in counts.giveUps.sorted(by: { $0.key < $1.key }) {
            giveUps.add([("pattern", pattern)], Double(count))
        }
        return [events, alerts, passes, entries, evictions, giveUps]
    }

    // MARK: - Bans

    private var blocks: [MetricFamily] {
        var active = MetricFamily(
            .gauge, "pgvigil_blocks_active",
            "Bans in force now: of the list itself, and of each kind of file kept of it.")
        var paused = MetricFamily(.gauge, "pgvigil_blocks_paused", "1 while every list is kept empty.")
        if let (list, pause) = try? store.blockList() {
            for backend in ["list"] + Set(store.keptFormats.map(\.rawValue)).sorted() {
                active.add([("backend", backend)], Double(list.bans.count))
            }
            paused.add([], pause == nil ? 0 : 1)
        }
        let enforced = MetricFamily(
            .gauge, "pgvigil_blocks_enforced", "1 when bans.mode is enforce, 0 when bans are only observed.",
            value: store.policy.mode == .enforce ? 1 : 0)
        var changes = MetricFamily(
            .counter, "pgvigil_block_changes_total",
            "What changed who is kept out: bans by rules, acts of people, files that could not be written.")
        for (mode, count) in counts.bans.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            changes.add([("backend", "list"), ("action", "ban"), ("result", mode.rawValue)], Double(count))
        }
        if let acts = try? store.acts() {
            func count(_ kind: BanAct.Kind) -> Double { Double(acts.count { $0.kind == kind }) }
            for kind in [BanAct.Kind.pause, .resume, .unban] {
                changes.add([("backend", "list"), ("action", kind.rawValue), ("result", "ok")], count(kind))
            }
            changes.add([("backend", "files"), ("action", "write"), ("result", "failed")], count(.failed))
            changes.add([("backend", "files"), ("action", "write"), ("result", "recovered")], count(.recovered))
        }
        var skipped = MetricFamily(
            .counter, "pgvigil_block_skipped_total", "Bans that were not made, though a rule asked for them.")
        for (reason, count) in counts.skipped.sorted(by: { $0.key < $1.key }) {
            skipped.add([("reason", reason)], Double(count))
        }
        let limit = MetricFamily(
            .gauge, "pgvigil_blocks_limit", "Most bans that may be in force at a time.",
            value: Double(store.policy.total))
        return [active, enforced, limit, paused, changes, skipped]
    }

    // MARK: - Sinks

    private var sinks: [MetricFamily] {
        var queue = MetricFamily(.gauge, "pgvigil_sink_queue_length", "What waits for a sink, by kind.")
        var oldest = MetricFamily(.gauge, "pgvigil_sink_oldest_seconds", "How long the oldest of it waits; 0 for none.")
        var sent = MetricFamily(.counter, "pgvigil_sink_sent_total", "What a sink has taken.")
        var dropped = MetricFamily(
            .counter, "pgvigil_sink_dropped_total", "Events that were let go, since too many waited.")
        var aside = MetricFamily(.gauge, "pgvigil_sink_set_aside", "What a sink refused, and is kept aside.")
        var success = MetricFamily(
            .gauge, "pgvigil_sink_last_success_timestamp_seconds", "When a sink last took something.")
        var failing = MetricFamily(
            .gauge, "pgvigil_sink_failing_seconds", "How long a sink has not taken what it is sent; 0 when it does.")
        var requests = MetricFamily(
            .counter, "pgvigil_sink_requests_total", "Batches that were sent to a sink, by what became of them.")
        let milliseconds = Int64(now.timeIntervalSince1970 * 1000)
        func age(_ time: LogTime?) -> Double { time.map { Double(max(0, milliseconds - $0.milliseconds)) / 1000 } ?? 0 }
        for sink in (try? store.sinkStates()) ?? [] {
            let labels = [(name: "sink", value: sink.name)]
            queue.add(labels + [(name: "kind", value: "alert")], Double(sink.alerts))
            queue.add(labels + [(name: "kind", value: "event")], Double(sink.events))
            oldest.add(labels, age(sink.oldest))
            sent.add(labels, Double(sink.sent))
            dropped.add(labels + [(name: "reason", value: "backlog")], Double(sink.dropped))
            aside.add(labels, Double(sink.aside))
            if let time = sink.lastSuccess { success.add(labels, Double(time.milliseconds) / 1000) }
            failing.add(labels, age(sink.failingSince))
        }
        for (sink, rounds) in counts.rounds.sorted(by: { $0.key < $1.key }) {
            requests.add([("sink", sink), ("code", "ok")], Double(rounds.ok))
            requests.add([("sink", sink), ("code", "failed")], Double(rounds.failed))
        }
        return [queue, oldest, sent, requests, dropped, aside, success, failing]
    }

    // MARK: - Store

    private var storeFamilies: [MetricFamily] {
        var rows = MetricFamily(.gauge, "pgvigil_store_rows", "Rows of the store; counted every half minute.")
        var size = MetricFamily(.gauge, "pgvigil_store_size_bytes", "Size of the store with its write-ahead log.")
        var waiting = MetricFamily(
            .gauge, "pgvigil_store_waiting_events", "Events that rules have not gone over; counted every half minute.")
        var chain = MetricFamily(
            .gauge, "pgvigil_store_chain_rows", "Rows that were ever chained, by table: a head without its hash.")
        var pruned = MetricFamily(
            .counter, "pgvigil_store_pruned_rows_total", "Rows that went, since their time or the room was over.")
        for table in ["events", "alerts"] { pruned.add([("table", table)], Double(counts.pruned[table] ?? 0)) }
        for (table, count) in counts.pruned.sorted(by: { $0.key < $1.key }) where !["events", "alerts"].contains(table)
        {
            pruned.add([("table", table)], Double(count))
        }
        var full = MetricFamily(
            .gauge, "pgvigil_store_full_seconds", "Time until there is no more room; absent while that is not in sight."
        )
        if let days = counts.forecastDays { full.add([], days * 86_400) }
        if let status = try? store.storeStatus() {
            for (table, count) in status.head.tables { chain.add([("table", table)], Double(count)) }
            rows.add([("table", "alerts")], Double(status.alerts))
            rows.add([("table", "bans")], Double(status.bans))
            rows.add([("table", "events")], Double(status.events))
            size.add([], Double(status.bytes))
            waiting.add([], Double(status.waiting))
        }
        return [
            size, rows, waiting, chain, pruned, full,
            MetricFamily(
                .counter, "pgvigil_store_commits_total", "Transactions with what was read.",
                value: Double(counts.commits)),
            // The last, so that what failed above is in it.
            MetricFamily(
                .counter, "pgvigil_store_errors_total", "Readings of the store for an answer that failed.",
                value: Double(store.failureCount)),
        ]
    }
}
