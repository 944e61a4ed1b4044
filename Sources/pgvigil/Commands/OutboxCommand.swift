import ArgumentParser
import EventStore
import Foundation
import Vigil
import VigilModel

/// What waits for sinks.
struct OutboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox", abstract: "Show what waits for sinks, try it again, prove that it arrived.",
        discussion: """
            Alerts and events for the sinks of the configuration wait in the store until they are taken. What a sink \
            refuses for what it is, is set aside and holds nothing up.

              pgvigil outbox
              pgvigil outbox --aside
              pgvigil outbox --retry
              pgvigil outbox --verify --since 2026-03-01
              pgvigil outbox --resend --sink victorialogs --since 2026-03-01 --until 2026-03-02
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Show what sinks refused, and why.") var aside = false
    @Flag(help: "Queue again what was refused, and let sinks be tried at once.") var retry = false
    @Flag(help: "Send what waits now, from here; for when no `watch` runs.") var send = false
    @Flag(
        help: """
            Read back from VictoriaLogs what was delivered to it, and say what is not there; with --resend it is queued \
            again. Exit code 1 when something is missing.
            """)
    var verify = false
    @Flag(help: "Queue what a sink wants of a time span again.") var resend = false
    @Option(help: .init("Forget a sink that is no more, with what waits for it.", valueName: "sink")) var forget:
        String?
    @Option(help: .init("Only this sink.", valueName: "name")) var sink: String?
    @Option(help: .init("Events from this time on.", valueName: "time")) var since: TimeArgument?
    @Option(help: .init("Events before this time.", valueName: "time")) var until: TimeArgument?
    @Option(help: "table, jsonl or csv.") var format: OutputFormat = .table

    func validate() throws {
        let asked = [aside, retry, send, forget != nil].count { $0 } + (verify || resend ? 1 : 0)
        guard asked <= 1 else { throw ValidationError("Choose one of --aside, --retry, --send, --verify, --forget.") }
        if resend, !verify {
            guard sink != nil, since != nil else { throw ValidationError("--resend takes --sink and --since.") }
        }
    }

    func run() throws {
        try reporting {
            let settings = try common.load()
            let store = try Store(existing: common.storePath(settings))
            let sinks = settings.sinks.filter { sink == nil || $0.subscription.name == sink }
            let isKnown = try store.sinkStates().contains { $0.name == sink }
            if let sink, sinks.isEmpty, !isKnown {
                throw Failure(UnknownSink(name: sink, known: settings.sinks.map(\.subscription.name)), code: 2)
            }
            if let forget { return try drop(forget, settings, store) }
            if retry { return try again(store) }
            if verify { return try verify(sinks, store) }
            if resend { return try queue(sinks, store) }
            if send { return try deliver(sinks, store, settings.node.addresses) }
            if aside { return try showAside(store) }
            try show(sinks, store)
        }
    }

    private func show(_ sinks: [SinkConfiguration], _ store: Store) throws {
        var writer = RowWriter(
            format,
            columns: [
                "sink", "target", "alerts", "events", "waiting_since", "set_aside", "sent", "dropped", "last_success",
                "failing_since", "attempts", "next_try", "problem",
            ])
        let states = try store.sinkStates().filter { sink == nil || $0.name == sink }
        for state in states {
            let target = sinks.first { $0.subscription.name == state.name }?.target ?? "no longer configured"
            var row: ShownRow = [
                ("sink", .text(state.name)), ("target", .text(target)), ("alerts", .number(state.alerts)),
                ("events", .number(state.events)),
            ]
            func add(_ key: String, _ time: LogTime?) { if let time { row.append((key, .time(time))) } }
            add("waiting_since", state.oldest)
            row += [
                ("set_aside", .number(state.aside)), ("sent", .number(state.sent)), ("dropped", .number(state.dropped)),
            ]
            add("last_success", state.lastSuccess)
            add("failing_since", state.failingSince)
            if state.attempts > 0 { row.append(("attempts", .number(state.attempts))) }
            add("next_try", state.nextTry)
            if let problem = state.problem { row.append(("problem", .text(problem))) }
            writer.write(row)
        }
        writer.finish()
        let unseen = sinks.filter { sink in !states.contains { $0.name == sink.subscription.name } }
        for sink in unseen {
            Talk.say(
                "sink \(sink.subscription.name): nothing was ever queued for it; `watch` and `replay --deliver` do")
        }
        if states.isEmpty && sinks.isEmpty { Talk.say("no sinks are configured (docs/sinks.md)") }
    }

    private func showAside(_ store: Store) throws {
        var writer = RowWriter(format, columns: ["time", "sink", "kind", "id", "reason"])
        for item in try store.setAside(limit: 10_000) where sink == nil || item.sink == sink {
            writer.write([
                ("time", .time(item.time)), ("sink", .text(item.sink)),
                ("kind", .text(item.kind == .event ? "event" : "alert")), ("id", .text(item.id)),
                ("reason", .text(item.reason)),
            ])
        }
        writer.finish()
    }

    private func again(_ store: Store) throws {
        let count = try store.retryOutbox(sink: sink)
        Talk.say("\(Sizes.plural(count, "refused one")) queued again; `watch` tries at once, or --send")
    }

    private func queue(_ sinks: [SinkConfiguration], _ store: Store) throws {
        guard let since else { return }
        for sink in sinks {
            let count = try store.requeue(
                sink.subscription, since: since.time, until: until?.time ?? .distantFuture)
            Talk.say(
                "sink \(sink.subscription.name): \(Sizes.count(Int64(count))) queued again; `watch` sends them, or --send"
            )
        }
    }

    private func deliver(
        _ sinks: [SinkConfiguration], _ store: Store, _ addresses: [String: String]
    ) throws {
        let outcomes = try OutboxDrain(store, sinks, addresses: addresses).run(patience: 15)
        for line in DeliveryText.lines(outcomes) { Talk.say(line) }
        if outcomes.contains(where: { $0.waiting > 0 }) { throw ExitCode(1) }
    }

    private func verify(_ sinks: [SinkConfiguration], _ store: Store) throws {
        var isMissing = false
        let checks = sinks.compactMap { OutboxVerification(store, $0) }
        if checks.isEmpty { Talk.say("no sink is a VictoriaLogs: nothing can be read back") }
        for check in checks {
            let outcome = try check.run(since: since?.time ?? .distantPast, until: until?.time ?? .distantFuture)
            Talk.say(
                "sink \(outcome.sink): \(outcome.found) of \(outcome.delivered) delivered events are there"
                    + (outcome.doubled > 0 ? ", \(outcome.doubled) of them more than once" : ""))
            for (id, time) in outcome.missing.prefix(20) { Talk.say("  missing: \(time) \(Shown.text(id))") }
            if outcome.missingCount > 20 { Talk.say("  … and \(outcome.missingCount - 20) more") }
            guard outcome.missingCount > 0 else { continue }
            isMissing = true
            if resend, let first = outcome.missing.map(\.time).min(), let last = outcome.missing.map(\.time).max() {
                let count = try store.requeue(
                    sink: outcome.sink, since: first, until: last.adding(milliseconds: 1),
                    ids: Set(outcome.missing.map(\.id)))
                Talk.say("  \(Sizes.plural(count, "event")) queued again")
            } else {
                Talk.say(
                    "  hint: rows beyond the server's retention are dropped in silence; --resend queues what is missing again"
                )
            }
        }
        if isMissing { throw ExitCode(1) }
    }

    private func drop(_ name: String, _ settings: Configuration, _ store: Store) throws {
        guard !settings.sinks.contains(where: { $0.subscription.name == name }) else {
            throw Failure(ConfiguredSink(name: name), code: 2)
        }
        guard try store.forgetSink(name) else {
            throw Failure(UnknownSink(name: name, known: try store.sinkStates().map(\.name)), code: 2)
        }
        Talk.say("forgot sink \(Shown.text(name)) and what waited for it")
    }
}

private struct UnknownSink: Error, CustomStringConvertible {
    let name: String
    let known: [String]
    var description: String {
        "no sink is named '\(Shown.text(name))'\n  hint: known: \(known.isEmpty ? "none" : known.joined(separator: ", "))"
    }
}

private struct ConfiguredSink: Error, CustomStringConvertible {
    let name: String
    var description: String { "sink \(name) is still configured\n  hint: take it out of `sinks` first" }
}
