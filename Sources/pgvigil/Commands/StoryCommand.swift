import ArgumentParser
import EventStore
import Vigil
import VigilModel

/// Tells what one actor did.
struct StoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "story", abstract: "Tell what one user, address or session did, in order.",
        discussion: """
            Over all sources of the store: logins, what was refused, what was changed, and the alerts and bans that came \
            of it. A user's story holds what others did to the role, too, and what the user did too often for a row \
            each, from the hourly counters. An address is that of the client where the log of a proxy tells it.

              pgvigil story report_ro
              pgvigil story 203.0.113.7 --since 2026-03-02T16:00
              pgvigil story 2001:db8:bad::/64
              pgvigil story 69a5be29.51e0 --format jsonl
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: .init("A login user, an address or a block of them, or a session id.", valueName: "who"))
    var who: String

    @Option(name: .customLong("as"), help: "What the name is, where it may be more than one thing.")
    var kind: Story.Kind?

    @Option(help: .init("From this time on.", valueName: "time")) var since: TimeArgument?
    @Option(help: .init("Before this time.", valueName: "time")) var until: TimeArgument?
    @Option(help: .init("The last lines only; of a table 400.", valueName: "number")) var limit: Int?
    @Option(help: "table, jsonl or csv.") var format: OutputFormat = .table

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1.") }
        if let since, let until, since.time >= until.time { throw ValidationError("--since must be before --until.") }
    }

    func run() throws {
        try reporting {
            let store = try Store(existing: common.storePath(try common.load()))
            let story: Story
            do {
                story = try Story(who, as: kind, in: store, since: since?.time, until: until?.time)
            } catch let problem as StoryProblem {
                if problem.isAmbiguous { throw Failure(problem, code: 2) }
                return Talk.say("\(problem)")
            }
            if format == .table { try show(story) } else { try write(story) }
        }
    }

    /// Events that a table is made of: a story of half a year is read from its end.
    private static let mostEvents = 10_000

    private func show(_ story: Story) throws {
        var builder = StoryBuilder(limit: limit ?? 400)
        let begin = try story.tell(most: max(StoryCommand.mostEvents, (limit ?? 0) * 10)) { builder.take($0) }
        builder.finish()
        let activity = try story.activity(limit: 20)
        if builder.totals.isEmpty && activity.isEmpty { return sayNothing(story) }
        let text = StoryText(builder, subject: story.subject, activity: activity)
        Output.write(text.lines)
        if let begin {
            Talk.say(
                "told from \(begin) on: there is much more; --until tells of earlier times, --format jsonl all of it")
        }
        if builder.omitted > 0 { Talk.say("the last lines; --limit N shows more, --since and --until a part") }
    }

    private func write(_ story: Story) throws {
        let sink = RowSink(format, columns: StoryRows.keys, limit: limit)
        var rows = StoryRows { sink.take($0) }
        try story.tell { rows.take($0) }
        rows.flush()
        for activity in try story.activity(limit: Int(Int32.max)) { rows.take(activity, of: story.subject.name) }
        if sink.finish() == 0 { sayNothing(story) }
    }

    private func sayNothing(_ story: Story) {
        let time = since == nil && until == nil ? "" : " in that time"
        Talk.say(
            "nothing is known of the \(story.subject.word) \(Shown.quoted(story.subject.name))\(time)\n"
                + "  hint: pgvigil events --group-by user.name,source.ip shows who is in the store")
    }
}

extension Story.Kind: ExpressibleByArgument {}

/// Rows that a closure hands over, all or the last ones.
private final class RowSink {
    private var writer: RowWriter
    private var last: [ShownRow] = []
    private let limit: Int?

    init(_ format: OutputFormat, columns: [String], limit: Int?) {
        writer = RowWriter(format, columns: columns)
        self.limit = limit
    }

    func take(_ row: ShownRow) {
        guard let limit else { return writer.write(row) }
        last.append(row)
        if last.count >= limit * 2 { last.removeFirst(last.count - limit) }
    }

    func finish() -> Int {
        for row in last.suffix(limit ?? 0) { writer.write(row) }
        writer.finish()
        return writer.count
    }
}
