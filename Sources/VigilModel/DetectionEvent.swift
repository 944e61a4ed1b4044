/// Who acted, as rules see it. A class, since the events of one actor share it, and what rules found of the actor.
public final class DetectionActor: Sendable {
    /// From where, as far as it is known for certain; nil behind a proxy that tells nobody.
    public let ip: IPAddress?
    /// As logged; `[local]` for a socket.
    public let address: String?
    /// Login user.
    public let user: String?
    /// Database.
    public let database: String?
    private let ipText: String?
    /// What counts as one address: IPv6 by its /64, since one customer has as many addresses as there are.
    public let groupIP: String?

    /// Hashes of address, user and database, to tell whether two actors have the same. Only within one process.
    public let marks: Marks

    /// Hashes of what says who somebody is.
    public struct Marks: Equatable, Sendable {
        /// Of each part.
        public let ip, user, database: Int
    }

    /// Takes all parts.
    public convenience init(ip: IPAddress?, address: String?, user: String?, database: String?) {
        self.init(ip: ip, ipText: ip?.description, address: address, user: user, database: database)
    }

    /// Who an event is of.
    public convenience init(_ actor: EventActor) {
        self.init(
            ip: actor.ip, ipText: actor.ipText, address: actor.address, user: actor.user, database: actor.database)
    }

    private init(ip: IPAddress?, ipText: String?, address: String?, user: String?, database: String?) {
        marks = Marks(ip: ip.hashValue, user: user.hashValue, database: database.hashValue)
        self.ip = ip
        self.ipText = ipText
        groupIP = ip.flatMap { $0.isV4 ? nil : $0.masked(64).description } ?? ipText
        self.address = address ?? ipText
        self.user = user
        self.database = database
    }

    /// The value of a key that `isOfActor`.
    public func value(of key: EventKey) -> String? {
        switch key {
        case .address: address
        case .ip: ipText
        case .network: ip.map { CIDR($0, prefix: $0.isV4 ? 24 : 64).description }
        case .user: user
        case .database: database
        default: nil
        }
    }
}

/// Tells of stored events what few rules ask for.
public protocol DetailSource: AnyObject, Sendable {
    /// The value of a key of an event; nil when there is none.
    func value(of key: EventKey, seq: Int64) -> String?
    /// All values of an event.
    func values(seq: Int64) -> [EventKey: String]
}

/// Details that some rule asks for with nearly every event of a kind: read with the event. A class, since the same few
/// serve most events, and what rules make of them.
public final class NearDetails: Sendable {
    /// The client's program.
    public let application: String?
    /// SQLSTATE.
    public let sqlState: String?
    /// Command tag.
    public let operation: String?

    /// Takes all of them.
    public init(application: String?, sqlState: String?, operation: String?) {
        self.application = application
        self.sqlState = sqlState
        self.operation = operation
    }

    /// True for keys that it has the values of.
    public static func holds(_ key: EventKey) -> Bool {
        switch key {
        case .application, .sqlState, .operation: true
        default: false
        }
    }

    /// The value of a key that it `holds`.
    public func value(of key: EventKey) -> String? {
        switch key {
        case .application: application
        case .sqlState: sqlState
        case .operation: operation
        default: nil
        }
    }
}

/// What rules see of a stored event.
public struct DetectionEvent: Sendable {
    /// The row.
    public var seq: Int64
    /// When.
    public var time: LogTime
    /// What happened, with what further records told of it.
    public var kind: EventKind
    /// Who did it.
    public let actor: DetectionActor
    /// Like events that it stands for.
    public var count: Int64
    /// Values that few rules ask for. Empty unless some rule might.
    public var details: [EventKey: String]
    /// Those that rules ask for most; nil when they stand in `details`, if anywhere.
    public var near: NearDetails?
    /// Tells the details that are not there; only inside the call that hands the event over.
    public var source: (any DetailSource)?

    /// Takes all parts.
    public init(
        seq: Int64, time: LogTime, kind: EventKind, ip: IPAddress?, address: String? = nil, user: String?,
        database: String?, count: Int64 = 1, details: [EventKey: String] = [:]
    ) {
        self.init(
            seq: seq, time: time, kind: kind,
            actor: DetectionActor(ip: ip, address: address, user: user, database: database), count: count,
            details: details)
    }

    /// Takes all parts.
    public init(
        seq: Int64, time: LogTime, kind: EventKind, actor: DetectionActor, count: Int64,
        details: [EventKey: String] = [:], near: NearDetails? = nil, source: (any DetailSource)? = nil
    ) {
        self.seq = seq
        self.time = time
        self.kind = kind
        self.actor = actor
        self.count = count
        self.details = details
        self.near = near
        self.source = source
    }

    /// From where, as far as it is known for certain; nil behind a proxy that tells nobody.
    public var ip: IPAddress? { actor.ip }
    /// As logged; `[local]` for a socket.
    public var address: String? { actor.address }
    /// Login user.
    public var user: String? { actor.user }
    /// Database.
    public var database: String? { actor.database }

    /// The value of a key; nil when there is none. Of `tags`, the first.
    public func value(of key: EventKey) -> String? {
        if key.isOfActor { return actor.value(of: key) }
        switch key.place {
        case .kind: return kind.values(of: key).first
        case .event: return String(count)
        case .details:
            if let value = details[key] { return value }
            return NearDetails.holds(key) ? near?.value(of: key) : source?.value(of: key, seq: seq)
        }
    }

    /// The same with all details, to be kept.
    public var settled: DetectionEvent {
        guard let source else { return self }
        var event = self
        event.details = source.values(seq: seq)
        event.source = nil
        return event
    }
}

extension DetectionEvent {
    /// What rules see of an event that is not stored; `kind` with what further records told of it.
    public init(_ event: SecurityEvent, seq: Int64, kind: EventKind? = nil) {
        let values: [(EventKey, String?)] = [
            (.port, event.sourcePort.map { String($0) }), (.targetUser, event.targetUser),
            (.operation, event.operation), (.object, event.objectName), (.objectType, event.objectType),
            (.query, event.query), (.message, event.message ?? event.query),
            (.processID, event.processID.map { String($0) }), (.auditClass, event.auditClass),
            (.authMethod, event.authMethod), (.hbaRule, event.hbaRule), (.tlsVersion, event.tlsVersion),
            (.secretFingerprint, event.secretFingerprint),
            (.sqlState, event.sqlState), (.session, event.sessionID ?? event.identity.origin),
            (.application, event.applicationName),
        ]
        self.init(
            seq: seq, time: event.time, kind: kind ?? event.kind, ip: event.actor.ip, address: event.actor.address,
            user: event.actor.user, database: event.actor.database, count: event.count,
            details: values.reduce(into: [:]) { $0[$1.0] = $1.1 })
    }
}
