/// One security-relevant fact: what a record of a log means.
public struct SecurityEvent: Sendable, Equatable {
    /// What makes it the same event wherever it is read again.
    public var identity: EventIdentity
    /// When, in event time: as the server printed it, clamped not to run backwards within its source.
    public var time: LogTime
    /// What happened.
    public var kind: EventKind
    /// Who did it and from where.
    public var actor: EventActor
    /// TCP port of the client, 1…65535.
    public var sourcePort: Int?
    /// Operating system's process id of the backend.
    public var processID: Int64?
    /// SQLSTATE, five characters (PostgreSQL manual, appendix A).
    public var sqlState: String?
    /// The session id of csvlog column 6.
    public var sessionID: String?
    /// The session line number of csvlog column 7.
    public var sessionLine: Int64?
    /// `application_name`, written by the client.
    public var applicationName: String?
    /// The server's message; for a statement, its redacted text.
    public var message: String?
    /// The role that was changed or named.
    public var targetUser: String?
    /// Command tag of the statement (`CREATE TABLE`).
    public var operation: String?
    /// First object that the statement names.
    public var objectName: String?
    /// What that object is (`table`, `role`).
    public var objectType: String?
    /// pgaudit's class of the statement (`DDL`).
    public var auditClass: String?
    /// Redacted text of the statement.
    public var query: String?
    /// Authentication method of pg_hba.conf (`scram-sha-256`).
    public var authMethod: String?
    /// File and line of the pg_hba.conf rule that matched, as `FILE:LINE`.
    public var hbaRule: String?
    /// TLS protocol version (`TLSv1.3`).
    public var tlsVersion: String?
    /// Tells one secret that stood in the record from another (`SecretKey`); nil without a key.
    public var secretFingerprint: String?
    /// Like events that this one stands for, itself included.
    public var count: Int64 = 1
    /// Where the record starts, in bytes of the (decompressed) file.
    public var offset: Int64 = 0
    /// Hash of what the server wrote, to tell a repeated event from another one under the same identity.
    public var content: Int64 = 0

    /// Takes what every event has.
    public init(identity: EventIdentity, time: LogTime, kind: EventKind, actor: EventActor) {
        self.identity = identity
        self.time = time
        self.kind = kind
        self.actor = actor
    }
}

/// What happened, in the words of the catalogue (`pgvigil patterns list`). A class, since a pattern makes it once and
/// every event of the pattern shares it.
public final class EventKind: Hashable, Sendable {
    /// `event.dataset`: `postgresql.log`.
    public let dataset: String
    /// `event.category` of the Elastic Common Schema: `authentication`, `iam`, `configuration`, `database`, …
    public let category: String
    /// `event.action`: the most severe word that applies.
    public let action: String
    /// `event.outcome`.
    public let outcome: EventOutcome
    /// `event.reason`: why a login failed.
    public let reason: String?
    /// `event.severity`.
    public let severity: Severity
    /// All words that apply, sorted.
    public let tags: [String]
    /// Hash of all these words, of this process.
    public let words: Int

    /// Takes the words.
    public init(
        dataset: String, category: String, action: String, outcome: EventOutcome, reason: String? = nil,
        severity: Severity, tags: [String]
    ) {
        self.dataset = dataset
        self.category = category
        self.action = action
        self.outcome = outcome
        self.reason = reason
        self.severity = severity
        self.tags = tags
        var hasher = Hasher()
        for word in [dataset, category, action, outcome.rawValue, reason, severity.rawValue] { hasher.combine(word) }
        hasher.combine(tags)
        words = hasher.finalize()
    }

    /// The same with more words.
    public func tagged(_ more: Set<String>) -> EventKind {
        EventKind(
            dataset: dataset, category: category, action: action, outcome: outcome, reason: reason,
            severity: severity, tags: more.union(tags).sorted())
    }

    /// The same of another dataset.
    public func of(_ dataset: String) -> EventKind {
        if dataset == self.dataset { return self }
        return EventKind(
            dataset: dataset, category: category, action: action, outcome: outcome, reason: reason,
            severity: severity, tags: tags)
    }

    /// The same, having failed.
    public var failed: EventKind {
        EventKind(
            dataset: dataset, category: category, action: action, outcome: .failure, reason: reason, severity: severity,
            tags: tags)
    }

    /// Equal words.
    public static func == (left: EventKind, right: EventKind) -> Bool {
        left === right
            || (left.words == right.words && left.dataset == right.dataset && left.category == right.category
                && left.action == right.action
                && left.outcome == right.outcome && left.reason == right.reason && left.severity == right.severity
                && left.tags == right.tags)
    }

    /// By all words.
    public func hash(into hasher: inout Hasher) { hasher.combine(words) }
}

/// `event.outcome` of the Elastic Common Schema.
public enum EventOutcome: String, Sendable, CaseIterable {
    case success, failure, unknown
}

/// Who acted, from where, in which database. All of it but the address is text that a client wrote.
public struct EventActor: Hashable, Sendable {
    /// Host as logged: an address, a host name (`log_hostname`), or `[local]`.
    public var address: String?
    /// The address when it is one, in normal form.
    public var ip: IPAddress?
    /// Login user of the startup packet.
    public var user: String?
    /// Database of the startup packet.
    public var database: String?

    /// Takes the parts; the address is read as an IP address when it is one.
    public init(address: String?, user: String?, database: String?) {
        self.address = address
        self.ip = address.flatMap(IPAddress.init)
        self.user = user
        self.database = database
    }

    /// Takes the parts of an address that has been read.
    public init(address: String?, ip: IPAddress?, user: String?, database: String?) {
        self.address = address
        self.ip = ip
        self.user = user
        self.database = database
    }

    /// The text of `ip`. IPv4 is mostly logged in that form: no new text is made of it then.
    public var ipText: String? {
        guard let ip else { return nil }
        guard ip.isV4, let address, address.utf8.allSatisfy({ $0 == 46 || (48...57).contains($0) }) else {
            return ip.description
        }
        return address
    }

    /// The address says it all; its number follows from it.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(user)
        hasher.combine(database)
    }
}
