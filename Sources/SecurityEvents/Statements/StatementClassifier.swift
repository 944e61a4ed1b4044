import Patterns
import VigilModel

/// What a statement means by the catalogue's statement patterns.
final class StatementClassifier {
    private let patterns: [StatementPattern]
    /// Numbers of the patterns that name a command, for the commands seen so far.
    private var byCommand: [String: [Int]] = [:]
    /// Kinds made of several patterns, by the numbers of these: equal ones are one.
    private var combined: [[Int]: EventKind] = [:]
    /// Kinds made of two others.
    private var merged: [[ObjectIdentifier]: EventKind] = [:]
    /// Kinds of statements that failed, and of statements that pgaudit told of.
    private var variants: [String: EventKind] = [:]

    /// What is looked for in a text before it is read.
    let words: StatementWords
    private let asksForWords: [Bool]
    private let scratch = Regex.Scratch()

    init(_ patterns: [StatementPattern]) {
        self.patterns = patterns
        words = StatementWords(patterns)
        asksForWords = patterns.map { !$0.firstLook.isEmpty }
    }

    /// What a statement is: the most severe of the patterns that fit names it, of equals the last; all of them tag it.
    func kind(of statement: SQLStatement, _ context: StatementContext) -> EventKind? {
        let numbers = matching(statement, context)
        guard let first = numbers.first else { return nil }
        if numbers.count == 1 { return patterns[first].kind }
        if let known = combined[numbers] { return known }
        var best = patterns[first].kind
        for number in numbers where patterns[number].kind.severity >= best.severity { best = patterns[number].kind }
        let kind = best.tagged(numbers.reduce(into: []) { $0.formUnion(patterns[$1].kind.tags) })
        combined[numbers] = kind
        return kind
    }

    /// What a command is whose text is not there: patterns that ask for more than the command cannot tell.
    func kind(ofCommand command: String) -> EventKind? {
        named(command).last { !patterns[$0].asksForText }.map { patterns[$0].kind }
    }

    /// What an error is and what its statement is: the more severe, tagged by both; of equals the error, unless it means
    /// nothing by itself.
    func merged(_ one: EventKind, _ other: EventKind) -> EventKind {
        let key = [ObjectIdentifier(one), ObjectIdentifier(other)]
        if let known = merged[key] { return known }
        let best = other.severity > one.severity || one.severity == .info ? other : one
        let kind = best.tagged(Set(one.tags).union(other.tags))
        // The kinds must outlive their identifiers.
        variants["merged \(merged.count)"] = one
        variants["merged \(merged.count) with"] = other
        merged[key] = kind
        return kind
    }

    /// The same kind with another outcome or dataset; equal ones are one.
    func variant(_ kind: EventKind, outcome: EventOutcome? = nil, dataset: LogDataset? = nil) -> EventKind {
        let outcome = outcome ?? kind.outcome
        let dataset = dataset?.name ?? kind.dataset
        if outcome == kind.outcome && dataset == kind.dataset { return kind }
        let key =
            "\(dataset) \(outcome.rawValue) \(kind.category) \(kind.action) \(kind.reason ?? "") \(kind.severity) \(kind.tags)"
        if let known = variants[key] { return known }
        let made = EventKind(
            dataset: dataset, category: kind.category, action: kind.action, outcome: outcome, reason: kind.reason,
            severity: kind.severity, tags: kind.tags)
        variants[key] = made
        return made
    }

    /// True when some pattern names the command.
    func isNamed(_ command: String) -> Bool { !named(command).isEmpty }

    /// Ids of the patterns that fit.
    func ids(matching statement: SQLStatement, _ context: StatementContext) -> [String] {
        matching(statement, context).map { patterns[$0].id }
    }

    /// Numbers of the patterns that fit the statement, or one in its body, in order.
    private func matching(_ statement: SQLStatement, _ context: StatementContext) -> [Int] {
        let own = numbers(fitting: statement, context)
        var inner: Set<Int> = []
        for part in SQLBlock.statements(in: statement) { inner.formUnion(numbers(fitting: part, context)) }
        if statement.command != "DO" {
            // What a new function would do counts only where it must not be overlooked.
            inner = inner.filter { patterns[$0].kind.severity >= .high }
        }
        return inner.isEmpty ? own : inner.union(own).sorted()
    }

    private func numbers(fitting statement: SQLStatement, _ context: StatementContext) -> [Int] {
        let named = named(statement.command)
        if named.isEmpty { return [] }
        var reading = StatementReading(statement: statement, context: context, scratch: scratch)
        return named.filter { number in
            (!asksForWords[number] || context.look.allows(number)) && reading.fits(patterns[number])
        }
    }

    private func named(_ command: String) -> [Int] {
        if let known = byCommand[command] { return known }
        let found = patterns.indices.filter { patterns[$0].isMeant(command: command) }
        // The server has some 200 command tags; what an audit file calls one may be anything.
        if byCommand.count < 1024 { byCommand[command] = found }
        return found
    }
}

/// What is known of a statement beside its own text.
struct StatementContext {
    /// The words of the text that it stands in.
    let look: StatementWords.Look
    /// The values of its parameters stand in the log.
    var hasParameters = false
    /// The server could parse it.
    var isParsed = true
}

/// Reads of a statement what patterns ask for, each thing once.
private struct StatementReading {
    let statement: SQLStatement
    let context: StatementContext
    let scratch: Regex.Scratch
    private lazy var shape = statement.shapeBytes
    private lazy var object = Array("\(statement.objectType ?? "") \(statement.objectName ?? "")".utf8)
    private lazy var secrets = statement.secrets

    init(statement: SQLStatement, context: StatementContext, scratch: Regex.Scratch) {
        self.statement = statement
        self.context = context
        self.scratch = scratch
    }

    mutating func fits(_ pattern: StatementPattern) -> Bool {
        if pattern.needsParameters, !context.hasParameters { return false }
        if !context.isParsed, !pattern.isAboutText { return false }
        if !pattern.calls.isEmpty, !statement.calls(pattern.calls) { return false }
        if !pattern.names.isEmpty, !statement.names(pattern.names) { return false }
        if let regex = pattern.object, !regex.match(object, scratch) { return false }
        if let regex = pattern.shape, !regex.match(shape, scratch) { return false }
        if let regex = pattern.literal, !statement.hasConstant(where: { regex.match($0, scratch) }) { return false }
        if let kind = pattern.secret.flatMap(SQLSecretKind.init), !secrets.contains(kind) { return false }
        return true
    }
}
