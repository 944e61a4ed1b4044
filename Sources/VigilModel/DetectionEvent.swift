/// What rules see of a stored event.
public struct DetectionEvent: Sendable {
    /// The row.
    public var seq: Int64
    /// When.
    public var time: LogTime
    /// What happened, with what further records told of it.
    public var kind: EventKind
    /// From where, as far as it is known for certain; nil behind a proxy that tells nobody.
    public var ip: IPAddress?
    /// As logged; `[local]` for a socket.
    public var address: String?
    /// Login user.
    public var user: String?
    /// Database.
    public var database: String?
    /// Like events that it stands for.
    public var count: Int64
    /// Values that few rules ask for. Empty unless some rule might.
    public var details: [EventKey: String]

    /// Takes all parts.
    public init(
        seq: Int64, time: LogTime, kind: EventKind, ip: IPAddress?, address: String? = nil, user: String?,
        database: String?, count: Int64 = 1, details: [EventKey: String] = [:]
    ) {
        self.seq = seq
        self.time = time
        self.kind = kind
        self.ip = ip
        self.address = address ?? ip?.description
        self.user = user
        self.database = database
        self.count = count
        self.details = details
    }

    /// The value of a key; nil when there is none. Of `tags`, the first.
    public func value(of key: EventKey) -> String? {
        switch key {
        case .count: String(count)
        case .address: address
        case .ip: ip?.description
        case .network: ip.map { CIDR($0, prefix: $0.isV4 ? 24 : 64).description }
        case .user: user
        case .database: database
        default: key.place == .kind ? kind.values(of: key).first : details[key]
        }
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
