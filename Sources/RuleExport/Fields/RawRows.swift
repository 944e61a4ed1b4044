import Patterns
import VigilModel

/// Rules over records as Pigsty ships them: a rule's events are found again by what their patterns ask of a record's
/// columns. Only what columns tell can be found so; what SQL means cannot.
struct RawRows {
    let catalogue: EventCatalogue
    let publicNetworks: Set<EventMatch.Network>

    /// A pattern whose records a rule looks at.
    private struct Choice {
        var index: Int
        var pattern: EventPattern
        /// What the rule asks of the record beside its kind.
        var residue: Condition
    }

    func reading(_ rule: Rule, notes: inout Notes) throws(NotExpressible) -> Reading {
        try refuseOtherSources(rule)
        var choices: [Choice] = []
        var missing: NotExpressible?
        for (index, pattern) in catalogue.patterns.enumerated() {
            guard let kind = RawRows.kind(pattern) else { continue }
            do throws(NotExpressible) {
                let residue = try residue(rule, pattern, kind)
                guard residue != .never else { continue }
                try check(rule, pattern)
                choices.append(Choice(index: index, pattern: pattern, residue: residue))
            } catch {
                notes.add("not looked at is what the pattern \(pattern.id) tells: \(error.reason)")
                missing = missing ?? error
            }
        }
        dropFollowers(&choices, &missing, &notes)
        guard !choices.isEmpty else { throw missing ?? NotExpressible(RawRows.nothing(rule)) }
        return try reading(rule, choices, notes: &notes)
    }

    /// Of the lines that tell of one thing, the first says what it is: a line of a pattern that another one may come before
    /// cannot be told by itself.
    private func dropFollowers(
        _ choices: inout [Choice], _ missing: inout NotExpressible?, _ notes: inout Notes
    ) {
        let chosen = Set(choices.map(\.index))
        for choice in choices {
            guard case .span(_, let name, _) = choice.pattern.once else { continue }
            let other = catalogue.patterns.indices.first { index in
                guard case .span(_, name, _) = catalogue.patterns[index].once else { return false }
                return !chosen.contains(index)
            }
            guard let other else { continue }
            let reason =
                "what comes first, a line of \(choice.pattern.id) or of \(catalogue.patterns[other].id), decides"
            notes.add("not looked at is what the pattern \(choice.pattern.id) tells: \(reason)")
            missing = missing ?? NotExpressible(reason)
            choices.removeAll { $0.index == choice.index }
        }
    }

    /// Throws when a pattern's records cannot be found, or lack what the rule counts by.
    private func check(_ rule: Rule, _ pattern: EventPattern) throws(NotExpressible) {
        var raw = RawPattern(pattern.condition)
        _ = try raw.translated()
        for key in RawRows.keys(rule) { _ = try countedField(key, rule, pattern) }
    }

    /// The field with what is counted. A refusal names one object, so different messages stand for different names.
    private func countedField(
        _ key: EventKey, _ rule: Rule, _ pattern: EventPattern
    ) throws(NotExpressible) -> String {
        guard case .distinct(.object, _, _) = rule.condition, key == .object, !pattern.objects.isEmpty else {
            return try field(key, pattern)
        }
        return try RawColumns.field(EventKey.message, of: pattern.condition.dataset)
    }

    private static func nothing(_ rule: Rule) -> String {
        let words = (rule.match.words(of: .tags) ?? []) + (rule.match.words(of: .action) ?? [])
        return "no record that Pigsty ships tells it by its columns alone"
            + (words.isEmpty ? "" : " (\(words.prefix(4).joined(separator: ", ")))")
    }

    private static func kind(_ pattern: EventPattern) -> EventKind? {
        switch pattern.effect {
        case .event(let kind), .login(let kind): kind
        case .evidence, .statement, .counted: nil
        }
    }

    // MARK: - Where events come from

    /// A rule whose events can come out of SQL, out of texts or out of gaps is not told by columns.
    private func refuseOtherSources(_ rule: Rule) throws(NotExpressible) {
        for statement in catalogue.statements where mayMatch(rule.match, statement.kind) {
            throw NotExpressible("the SQL must be read to know what it means (\(statement.id))")
        }
        for text in catalogue.texts where mayMatch(rule.match, text.kind) {
            throw NotExpressible("what clients write must be looked at for what it imitates (\(text.id))")
        }
        for gap in catalogue.gaps where mayMatch(rule.match, gap.kind) {
            throw NotExpressible("what is missing must be seen (\(gap.id))")
        }
    }

