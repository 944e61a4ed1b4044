/// A record that tells more of an event that another record had told of first.
public struct EventEvidence: Sendable {
    /// The event.
    public var event: EventIdentity
    /// The event's `content`.
    public var content: Int64
    /// What makes this record the same record wherever it is read again.
    public var identity: EventIdentity
    /// What this record says: its tags and outcome become the event's.
    public var kind: EventKind
    /// When.
    public var time: LogTime
    /// Where the record starts, in bytes of the (decompressed) file.
    public var offset: Int64
    /// pgaudit's class (`DDL`).
    public var auditClass: String?
    /// What was touched, as pgaudit says.
    public var objectName, objectType: String?
    /// Like events that the event stands for, itself included; nil when the record does not say.
    public var count: Int64?
    /// How many of them are new since this reading told it last, and whose they are.
    public var increase: (count: Int64, address: String?)?

    /// Takes all parts.
    public init(
        event: EventIdentity, content: Int64, identity: EventIdentity, kind: EventKind, time: LogTime, offset: Int64,
        auditClass: String?, objectName: String?, objectType: String?
    ) {
        self.event = event
        self.content = content
        self.identity = identity
        self.kind = kind
        self.time = time
        self.offset = offset
        self.auditClass = auditClass
        self.objectName = objectName
        self.objectType = objectType
    }
}

extension EventEvidence {
    /// What somebody else knows of an event by now. Told twice it is the same record.
    public init(retelling event: SecurityEvent) {
        var digest = Digest64()
        for word in event.kind.tags + [event.kind.outcome.rawValue] { digest.combine(word) }
        for text in [event.auditClass, event.objectName, event.objectType] { digest.combine(text ?? "") }
        if event.count > 1 { digest.combine(String(event.count)) }
        self.init(
            event: event.identity, content: event.content,
            identity: EventIdentity(
                origin: "told:\(event.identity.origin)", line: event.identity.line, hash: digest.folded32, ordinal: 0),
            kind: event.kind, time: event.time, offset: event.offset, auditClass: event.auditClass,
            objectName: event.objectName, objectType: event.objectType)
        if event.count > 1 { count = event.count }
    }
}

extension EventEvidence {
    /// The origin of what says only how many like events there are, in place of a session id: it is no record.
    public static let counting = "count"

    /// True when it says only how many like events there are.
    public var isCount: Bool { identity.origin == EventEvidence.counting }

    /// That an event stands for so many like ones by that time. Told twice it is the same record.
    public init(
        counting count: Int64, increase: Int64, event: EventIdentity, content: Int64, kind: EventKind, address: String?,
        time: LogTime, offset: Int64
    ) {
        self.init(
            event: event, content: content,
            identity: EventIdentity(origin: EventEvidence.counting, line: count, mark: 0), kind: kind,
            time: time, offset: offset, auditClass: nil, objectName: nil, objectType: nil)
        self.count = count
        self.increase = (increase, address)
    }
}
