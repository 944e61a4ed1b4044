import Patterns
import VigilModel

/// Makes events of the records that tell of statements: one event for each statement that a pattern knows, however many
/// records tell of it. The first that suffices fixes the event; later ones are its evidence, until the session's next
/// statement.
struct StatementReader {
    let classifier: StatementClassifier
    private let texts: TextFinder
    private let secrets: SecretMarker
    private let memory = StatementMemory()
    private var groups: SpanTable<StatementGroup>
    /// What was found since it was last taken, in file order.
    var events: [SecurityEvent] = []
    /// Records that belong to events found before.
    var evidence: [EventEvidence] = []

    /// Open statements remembered for one source.
    private static let groupLimit = 4096

    init(
        _ patterns: [StatementPattern], _ texts: TextFinder, _ secrets: SecretMarker,
        groups: [SpanTable<StatementGroup>.Span] = []
    ) {
        self.texts = texts
        self.secrets = secrets
        classifier = StatementClassifier(patterns)
        self.groups = SpanTable(limit: StatementReader.groupLimit, groups) { $0.parts.count }
    }

    /// What changed of what a reading that goes on at that offset must know of open statements.
    mutating func changes(from offset: Int64) -> (void: [SessionKey], rows: [SpanTable<StatementGroup>.Span]) {
        groups.changes(from: offset)
    }

    // MARK: - What the server logged

    /// A `statement:` or `execute …:` record: the statement is about to run.
    mutating func logged(_ context: RecordContext, _ template: MessageTemplate) {
        let message = context.record.uncut(.message)
        let text = Array(message[template.prefix.count...])
        let sql =
            template.endsOpen ? unnamed(text, context) : StatementText.named(text, context.record, classifier, memory)
        begin(sql, context, isStart: true, executes: true)
    }

    /// A `duration: … statement:` record, or one of `parse`, `bind` and `execute`: the statement, or a step of it, is
    /// done.
    mutating func timed(_ context: RecordContext, _ template: MessageTemplate, isPreparation: Bool) {
        let isNamed = template.hasName
        let message = context.record.uncut(.message)
        guard let start = message.withUnsafeBufferPointer({ template.textStart(in: $0) }) else { return }
        let text = Array(message[start...])
        let sql = isNamed ? StatementText.named(text, context.record, classifier, memory) : unnamed(text, context)
        begin(sql, context, isStart: false, executes: !isPreparation)
        if !isPreparation { groups.close(context.key, at: context.record.offset) }
    }

    /// A `duration:` record without a text: the statement that was logged before is done.
    mutating func ended(_ context: RecordContext) {
        guard !groups.isEmpty, !isPreparation(context.record) else { return }
        groups.close(context.key, at: context.record.offset)
    }

    private func unnamed(_ text: [UInt8], _ context: RecordContext) -> StatementText {
        memory.text(text, classifier.words, hasParameters: !context.record.isEmpty(.detail))
    }

    /// Looks at a record where it stands, before anything is copied: false when surely no pattern fits its statements and
    /// no statement of its session is open that it could end or tell more of.
    func mayConcern(_ record: LogRecord, _ carrier: StatementCarrier, _ template: MessageTemplate) -> Bool {
        if isOpen(record) { return true }
        switch carrier {
        case .ended: return false
        case .audited: return true
        case .logged:
            return mayFit(record, behind: template.quotedPrefix.count, isNamed: !template.endsOpen)
        case .prepared, .timed:
            // What stands before the text has no quotes, so it starts at the same place in the raw column.
            let start = record.withContent(.message) { template.textStart(in: $0) }
            return start.map { mayFit(record, behind: $0, isNamed: template.hasName) } ?? true
        }
    }

    /// True when a statement of the record's session is open.
    func isOpen(_ record: LogRecord) -> Bool { !groups.isEmpty && groups[SessionKey(record), at: record.offset] != nil }

    /// False when surely no statement is open of any session with that slot at that offset.
    @inline(__always)
    func mayHold(slot: Int, at offset: Int64) -> Bool { groups.mayHold(slot: slot, at: offset) }