    /// Statements and texts are of no dataset of their own.
    private func mayMatch(_ match: EventMatch, _ kind: EventKind) -> Bool {
        LogDataset.allCases.contains { dataset in
            match.mayMatch(
                EventKind(
                    dataset: dataset.name, category: kind.category, action: kind.action, outcome: kind.outcome,
                    reason: kind.reason, severity: kind.severity, tags: kind.tags))
        }
    }

    // MARK: - What is left to ask

    private func residue(
        _ rule: Rule, _ pattern: EventPattern, _ kind: EventKind
    ) throws(NotExpressible) -> Condition {
        let meant = try residue(rule.match, pattern, kind)
        guard meant != .never else { return .never }
        var parts = [meant]
        for except in rule.except { parts.append(.inverse(try residue(except.match, pattern, kind))) }
        return .and(parts)
    }

    private func residue(
        _ match: EventMatch, _ pattern: EventPattern, _ kind: EventKind
    ) throws(NotExpressible) -> Condition {
        // What the kind alone denies need not be translated.
        for (key, test) in match.tests where key.place == .kind && !test.holds(forAny: kind.values(of: key)) {
            return .never
        }
        if !match.anyOf.isEmpty, !match.anyOf.contains(where: { $0.mayMatch(kind) }) { return .never }
        var parts: [Condition] = []
        for (key, test) in match.tests where key.place != .kind {
            if key == .count {
                parts.append(FieldTests.condition(["1"], test))
            } else if key == .network {
                parts.append(try FieldTests.condition(try field(.ip, pattern), test))
            } else {
                parts.append(try FieldTests.condition(try field(key, pattern), test))
            }
        }
        if !match.networks.isEmpty {
            let networks = NetworkTests(
                ip: try field(.ip, pattern), address: try field(.address, pattern), publicNetworks: publicNetworks)
            parts.append(networks.condition(match.networks))
        }
        if !match.anyOf.isEmpty {
            var choices: [Condition] = []
            for choice in match.anyOf { choices.append(try residue(choice, pattern, kind)) }
            parts.append(.or(choices))
        }
        for part in match.noneOf { parts.append(.inverse(try residue(part, pattern, kind))) }
        return .and(parts)
    }

    private static let read: [EventField: EventKey] = [
        .user: .user, .database: .database, .processID: .processID,
    ]

    private func field(_ key: EventKey, _ pattern: EventPattern) throws(NotExpressible) -> String {
        let dataset = pattern.condition.dataset
        for (_, regex) in pattern.readings + pattern.condition.expressions where dataset == .postgresql {
            for group in regex.groups {
                guard let read = EventField(rawValue: group.name), RawRows.read[read] == key else { continue }
                throw NotExpressible("\(key.rawValue) is read out of the message (\(pattern.id))")
            }
        }
        if pattern.condition.absent.contains(.sessionID), [.ip, .address, .port, .user, .database].contains(key) {
            throw NotExpressible("\(key.rawValue) is not in the lines of \(pattern.id)")
        }
        return try RawColumns.field(key, of: dataset)
    }

    /// What reads the application out of messages: a session says it before the column has it.
    private func applicationPipes(_ choices: [Choice]) throws(NotExpressible) -> [DerivedPipe] {
        var pipes: [DerivedPipe] = []
        for choice in choices where choice.pattern.condition.dataset == .postgresql {
            for (column, regex) in choice.pattern.readings {
                let group = EventField.application.rawValue
                guard column == .message, regex.groups.contains(where: { $0.name == group }) else { continue }
                let text = try PortableRegex.extraction(regex.source, group: group, field: "app")
                let pipe = "extract_regexp if (!app:*) \(LogsQLText.quoted(text)) from msg" + RawColumns.keeping
                if !pipes.contains(where: { $0.text == pipe }) { pipes.append(DerivedPipe(makes: ["app"], text: pipe)) }
            }
        }
        return pipes
    }

    // MARK: - Putting it together