    private func mayFit(_ record: LogRecord, behind start: Int, isNamed: Bool) -> Bool {
        classifier.words.mayFit(record, behind: start, isNamed: isNamed)
    }

    /// While a statement is parsed or bound, the command tag says so.
    private func isPreparation(_ record: LogRecord) -> Bool {
        record.equals(.commandTag, Array("PARSE".utf8)) || record.equals(.commandTag, Array("BIND".utf8))
    }

    /// A statement was sent, or the server is done with it. One that is about to start is the open one only when that
    /// was no more than parsed and bound: else the same was sent again.
    private mutating func begin(_ sql: StatementText, _ context: RecordContext, isStart: Bool, executes: Bool) {
        let offset = context.record.offset
        if !groups.isEmpty, let group = groups[context.key, at: offset] {
            if group.text == StatementText.digest(sql.bytes), !isStart || group.executed >= offset {
                if executes { groups.update(context.key, at: offset) { $0.executed = min($0.executed, offset) } }
                return
            }
            groups.close(context.key, before: offset)
        }
        let parts = make(sql, context)
        guard !parts.isEmpty else { return }
        groups.open(
            context.key, at: offset,
            StatementGroup(
                text: StatementText.digest(sql.bytes), statements: sql.statements.count,
                parts: StatementGroup.kept(parts),
                executed: executes ? offset : .max))
    }

    /// Makes the events of a text.
    private mutating func make(_ sql: StatementText, _ context: RecordContext) -> [StatementGroup.Part] {
        var parts: [StatementGroup.Part] = []
        let texts = texts(in: sql)
        for (ordinal, own) in sql.kinds(classifier).enumerated() {
            guard let kind = merge(own, texts[ordinal]) else { continue }
            let statement = sql.statements[ordinal]
            var event = event(context, kind, ordinal: ordinal)
            event.query = sql.redacted(statement.range)
            event.message = event.query
            event.take(statement)
            secrets.mark(&event, sql.bytes[statement.range], .statement)
            events.append(event)
            parts.append(part(event, text: sql.bytes[statement.range], kind: kind))
        }
        return parts
    }

    /// What parts of a text are made to look like, by the number of the statement that they stand in; what stands around
    /// the statements is the first one's.
    private func texts(in sql: StatementText) -> [Int: EventKind] {
        guard sql.context.look.hasLogLine, let whole = texts.kind(ofStatement: sql.bytes) else { return [:] }
        let found = sql.statements.enumerated().compactMap { number, statement in
            texts.kind(ofStatement: sql.bytes[statement.range]).map { (number, $0) }
        }
        return found.isEmpty ? [0: whole] : Dictionary(uniqueKeysWithValues: found)
    }

    private func merge(_ kind: EventKind?, _ text: EventKind?) -> EventKind? {
        guard let text else { return kind }
        return kind.map { texts.merge($0, text) } ?? text
    }

    private func event(_ context: RecordContext, _ kind: EventKind, ordinal: Int = 0) -> SecurityEvent {
        EventBuilder.event(context, kind: kind, ordinal: ordinal, keepsMessage: false)
    }

    private func part(_ event: SecurityEvent, text: ArraySlice<UInt8>, kind: EventKind) -> StatementGroup.Part {
        StatementGroup.Part(
            event: event.identity, content: event.content, text: StatementText.digest(text),
            command: event.operation ?? "", object: event.objectName, kind: kind.action)
    }

    // MARK: - What pgaudit wrote

    /// A record of pgaudit's. It belongs to the statement that is open, or is one that nothing else told of.
    mutating func audited(_ context: RecordContext, _ audit: AuditRecord) {
        let offset = context.record.offset
        if !groups.isEmpty, let group = groups[context.key, at: offset] {
            if let part = belongs(audit, to: group) {
                add(evidence: audit, to: group.parts[part], context)
                groups.update(context.key, at: offset) {
                    $0.parts[part].auditID = audit.statementID
                    $0.auditID = max($0.auditID ?? 0, audit.statementID)
                }
                return
            }
            // Another statement that nobody else logged: this one is over.
            if let last = group.auditID, audit.statementID > last, group.statements == 1 {
                groups.close(context.key, before: offset)
            }
        }
        guard let (event, text) = make(audit, context) else { return }
        events.append(event)
        var part = part(event, text: text, kind: event.kind)
        part.auditID = audit.statementID
        if groups[context.key, at: offset] != nil {
            groups.update(context.key, at: offset) {
                $0.add(part)
                $0.auditID = max($0.auditID ?? 0, audit.statementID)
            }
            return
        }
        groups.open(
            context.key, at: offset,
            StatementGroup(
                text: StatementText.digest(audit.statement ?? []), statements: 1, parts: [part], executed: offset,
                auditID: audit.statementID))
    }

    /// The event that a record of pgaudit's tells more of.
    private func belongs(_ audit: AuditRecord, to group: StatementGroup) -> Int? {
        // Further relations and parts of a statement that is known already.
        let digest = audit.statement.map { StatementText.digest($0) }
        if let index = group.parts.firstIndex(where: { part in
            part.auditID == audit.statementID && (digest == nil || digest == part.text || digest == group.text)
        }) {
            return index
        }
        guard digest == nil || digest == group.text || group.parts.contains(where: { $0.text == digest }) else {
            return nil
        }
        let free = group.parts.indices.filter { group.parts[$0].auditID == nil }
        let named = free.filter { digest == nil || digest == group.text || group.parts[$0].text == digest }
        if let exact = named.first(where: {
            group.parts[$0].command == audit.command && group.parts[$0].object != nil
                && group.parts[$0].object == audit.objectName
        }) {
            return exact
        }
        if let alike = named.first(where: { group.parts[$0].command == audit.command }) { return alike }
        // The tag of a statement and pgaudit's word for it may differ: COPY (SELECT …) is SELECT and COPY.
        return group.statements == 1 ? named.first : nil
    }

    /// An event of a record of pgaudit's alone, with the text it is about.
    private func make(_ audit: AuditRecord, _ context: RecordContext) -> (SecurityEvent, ArraySlice<UInt8>)? {
        guard let text = audit.statement else {
            guard let kind = classifier.kind(ofCommand: audit.command) else { return nil }
            var event = event(context, classifier.variant(kind, dataset: .pgaudit))
            event.take(audit)
            return (event, [])
        }
        let sql = memory.text(text, classifier.words)
        // Up to version 16 the text is all that was sent; the record is about one statement of it.
        let meant = sql.statements.filter { $0.command == audit.command }
        let statement =
            meant.first { $0.objectName != nil && $0.objectName == audit.objectName } ?? meant.first
            ?? (sql.statements.count == 1 ? sql.statements.first : nil)
        let look = sql.context.look.hasLogLine ? texts.kind(ofStatement: text) : nil
        if let statement, let kind = merge(classifier.kind(of: statement, sql.context), look) {
            var event = event(context, classifier.variant(kind, dataset: .pgaudit))
            event.query = sql.redacted(statement.range)
            event.message = event.query
            event.take(statement)
            event.auditClass = audit.auditClass
            event.objectName = audit.objectName ?? event.objectName
            event.objectType = audit.objectType?.lowercased() ?? event.objectType
            secrets.mark(&event, sql.bytes[statement.range], .audit)
            return (event, sql.bytes[statement.range])
        }
        // What a function or a command does inside has no text of its own that could be read.
        guard statement == nil || audit.auditClass == "DDL" || audit.auditClass == "ROLE",
            let kind = classifier.kind(ofCommand: audit.command)
        else { return nil }
        var event = event(context, classifier.variant(kind, dataset: .pgaudit))
        event.query = sql.redacted(0..<text.count)
        event.message = event.query
        event.take(audit)
        secrets.mark(&event, text[...], .audit)
        return (event, text[...])
    }