    private func reading(
        _ rule: Rule, _ choices: [Choice], notes: inout Notes
    ) throws(NotExpressible) -> Reading {
        let kept = choices.filter { choice in !choices.contains { absorbs($0, choice, among: choices) } }
        let datasets = Set(choices.map(\.pattern.condition.dataset))
        var fields: [EventKey: String] = [:]
        var parts: [Condition] = []
        // What is asked of all alike is asked once.
        let isAlike = Set(kept.map(\.residue)).count == 1
        for choice in kept {
            let record = try condition(of: choice, among: choices, datasets: datasets, notes: &notes)
            parts.append(isAlike ? record : .and([record, choice.residue]))
            if case .login = choice.pattern.effect {
                notes.add("a login that is refused after it was authorized counts as one")
            }
            noteSQL(rule, choice.pattern, &notes)
            if choice.pattern.condition.dataset != .pgbouncer, choice.pattern.once != nil, rule.condition.count > 1 {
                notes.add("lines that pgvigil takes for one event count each by itself")
            }
        }
        for key in RawRows.keys(rule) + RawRows.niceToHave(rule) {
            for choice in choices {
                guard let field = try? countedField(key, rule, choice.pattern) else {
                    notes.add("alerts are not told apart by \(key.rawValue), which is no field of these rows")
                    continue
                }
                guard fields[key] == nil || fields[key] == field else {
                    throw NotExpressible("\(key.rawValue) is another field in each of the logs it comes from")
                }
                fields[key] = field
            }
        }
        if case .distinct(.object, _, _) = rule.condition {
            notes.add("different messages are counted, not the names of objects in them")
        }
        let usesPooler = datasets.contains(.pgbouncer)
        let application = try applicationPipes(choices)
        return Reading(
            condition: .and([.or(parts).factored] + (isAlike ? [kept[0].residue] : [])),
            jobs: datasets.compactMap(RawColumns.job).sorted(),
            pipes: (datasets.contains(.postgresql) ? RawColumns.serverPipes : [])
                + (usesPooler ? RawColumns.poolerPipes : []) + application,
            derived: RawColumns.derived.union(usesPooler ? ["user", "db"] : [])
                .union(application.isEmpty ? [] : ["app"]),
            address: "client", fields: fields)
    }

    /// What rows must have to be counted.
    private static func keys(_ rule: Rule) -> [EventKey] {
        switch rule.condition {
        case .match: []
        case .distinct(let key, _, _): rule.groupBy + [key]
        default: rule.groupBy
        }
    }

    /// What only tells alerts apart.
    private static func niceToHave(_ rule: Rule) -> [EventKey] {
        if case .match = rule.condition { rule.groupBy + [.cluster, .instance] } else { [] }
    }

    /// True when all records of one choice are the other's, too.
    private func absorbs(_ big: Choice, _ small: Choice, among choices: [Choice]) -> Bool {
        let (mine, theirs) = (big.pattern.condition, small.pattern.condition)
        guard big.index != small.index, big.residue == small.residue, mine.holdsAll(of: theirs) else { return false }
        return earlier(than: big, among: choices).allSatisfy {
            $0.index < small.index || !$0.pattern.condition.mayOverlap(theirs)
        }
    }

    /// Patterns that come first, and so take records away that would be the choice's.
    private func earlier(than choice: Choice, among choices: [Choice]) -> [(index: Int, pattern: EventPattern)] {
        // Of PgBouncer's lines only those are looked at that one pattern alone can be meant by.
        if choice.pattern.condition.dataset == .pgbouncer { return [] }
        return catalogue.patterns.indices.prefix(choice.index).compactMap { index in
            // Those with the same consequence take nothing away.
            let isSame = choices.contains { $0.index == index && $0.residue == choice.residue }
            let pattern = catalogue.patterns[index]
            return !isSame && pattern.condition.mayOverlap(choice.pattern.condition) ? (index, pattern) : nil
        }
    }

    private func condition(
        of choice: Choice, among choices: [Choice], datasets: Set<LogDataset>, notes: inout Notes
    ) throws(NotExpressible) -> Condition {
        var raw = RawPattern(choice.pattern.condition)
        let own = try raw.translated()
        var parts = [own]
        for (_, pattern) in earlier(than: choice, among: choices) {
            var other = RawPattern(pattern.condition)
            do throws(NotExpressible) {
                parts.append(.inverse(try other.translated().without(own)))
                for note in other.notes { notes.add(note) }
            } catch {
                notes.add("records that are the pattern \(pattern.id)'s may count, too: \(error.reason)")
            }
        }
        for note in raw.notes { notes.add(note) }
        if datasets.count > 1, let job = RawColumns.job(of: choice.pattern.condition.dataset) {
            parts.insert(.equals("job", [job]), at: 0)
        }
        return .and(parts)
    }

    /// The ERROR of a statement has the statement's words, too; here it has only its own.
    private func noteSQL(_ rule: Rule, _ pattern: EventPattern, _ notes: inout Notes) {
        let isError = pattern.condition.severities.texts.contains("ERROR")
        guard isError, pattern.condition.dataset == .postgresql,
            rule.match.words(of: .action) != nil || !rule.match.noneOf.isEmpty
        else { return }
        notes.add("an error counts whatever its statement means; pgvigil gives it the action of the worse of the two")
    }
}