    private mutating func add(evidence audit: AuditRecord, to part: StatementGroup.Part, _ context: RecordContext) {
        let kind = EventKind(
            dataset: LogDataset.pgaudit.name, category: "database", action: part.kind, outcome: .unknown,
            severity: .info, tags: secrets.tags(of: audit.statement ?? [], .audit))
        add(evidence: kind, to: part, context, audit)
    }

    private mutating func add(
        evidence kind: EventKind, to part: StatementGroup.Part, _ context: RecordContext, _ audit: AuditRecord? = nil
    ) {
        let own = event(context, kind)
        evidence.append(
            EventEvidence(
                event: part.event, content: part.content, identity: own.identity, kind: kind, time: context.time,
                offset: context.record.offset, auditClass: audit?.auditClass,
                objectName: audit?.objectName, objectType: audit?.objectType?.lowercased()))
    }

    // MARK: - What went wrong

    /// An ERROR with the statement that caused it. `kind` is what a pattern says of the error itself. It belongs to the
    /// statement that is open, or is the first to tell of it.
    mutating func failed(
        _ context: RecordContext, _ kind: EventKind?, _ object: (type: String, name: String)? = nil
    ) {
        let query = context.record.uncut(.query)
        let offset = context.record.offset
        let group = groups.isEmpty ? nil : groups[context.key, at: offset]
        defer { if group != nil { groups.close(context.key, at: offset) } }
        if let group, group.text == StatementText.digest(query) {
            // Of several statements it is not known which one failed: the last that something else told of.
            let part = group.parts.last { $0.auditID != nil } ?? group.parts[0]
            let failure =
                kind
                ?? EventKind(
                    dataset: LogDataset.postgresql.name, category: "database", action: part.kind, outcome: .failure,
                    severity: .info, tags: [])
            let tags = secrets.tags(of: query, .error)
            let told = classifier.variant(failure, outcome: .failure)
            add(evidence: tags.isEmpty ? told : told.tagged(Set(tags)), to: part, context)
            return
        }
        // What the server could not parse is no statement, but it may hold a secret or be an attempt at injection.
        let isParsed = !context.record.equals(.sqlState, Array("42601".utf8))
        let sql = memory.text(query, classifier.words, isParsed: isParsed)
        let found = sql.kinds(classifier)
        let known = found.firstIndex { $0 != nil }
        let text = sql.context.look.hasLogLine ? texts.kind(ofStatement: query) : nil
        guard known != nil || kind != nil || text != nil else { return }
        var kinds = kind.map { classifier.variant($0, outcome: .failure) }
        if let known, let own = found[known] {
            let failed = classifier.variant(own, outcome: .failure)
            kinds = kinds.map { classifier.merged($0, failed) } ?? failed
        }
        guard let kinds = merge(kinds, text.map { classifier.variant($0, outcome: .failure) }) else { return }
        var event = event(context, kinds)
        event.query = sql.redacted(0..<query.count)
        // A message about a text that could not be parsed repeats a piece of it, which may be a secret.
        let isQuiet = !isParsed && !kinds.tags.allSatisfy { !$0.hasPrefix("secret.") }
        event.message =
            isQuiet
            ? event.query
            : SQLReader.redacted(
                message: String(escaping: SQLReader.redacted(context.record.content(.message))))
        if let statement = known.map({ sql.statements[$0] }) ?? sql.statements.first { event.take(statement) }
        if let object { (event.objectType, event.objectName) = (object.type, object.name) }
        secrets.mark(&event, query[...], .error)
        events.append(event)
    }
}

extension SecurityEvent {
    /// Takes what a statement's text says.
    mutating func take(_ statement: SQLStatement) {
        operation = statement.command
        objectName = statement.objectName
        objectType = statement.objectType
        targetUser = statement.targetRole
    }

    /// Takes what pgaudit says.
    mutating func take(_ audit: AuditRecord) {
        operation = audit.command
        auditClass = audit.auditClass
        objectName = audit.objectName
        objectType = audit.objectType?.lowercased()
    }
}
